package tui

import (
	"context"
	"fmt"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// countEvery is how much longer the parked deliveries are left alone than it took
// to count them: it costs as much as there are.
const countEvery = 10

// A parkedCount is how many deliveries wait for a person, for the header. That
// it is asked for all the time also tells whether the database lives.
type parkedCount struct {
	asker

	desk  *Desk
	out   bool // asked, and no answer yet
	next  time.Time
	known bool
	n     int64
}

func newParkedCount(d *Desk) parkedCount { return parkedCount{asker: newAsker(), desk: d} }

// look counts again, if it is time.
func (p *parkedCount) look(now time.Time) tea.Cmd {
	if p.out || now.Before(p.next) {
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
		p.known, p.n, p.next = true, int64(a.value), a.at.Add(countEvery*a.took)
	}
}

// text says it, with the key that leads there in front.
func (p *parkedCount) text() (string, Tone) {
	switch {
	case !p.known:
		return "! … parked", Plain
	case p.n == 0:
		return "! 0 parked", Plain
	}

	return fmt.Sprintf("! %s parked", thousands(int(p.n))), Bad
}
