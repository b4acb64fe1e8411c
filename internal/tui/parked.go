package tui

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"
)

// A parkedCount is how many deliveries wait for a person, for the header.
type parkedCount struct {
	asker

	desk  *Desk
	out   bool // asked, and no answer yet
	known bool
	n     int64
}

func newParkedCount(d *Desk) parkedCount { return parkedCount{asker: newAsker(), desk: d} }

func (p *parkedCount) look() tea.Cmd {
	if p.out {
		return nil
	}
	p.out = true

	return ask(p.desk, p.asker, func(ctx context.Context) (parkedTotal, error) {
		n, err := p.desk.Do.CountParked(ctx)
		return parkedTotal(n), err
	})
}

// parkedTotal tells the answer from those of others.
type parkedTotal int64

func (p *parkedCount) update(msg tea.Msg) {
	a, ok := msg.(answer[parkedTotal])
	if !ok || a.to != p.asker {
		return
	}
	p.out = false
	if a.err == nil {
		p.known, p.n = true, int64(a.value)
	}
}
