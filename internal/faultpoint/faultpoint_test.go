package faultpoint_test

import (
	"slices"
	"testing"

	"trivia/internal/faultpoint"
)

func TestEveryFaultIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()

	for _, name := range faultpoint.Names() {
		for _, action := range []faultpoint.Action{faultpoint.Kill, faultpoint.Panic, faultpoint.Hang} {
			want := faultpoint.Fault{At: name, Do: action, Pass: 7}
			if got, err := faultpoint.Parse(want.String()); got != want || err != nil {
				t.Errorf("Parse(%s) = %v, %v", want, got, err)
			}
		}
	}
}

func TestAFaultIsAtTheFirstPassUnlessItIsCounted(t *testing.T) {
	t.Parallel()

	want := faultpoint.Fault{At: faultpoint.AfterCommit, Do: faultpoint.Kill, Pass: 1}
	if got, err := faultpoint.Parse("after-commit:kill"); got != want || err != nil {
		t.Errorf("Parse(after-commit:kill) = %v, %v; want %v", got, err, want)
	}
}

func TestWrongFaultsAreRefused(t *testing.T) {
	t.Parallel()

	for _, text := range []string{
		"", "after-commit", "after-commit:", "after-commit:die", "nowhere:kill", "after-commit:kill:", "after-commit:kill:0",
		"after-commit:kill:x", "after-commit:kill:1:2",
	} {
		if f, err := faultpoint.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", text, f)
		}
	}
}

func TestNamesAreDifferent(t *testing.T) {
	t.Parallel()

	names := faultpoint.Names()
	slices.Sort(names)
	if n := len(slices.Compact(names)); n != len(faultpoint.Names()) {
		t.Errorf("of %d names %d are different", len(faultpoint.Names()), n)
	}
}
