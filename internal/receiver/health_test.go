package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
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
