package ctl

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"trivia/internal/store"
)

// A brokenFake breaks when it is asked how things stand.
type brokenFake struct{ *fake }

func (brokenFake) Overview(context.Context) (store.Overview, error) { panic("no such luck") }

// onTerminal is a stage whose input and output pass for a terminal.
func onTerminal(t *testing.T) *stage {
	t.Helper()

	st := newStage(t)
	in, _ := io.Pipe() // nobody types
	st.Stdin, st.StdinTerminal, st.StdoutTerminal = in, true, true
	st.env["TERM"] = "xterm"

	return st
}

func TestAFaultOfTheScreensIsToldWithWhereItWas(t *testing.T) {
	t.Parallel()

	st := onTerminal(t)
	st.open = func(context.Context) (verbs, func(), error) { return brokenFake{st.fake}, func() {}, nil }
	code := st.call(t, "tui")
	said := st.err.String()
	if code != 1 || !strings.HasPrefix(said, "triviactl: the screens broke: no such luck\ntriviactl: at ctl.brokenFake.Overview (screens_test.go:") ||
		!strings.Contains(said, "\ntriviactl: hint: nothing is lost") {
		t.Errorf("exit code %d, said %s", code, said)
	}
}

func TestScreensThatCannotBeOpenedSayWhy(t *testing.T) {
	t.Parallel()

	const hint = "triviactl: hint: triviactl tui --plain writes a line for each delivery that arrives\n"
	st := newStage(t)
	st.want(t, []string{"tui"}, 1, "", "triviactl: the screens want a terminal\n"+hint)
	st = onTerminal(t)
	st.env["TERM"] = "dumb"
	st.want(t, []string{"tui"}, 1, "", "triviactl: the screens want a terminal that can do more than TERM=dumb says\n"+hint)

	st = onTerminal(t)
	st.open = func(context.Context) (verbs, func(), error) { return nil, nil, errors.New("connect: no answer") }
	st.want(t, []string{"tui"}, 1, "", "triviactl: connect: no answer\n")
	st, dir := onTerminal(t), t.TempDir()
	st.want(t, []string{"tui", "--debug", dir}, 1, "", "triviactl: write what happens: open "+dir+": is a directory\n")
}

func TestWordsOfTheScreensAreChecked(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.want(t, []string{"tui", "--state", "odd"}, 2, "", "triviactl: usage: --state cannot be \"odd\"\ntriviactl: hint: it takes pending, done, parked\n")
	st.want(t, []string{"tui", "--plain", "--until", "now"}, 2, "",
		"triviactl: usage: --plain goes on until Ctrl-C, and has no screens: it takes neither --until nor --debug\ntriviactl: hint: leave them out\n")
	st.want(t, []string{"tui", "wins"}, 2, "",
		"triviactl: usage: triviactl tui wants no words besides flags, got [\"wins\"]\ntriviactl: hint: triviactl tui --help tells more\n")
}
