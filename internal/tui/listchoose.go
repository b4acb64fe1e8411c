package tui

import (
	"context"
	"fmt"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/store"
)

// choosing is what a person has chosen.
type choosing[T any] struct {
	rows  map[store.Cursor]T
	order []store.Cursor // as they were chosen
	all   bool           // all that match
	out   bool           // their number is being counted
	count int64
	err   error // their number is not known

	round int                // of counting: answers of an earlier one are dropped
	stop  context.CancelFunc // ends counting
}

// counted is how many rows match.
type counted struct {
	round int
	count int64
}

// tallying is how long counting all that match may take.
const tallying = time.Minute

func (c *choosing[T]) some() bool { return c.all || len(c.rows) > 0 }

func (c *choosing[T]) has(at store.Cursor) bool {
	_, ok := c.rows[at]

	return ok || c.all
}

func (c *choosing[T]) toggle(at store.Cursor, row T) {
	if _, ok := c.rows[at]; ok {
		delete(c.rows, at)
		for i, other := range c.order {
			if other == at {
				c.order = append(c.order[:i:i], c.order[i+1:]...)
				break
			}
		}

		return
	}
	if c.rows == nil {
		c.rows = map[store.Cursor]T{}
	}
	c.rows[at] = row
	c.order = append(c.order, at)
}

// jumps say what a row is about, if anything: nil functions know of nothing.
type jumps[T any] struct {
	win      func(T) (store.WinRow, bool)
	delivery func(T) (store.DeliveryRow, bool)
	person   func(T) string
}

// choose takes the keys that choose rows, act on them, or go to what they are
// about.
func (l *list[F, T]) choose(msg tea.KeyMsg) tea.Cmd {
	row, ok := l.row()
	if !ok {
		return nil
	}
	k := l.keys
	switch {
	case key.Matches(msg, k.Select):
		return l.selectRow(row)
	case key.Matches(msg, k.All):
		return l.selectAll()
	case key.Matches(msg, k.Act):
		return l.act(row)
	case key.Matches(msg, k.Win) && l.jumps.win != nil:
		win, ok := l.jumps.win(row)
		return l.jump("win", win, ok)
	case key.Matches(msg, k.Delivery) && l.jumps.delivery != nil:
		delivery, ok := l.jumps.delivery(row)
		return l.jump("delivery", delivery, ok)
	case key.Matches(msg, k.Person) && l.jumps.person != nil:
		who := l.jumps.person(row)
		return l.jump("person", person(who), who != "")
	}

	return nil
}

func (l *list[F, T]) selectRow(row T) tea.Cmd {
	l.live.following = false
	if l.chosen.all {
		l.chooseNone()
	}
	l.chosen.toggle(l.cursor(row), row)

	return l.step(1)
}

// selectAll chooses all that match, or none, and counts them.
func (l *list[F, T]) selectAll() tea.Cmd {
	was := l.chosen.all
	l.chooseNone()
	if was {
		return nil
	}
	l.live.following = false
	l.chosen.all, l.chosen.out = true, true
	life, stop := context.WithCancel(l.desk.ctx) //nolint:gosec // chooseNone calls it, or the answer
	l.chosen.stop = stop
	filter, round := l.filter, l.chosen.round

	return askDuring(l, life, tallying, func(ctx context.Context, r store.Reader[F, T]) (counted, error) {
		n, err := r.Tally(ctx, filter)

		return counted{round, n}, err
	})
}

func (l *list[F, T]) countedAll(a answer[counted]) {
	if a.value.round == l.chosen.round {
		l.chosen.out, l.chosen.count, l.chosen.err = false, a.value.count, a.err
		l.chosen.stop()
	}
}

// chooseNone also stops counting.
func (l *list[F, T]) chooseNone() {
	if l.chosen.stop != nil {
		l.chosen.stop()
	}
	l.chosen = choosing[T]{round: l.chosen.round + 1}
}

// act opens what can be done to what is chosen or, if nothing is, to the row
// under the cursor.
func (l *list[F, T]) act(row T) tea.Cmd {
	if l.desk.ReadOnly || l.actless {
		return nil
	}
	l.live.following = false
	c := choice{of: l.page, all: l.chosen.all, words: l.words}
	for _, at := range l.chosen.order {
		c.rows = append(c.rows, l.chosen.rows[at])
	}
	if len(c.rows) == 0 {
		c.rows = []any{row}
	}
	if cmd := l.desk.actOn(c); cmd != nil {
		return cmd
	}

	return say("there is nothing that can be done to it", Plain)
}

// A person is whom rows are about, as Customer.io or the product knows them.
type person string

func (l *list[F, T]) jump(what string, to any, ok bool) tea.Cmd {
	l.live.following = false
	if !ok {
		return say("this row names no "+what, Plain)
	}
	if cmd := l.desk.showDetail(to); cmd != nil {
		return cmd
	}
	switch to := to.(type) {
	case person:
		return turn(pageDeliveries, "--user", string(to))
	case store.WinRow:
		return turn(pageWins, "--user", string(to.User), "--trivia", string(to.Trivia))
	case store.DeliveryRow:
		return turn(pageDeliveries, "--key", to.Key)
	}

	return nil
}

// words say what is chosen.
func (c *choosing[T]) words() string {
	switch {
	case !c.some():
		return ""
	case !c.all:
		return thousands(len(c.rows)) + " selected"
	case c.out:
		return "all selected, counting them"
	case c.err != nil:
		return "all selected, uncounted: " + c.err.Error()
	}

	return fmt.Sprintf("all %s selected", thousands(int(c.count)))
}
