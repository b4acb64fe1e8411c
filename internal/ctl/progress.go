package ctl

import (
	"time"

	"trivia/internal/tui"
)

// A progressBar is drawn only where somebody sees it.
type progressBar struct {
	drawn *tui.Progress // nil: nobody looks
	told  *toldProgress // nil: nobody is told
}

// A toldProgress tells the screens.
type toldProgress struct {
	opts        tui.ProgressOptions
	watch       func(line string)
	begun, last time.Time
}

// tellEvery is how often the screens are told.
const tellEvery = 100 * time.Millisecond

func (s *session) progress(label, unit string) progressBar {
	opts := tui.ProgressOptions{Out: s.Stderr, Label: label, Unit: unit, Width: s.Width, Color: s.colorful(true), Now: s.Now}
	switch {
	case s.watch != nil:
		s.watch(label)

		return progressBar{told: &toldProgress{opts: opts, watch: s.watch, begun: s.Now()}}
	case !s.StderrTerminal || s.Getenv("TERM") == "dumb":
		return progressBar{}
	}

	return progressBar{drawn: tui.StartProgress(opts)}
}

// set says that count things are done, and part of whole; a whole below 1 is
// one that nobody knows.
func (p progressBar) set(count int, part, whole int64) {
	if p.drawn == nil && p.told == nil {
		return
	}

	step := tui.Step{Count: count, Fraction: -1}
	if whole > 0 {
		step.Fraction = float64(part) / float64(whole)
	}
	if p.told != nil {
		p.told.tell(step)
		return
	}
	p.drawn.Set(step)
}

func (t *toldProgress) tell(step tui.Step) {
	now := t.opts.Now()
	if now.Sub(t.last) < tellEvery {
		return
	}
	t.last = now
	t.watch(tui.ProgressLine(t.opts, step, now.Sub(t.begun)))
}

func (p progressBar) stop() {
	if p.drawn != nil {
		p.drawn.Stop()
	}
}
