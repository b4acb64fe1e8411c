package simulate

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/signature"
	"trivia/internal/trivia"
)

// mostAnswer is as much of an answer as is read.
const mostAnswer = 64 << 10

// A sender makes tries over HTTP.
type sender struct {
	Options

	kept, fresh *http.Client
}

func newSender(o Options) (*sender, error) {
	dialer := &net.Dialer{}
	if o.From != "" {
		ip := net.ParseIP(o.From)
		if ip == nil {
			return nil, fmt.Errorf("simulate: call from %q: want an IP address of this machine", o.From)
		}
		dialer.LocalAddr = &net.TCPAddr{IP: ip}
	}
	client := func(once bool) *http.Client {
		return &http.Client{
			Transport: &http.Transport{
				DialContext: dialer.DialContext, TLSClientConfig: o.TLS, DisableKeepAlives: once, DisableCompression: true,
				MaxIdleConnsPerHost: o.Concurrency + o.Streams,
			},
			// A redirect would turn a POST into a GET.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}

	return &sender{Options: o, kept: client(false), fresh: client(true)}, nil
}

func (s *sender) close() { s.kept.CloseIdleConnections() }

// post makes one try, signed now.
func (s *sender) post(ctx context.Context, t Try) Answer {
	begun := s.Now()
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	got := s.send(ctx, t, begun)
	got.Took = s.Now().Sub(begun)

	return got
}

func (s *sender) send(ctx context.Context, t Try, now time.Time) Answer {
	at := s.WinURL
	if t.Kind == trivia.KindEvent {
		at = s.EventURL
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(t.Body))
	if err != nil {
		return Answer{Err: err}
	}
	// net/http would quietly try again where a kept connection was closed. The
	// sender may do that or not; whoever counts what a hook costs must not.
	req.GetBody = nil
	stamp := strconv.FormatInt(now.Add(s.Skew).Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", s.Agent)
	req.Header.Set(signature.HeaderTimestamp, stamp)
	req.Header.Set(signature.HeaderSignature, signature.Sign(s.Keys(t.Kind), stamp, t.Body))
	if t.Kind == trivia.KindWin {
		req.Header.Set(customerio.HeaderIdempotencyKey, t.Key)
		req.Header.Set(customerio.HeaderDeliveryID, t.Key)
	}

	client := s.kept
	if t.New {
		client = s.fresh
	}
	resp, err := client.Do(req)
	if err != nil {
		return Answer{Err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return Answer{Err: err}
	}

	return readAnswer(resp.StatusCode, text)
}
