package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"trivia/internal/customerio"
	"trivia/internal/signature"
	"trivia/internal/trivia"
)

const (
	usually    = 400 * time.Millisecond // between two deliveries
	inBurst    = 40 * time.Millisecond
	untilBurst = 15 * time.Second // at least; up to three times that
	mostInOne  = 120              // deliveries of a burst
	senders    = 8
)

// A stream is what Customer.io sends, and others who would like to be it.
type stream struct {
	url    string
	key    signature.Key
	client *http.Client
	made   *maker

	answers [600]atomic.Int64 // by status
}

func newStream(h *hook) *stream {
	key, _ := signature.NewKey(signingKey) // it is not empty

	return &stream{
		url: "http://" + h.public, key: key, made: newMaker(),
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: senders}},
	}
}

// flow sends at a human pace, with a burst from time to time, as when a campaign
// begins.
func (st *stream) flow(ctx context.Context) error {
	defer st.client.CloseIdleConnections()
	for {
		calm := untilBurst + rand.N(2*untilBurst)
		if err := st.during(ctx, calm, usually, func() request { return st.made.next(time.Now()) }); err != nil {
			return err
		}
		campaign := st.made.campaign()
		length := inBurst * time.Duration(mostInOne/2+rand.N(mostInOne/2))
		if err := st.during(ctx, length, inBurst, func() request { return st.made.burst(campaign, time.Now()) }); err != nil {
			return err
		}
	}
}

// during sends for a while, so often on average.
func (st *stream) during(ctx context.Context, length, each time.Duration, next func() request) error {
	end := time.Now().Add(length)
	for time.Now().Before(end) {
		if err := watch(ctx, time.Duration(rand.ExpFloat64()*float64(each))); err != nil {
			return err
		}
		if err := st.send(ctx, next()); err != nil {
			return err
		}
	}

	return nil
}

// all sends requests, several at a time.
func (st *stream) all(ctx context.Context, requests []request) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(senders)
	for _, r := range requests {
		group.Go(func() error { return st.send(ctx, r) })
	}

	return group.Wait()
}

func (st *stream) send(ctx context.Context, r request) error {
	path := customerio.PathWin
	if r.kind == trivia.KindEvent {
		path = customerio.PathEvent
	}
	now := time.Now()
	if r.stale {
		now = now.Add(-time.Hour)
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	signed := signature.Sign(st.key, stamp, r.body)
	if r.forged {
		signed = signature.Sign(st.key, stamp, append(bytes.Clone(r.body), ' '))
	}

	req, err := http.NewRequestWithContext(ctx, http.MethodPost, st.url+path, bytes.NewReader(r.body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(signature.HeaderTimestamp, stamp)
	req.Header.Set(signature.HeaderSignature, signed)
	if r.key != "" {
		req.Header.Set(customerio.HeaderIdempotencyKey, r.key)
	}
	resp, err := st.client.Do(req)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("send to trivia-hook: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	st.answers[resp.StatusCode%len(st.answers)].Add(1)

	return err
}
