package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestHealthAndReadinessAreAsked(t *testing.T) {
	t.Parallel()

	broken := errors.New("password of trivia@db is wrong")
	tests := []struct {
		method, path string
		ready        error
		status       int
		body         string
	}{
		{"GET", "/healthz", nil, 200, "ok\n"},
		{"HEAD", "/healthz", nil, 200, "ok\n"}, // the server leaves the body out
		{"GET", "/healthz", broken, 200, "ok\n"},
		{"GET", "/readyz", nil, 200, "ready\n"},
		{"HEAD", "/readyz", nil, 200, "ready\n"},
		{"GET", "/readyz", broken, 503, "not ready\n"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.method, tt.path, tt.ready), func(t *testing.T) {
			t.Parallel()
			// Anybody may ask, from anywhere.
			e := newEdge(t, setup{allowed: []string{"loopback"}, ready: func(context.Context) error { return tt.ready }})
			got := e.send(httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, http.NoBody))
			if got.Code != tt.status || got.Body.String() != tt.body {
				t.Errorf("%s %s = %d %q, want %d %q", tt.method, tt.path, got.Code, got.Body, tt.status, tt.body)
			}
			if refused := e.refusals.Newest(); len(refused) != 0 {
				t.Errorf("refused are %v, want none", refused)
			}
		})
	}
}

func TestReadinessIsToldWithinASecond(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		e := newEdge(t, setup{now: time.Now, ready: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }})
		start := time.Now()
		got := e.send(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", http.NoBody))
		if took := time.Since(start); got.Code != http.StatusServiceUnavailable || took != time.Second {
			t.Errorf("GET /readyz = %d after %v, want 503 after 1s", got.Code, took)
		}
	})
}
