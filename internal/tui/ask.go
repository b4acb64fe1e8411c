package tui

import (
	"context"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// deadline is how long the database has to answer a question of a screen.
const deadline = 5 * time.Second

// An asker names who asked: an answer that comes late finds its way, and one that
// is no longer waited for is dropped.
type asker struct{ id int64 }

// askers counts, so that no two are alike.
var askers atomic.Int64 //nolint:gochecknoglobals // identity, as an address would be

func newAsker() asker { return asker{askers.Add(1)} }

// An answer is what came of a question.
type answer[T any] struct {
	to    asker
	value T
	err   error
	at    time.Time     // when it was asked: what it says was true then
	took  time.Duration // how long the answer was out
}

// result tells the frame whether the database answered; answers of all kinds
// have it.
func (a answer[T]) result() (at time.Time, err error) { return a.at, a.err }

// resulting is what every answer is.
type resulting interface {
	result() (time.Time, error)
}

// ask asks the database off the update loop, with a deadline. The answer comes
// as an answer[T].
func ask[T any](d *Desk, from asker, question func(context.Context) (T, error)) tea.Cmd {
	return askFor(d, from, deadline, question)
}

// askFor is ask with a deadline of its own.
func askFor[T any](d *Desk, from asker, within time.Duration, question func(context.Context) (T, error)) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(d.ctx, within)
		defer cancel()

		at := d.Now()
		value, err := question(ctx)

		return answer[T]{to: from, value: value, err: err, at: at, took: d.Now().Sub(at)}
	}
}
