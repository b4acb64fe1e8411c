package receiver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/store"
)

// newBubble returns an edge in the time of the bubble that the test runs in.
func newBubble(t *testing.T, set setup) *edge {
	t.Helper()
	set.now = time.Now

	return newEdge(t, set)
}

// A caller has sent a win and waits for its answer, in the time of a synctest
// bubble.
type caller struct {
	answer *httptest.ResponseRecorder
	took   time.Duration
	done   chan struct{}
}

// call sends a win under key and returns when everything has come to rest.
func (e *edge) call(key string) *caller {
	c := e.callWithoutRest(context.Background(), key)
	synctest.Wait()

	return c
}

func (e *edge) callWithoutRest(ctx context.Context, key string) *caller {
	c := &caller{done: make(chan struct{})}
	start := time.Now()
	go func() { // whoever asks for the answer waits for it, and the bubble for all
		defer close(c.done)
		r := signedAt(start, customerio.PathWin, goodWin, customerio.HeaderIdempotencyKey, key)
		c.answer = e.send(r.WithContext(ctx))
		c.took = time.Since(start)
	}()

	return c
}

// wants fails t unless c is answered like this.
func (c *caller) wants(t *testing.T, status int, outcome string) {
	t.Helper()
	<-c.done

	var said struct{ Outcome, Error string }
	if err := json.Unmarshal(c.answer.Body.Bytes(), &said); err != nil {
		t.Fatalf("answer %s: %v", c.answer.Body, err)
	}
	if c.answer.Code != status || said.Outcome != outcome {
		t.Errorf("answer = %d %s, want %d %s", c.answer.Code, c.answer.Body, status, outcome)
	}
	if unavailable := c.answer.Code == http.StatusServiceUnavailable; unavailable != (c.answer.Header().Get("Retry-After") == "2") {
		t.Errorf("%d with Retry-After %q", c.answer.Code, c.answer.Header().Get("Retry-After"))
	}
	if c.took > 2*time.Second {
		t.Errorf("it took %v, want at most 2s", c.took)
	}
}

// A door lets one commit through at a time.
type door chan struct{}

func (d door) Take(_ context.Context, all []store.Arrival) ([]store.Receipt, error) {
	<-d

	receipts := make([]store.Receipt, len(all))
	for i := range receipts {
		receipts[i] = awarded
	}

	return receipts, nil
}

func (d door) open() {
	d <- struct{}{}
	synctest.Wait()
}

// hang does nothing until it has to end.
func hang(ctx context.Context, _ []store.Arrival) ([]store.Receipt, error) {
	<-ctx.Done()

	return nil, fmt.Errorf("take in: %w", ctx.Err())
}

// failing fails at once.
func failing(err error) func(context.Context, []store.Arrival) ([]store.Receipt, error) {
	return func(context.Context, []store.Arrival) ([]store.Receipt, error) { return nil, err }
}
