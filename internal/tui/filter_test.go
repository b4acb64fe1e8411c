package tui

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/store"
)

func TestFilterWordsAreThoseOfTheCommandLine(t *testing.T) {
	t.Parallel()

	flags := []Flag{{Name: "user"}, {Name: "state"}, {Name: "text"}}
	tests := []struct {
		line string
		want []string
	}{
		{"", nil},
		{"  ", nil},
		{"ann", []string{"--text", "ann"}},
		{"capitals of the  world", []string{"--text", "capitals of the world"}},
		{"'capitals  of'", []string{"--text", "capitals  of"}},
		{"--state parked", []string{"--state", "parked"}},
		{"--state=parked ann", []string{"--state=parked", "--text", "ann"}},
		{"ann --state parked bob", []string{"--state", "parked", "--text", "ann bob"}},
		{`--user "ann lee" x\ y`, []string{"--user", "ann lee", "--text", "x y"}},
		{`--user ''`, []string{"--user", ""}},
		{"--user", []string{"--user"}},
		{"--stat parked", []string{"--stat", "--text", "parked"}},
		{"-- --odd -x", []string{"--text=--odd -x"}},
		{"-x", []string{"--text=-x"}},
		{`it\'s`, []string{"--text", "it's"}},
	}
	for _, tt := range tests {
		got, err := filterWords(tt.line, flags)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("filterWords(%q): %v (-want +got):\n%s", tt.line, err, diff)
		}
	}
	for _, line := range []string{"'ann", `"ann`} {
		if got, err := filterWords(line, flags); err == nil {
			t.Errorf("filterWords(%q) = %q, want an error", line, got)
		}
	}
}

func FuzzWordsAreReadAsTheyWereWritten(f *testing.F) {
	f.Add("ann", "it's", `a\b "c"`)
	f.Add("", " ", "\t'")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		want := []string{strings.ToValidUTF8(a, "?"), strings.ToValidUTF8(b, "?"), strings.ToValidUTF8(c, "?")}
		got, err := splitWords(joinWords(want))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q is read otherwise: %v\n%s", joinWords(want), err, diff)
		}
	})
}

func TestAFilterIsTypedInTheWordsOfTheCommandLine(t *testing.T) {
	t.Parallel()

	d, _ := newDesk(100)
	s := newStage(t, d, pageDeliveries, 80, 24)
	s.press("/")
	s.write("--state parked user-9")
	if !s.frame.top().typing() {
		t.Error("letters are commands while a filter is typed")
	}
	s.press("enter")
	sees(t, s, "filter: --state parked --text user-9", "user-93", "parked: ")
	for _, line := range strings.Split(s.frame.View(), "\n")[5:7] {
		if strings.Contains(line, "done") {
			t.Errorf("a row does not match: %s", line)
		}
	}
	s.press("esc")
	sees(t, s, "done")
	if strings.Contains(s.frame.View(), "filter:") {
		t.Error("esc leaves the filter")
	}
}

func TestAMistakeInAFilterIsSaidBelowIt(t *testing.T) {
	t.Parallel()

	d, _ := newDesk(20)
	s := newStage(t, d, pageDeliveries, 80, 24)
	s.press("/")
	s.write("--stat parked")
	s.press("enter")
	sees(t, s, "✗ the filter has no flag --stat; did you mean --state?", "user-20")
	s.press("esc")
	if strings.Contains(s.frame.View(), "✗") {
		t.Error("the mistake stays")
	}
	sees(t, s, "newest first")

	s = newStage(t, d, pageDeliveries, 80, 24, "--nonsense", "x")
	sees(t, s, "✗ the filter has no flag --nonsense")
}

func TestTabCompletesFlagsAndValues(t *testing.T) {
	t.Parallel()

	d, _ := newDesk(20)
	s := newStage(t, d, pageDeliveries, 80, 24)
	s.press("/")
	line := func(want string) {
		t.Helper()
		l, ok := s.frame.top().(*list[store.DeliveryFilter, store.DeliveryRow])
		if !ok || l.line == nil {
			t.Fatal("no filter is typed")
		}
		if got := l.line.input.Value(); got != want {
			t.Errorf("the line is %q, want %q", got, want)
		}
	}
	s.write("--s")
	s.press("tab")
	line("--s")
	sees(t, s, "--state  --since")
	s.write("t")
	s.press("tab")
	line("--state ")
	s.write("p")
	s.press("tab")
	line("--state p") // pending or parked
	sees(t, s, "pending  parked")
	s.write("a")
	s.press("tab")
	line("--state parked ")
}

func TestEarlierFiltersComeBack(t *testing.T) {
	t.Parallel()

	d, _ := newDesk(20)
	s := newStage(t, d, pageDeliveries, 80, 24)
	for _, filter := range []string{"user-1", "--state parked"} {
		s.press("/", "ctrl+u")
		s.write(filter)
		s.press("enter")
	}
	s.press("esc", "/")
	s.write("dra")
	s.press("up")
	sees(t, s, "/--state parked")
	s.press("up", "up")
	sees(t, s, "/user-1")
	s.press("down", "down")
	sees(t, s, "/dra")
}

func TestASearchShowsHowFarItHasComeAndStops(t *testing.T) {
	t.Parallel()

	d, shelves := newDesk(1000)
	shelves.wins.stretch = 10
	s := newStage(t, d, pageWins, 80, 24)
	s.frame.View()
	held := s.hold()
	s.press("/")
	s.write("user-5")
	s.press("enter")
	for range 20 {
		held.next()
	}
	sees(t, s, "looked back to 2026-05-04 11:56:41, Esc stops")
	s.press("esc")
	sees(t, s, "stopped at 2026-05-04 11:56:41, ↓ goes on")
	held.all()
	sees(t, s, "stopped at")
	s.press("down")
	held.all()
	sees(t, s, "user-599", "user-590")
	if got := wins(t, s).win.rows; len(got) < 20 || got[0].User != "user-599" {
		t.Errorf("found %d rows, the first is %v", len(got), got[0].User)
	}

	s.press("esc", "/")
	s.write("nobody")
	s.press("enter")
	held.all()
	sees(t, s, "No wins match --text nobody", "Press / to change the filter")
}

func TestASearchThatFailsGoesOn(t *testing.T) {
	t.Parallel()

	d, shelves := newDesk(1000)
	shelves.wins.stretch = 10
	s := newStage(t, d, pageWins, 80, 24)
	held := s.hold()
	s.press("/")
	s.write("user-5")
	s.press("enter")
	held.next()
	shelves.fail(errors.New("too slow"))
	held.all()
	sees(t, s, "too slow")
	shelves.fail(nil)
	s.beat()
	held.all()
	sees(t, s, "user-599")
}
