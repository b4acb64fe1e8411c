package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// loading is a stage whose clock runs.
func loading(t *testing.T) *stage {
	t.Helper()
	st := newStage(t)
	st.Now = time.Now

	return st
}

func quickBench(h *hook, more ...string) []string {
	return append([]string{"bench", "--url", h.URL, "--duration", "60ms", "--connections", "3"}, more...)
}

func TestBenchAsksTheDatabaseAboutAllThatWasAccepted(t *testing.T) {
	t.Parallel()

	h := newHook(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-CIO-Idempotency-Key"), "-1") {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"status":"refused","error":"busy"}`)

			return
		}
		_, _ = io.WriteString(w, `{"status":"accepted","outcome":"awarded"}`)
	})
	st := loading(t)
	st.fake.pending = 3
	code := st.call(t, quickBench(h, "--users", "5", "--trivias", "2")...)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, st.err.String())
	}
	sent := len(h.requests) - 1 // besides the knock
	name := st.fake.trialUsers.Name
	if want := (operator.Trial{Name: name, Kind: trivia.KindWin, Users: 5, Trivias: 2}); st.fake.trialUsers != want {
		t.Errorf("users were added for %+v, want %+v", st.fake.trialUsers, want)
	}
	if len(st.fake.acknowledged) != sent-1 || st.fake.acknowledged[0] != name+"-0" || st.fake.acknowledged[1] != name+"-2" {
		t.Errorf("the database was asked about %q…, want all of %d but the second", st.fake.acknowledged[:2], sent)
	}
	for _, want := range []string{
		fmt.Sprintf("run %s: %d requests in 0.", name, sent), "1  503 refused: busy\n", "latency: p50 ", "in the database:\n", "0  lost\n",
	} {
		if !strings.Contains(st.out.String(), want) {
			t.Errorf("the report has no %q:\n%s", want, st.out.String())
		}
	}
	if want := "5 users added to the database, " + name + "-u0"; !strings.Contains(st.err.String(), want) || len(st.fake.removed) > 0 {
		t.Errorf("said %q, and removed %d; want %q, and nothing", st.err.String(), len(st.fake.removed), want)
	}
}

func TestBenchOfEventsAtARateCleansUpAfterItself(t *testing.T) {
	t.Parallel()

	h := newHook(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":"accepted","outcome":"recorded"}`)
	})
	st := loading(t)
	code := st.call(t, "bench", "--url", h.URL, "--duration", "100ms", "--rate", "200", "--kind", "event", "--cleanup", "--output", "json")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, st.err.String())
	}
	if st.fake.trialUsers.Name != "" {
		t.Error("users were added for events, which need none")
	}
	if n := len(h.requests) - 1; n == 0 || len(st.fake.removed) != n || st.fake.removedTrial.Users != benchUsers {
		t.Errorf("%d of %d deliveries were removed, of %+v", len(st.fake.removed), n, st.fake.removedTrial)
	}
	if !strings.Contains(st.out.String(), `"kind":"event"`) || !strings.Contains(st.out.String(), `"proved":true`) {
		t.Errorf("printed %s", st.out.String())
	}
}

func TestBenchWithoutADatabaseSaysThatNothingIsProved(t *testing.T) {
	t.Parallel()

	h := newHook(t, accepted)
	st := loading(t)
	st.open = st.openStore
	if code := st.call(t, quickBench(h)...); code != 0 {
		t.Fatalf("exit %d: %s", code, st.err.String())
	}
	if !strings.HasSuffix(st.out.String(), "not proved: there is no database to ask\n") {
		t.Errorf("printed %q", st.out.String())
	}
	if want := "triviactl: no database: nothing can be proved afterwards, and no users are added\n"; st.err.String() != want {
		t.Errorf("said %q, want %q", st.err.String(), want)
	}
}

func TestBenchThatIsRefusedFails(t *testing.T) {
	t.Parallel()

	h := newHook(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"status":"refused","error":"who are you"}`)
	})
	for _, open := range []bool{true, false} {
		st := loading(t)
		if !open {
			st.open = st.openStore
		}
		code := st.call(t, quickBench(h)...)
		const want = "triviactl: nothing was accepted\n" +
			"triviactl: hint: the hook verifies with other keys than this environment has, or its clock is off\n"
		if code != 1 || !strings.HasSuffix(st.err.String(), want) || !strings.Contains(st.out.String(), "401 refused: who are you\n") {
			t.Errorf("exit %d, printed %q, said %q", code, st.out.String(), st.err.String())
		}
		if strings.Contains(st.out.String(), "proved") || strings.Contains(st.out.String(), "lost") {
			t.Errorf("it speaks of a proof: %q", st.out.String())
		}
	}
}

func TestBenchStopsAtOnceWhereNobodyListens(t *testing.T) {
	t.Parallel()

	st := loading(t)
	code := st.call(t, "bench", "--url", "http://127.0.0.1:1", "--duration", "1h")
	if code != 1 || !strings.Contains(st.err.String(), "nothing listens at 127.0.0.1:1") || st.fake.trialUsers.Name != "" {
		t.Errorf("exit %d, said %q, added %+v; want 1, the address, and no users", code, st.err.String(), st.fake.trialUsers)
	}

	h := newHook(t, func(n int, _ http.ResponseWriter, _ *http.Request) {
		if n > 1 {
			panic(http.ErrAbortHandler)
		}
	})
	h.Config.ErrorLog = nil
	if code := st.call(t, "bench", "--url", h.URL, "--duration", "1h"); code != 1 || st.out.Len() > 0 {
		t.Errorf("exit %d, printed %q; want 1 and nothing, since nobody ever answered", code, st.out.String())
	}
}

func TestBenchThatIsInterruptedProvesWhatWasSent(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	h := newHook(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 20 {
			cancel()
		}
		accepted(n, w, r)
	})
	st := loading(t)
	code := st.run(ctx, []string{"bench", "--url", h.URL, "--duration", "1h", "--connections", "4", "--cleanup"})
	if code != 0 || len(st.fake.acknowledged) < 19 || len(st.fake.removed) < 19 {
		t.Errorf("exit %d, %d proved, %d removed, said %q; want 0, and all of it", code, len(st.fake.acknowledged), len(st.fake.removed), st.err.String())
	}
	if !strings.Contains(st.err.String(), "triviactl: interrupted after ") {
		t.Errorf("said %q", st.err.String())
	}
}

func TestBenchAsksForConsentInProduction(t *testing.T) {
	t.Parallel()

	h := newHook(t, accepted)
	st := loading(t)
	st.env["TRIVIA_ENV"] = "production"
	st.want(t, quickBench(h), 4, "", "triviactl: this is production, where wins are prizes: nothing was done: not confirmed\n"+
		"triviactl: hint: --yes loads it all the same\n")
	if code := st.call(t, quickBench(h, "--yes")...); code != 0 {
		t.Errorf("with --yes: exit %d: %s", code, st.err.String())
	}
}

func TestTheVerdictOfAProof(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name  string
		proof operator.TrialProof
		twice int
		want  string
		hint  string
	}{
		{"all is well", operator.TrialProof{Kept: store.Kept{Rows: 9, Settled: 9}}, 0, "", ""},
		{"lost", operator.TrialProof{Kept: store.Kept{Rows: 8, Settled: 8, Lost: 1}}, 0, "1 lost, 0 double", ""},
		{"double", operator.TrialProof{Kept: store.Kept{Rows: 9, Settled: 9}, Awarded: store.Awarded{Double: 2}}, 0, "0 lost, 2 double", ""},
		{"answered as awarded twice", operator.TrialProof{Kept: store.Kept{Rows: 9, Settled: 9}}, 1, "0 lost, 1 double", ""},
		{
			"another database",
			operator.TrialProof{Kept: store.Kept{Lost: 9}},
			0, "nothing that was accepted is in this database",
			"the hook works on another one: compare its DATABASE_URL with yours",
		},
		{
			"pending",
			operator.TrialProof{Kept: store.Kept{Rows: 9, Pending: 3}},
			0, "3 are still not settled",
			"is trivia-hook running? it settles what is pending; look at: triviactl deliveries list --state pending",
		},
		{
			"parked",
			operator.TrialProof{Kept: store.Kept{Rows: 9, Parked: 3}},
			0, "3 are parked",
			"what is parked says why: triviactl deliveries list --state parked",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			r := benchReport{proof: tt.proof, twice: tt.twice}
			err := r.verdict()
			if got := fmt.Sprint(err); err == nil && tt.want != "" || err != nil && got != tt.want || hintOf(err) != tt.hint {
				t.Errorf("verdict = %q, hint %q, want %q, hint %q", got, hintOf(err), tt.want, tt.hint)
			}
		})
	}
}

func TestReportsOfABench(t *testing.T) {
	t.Parallel()

	r := benchReport{
		run: "bench-4f7k2m", kind: trivia.KindWin, load: loaded{took: 10*time.Second + 40*time.Millisecond, sent: 20_000, due: 20_000},
		deliveries: 19_000, accepted: 18_990, answered: 19_998, asked: true, proved: true,
		counts:  map[string]int{"200 accepted: awarded": 18_990, "200 duplicate: awarded": 998, "503 refused: busy\x1b[31m": 10, "no answer: connection reset by peer": 2},
		answers: []string{"200 accepted: awarded", "200 duplicate: awarded", "503 refused: busy\x1b[31m", "no answer: connection reset by peer"},
		latency: map[string]time.Duration{
			"p50": 1200 * time.Microsecond, "p90": 3 * time.Millisecond, "p99": 9 * time.Millisecond, "p99.9": 20 * time.Millisecond, "max": time.Second,
		},
		proof: operator.TrialProof{Kept: store.Kept{Rows: 18_990, Settled: 18_990}, Awarded: store.Awarded{Wins: 18_991, Prizes: 18_991, Ours: true}},
	}
	var all strings.Builder
	show := func(title string, r benchReport) {
		all.WriteString("--- " + title + "\n" + r.text(formatTable))
	}
	show("wins", r)

	slow := r
	slow.kind, slow.rate, slow.load.due, slow.load.late = trivia.KindEvent, 5000, 50_000, 19_000
	slow.proof = operator.TrialProof{Kept: store.Kept{Rows: 18_989, Settled: 18_980, Pending: 4, Parked: 5, Lost: 1}}
	show("events at a rate that is not kept", slow)

	bare := r
	bare.asked, bare.proved = false, false
	show("no database", bare)
	all.WriteString("--- json\n" + r.text(formatJSON) + bare.text(formatJSON))
	golden(t, "bench", all.String())
}

func TestWhyThereWasNoAnswer(t *testing.T) {
	t.Parallel()

	tests := []struct {
		err  error
		want string
	}{
		{&url.Error{Op: "Post", Err: &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}}, "connection reset by peer"},
		{&url.Error{Op: "Post", Err: context.DeadlineExceeded}, "none in 10s"},
		{&url.Error{Op: "Post", Err: io.EOF}, "connection closed"},
		{&url.Error{Op: "Post", URL: "http://a", Err: errors.New("odd")}, "odd"},
		{errors.New("odd"), "odd"},
	}
	for _, tt := range tests {
		if got := muteWords(tt.err); got != tt.want {
			t.Errorf("muteWords(%v) = %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestATallyKnowsWhatWasAwardedTwice(t *testing.T) {
	t.Parallel()

	tally := newBenchTally()
	awarded := answer{code: 200, status: "accepted", outcome: "awarded"}
	tally.add(3, awarded, time.Millisecond)
	tally.add(3, answer{code: 200, status: "duplicate", outcome: "awarded"}, time.Hour)
	if tally.twice != 0 {
		t.Error("a duplicate counts as a second award")
	}
	tally.add(3, awarded, -time.Millisecond)
	answered := tally.addMute(1, io.EOF)
	if tally.twice != 1 || !answered || tally.count(benchSent) != 2 || tally.count(benchAccepted) != 1 {
		t.Errorf("%d awarded twice, %d sent, %d accepted; want 1, 2, 1", tally.twice, tally.count(benchSent), tally.count(benchAccepted))
	}
	want := []string{"200 accepted: awarded", "200 duplicate: awarded", "no answer: connection closed"}
	if diff := cmp.Diff(want, tally.answers()); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}
