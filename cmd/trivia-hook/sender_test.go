package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/signature"
)

// A win is one campaign action, as Customer.io would send it.
type win struct{ key, user, trivia, item string }

func (w win) body() []byte {
	return fmt.Appendf(nil, `{"user_id":%q,"trivia_id":%q,"item":%q,"note":%q}`, w.user, w.trivia, w.item, bodySecret)
}

// An answer is what came back for one request.
type answer struct {
	status     int
	retryAfter string
	err        error // no answer came at all

	Status, Outcome, Key string
	Error                string
}

// A sender calls as Customer.io does, on connections that it keeps, and waits for
// an answer for as long.
type sender struct {
	client        *http.Client
	action, event signature.Key
}

func newSender(t *testing.T, conns int) *sender {
	t.Helper()

	transport := &http.Transport{MaxIdleConnsPerHost: conns}
	t.Cleanup(transport.CloseIdleConnections)

	return &sender{
		client: &http.Client{Transport: transport, Timeout: patient},
		action: keyOf(t, actionKey), event: keyOf(t, eventKey),
	}
}

func keyOf(t *testing.T, text string) signature.Key {
	t.Helper()

	key, err := signature.NewKey(text)
	if err != nil {
		t.Fatal(err)
	}

	return key
}

// win sends w to the service at base.
func (s *sender) win(base string, w win) answer {
	return s.post(base+customerio.PathWin, s.action, w.body(), http.Header{customerio.HeaderIdempotencyKey: {w.key}})
}

// post signs and sends a body. It does not end with a test's context: what
// was sent shall be answered.
func (s *sender) post(url string, key signature.Key, body []byte, header http.Header) answer {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set(signature.HeaderTimestamp, stamp)
	req.Header.Set(signature.HeaderSignature, signature.Sign(key, stamp, body))
	for name, values := range header {
		req.Header.Set(name, values[0])
	}

	return s.do(req)
}

func (s *sender) do(req *http.Request) answer {
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = resp.Body.Close() }()

	text, err := io.ReadAll(resp.Body)
	a := answer{status: resp.StatusCode, retryAfter: resp.Header.Get("Retry-After"), err: err}
	if err == nil {
		a.err = json.Unmarshal(text, &a)
	}

	return a
}

// get returns the status and the text of a page.
func get(t *testing.T, url string) (int, string) {
	t.Helper()

	return fetch(t, http.MethodGet, url)
}

func fetch(t *testing.T, method, url string) (int, string) {
	t.Helper()

	req, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true // a kept connection would hold up the end of the service
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}

	return resp.StatusCode, string(text)
}
