package tui

import (
	"testing"
)

func TestRowsAreSelectedOneByOneOrAllThatMatch(t *testing.T) {
	t.Parallel()

	d, _ := newDesk(1000)
	s := newStage(t, d, pageWins, 80, 24, "--text", "user-1")
	s.frame.View()
	s.press(" ", " ")
	sees(t, s, "● 2 selected", "▸  13m22s", " ● 0s ago")
	s.press("up", " ")
	sees(t, s, "● 1 selected")
	s.press("A")
	sees(t, s, "● all 112 selected")
	s.press("esc")
	l := wins(t, s)
	if l.chosen.some() {
		t.Error("esc leaves them selected")
	}
	sees(t, s, "filter: --text user-1")
}

func TestReadOnlyListsActOnNothing(t *testing.T) {
	t.Parallel()

	d, _ := newDesk(10)
	d.ReadOnly = true
	s := newStage(t, d, pageWins, 80, 24)
	s.frame.View()
	for _, b := range s.frame.top().bindings() {
		if b.Help().Key == "x" && b.Enabled() {
			t.Error("x is offered")
		}
	}
	s.press("x")
	sees(t, s, "newest first")
}
