package tui

import (
	"context"
	"slices"
	"strings"
	"testing"
)

func TestOnlyTheRightWordConfirms(t *testing.T) {
	t.Parallel()

	for n, wrong := range map[int][]string{1: {"", "y", "1", "no"}, 100: {"100"}, 101: {"yes", "y", "100", "1010", ""}} {
		d, _, line := aDesk()
		line.says["replay"] = spoken{"so many\n", n, 0}
		s := chosen(t, d, oneDelivery(), 100, 30, "enter", "enter", "enter")
		before := len(line.ran)
		for _, word := range wrong {
			s.write(word)
			s.press("enter")
			s.shows("nothing was done")
		}
		s.press("esc", "y", "esc", "esc", "esc")
		if len(line.ran) != before {
			t.Errorf("%d are changed for %q: %q", n, wrong, line.ran[before:])
		}
	}
}

func TestNoSingleKeyChangesAnything(t *testing.T) {
	t.Parallel()

	for first := range 4 {
		for key := rune(' '); key <= '~'; key++ {
			d, _, line := aDesk()
			line.says["replay"] = spoken{"one\n", 1, 0}
			s := chosen(t, d, oneDelivery(), 100, 30, slices.Repeat([]string{"enter"}, first)...)
			before := len(line.ran)
			s.press(string(key))
			for _, ran := range line.ran[before:] {
				if !strings.Contains(ran, "--dry-run") && strings.HasPrefix(ran, "replay") {
					t.Errorf("%q after %d enters runs %q", key, first, ran)
				}
			}
		}
	}
}

func TestReadOnlyThereIsNothingToDo(t *testing.T) {
	t.Parallel()

	d, _, _ := aDesk()
	d.ReadOnly = true
	s := opened(t, d, aDelivery(), 100, 30, "x")
	if got := s.frame.top().title(); got != "delivery 01H8XGJWBWBAQ4" {
		t.Errorf("x leads to %q", got)
	}
	if s.frame.desk.actOn(oneDelivery()) != nil {
		t.Error("there is a menu")
	}
	for _, b := range s.frame.top().bindings() {
		if b.Help().Key == "x" {
			t.Error("x is offered")
		}
	}
}

func TestAnActIsStoppedByEscAndSaysHowToGoOn(t *testing.T) {
	t.Parallel()

	d, _, line := aDesk()
	line.says["replay"] = spoken{"one\n", 1, 0}
	line.says["replay --yes"] = spoken{"triviactl: interrupted\ntriviactl: hint: go on with: triviactl replay --after=x\n", 0, 1}
	s := chosen(t, d, oneDelivery(), 100, 30, "enter", "enter", "enter")
	line.do = func(ctx context.Context, words []string, progress func(string)) {
		progress("replaying  ███  12 deliveries")
		a, _ := s.frame.top().(*acting)
		dd, _ := a.top().(*deed)
		if dd == nil { // it is not on top before it begins
			return
		}
		s.frame.Update(progressed{dd.asker, *dd.work.last.Load()})
		s.shows("replaying  ███  12 deliveries", "Esc stops it", "staging")
		for _, key := range []string{"q", "1", "tab", "y"} { // these would lead elsewhere
			s.press(key)
		}
		s.press("esc")
		s.shows("Stopping")
		if ctx.Err() == nil {
			t.Error("esc does not stop it")
		}
	}
	s.write("yes")
	s.press("enter")
	s.shows("■ stopped", "go on with: triviactl replay --after=x")
	if s.quit || s.frame.current != pageDeliveries {
		t.Error("a key has led elsewhere meanwhile")
	}
}

func TestEscGoesBackThroughAllSteps(t *testing.T) {
	t.Parallel()

	d, _, line := aDesk()
	line.says["replay"] = spoken{"one\n", 1, 0}
	s := chosen(t, d, oneDelivery(), 100, 30, "enter", "w", "enter", "enter", "y")
	for i, want := range []string{"Enter to confirm", "why, for the audit log", "What to do with 1 delivery"} {
		s.press("esc")
		if !strings.Contains(s.frame.View(), want) {
			t.Errorf("after %d esc: no %q in\n%s", i+1, want, s.frame.View())
		}
	}
	s.press("esc")
	if _, is := s.frame.top().(*acting); is {
		t.Error("the menu cannot be left")
	}
	for _, ran := range line.ran {
		if !strings.Contains(ran, "--dry-run") {
			t.Errorf("it has run %q", ran)
		}
	}
}
