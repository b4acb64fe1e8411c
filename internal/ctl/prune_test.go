package ctl

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
)

// A pruneFake is the part of a [fake] that is about what is removed.
type pruneFake struct {
	olds      []store.PruneCount
	pruned    []operator.Pruned
	winsCount store.WinsCount
	kept      operator.Kept
	gone      operator.ForgottenPerson
	pruneErr  error // of what is done
	askErr    error // of what is asked before

	pruning    *operator.Pruning
	winPruning *operator.WinPruning
	forgotten  string
	forgetting operator.Forgetting
}

func (f *pruneFake) PreviewPrune(context.Context, operator.Pruning) ([]store.PruneCount, error) {
	return f.olds, f.askErr
}

func (f *pruneFake) Prune(_ context.Context, p operator.Pruning) ([]operator.Pruned, error) {
	p.Progress(7)
	p.Progress = nil
	f.pruning = &p

	return f.pruned, f.pruneErr
}

func (f *pruneFake) PreviewPruneWins(context.Context, operator.WinPruning) (store.WinsCount, error) {
	return f.winsCount, f.askErr
}

func (f *pruneFake) PruneWins(_ context.Context, p operator.WinPruning) (int, error) {
	p.Progress(7)
	p.Progress = nil
	f.winPruning = &p

	return f.winsCount.Wins, f.pruneErr
}

func (f *pruneFake) PreviewForget(_ context.Context, user string) (operator.Kept, error) {
	k := f.kept
	k.User = user

	return k, f.askErr
}

func (f *pruneFake) Forget(_ context.Context, user string, how operator.Forgetting) (operator.ForgottenPerson, error) {
	f.forgotten, f.forgetting = user, how

	return f.gone, f.pruneErr
}

func someCounts() []store.PruneCount {
	return []store.PruneCount{
		{What: store.PruneEvents, Rows: 123456, Bytes: 56 << 20, Oldest: noon.Add(-400 * 24 * time.Hour)},
		{What: store.PruneDeliveries, Rows: 98, Bytes: 1234, Oldest: noon.Add(-399 * 24 * time.Hour), Parked: 12, Waits: 3},
		{What: store.PrunePushes, Parked: 2},
		{What: store.PruneBodies, Rows: 7, Bytes: 3 << 30, Oldest: noon.Add(-20 * 24 * time.Hour)},
	}
}

func TestPruneSaysWhatWouldGoAndAsks(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.fake.olds = someCounts()
	st.call(t, "prune", "--before", "90d", "--bodies-before", "2w", "--dry-run")
	golden(t, "prune", st.out.String()+st.err.String())
	if st.fake.pruning != nil {
		t.Errorf("a dry run pruned %+v", st.fake.pruning)
	}

	words := []string{"prune", "--before", "90d", "--only", "events, pushes", "--parked", "--rate", "0", "--reason", "policy 7"}
	if code := st.call(t, words...); code != 4 || st.fake.pruning != nil {
		t.Errorf("without a terminal: exit %d, pruned %+v, want 4 and nothing", code, st.fake.pruning)
	}
	st.StdinTerminal, st.Stdin = true, strings.NewReader("y\n")
	if code := st.call(t, words...); code != 4 || !strings.Contains(st.err.String(), "Prune 123561 rows for good, in development?") {
		t.Errorf("y for many: exit %d, %q, want 4, and that the number is asked for", code, st.err.String())
	}
	st.Stdin = strings.NewReader("123561\n")
	st.fake.pruned = []operator.Pruned{{What: store.PruneEvents, Rows: 5}, {What: store.PruneBodies, Rows: 2, Bytes: 2048}}
	if code := st.call(t, words...); code != 0 || !strings.HasSuffix(st.out.String(), "\n5 events deleted, 2 bodies blanked (2.0 KiB)\n") {
		t.Errorf("exit %d, %q", code, st.out.String())
	}
	want := &operator.Pruning{
		Only: []store.Prunable{store.PruneEvents, store.PrunePushes}, Before: noon.Add(-90 * 24 * time.Hour),
		Parked: true, Reason: "policy 7",
	}
	if diff := cmp.Diff(want, st.fake.pruning); diff != "" {
		t.Errorf("pruned (-want +got):\n%s", diff)
	}

	st.fake.pruneErr = errors.New("no space left")
	st.fake.pruned = st.fake.pruned[:1]
	if code := st.call(t, "prune", "--before", "90d", "--yes"); code != 1 ||
		!strings.HasSuffix(st.out.String(), "\n5 events deleted\n") ||
		st.err.String() != "triviactl: no space left\ntriviactl: hint: run it again: it goes on with the rest\n" {
		t.Errorf("exit %d, %q, %q", code, st.out.String(), st.err.String())
	}
	st.fake.olds = nil
	st.want(t, []string{"prune", "--before", "90d"}, 0, "nothing to prune\n", "")
	st.fake.askErr = operator.ErrTooRecent
	st.want(t, []string{"prune", "--before", "2h"}, 2, "", "triviactl: usage: too recent to be pruned\n")
}

func TestPruningWinsSealsTheTrivia(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.fake.winsCount = store.WinsCount{Wins: 3, Untold: 1, Oldest: noon.Add(-50 * 24 * time.Hour)}
	const preview = "3 wins of trivia capitals, with their prizes, the oldest of 2026-03-15\n" +
		"1 win of it stays: Customer.io or the warehouse is still to be told of them\n"
	st.want(t, []string{"prune", "--wins", "--trivia", "capitals", "--dry-run"}, 0, preview, "")
	st.StdinTerminal, st.Stdin = true, strings.NewReader("n\n")
	if code := st.call(t, "prune", "--wins", "--trivia", "capitals"); code != 4 || st.fake.winPruning != nil {
		t.Errorf("exit %d, want 4", code)
	}
	st.want(t, []string{"prune", "--wins", "--trivia", "capitals", "--before", "2026-03-20", "--yes"}, 0,
		preview+"3 wins deleted; trivia capitals is sealed\n", "")
	want := &operator.WinPruning{Trivia: "capitals", Before: time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC), Rate: pruneRate}
	if diff := cmp.Diff(want, st.fake.winPruning); diff != "" {
		t.Errorf("pruned (-want +got):\n%s", diff)
	}

	st.fake.askErr = store.ErrTriviaOpen
	st.want(t, []string{"prune", "--wins", "--trivia", "cap itals"}, 1, "",
		"triviactl: trivia is open\ntriviactl: hint: close it first: triviactl trivia close 'cap itals'\n")
	st.fake.askErr = store.ErrTriviaJustClose
	st.want(t, []string{"prune", "--wins", "--trivia", "x"}, 1, "",
		"triviactl: trivia was closed only just now\ntriviactl: hint: an award may still be under way; try again an hour after it was closed\n")
}

func TestForgetSaysWhatIsStoredAndAsks(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.fake.pruneFake.kept = operator.Kept{
		Person: store.Person{Names: []string{"cio_a1b2", "ann\x1b@example.com"}},
		Forgotten: store.Forgotten{
			Deliveries: 12, Events: 9, Responses: 3, Pushes: 4, Unsent: 1, People: 1, Wins: 2, Prizes: 2, Acts: 1, Users: 1,
		},
		Mentions: []string{"k-7"}, Suppressing: true, Warehouses: []string{"files:/srv/warehouse"},
	}
	st.call(t, "forget", "ann", "--dry-run")
	shown := "$ triviactl forget ann --dry-run\n" + st.out.String() + st.err.String()
	if st.fake.forgotten != "" {
		t.Error("a dry run has forgotten them")
	}

	st.StdinTerminal, st.Stdin = true, strings.NewReader("\n")
	if code := st.call(t, "forget", "ann", "--suppress"); code != 4 || st.fake.forgotten != "" ||
		!strings.Contains(st.err.String(), `Forget "ann" and delete their profile at Customer.io, for good, in development? [y/N]`) {
		t.Errorf("exit %d, %q, want 4 and the question", code, st.err.String())
	}
	st.fake.gone = operator.ForgottenPerson{Forgotten: st.fake.pruneFake.kept.Forgotten, Mark: "forgotten 45320c52d947bf8a", Hashes: 2, Suppress: true, UserStay: store.ErrNotOurUsers}
	st.call(t, "forget", "--suppress", "--reason", "ticket 4711", "--yes", "--", "ann")
	golden(t, "forget", shown+"$ triviactl forget ann --suppress --yes\n"+st.out.String()+st.err.String())
	if st.fake.forgotten != "ann" || st.fake.forgetting != (operator.Forgetting{Suppress: true, Reason: "ticket 4711"}) {
		t.Errorf("forgotten %q, %+v", st.fake.forgotten, st.fake.forgetting)
	}

	st.fake.gone = operator.ForgottenPerson{Left: 1, Mark: "forgotten 4532"}
	if code := st.call(t, "forget", "ann", "--yes"); code != 1 || !strings.Contains(st.err.String(), "1 win came meanwhile\ntriviactl: hint: run it again\n") {
		t.Errorf("exit %d, %q", code, st.err.String())
	}
	st.fake.gone, st.fake.pruneErr = operator.ForgottenPerson{}, operator.ErrAwardUnderWay
	if code := st.call(t, "forget", "ann", "--yes"); code != 1 || !strings.Contains(st.err.String(), "hint: their wins are still there") {
		t.Errorf("exit %d, %q", code, st.err.String())
	}
	st.fake.pruneFake.kept = operator.Kept{}
	st.want(t, []string{"forget", "--", "--odd"}, 0, "nothing is stored about --odd\n", "")
}

func TestSizes(t *testing.T) {
	t.Parallel()

	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 5 << 30: "5.0 GiB", 3 << 50: "3072.0 TiB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
}
