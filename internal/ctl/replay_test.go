package ctl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A replayFake is the part of a [fake] that is about replays.
type replayFake struct {
	so        operator.Replayed
	repaired  operator.Repaired
	replayErr error

	previewed, replayed []operator.Replay
	repairs             []operator.Repair // previews and repairs
	resent              operator.Resend
	resend              []store.DeliveryRow
}

func (f *replayFake) ListReplay(_ context.Context, set operator.ReplaySet) iter.Seq2[store.DeliveryRow, error] {
	return pageOf(f.resend, store.Page{Limit: set.Limit}, nil)
}

func (f *replayFake) CountReplay(context.Context, operator.ReplaySet) (int, error) {
	return len(f.resend), nil
}

func (f *replayFake) PreviewReplay(_ context.Context, r operator.Replay) (operator.Replayed, error) {
	f.previewed = append(f.previewed, r)
	r.Progress(&f.so, f.so.Deliveries, f.so.Deliveries)

	return f.so, nil
}

func (f *replayFake) Replay(_ context.Context, r operator.Replay) (operator.Replayed, error) {
	f.replayed = append(f.replayed, r)

	return f.so, f.replayErr
}

func (f *replayFake) Resend(ctx context.Context, r operator.Resend) (store.Cursor, error) {
	f.resent = r
	if err := r.Send(ctx, f.resend); err != nil {
		return "from-here", err
	}

	return "the-end", f.replayErr
}

func (f *replayFake) PreviewRepair(_ context.Context, r operator.Repair) (operator.Repaired, error) {
	f.repairs = append(f.repairs, r)

	return f.repaired, f.replayErr
}

func (f *replayFake) Repair(_ context.Context, r operator.Repair) (operator.Repaired, error) {
	f.repairs = append(f.repairs, r)

	return f.repaired, nil
}

func standing(state trivia.State, outcome trivia.Outcome) operator.Standing {
	return operator.Standing{State: state, Outcome: outcome}
}

// aReplay is what came of 312 deliveries.
func aReplay() operator.Replayed {
	var (
		unknown  = standing(trivia.StateParked, trivia.UnknownUser)
		conflict = standing(trivia.StateParked, trivia.PrizeConflict)
		awarded  = standing(trivia.StateDone, trivia.Awarded)
		refused  = standing(trivia.StateParked, trivia.Unsettled)
		row      = func(key, user, item string, d, after operator.Standing, reason string) operator.ReplayedRow {
			return operator.ReplayedRow{
				DeliveryRow: store.DeliveryRow{
					Key: key, Kind: trivia.KindWin, Win: trivia.Win{User: trivia.UserID(user), Trivia: "capitals", Item: trivia.Item(item)},
					State: d.State, Outcome: d.Outcome, ReceivedAt: noon.Add(-2 * time.Hour),
				},
				After: after, Reason: reason,
			}
		}
	)

	return operator.Replayed{
		Deliveries: 312,
		Changes: map[operator.Change]int{
			{Before: unknown, After: awarded}: 280, {Before: unknown, After: unknown}: 17, {Before: conflict, After: conflict}: 11,
			{Before: unknown, After: refused}: 3, {Before: unknown, After: standing(trivia.StateDone, trivia.AlreadyWon)}: 1,
		},
		First: []operator.ReplayedRow{
			row("01H8XGJWBWBAQ4", "demo-1", "mug", unknown, awarded, ""),
			row("k-2", "Zoë 漢字", `a "big" hat`, conflict, conflict, "the user has won mug with this trivia already"),
			row("k-3", "\x1b[31mred", "two\nlines", unknown, refused, "no mugs left"),
		},
		Last: "last-of-them",
	}
}

func TestWhatAReplayShows(t *testing.T) {
	t.Parallel()

	var all strings.Builder
	show := func(how string, st *stage, code int, words ...string) {
		st.fake.so = aReplay()
		if got := st.call(t, append([]string{"replay", "--outcome", "unknown_user"}, words...)...); got != code {
			t.Errorf("%s exits with %d: %s", how, got, st.err.String())
		}
		fmt.Fprintf(&all, "--- %s\n%s%s", how, st.out.String(), st.err.String())
	}
	for _, width := range []int{80, 120} {
		st := newStage(t)
		st.env["NO_COLOR"], st.StdoutTerminal, st.Width = "1", true, width
		show(fmt.Sprintf("preview, %d cells", width), st, 0, "--dry-run")
	}
	show("preview, in a pipe", newStage(t), 0, "--dry-run")
	show("preview, json", newStage(t), 0, "--dry-run", "--output", "json")
	show("with --yes", newStage(t), 0, "--yes")
	show("with --yes, json", newStage(t), 0, "--yes", "--output", "json")
	st := newStage(t)
	st.StdinTerminal, st.Stdin = true, strings.NewReader("311\n")
	show("not confirmed", st, 4)
	st = newStage(t)
	st.fake.replayErr = errors.New("the database is gone")
	show("stopped", st, 1, "--yes", "--since", "2h", "--trivia=it's", "--limit", "400", "--rate", "50", "--reason", "two words")
	golden(t, "replay", all.String())
}

func TestAReplayAsksForWhatWasSaid(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.env["TRIVIA_UNKNOWN_USERS"], st.env["TRIVIA_ON_WIN"] = "create", "nothing"
	st.StdinTerminal, st.Stdin = true, strings.NewReader("312\n")
	st.fake.so = aReplay()
	code := st.call(t, "replay", "--state", "parked", "--outcome", "unknown_user", "--user", "-u-", "--trivia", "t", "--item", "i",
		"--kind", "win", "--key", "k", "--since", "2h", "--limit", "500", "--after", "x", "--rate", "7", "--reason", "why")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, st.err.String())
	}
	want := operator.Replay{
		Set: operator.ReplaySet{Walk: store.DeliveryWalk{Filter: store.DeliveryFilter{
			Key: "k", Kind: trivia.KindWin, State: trivia.StateParked, Outcome: trivia.UnknownUser,
			User: "-u-", Trivia: "t", Item: "i", Since: noon.Add(-2 * time.Hour),
		}}, After: "x", Limit: 500},
		Reason: "why", CreateUsers: true, Rate: 7,
		Owing: store.Owing{Policy: trivia.Policy{
			Bounce: trivia.Suppress, Spam: trivia.Suppress, Unsubscribe: trivia.Unsubscribe, Engagement: trivia.Attributes, Win: trivia.Nothing,
		}},
	}
	got := st.fake.previewed[0]
	got.Now, got.Progress = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("PreviewReplay of (-want +got):\n%s", diff)
	}
	got = st.fake.replayed[0]
	got.Now, got.Progress = nil, nil
	want.Set.Walk.Through = "last-of-them"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Replay of (-want +got):\n%s", diff)
	}
	if want := "replay 312 deliveries, of which 280 would be awarded, in development? Type 312 to go on: "; st.err.String() != want {
		t.Errorf("asked %q, want %q", st.err.String(), want)
	}

	st = newStage(t)
	st.want(t, []string{"replay", "--state", "parked"}, 0, "", "triviactl: no deliveries match\n")
	st.fake.so = aReplay()
	st.fake.so.Left = 2
	if code := st.call(t, "replay", "--state", "parked", "--yes"); code != 1 ||
		st.err.String() != "triviactl: 2 deliveries could not be tried now: in other hands, or too slow\n"+
			"triviactl: 2 deliveries could not be settled now, and are as they were\ntriviactl: hint: run it again: it goes on with the rest\n" {
		t.Errorf("with two left: exit %d, said %q", code, st.err.String())
	}
	st.fake.so = operator.Replayed{Deliveries: 1, Changes: map[operator.Change]int{{Before: st.fake.so.First[0].After, After: st.fake.so.First[0].After}: 1}}
	if code := st.call(t, "replay", "--state", "parked"); code != 0 || st.err.String() != "triviactl: nothing would change, so nothing is done\n" {
		t.Errorf("where nothing changes: exit %d, said %q", code, st.err.String())
	}
}

func TestAKeyMayStandForSeveralBodies(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.fake.deliveries, st.fake.so = someDeliveries()[:2], aReplay()
	st.want(t, []string{"replay", "K 1", "--yes"}, 2, "", `triviactl: usage: "K 1" stands for 2 bodies:
triviactl:   --kind win --body abcd  awarded, 20 bytes
triviactl:   --kind win --body ef  malformed, 8 bytes
triviactl: hint: choose one of them; triviactl deliveries show 'K 1' shows them
`)
	st.want(t, []string{"replay", "K", "--kind", "event"}, 3, "",
		"triviactl: delivery \"K\" has no such body: not found\ntriviactl: hint: leave out --kind and --body to see what there is\n")
	if code := st.call(t, "replay", "K", "--body", "EF", "--yes"); code != 0 || len(st.fake.replayed) != 1 {
		t.Fatalf("exit %d: %s", code, st.err.String())
	}
	if rows := st.fake.replayed[0].Set.Rows; len(rows) != 1 || rows[0].Outcome != trivia.Malformed {
		t.Errorf("Replay of %+v, want the second body", rows)
	}
	st.fake.replayErr = errors.New("gone")
	if st.call(t, "replay", "-r", "--", "-K-"); !strings.Contains(st.err.String(), "no flag") {
		t.Errorf("said %q", st.err.String())
	}
	if st.call(t, "replay", "--body", "ef", "--yes", "--", "-K-"); !strings.HasSuffix(st.err.String(), "hint: go on with: triviactl replay --body=ef -- -K-\n") {
		t.Errorf("said %q, want how to go on", st.err.String())
	}
	if st.call(t, "replay", "--text", "mug", "--state", "parked", "--yes"); !strings.Contains(st.err.String(), "hint: go on with: triviactl replay --state=parked --text=mug --after=") {
		t.Errorf("said %q, want how to go on", st.err.String())
	}
	st.fake.deliveries = someDeliveries()[1:]
	st.fake.deliveries[1].Key = "other"
	if st.call(t, "replay", "K", "--body", "ef", "--body", "12", "--yes"); !strings.Contains(st.err.String(), `"K" stands for 2 bodies`) {
		t.Errorf("said %q, want that both bodies are meant", st.err.String())
	}
	st.fake.err = operator.ErrNotFound
	st.want(t, []string{"replay", "K"}, 3, "", "triviactl: not found\ntriviactl: hint: nothing was done; keys are in: triviactl deliveries list\n")
}

func TestWrongWordsOfAReplay(t *testing.T) {
	t.Parallel()

	const usage = "triviactl: usage: "
	tests := []struct{ words, said, hint string }{
		{"", "triviactl replay wants KEY..., or flags that choose deliveries, such as --state parked", "triviactl replay --help tells more"},
		{"--dry-run", "triviactl replay wants KEY..., or flags that choose deliveries, such as --state parked", "triviactl replay --help tells more"},
		{"--limit 5", "triviactl replay wants KEY..., or flags that choose deliveries, such as --state parked", "triviactl replay --help tells more"},
		{"K --state parked", "KEYs and flags that choose many exclude each other", "take one of them; a KEY may have --kind and --body besides"},
		{"K --limit 5", "KEYs and flags that choose many exclude each other", "take one of them; a KEY may have --kind and --body besides"},
		{"--state parked --body ab", "--body chooses among what came under a KEY", "as in triviactl replay KEY --body ab12"},
		{"--state parkd", `--state cannot be "parkd"`, "did you mean parked?"},
		{"--state parked --rate -1", "--rate cannot be -1", "want 1 to 100000, or 0 for no limit"},
		{"--state parked --limit 0", "--limit is 0, want at least 1", "leave it out for all"},
		{"--state parked --output csv", `--output cannot be "csv"`, "it takes table, json"},
		{"--state parked --with-item mug --reason x", "a repair is of one delivery: give its KEY", "as in triviactl replay KEY --with-item mug --reason WHY"},
		{"A B --with-user u --reason x", "a repair is of one delivery: give its KEY", "as in triviactl replay KEY --with-item mug --reason WHY"},
		{"A --with-trivia t", "a repair wants --reason", `as in --reason "typo in the campaign"`},
		{"A --with-item mug --reason x --http http://a", "--http and a repair exclude each other", "take one of them"},
		{"A --http ftp://a", `--http cannot be "ftp://a"`, "as in http://127.0.0.1:8080"},
		{"A --http http://a/path", "--http http://a/path names one route", "say --kind, or leave the path out: each kind has its own"},
		{"A --http http://a --output json", "--http has no --output json", "leave one out"},
	}
	for _, tt := range tests {
		st := newStage(t)
		st.want(t, append([]string{"replay"}, strings.Fields(tt.words)...), 2, "", usage+tt.said+"\ntriviactl: hint: "+tt.hint+"\n")
	}
}

func TestARepairIsShownAndAskedFor(t *testing.T) {
	t.Parallel()

	stage := func() *stage {
		st := newStage(t)
		st.fake.deliveries = []store.DeliveryRow{{
			Key: "K", Kind: trivia.KindWin, State: trivia.StateParked, Outcome: trivia.Malformed, Reason: "item is missing", SHA256: []byte{0xab},
		}}
		st.fake.repaired = operator.Repaired{
			Copy: store.DeliveryRow{
				Key: "K#repair-1", Win: trivia.Win{User: "demo-1", Trivia: "capitals", Item: "mug"},
				Body: []byte(`{"user_id":"demo-1","trivia_id":"capitals","item":"mug"}`),
			},
			After: standing(trivia.StateDone, trivia.Awarded),
		}

		return st
	}
	const card = `key     K
before  malformed, item is missing
copy    K#repair-1
user    demo-1
trivia  capitals
item    mug
after   awarded
  {"user_id":"demo-1","trivia_id":"capitals","item":"mug"}
`
	st := stage()
	st.want(t, []string{"replay", "K", "--with-item", "mug", "--reason", "typo", "--dry-run"}, 0, card, "")
	if len(st.fake.repairs) != 1 || st.fake.repairs[0].With != (trivia.Win{Item: "mug"}) || st.fake.repairs[0].Source.Key != "K" {
		t.Errorf("repairs = %+v, want one preview", st.fake.repairs)
	}
	st = stage()
	st.StdinTerminal, st.Stdin = true, strings.NewReader("y\n")
	st.want(t, []string{"replay", "K", "--with-item", "mug", "--reason", "typo"}, 0, card+"\n'K#repair-1' kept, and settled: awarded\n",
		`repair "K", which would then be awarded, in development? [y/N] `)
	if len(st.fake.repairs) != 2 || st.fake.repairs[1].Reason != "typo" {
		t.Errorf("repairs = %+v, want a preview and a repair", st.fake.repairs)
	}
	st = stage()
	if code := st.call(t, "replay", "K", "--with-item", "mug", "--reason", "typo", "--yes", "--output", "json"); code != 0 || !json.Valid(st.out.Bytes()) {
		t.Errorf("exit %d, printed %q, want JSON", code, st.out.String())
	}
	st = stage()
	st.fake.replayErr = errors.Join(operator.ErrNotRepairable)
	st.want(t, []string{"replay", "K", "--with-item", "mug", "--reason", "typo"}, 1, "",
		"triviactl: cannot be repaired\ntriviactl: hint: --with-user, --with-trivia and --with-item put words right; nothing was done\n")
}

func TestSendingAgainKeepsKeysAndBytes(t *testing.T) {
	t.Parallel()

	var (
		mu  sync.Mutex
		got []string
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprintf("%s %s %q signed %t", r.URL.Path, r.Header.Get("X-CIO-Idempotency-Key"), body, r.Header.Get("X-CIO-Signature") != ""))
		if strings.Contains(string(body), "bad") {
			w.WriteHeader(http.StatusServiceUnavailable)

			return
		}
		_, _ = io.WriteString(w, `{"status":"duplicate","outcome":"awarded","key":"k"}`)
	}))
	t.Cleanup(server.Close)
	at := noon.Add(-time.Hour)
	rows := []store.DeliveryRow{
		{Key: "clé", Kind: trivia.KindWin, Body: []byte("{\xff"), ReceivedAt: at},
		{Key: "event", Kind: trivia.KindEvent, Body: []byte(`{"event_id": "event"}`), ReceivedAt: at},
		{Key: "a\nb", Kind: trivia.KindWin, Body: []byte(`{}`), ReceivedAt: at},
	}

	st := newStage(t)
	st.fake.resend = rows
	if code := st.call(t, "replay", "--state", "parked", "--http", server.URL, "--dry-run"); code != 0 || len(got) > 0 ||
		!strings.HasPrefix(st.out.String(), "3 deliveries would be sent again, to "+server.URL+"\n") {
		t.Errorf("--dry-run: exit %d, sent %q, printed %q", code, got, st.out.String())
	}
	if code := st.call(t, "replay", "--state", "parked", "--http", server.URL, "--yes", "--reason", "why"); code != 1 ||
		!strings.Contains(st.out.String(), "2  200 duplicate: awarded\n") || !strings.Contains(st.err.String(), "1 of 3 were not accepted") {
		t.Errorf("exit %d, printed %q, said %q", code, st.out.String(), st.err.String())
	}
	slices.Sort(got)
	want := []string{
		`/bet_service/cio/trivia_win clé "{\xff" signed true`,
		`/webhooks/customerio  "{\"event_id\": \"event\"}" signed true`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if st.fake.resent.Reason != "why" || st.fake.resent.To != server.URL {
		t.Errorf("Resend of %+v", st.fake.resent)
	}

	// Nobody listens: it says how to go on.
	server.Close()
	if code := st.call(t, "replay", "--state", "parked", "--http", server.URL, "--yes"); code != 1 ||
		!strings.Contains(st.err.String(), "nothing listens at") || !strings.Contains(st.err.String(), "hint: go on with: triviactl replay --state=parked --http="+server.URL+" --after=from-here\n") {
		t.Errorf("without a hook: exit %d, said %q", code, st.err.String())
	}
}
