package ctl

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// newLine is the command line as the screens have it.
func newLine(t *testing.T) (*stage, commandLine) {
	t.Helper()

	st := newStage(t)

	return st, commandLine{st.session, st.fake}
}

func TestTheScreensRunCommandsAsATerminalWouldShowThem(t *testing.T) {
	t.Parallel()

	st, line := newLine(t)
	st.env["NO_COLOR"] = "1"
	st.fake.deliveries = someDeliveries()
	said, code := line.Run(t.Context(), 60, []string{"deliveries", "list"}, nil)
	if code != 0 || !strings.Contains(said, "2h ago") {
		t.Errorf("exit %d: %s", code, said)
	}
	for l := range strings.Lines(said) {
		if n := len([]rune(strings.TrimSuffix(l, "\n"))); n > 60 {
			t.Errorf("%d cells, want 60: %s", n, l)
		}
	}
	if st.out.Len()+st.err.Len() > 0 {
		t.Errorf("it wrote past the screens: %s%s", &st.out, &st.err)
	}

	said, code = line.Run(t.Context(), 80, []string{"deliveries", "lsit"}, nil)
	if want := "triviactl: usage: triviactl deliveries has no command \"lsit\"\ntriviactl: hint: did you mean list?\n"; code != 2 || said != want {
		t.Errorf("exit %d, said %q, want %q", code, said, want)
	}
	said, code = line.Run(t.Context(), 80, []string{"prizes", "revoke", "u", "t", "--reason", "r"}, nil)
	if code != 4 || !strings.Contains(said, "--yes confirms") {
		t.Errorf("unconfirmed: exit %d, said %q", code, said)
	}
	if got, want := line.Line("replay", "--reason=it's me", "--", "-k"), `triviactl replay --reason='it'\''s me' -- -k`; got != want {
		t.Errorf("Line = %s, want %s", got, want)
	}
}

func TestTheScreensAreToldHowFarACommandIs(t *testing.T) {
	t.Parallel()

	st, line := newLine(t)
	st.fake.moved = 500
	at := noon
	st.Now = func() time.Time { at = at.Add(time.Second); return at }
	var told []string
	_, code := line.Run(t.Context(), 80, []string{"push", "retry", "--parked"}, func(line string) { told = append(told, line) })
	if code != 0 || len(told) < 2 || told[0] != "moving" || !strings.Contains(told[1], "500 pushes") {
		t.Errorf("exit %d, told %q", code, told)
	}
}

func TestPreviewsCountWhatTheyAreAbout(t *testing.T) {
	t.Parallel()

	tests := []struct {
		words string
		n     int
		said  string
	}{
		{"replay --state parked --dry-run", 312, "312 deliveries: "},
		{"push retry --dry-run 7 8", 12, "12 pushes would be pending again\n"},
		{"push hold --pending --user u --dry-run", 12, "12 pushes would be held\n"},
		{"push release --all --dry-run", 12, "12 pushes would be released, and pending\n"},
		{"push attributes --user u --dry-run plan=gold visits=7", 1, "2 attributes would be set for u\n  {\n    \"plan\": \"gold\",\n    \"visits\": 7\n  }\n"},
		{"push wins --since 2h --dry-run", 10, "12 wins: 10 pushes would be written, 2 waiting already\n"},
		{"replay 01H8XGJWBWBAQ5 --with-item cup --reason typo --dry-run", 1, "key "},
	}
	for _, tt := range tests {
		t.Run(tt.words, func(t *testing.T) {
			t.Parallel()

			st, line := newLine(t)
			st.fake.so, st.fake.moved, st.fake.deliveries = aReplay(), 12, someDeliveries()[2:]
			st.fake.preview = operator.WinPreview{Wins: 12, Pushed: 10}
			said, n, code := line.Preview(t.Context(), 80, strings.Fields(tt.words), nil)
			if code != 0 || n != tt.n || !strings.HasPrefix(said, tt.said) {
				t.Errorf("Preview = %q, %d, exit %d, want %q, %d", said, n, code, tt.said, tt.n)
			}
			if len(st.fake.replayed) > 0 || st.fake.why != "" || st.fake.attributes != nil || st.fake.winPushes.Progress != nil {
				t.Error("something was done")
			}
		})
	}

	st, line := newLine(t)
	same := standing(trivia.StateDone, trivia.Awarded)
	st.fake.so = operator.Replayed{Deliveries: 2, Changes: map[operator.Change]int{{Before: same, After: same}: 2}}
	said, n, code := line.Preview(t.Context(), 80, []string{"replay", "--state", "done", "--dry-run"}, nil)
	if n != 0 || code != 0 || !strings.HasSuffix(said, "triviactl: nothing would change\n") {
		t.Errorf("where nothing changes: %q, %d, exit %d", said, n, code)
	}
}

func TestADryRunOfPushesSaysWhyTheyCannotBeMoved(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.fake.pushErr = wrongStateError{errors.New("push 7 is sent")}
	st.want(t, []string{"push", "retry", "7", "--dry-run"}, 1, "",
		"triviactl: nothing was changed: push 7 is sent\ntriviactl: hint: only what is parked can be retried\n")
	st.fake.pushErr = nil
	st.fake.moved, st.fake.pushes = 3, somePushes()[:1]
	st.call(t, "push", "retry", "--parked", "--since", "2h", "--dry-run")
	if want := (store.PushSet{State: trivia.PushParked, Since: noon.Add(-2 * time.Hour)}); st.fake.sweep.Set != want {
		t.Errorf("it looked at %+v, want %+v", st.fake.sweep.Set, want)
	}
	if out := st.out.String(); !strings.HasPrefix(out, "3 pushes would be pending again\n\n") || !strings.HasSuffix(out, "… and 2 more\n") {
		t.Errorf("it said %q", out)
	}
}

func TestABodyMayBeLeftOut(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.fake.deliveries = someDeliveries()[:1]
	st.call(t, "deliveries", "show", "k", "--no-body")
	if out := st.out.String(); !strings.Contains(out, "20 bytes") || strings.Contains(out, "user_id") {
		t.Errorf("it shows %s", out)
	}
	st.call(t, "deliveries", "show", "k", "--no-body", "--output", "json")
	if out := st.out.String(); strings.Contains(out, `"body":`) {
		t.Errorf("it shows %s", out)
	}
	st.fake.event = operator.EventStory{EventRow: store.EventRow{ID: "e"}, Payload: []byte(`{"secret":1}`)}
	for _, words := range [][]string{{"events", "show", "e", "--no-body"}, {"events", "show", "e", "--no-body", "--output", "json"}} {
		if code := st.call(t, words...); code != 0 || strings.Contains(st.out.String(), "secret") {
			t.Errorf("%q exits with %d and shows %s", words, code, &st.out)
		}
	}
	for _, noun := range []string{"deliveries", "events"} {
		st.want(t, []string{noun, "show", "k", "--raw", "--no-body"}, 2, "",
			"triviactl: usage: --raw and --no-body exclude each other\ntriviactl: hint: take one of them\n")
	}
}

func TestACommandOfTheScreensCanBeStopped(t *testing.T) {
	t.Parallel()

	st, line := newLine(t)
	st.fake.so, st.fake.replayErr = aReplay(), context.Canceled
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	said, code := line.Run(ctx, 80, []string{"replay", "--state", "parked", "--yes"}, nil)
	if code != 1 || !strings.Contains(said, "triviactl: interrupted\ntriviactl: hint: go on with: triviactl replay --state=parked") {
		t.Errorf("exit %d, said %q", code, said)
	}
	if !slices.ContainsFunc(strings.Split(said, "\n"), func(l string) bool { return strings.Contains(l, "--after=") }) {
		t.Errorf("it does not say where: %q", said)
	}
}
