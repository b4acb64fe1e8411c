package ctl

import "trivia/internal/tui"

// A progressBar is drawn only where somebody sees it.
type progressBar struct {
	drawn *tui.Progress // nil: nobody looks
}

func (s *session) progress(label, unit string) progressBar {
	if !s.StderrTerminal || s.Getenv("TERM") == "dumb" {
		return progressBar{}
	}

	return progressBar{tui.StartProgress(tui.ProgressOptions{
		Out: s.Stderr, Label: label, Unit: unit, Width: s.Width, Color: s.colorful(true), Now: s.Now,
	})}
}

// set says that count things are done, and part of whole; a whole below 1 is
// one that nobody knows.
func (p progressBar) set(count int, part, whole int64) {
	if p.drawn == nil {
		return
	}

	step := tui.Step{Count: count, Fraction: -1}
	if whole > 0 {
		step.Fraction = float64(part) / float64(whole)
	}
	p.drawn.Set(step)
}

func (p progressBar) stop() {
	if p.drawn != nil {
		p.drawn.Stop()
	}
}
