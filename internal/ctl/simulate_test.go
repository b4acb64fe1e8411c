package ctl

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"trivia/internal/operator"
	"trivia/internal/simulate"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

func quickSimulation(h *hook, more ...string) []string {
	return append([]string{
		"simulate", "--url", h.URL, "--events", "5", "--wins", "7", "--hour", "20ms", "--seed", "36", "--begun", "2026-05-04T12:00:00Z",
	}, more...)
}

// settling answers as a hook does that has nothing to complain of.
func settling(_ int, w http.ResponseWriter, r *http.Request) {
	outcome := "recorded"
	if r.Header.Get("X-CIO-Idempotency-Key") != "" {
		outcome = "awarded"
	}
	_, _ = io.WriteString(w, `{"status":"accepted","outcome":"`+outcome+`"}`)
}

func TestASimulationAsksTheDatabaseAboutAllThatWasAcknowledged(t *testing.T) {
	t.Parallel()

	h := newHook(t, settling)
	st := loading(t)
	st.fake.proof = operator.TrialProof{Kept: store.Kept{Rows: 6, Settled: 6}, Awarded: store.Awarded{Wins: 3, Prizes: 3}}
	if code := st.call(t, quickSimulation(h, "--users", "3", "--cleanup")...); code != 0 {
		t.Fatalf("exit %d: %s%s", code, st.err.String(), st.out.String())
	}
	if want := (operator.Trial{Name: "sim-10-w", Kind: trivia.KindWin, Users: 3, Trivias: 100}); st.fake.trialUsers != want {
		t.Errorf("users were added for %+v, want %+v", st.fake.trialUsers, want)
	}
	for name, keys := range map[string][]string{"proved": st.fake.acknowledged, "removed": st.fake.removed} {
		if len(keys) != 12 || keys[0] != "sim-10-w-0" || keys[11] != "sim-10-e-4" {
			t.Errorf("%s %q, want all twelve", name, keys)
		}
	}
	for _, want := range []string{
		"again with --seed 36 --begun 2026-05-04T12:00:00Z\n", "hours of stall caused: 0\n", "lost for good: 0\n",
		"7  200 accepted: awarded\n", "5  200 accepted: recorded\n", "12  acknowledged\n", "0  awarded twice\n",
	} {
		if !strings.Contains(st.out.String(), want) {
			t.Errorf("the report has no %q:\n%s", want, st.out.String())
		}
	}
}

func TestASimulationThatIsHeldUpFails(t *testing.T) {
	t.Parallel()

	var mu sync.Mutex
	refused := map[string]bool{}
	h := newHook(t, func(n int, w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		first := !refused[r.URL.Path] && r.Method == http.MethodPost
		refused[r.URL.Path] = refused[r.URL.Path] || first
		mu.Unlock()
		if first {
			w.WriteHeader(http.StatusBadGateway)

			return
		}
		settling(n, w, r)
	})
	st := loading(t)
	code := st.call(t, quickSimulation(h, "--output", "json")...)
	if code != 1 || !strings.HasSuffix(st.err.String(), "triviactl: 1.0 hours of stall\n") {
		t.Errorf("exit %d, said %q", code, st.err.String())
	}
	var got struct {
		Stalled float64 `json:"stalled_hours"`
		Stalls  []struct {
			Cause string
			Times int
			Hours float64
		}
		Events, Wins struct{ Made, Sent, Delivered, Lost int }
		Answers      map[string]int
		Proved       bool
	}
	if err := json.Unmarshal(st.out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, st.out.String())
	}
	if got.Stalled != 1 || len(got.Stalls) != 1 || got.Stalls[0].Cause != "502" || got.Events.Sent != 6 || got.Wins.Sent != 8 ||
		got.Wins.Delivered != 7 || got.Answers["502"] != 2 || !got.Proved {
		t.Errorf("printed %s", st.out.String())
	}
}

func TestASimulationOfAWrongKeySaysSo(t *testing.T) {
	t.Parallel()

	h := newHook(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	st := loading(t)
	st.open = st.openStore
	code := st.call(t, "simulate", "--url", h.URL, "--wins", "0", "--events", "1", "--hour", "1ms")
	const want = "triviactl: 168.0 hours of stall, 1 lost for good\n" +
		"triviactl: hint: the hook verifies with other keys than this environment has, or its clock is off\n"
	if code != 1 || !strings.HasSuffix(st.err.String(), want) || !strings.Contains(st.out.String(), "after 401, 168 times") {
		t.Errorf("exit %d, printed %q, said %q", code, st.out.String(), st.err.String())
	}
}

func TestASimulationThatIsInterruptedSaysWhatIsLeft(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	h := newHook(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 6 {
			cancel()
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	st := loading(t)
	code := st.run(ctx, []string{"simulate", "--url", h.URL, "--hour", "1h", "--concurrency", "2", "--events", "1", "--wins", "8"})
	if code != 0 || !strings.Contains(st.err.String(), "triviactl: interrupted after ") {
		t.Errorf("exit %d, said %q", code, st.err.String())
	}
	if !strings.Contains(st.out.String(), "hours of stall caused: 0\nheld back by backoff: 0.00") {
		t.Errorf("printed %s", st.out.String())
	}
}

func TestASimulationAsksForConsentInProduction(t *testing.T) {
	t.Parallel()

	h := newHook(t, settling)
	st := loading(t)
	st.env["TRIVIA_ENV"] = "production"
	st.want(t, quickSimulation(h), 4, "", "triviactl: this is production, where wins are prizes: nothing was done: not confirmed\n"+
		"triviactl: hint: --yes loads it all the same\n")
	if len(h.requests) > 0 {
		t.Error("somebody was called")
	}
}

func TestASimulationWantsSomebodyWhoListens(t *testing.T) {
	t.Parallel()

	st := loading(t)
	code := st.call(t, "simulate", "--url", "http://127.0.0.1:1")
	if code != 1 || !strings.Contains(st.err.String(), "nothing listens at 127.0.0.1:1") || st.fake.trialUsers.Name != "" {
		t.Errorf("exit %d, said %q, added %+v", code, st.err.String(), st.fake.trialUsers)
	}
}

func TestReportsOfASimulation(t *testing.T) {
	t.Parallel()

	well := simulateReport{
		Report: &simulate.Report{
			Run: "sim-4f7k2m", Seed: 260_000_000, Begun: noon, Took: 12 * time.Second, Hour: 10 * time.Second,
			Events:  simulate.Machine{Made: 1000, Sent: 1002, Delivered: 1000, LongestQueue: 31, Slowest: 40 * time.Millisecond},
			Wins:    simulate.Machine{Made: 1000, Sent: 1004, Delivered: 1000, Duplicates: 2, LongestQueue: 16, Slowest: time.Second},
			Holds:   []simulate.Hold{{Cause: "503", Times: 2, Wait: 15 * time.Second}},
			Answers: []simulate.Count{{Words: "200 accepted: recorded", N: 1000}, {Words: "200 accepted: awarded", N: 998}, {Words: "503 refused: busy\x1b[31m", N: 6}, {Words: "200 duplicate: awarded", N: 2}},
			P50:     time.Millisecond, P99: 8 * time.Millisecond, Max: 41 * time.Millisecond,
		},
		asked: true, proved: true,
		proof: operator.TrialProof{Kept: store.Kept{Rows: 2000, Settled: 2000}, Awarded: store.Awarded{Wins: 1000, Prizes: 1000, Ours: true}},
	}
	ill := simulateReport{Report: &simulate.Report{
		Run: "sim-4f7k2m", Seed: 260_000_000, Begun: noon, Took: 12 * time.Second, Hour: 250 * time.Millisecond,
		Events:   simulate.Machine{Made: 9, Sent: 200, Delivered: 3, Lost: 1, Undelivered: 5, LongestQueue: 7},
		Wins:     simulate.Machine{Made: 9, Sent: 40, Delivered: 7, Lost: 2},
		Stalls:   []simulate.Hold{{Cause: "401", Times: 168, Wait: 168 * time.Hour}, {Cause: "connection reset", Times: 1, Wait: time.Hour}},
		Holds:    []simulate.Hold{{Cause: "time-out", Times: 1, Wait: 5 * time.Second}},
		Answers:  []simulate.Count{{Words: "401 refused: not signed", N: 200}, {Words: "200", N: 10}},
		Timeouts: 1,
	}}
	lossy := well
	lossy.proof = operator.TrialProof{Kept: store.Kept{Rows: 1999, Settled: 1990, Pending: 4, Parked: 5, Lost: 1}, Awarded: store.Awarded{Wins: 999, Double: 1}}

	var all strings.Builder
	for _, of := range []struct {
		title string
		simulateReport
	}{{"all is well", well}, {"held up, and no database", ill}, {"lost and double", lossy}} {
		all.WriteString("--- " + of.title + "\n" + of.text(formatTable) + of.text(formatJSON))
		if err := of.verdict(false); err != nil {
			all.WriteString("verdict: " + err.Error() + "\n")
		}
	}
	golden(t, "simulate", all.String())
}

func TestTheVerdictOfASimulation(t *testing.T) {
	t.Parallel()

	stalled := []simulate.Hold{{Cause: "connection refused", Times: 2, Wait: 2 * time.Hour}}
	tests := []struct {
		name        string
		report      simulate.Report
		lost        int
		interrupted bool
		want        string
	}{
		{"all is well", simulate.Report{Holds: stalled, Timeouts: 3}, 0, false, ""},
		{"held up", simulate.Report{Stalls: stalled}, 0, false, "2.0 hours of stall"},
		{"lost by the sender", simulate.Report{Wins: simulate.Machine{Lost: 3}}, 0, false, "3 lost for good"},
		{"undelivered", simulate.Report{Events: simulate.Machine{Undelivered: 3}}, 0, false, "3 undelivered"},
		{"undelivered, since interrupted", simulate.Report{Events: simulate.Machine{Undelivered: 3}}, 0, true, ""},
		{"held up and interrupted", simulate.Report{Stalls: stalled}, 0, true, "2.0 hours of stall"},
		{"lost by the hook", simulate.Report{}, 1, false, "1 acknowledged and not in the database"},
	}
	for _, tt := range tests {
		r := simulateReport{Report: &tt.report, proof: operator.TrialProof{Kept: store.Kept{Rows: 9, Lost: tt.lost}}}
		got := ""
		if err := r.verdict(tt.interrupted); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
