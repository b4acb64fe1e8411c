package ctl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"trivia/internal/customerio"
	"trivia/internal/signature"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

// sendTimeout is how long one answer may take.
const sendTimeout = 10 * time.Second

// mostAnswer is as much of an answer as is read.
const mostAnswer = 64 << 10

// An answer is what came back for one request.
type answer struct {
	code    int
	status  string // accepted, duplicate, refused; empty if the other side is no trivia-hook
	outcome string
	key     string
	fault   string
	took    time.Duration
}

func (a answer) ok() bool { return a.code >= 200 && a.code < 300 }

// A sender sends deliveries.
type sender struct {
	sendOptions

	client *http.Client
	now    func() time.Time
	agent  string // who we say we are
}

func (s *session) newSender(o sendOptions) *sender {
	transport, _ := http.DefaultTransport.(*http.Transport)
	transport = transport.Clone()
	transport.MaxIdleConnsPerHost = o.concurrency

	return &sender{o, &http.Client{
		Transport: transport,
		Timeout:   sendTimeout,
		// A redirect would turn a POST into a GET.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, s.Now, name + "/" + version()}
}

// post sends one delivery, signed now.
func (sd *sender) post(ctx context.Context) (answer, error) {
	key := sd.key
	if key == "" {
		key = sd.newKey()
	}

	return sd.postBody(ctx, key, sd.body(key))
}

func (sd *sender) postBody(ctx context.Context, key string, body []byte) (answer, error) {
	begun := sd.now()
	stamp := strconv.FormatInt(begun.Unix(), 10)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, sd.url, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("send to %s: %w", sd.url, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", sd.agent)
	req.Header.Set(signature.HeaderTimestamp, stamp)
	req.Header.Set(signature.HeaderSignature, signature.Sign(sd.signer, stamp, body))
	if sd.kind == trivia.KindWin {
		req.Header.Set(customerio.HeaderIdempotencyKey, key)
	}

	resp, err := sd.client.Do(req)
	if err != nil {
		return answer{}, sd.explain(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return answer{}, sd.explain(err)
	}

	return sd.read(resp.StatusCode, text, key, sd.now().Sub(begun)), nil
}

// read takes what it can out of an answer, which may be anybody's.
func (sd *sender) read(code int, text []byte, key string, took time.Duration) answer {
	var said struct{ Status, Outcome, Key, Error string }
	if json.Unmarshal(text, &said) != nil {
		said.Error, _, _ = strings.Cut(strings.TrimSpace(string(text)), "\n")
	}
	if said.Key != "" {
		key = said.Key
	}

	return answer{code: code, status: said.Status, outcome: said.Outcome, key: key, fault: said.Error, took: took}
}

// explain says which address does not answer, and what to do about it.
func (sd *sender) explain(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err // it repeats the URL
	}
	at := sd.url
	if u, parseErr := url.Parse(sd.url); parseErr == nil {
		at = u.Host
	}
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" && !dial.Timeout() {
		err = fmt.Errorf("nothing listens at %s: %w", at, dial.Err)

		return hinted{err, "start it with make run, or say where it is with --url"}
	}

	return fmt.Errorf("send to %s: %w", at, err)
}

// all sends as often as asked, and tells each answer to took. A
// request that gets no answer ends it.
func (sd *sender) all(ctx context.Context, took func(answer)) error {
	var (
		group, groupCtx = errgroup.WithContext(ctx)
		mu              sync.Mutex
		begun           atomic.Int64
	)
	for range min(sd.concurrency, sd.repeat) {
		group.Go(func() error {
			for groupCtx.Err() == nil && begun.Add(1) <= int64(sd.repeat) {
				got, err := sd.post(groupCtx)
				if err != nil {
					return err
				}
				mu.Lock()
				took(got)
				mu.Unlock()
			}

			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}

	return ctx.Err()
}

// send sends, shows what came back, and waits for the outcome if asked.
func (s *session) send(ctx context.Context, o sendOptions) error {
	var (
		do   verbs
		done = func() {}
		err  error
	)
	if o.wait > 0 { // first of all: without a database there is nothing to wait for
		if do, done, err = s.open(ctx); err != nil {
			return err
		}
	}
	defer done()

	sd := s.newSender(o)
	defer sd.client.CloseIdleConnections()
	if o.repeat == 1 {
		return s.sendOnce(ctx, sd, do)
	}

	return s.sendMany(ctx, sd, do)
}

func (s *session) sendOnce(ctx context.Context, sd *sender, do verbs) error {
	got, err := sd.post(ctx)
	if err != nil {
		return err
	}

	s.print("%s\n", tui.Clean(got.line()))
	if !got.ok() {
		return notAccepted(got)
	}
	if sd.wait == 0 {
		return nil
	}

	return s.waitFor(ctx, sd, do, []string{got.key})
}

// line says everything about one answer.
func (a answer) line() string {
	text := strconv.Itoa(a.code)
	switch {
	case a.status == "" && a.fault == "":
		return text + ", in " + millis(a.took)
	case a.ok():
		return fmt.Sprintf("%s %s: %s, key %s, in %s", text, a.status, a.outcome, a.key, millis(a.took))
	default:
		return fmt.Sprintf("%s %s: %s, in %s", text, a.status, a.fault, millis(a.took))
	}
}

func millis(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) + " ms"
}

// notAccepted is the error of an answer that is not 2xx.
func notAccepted(a answer) error {
	err := fmt.Errorf("the delivery was not accepted: %d %s", a.code, http.StatusText(a.code))
	switch {
	case a.code == http.StatusUnauthorized:
		return hinted{err, "the hook verifies with other keys than this environment has, or its clock is off"}
	case a.code == http.StatusForbidden:
		return hinted{err, "the hook takes requests only from TRIVIA_SOURCES"}
	case a.code == http.StatusNotFound && a.status == "":
		return hinted{err, "is it a trivia-hook that listens there?"}
	case a.code >= 300 && a.code < 400:
		return hinted{err, "redirects are not followed; give the final --url"}
	}

	return err
}
