package tui

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"
)

func TestTheScreensEndWithTheirTerminal(t *testing.T) {
	t.Parallel()

	in, keys, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	done := make(chan error, 1)
	d := deskOf(busy())
	d.Now = func() time.Time { return noon }
	go func() { done <- Run(t.Context(), d, Terminal{In: in, Out: io.Discard}, Opening{}) }()
	if _, err := keys.WriteString("?"); err != nil {
		t.Fatal(err)
	}
	if err := keys.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, errTerminalGone) {
		t.Errorf("Run = %v, want that the terminal is gone", err)
	}
}
