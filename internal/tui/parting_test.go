package tui

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

// A stubborn command line brings what is under way to its end, and says how to go on.
type stubborn struct {
	CommandLine

	begun chan struct{}
}

func (s stubborn) Run(ctx context.Context, _ int, _ []string, _ func(string)) (string, int) {
	close(s.begun)
	<-ctx.Done()

	return "triviactl: interrupted\ntriviactl: hint: go on with: triviactl replay --after=x\n", 1
}

func (stubborn) Line(words ...string) string { return "triviactl " + strings.Join(words, " ") }

func TestWhoLeavesIsToldWhatWasUnderWay(t *testing.T) {
	t.Parallel()

	ctx, leave := context.WithCancel(t.Context())
	d := Desk{CommandLine: stubborn{begun: make(chan struct{})}, parting: &parting{}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.carryOut(ctx, 80, []string{"replay", "--yes"}, nil)
	}()
	<-d.CommandLine.(stubborn).begun
	leave()

	var out bytes.Buffer
	if err := d.parting.leave(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	const want = "stopping what is under way…\n$ triviactl replay --yes\n" +
		"triviactl: interrupted\ntriviactl: hint: go on with: triviactl replay --after=x\n"
	if got := out.String(); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	<-ended
	if said, code := d.carryOut(ctx, 80, []string{"replay", "--yes"}, nil); code != 1 || said != "the screens were left before it began" {
		t.Errorf("afterwards: %q, %d", said, code)
	}
}

func TestWhoLeavesInVainIsNotHeld(t *testing.T) {
	t.Parallel()

	d := Desk{CommandLine: stubborn{begun: make(chan struct{})}, parting: &parting{}}
	go d.carryOut(t.Context(), 80, nil, nil) // it ends with the test
	<-d.CommandLine.(stubborn).begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if err := d.parting.leave(ctx, &out); err != nil || !strings.HasSuffix(out.String(), "\nit does not end: what came of it is in the audit log\n") {
		t.Errorf("%v, it says %q", err, out.String())
	}

	if err := (&parting{}).leave(t.Context(), fullDisk{}); err != nil {
		t.Errorf("with nothing under way: %v", err)
	}
	if err := d.parting.leave(ctx, fullDisk{}); err == nil || !strings.Contains(err.Error(), "no space left") || errors.Is(err, context.Canceled) {
		t.Errorf("where nothing can be written: %v", err)
	}
}
