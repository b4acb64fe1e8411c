package diag_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/diag"
)

// refused is the nth refusal of a test.
func refused(n int) diag.Refusal {
	return diag.Refusal{
		Time: time.Date(2026, 5, 4, 12, 0, n, 0, time.UTC), Status: http.StatusUnauthorized,
		Reason: "mismatch", Route: "win", Caller: "35.188.196.183", Peer: "10.0.0.1:" + strconv.Itoa(n),
	}
}

func TestRefusedRequestsAreShownNewestFirst(t *testing.T) {
	t.Parallel()

	for _, count := range []int{0, 1, 2, 99, 100, 101, 250} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			t.Parallel()

			var refusals diag.Refusals
			want := []diag.Refusal{}
			for n := range count {
				refusals.Add(refused(n))
				want = append([]diag.Refusal{refused(n)}, want...)
			}
			want = want[:min(count, 100)]

			if diff := cmp.Diff(want, refusals.Newest()); diff != "" {
				t.Errorf("Newest() (-want +got):\n%s", diff)
			}

			status, body := get(t, diag.Handler(diag.New(), &refusals), "/refused")
			var got []diag.Refusal
			if err := json.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK {
				t.Fatalf("GET /refused = %d %q: %v", status, body, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("GET /refused (-want +got):\n%s", diff)
			}
		})
	}
}

func TestARefusalHasTheseNamesAndNoOthers(t *testing.T) {
	t.Parallel()

	var refusals diag.Refusals
	if _, body := get(t, &refusals, "/refused"); body != "[]\n" {
		t.Errorf("GET /refused before any refusal = %q, want an empty array", body)
	}

	refusals.Add(refused(7))
	const want = `[
  {
    "time": "2026-05-04T12:00:07Z",
    "status": 401,
    "reason": "mismatch",
    "route": "win",
    "caller": "35.188.196.183",
    "peer": "10.0.0.1:7"
  }
]
`
	if _, body := get(t, &refusals, "/refused"); body != want {
		t.Errorf("GET /refused = %s, want %s", body, want)
	}
}

func TestRefusalsAreNoHTML(t *testing.T) {
	t.Parallel()

	var refusals diag.Refusals
	refusals.Add(diag.Refusal{Caller: `<script>alert("1")</script>&`})

	w := httptest.NewRecorder()
	diag.Handler(diag.New(), &refusals).ServeHTTP(w,
		httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/refused", http.NoBody))

	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type = %q, want JSON", got)
	}
	if got := w.Header().Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("X-Content-Type-Options = %q, want nosniff", got)
	}
	for _, c := range w.Body.Bytes() {
		if c == '<' || c == '>' || c == '&' {
			t.Fatalf("GET /refused holds %q: %s", c, w.Body)
		}
	}
}

func TestATimeThatCannotBeWrittenIsSaidSo(t *testing.T) {
	t.Parallel()

	var refusals diag.Refusals
	refusals.Add(diag.Refusal{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)})
	if status, _ := get(t, &refusals, "/refused"); status != http.StatusInternalServerError {
		t.Errorf("GET /refused = %d, want 500", status)
	}
}

func TestEveryoneMayBeRefusedAtOnce(t *testing.T) {
	t.Parallel()

	var (
		refusals diag.Refusals
		all      sync.WaitGroup
	)
	for range 8 {
		all.Go(func() {
			for n := range 50 {
				refusals.Add(refused(n))
				refusals.Newest()
			}
		})
	}
	all.Wait()

	newest := refusals.Newest()
	if len(newest) != 100 {
		t.Fatalf("%d refusals are remembered, want 100", len(newest))
	}
	for i, r := range newest {
		if r.Reason != "mismatch" {
			t.Errorf("refusal %d = %+v, want one that was added", i, r)
		}
	}
}
