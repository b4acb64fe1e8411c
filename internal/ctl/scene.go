package ctl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/signature"
	"trivia/internal/trivia"
)

// A scene is one scenario while it is sent.
type scene struct {
	*staging

	trivia trivia.ID
	keys   []string
}

// key returns a key that no other delivery has.
func (at *scene) key() string {
	key := at.trial.Key(len(at.staging.keys))
	at.staging.keys = append(at.staging.keys, key)
	at.keys = append(at.keys, key)

	return key
}

// win returns the body of a win of the scenario's user and trivia.
func (at *scene) win(item trivia.Item) []byte {
	return winBody(trivia.Win{User: at.user, Trivia: at.trivia, Item: item})
}

// A crafted request is one that is made by hand. What is zero is as it should
// be.
type crafted struct {
	key       string
	body      []byte
	event     bool   // by the route of events
	method    string // POST
	path      string // the route's
	ago       time.Duration
	signer    *signature.Key
	signed    []byte // instead of the body
	signature string
	ask       bool          // whether the body is wanted, before it is sent
	slow      io.ReadCloser // sends the body instead
}

// send sends a request, and returns what the answer says in a word or two.
func (at *scene) send(ctx context.Context, c crafted) string {
	req, sd, err := at.request(ctx, c)
	if err != nil {
		return err.Error()
	}
	resp, err := sd.client.Do(req)
	if err != nil {
		return muteWords(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return muteWords(err)
	}
	got := sd.read(resp.StatusCode, text, "", 0)

	switch {
	case !got.ok():
		return strconv.Itoa(got.code)
	case got.status == "duplicate":
		return got.status
	case got.outcome == "":
		return fmt.Sprintf("%d without an outcome", got.code)
	default:
		return got.outcome
	}
}

func (at *scene) request(ctx context.Context, c crafted) (*http.Request, *sender, error) {
	sd := at.wins
	if c.event {
		sd = at.events
	}
	if c.key == "" {
		c.key = at.key()
	}
	u, err := url.Parse(sd.url)
	if err != nil {
		return nil, nil, fmt.Errorf("send to %s: %w", sd.url, err)
	}
	if c.path != "" {
		u.Path = c.path
	}
	if c.method == "" {
		c.method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, c.method, u.String(), bytes.NewReader(c.body))
	if err != nil {
		return nil, nil, fmt.Errorf("send to %s: %w", sd.url, err)
	}
	if c.slow != nil {
		req.Body, req.GetBody = c.slow, nil
	}

	signer, signed := sd.signer, c.body
	if c.signer != nil {
		signer = *c.signer
	}
	if c.signed != nil {
		signed = c.signed
	}
	stamp := strconv.FormatInt(at.Now().Add(-c.ago).Unix(), 10)
	if c.signature == "" {
		c.signature = signature.Sign(signer, stamp, signed)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", sd.agent)
	req.Header.Set(signature.HeaderTimestamp, stamp)
	req.Header.Set(signature.HeaderSignature, c.signature)
	if !c.event {
		req.Header.Set(customerio.HeaderIdempotencyKey, c.key)
	}
	if c.ask { // so that a refusal is read before the body breaks the connection
		req.Header.Set("Expect", "100-continue")
	}

	return req, sd, nil
}

// each sends one after the other.
func (at *scene) each(ctx context.Context, requests ...crafted) string {
	words := make([]string, len(requests))
	for i, c := range requests {
		words[i] = at.send(ctx, c)
	}

	return strings.Join(words, ", ")
}

// storm sends a delivery many times at once.
func (at *scene) storm(ctx context.Context, key string, body []byte) string {
	var (
		group sync.WaitGroup
		words = make([]string, stormCopies)
	)
	for i := range words {
		group.Go(func() { words[i] = at.send(ctx, crafted{key: key, body: body}) })
	}
	group.Wait()

	return countWords(words)
}

// tally sends one body after the other, and counts the answers.
func (at *scene) tally(ctx context.Context, bodies [][]byte) string {
	words := make([]string, len(bodies))
	for i, body := range bodies {
		words[i] = at.send(ctx, crafted{body: body})
	}

	return countWords(words)
}

// countWords writes how often each word is there.
func countWords(words []string) string {
	counts := map[string]int{}
	for _, word := range words {
		counts[word]++
	}
	text := make([]string, 0, len(counts))
	for word, n := range counts {
		text = append(text, fmt.Sprintf("%d %s", n, word))
	}
	slices.SortFunc(text, func(a, b string) int {
		_, a, _ = strings.Cut(a, " ")
		_, b, _ = strings.Cut(b, " ")

		return strings.Compare(a, b)
	})

	return strings.Join(text, ", ")
}

// slow sends a body by and by, for as long as no hook should wait.
func (at *scene) slow(ctx context.Context, body []byte) string {
	limited, cancel := context.WithTimeout(ctx, slowest)
	defer cancel()
	tick := time.NewTicker(slowest * 4 / time.Duration(len(body)))
	defer tick.Stop()

	seen := at.send(limited, crafted{body: body, slow: &trickle{ctx: limited, tick: tick.C, left: body}})
	switch {
	case errors.Is(limited.Err(), context.DeadlineExceeded):
		return "open for " + slowest.String()
	case !isStatus(seen):
		return "closed"
	}

	return seen
}

// isStatus reports whether what was seen is the status of an answer.
func isStatus(seen string) bool {
	_, err := strconv.Atoi(seen)

	return err == nil
}

// A trickle is a body that comes one byte at a time.
type trickle struct {
	ctx  context.Context
	tick <-chan time.Time
	left []byte
}

// Read implements [io.Reader].
func (t *trickle) Read(into []byte) (int, error) {
	if len(t.left) == 0 {
		return 0, io.EOF
	}
	if len(into) == 0 {
		return 0, nil
	}
	select {
	case <-t.tick:
	case <-t.ctx.Done():
		return 0, t.ctx.Err()
	}
	into[0], t.left = t.left[0], t.left[1:]

	return 1, nil
}

// Close implements [io.Closer].
func (t *trickle) Close() error { return nil }

// knock asks the other side for anything at all.
func (sd *sender) knock(ctx context.Context) error {
	u, err := url.Parse(sd.url)
	if err != nil {
		return fmt.Errorf("call %s: %w", sd.url, err)
	}
	u.Path, u.RawQuery = "/readyz", ""
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return fmt.Errorf("call %s: %w", sd.url, err)
	}
	resp, err := sd.client.Do(req)
	if err != nil {
		return sd.explain(err)
	}

	return resp.Body.Close()
}
