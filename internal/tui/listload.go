package tui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/store"
)

// A direction says where rows are looked for.
type direction int

const (
	nowhere direction = iota
	fromTop           // from the first row on
	fromEnd           // from the last row on, backwards
	further           // behind those that there are
	back              // before them
)

// loading is how far looking for rows has come.
type loading struct {
	life   int             // of the rows: answers of an earlier one are dropped
	ctx    context.Context //nolint:containedctx // ends with the life
	cancel context.CancelFunc

	begun  bool
	out    direction // what is being looked for
	since  time.Time // when that was asked
	err    error     // of the last answer
	failed direction // what is to be asked again
	paused bool      // a person has stopped the search
	looked time.Time // how far a search has come
	moves  int       // rows that the cursor moves up when they are there
}

func (ld *loading) start(d *Desk) {
	if ld.ctx == nil {
		ld.ctx, ld.cancel = context.WithCancel(d.ctx)
	}
}

// stop drops what is out.
func (ld *loading) stop() {
	if ld.cancel != nil {
		ld.cancel()
	}
}

// fetched is what was found somewhere.
type fetched[T any] struct {
	life  int
	from  direction
	found store.Found[T]
}

// fetch looks for rows, unless it does already. Looking from an end anew drops
// what is out.
func (l *list[F, T]) fetch(from direction) tea.Cmd {
	if from == fromTop || from == fromEnd {
		l.load.stop()
		l.load = loading{life: l.load.life + 1, begun: true, err: l.load.err}
		l.live.out = false
	} else if l.load.out != nowhere {
		return nil
	}
	l.load.out, l.load.since = from, l.desk.Now()

	page := store.Page{Limit: max(fetchRows, l.height), Oldest: l.oldest}
	switch from {
	case further:
		page.After = l.win.after
	case back:
		page.After, page.Oldest = l.win.before, !l.oldest
	case fromEnd:
		page.Oldest = !l.oldest
	case nowhere, fromTop:
	}
	life, filter := l.load.life, l.filter

	return askOf(l, func(ctx context.Context, r store.Reader[F, T]) (fetched[T], error) {
		found, err := r.Look(ctx, filter, page)

		return fetched[T]{life, from, found}, err
	})
}

// arrived takes what was found.
func (l *list[F, T]) arrived(a answer[fetched[T]]) tea.Cmd {
	if a.value.life != l.load.life {
		return nil
	}
	from := l.load.out
	l.load.out, l.load.err = nowhere, a.err
	if a.err != nil {
		l.load.failed = from
		return nil
	}
	found := a.value.found
	l.win.most = max(mostRows, 5*l.height)
	l.widen(found.Rows)
	if found.After != "" {
		l.load.looked = l.kind.at(found.Last)
	}

	switch from {
	case fromTop:
		l.win.begin(found)
		l.at, l.top = 0, 0
		l.live.begin(found.Since)
	case fromEnd:
		l.win.finish(found)
		if !l.live.known {
			l.live.begin(found.Since)
		}
		l.at = len(l.win.rows) - 1
	case further:
		gone := l.win.below(found)
		l.at, l.top = max(0, l.at-gone), max(0, l.top-gone)
	case back:
		l.cameAbove(found)
	case nowhere:
	}
	l.markTop(found.Since)
	l.scroll()

	return l.more()
}

// cameAbove takes rows before those that there are. What is seen stays, unless a
// person waits to go up, or follows.
func (l *list[F, T]) cameAbove(found store.Found[T]) {
	come := l.win.above(found)
	l.at, l.top = l.at+come, l.top+come
	if l.live.following {
		l.at, l.top = 0, 0
		return
	}
	up := min(l.load.moves, l.at)
	l.at, l.load.moves = l.at-up, 0
}

// more looks for the rows that the screen still wants, if any.
func (l *list[F, T]) more() tea.Cmd {
	if l.load.out != nowhere || l.load.err != nil || !l.load.begun || l.sorted.rows != nil {
		return nil
	}
	ahead := len(l.win.rows) - l.top - l.height
	switch {
	case !l.win.last && ahead < l.height && !l.load.paused:
		return l.fetch(further)
	case !l.win.first && l.top < l.height && !l.load.paused && !l.live.following:
		return l.fetch(back)
	}

	return nil
}

// searching reports whether rows are looked for that are hard to find.
func (l *list[F, T]) searching() bool {
	return l.load.out != nowhere && !l.load.looked.IsZero() && l.wanting()
}

// wanting reports whether there is room on the screen, and perhaps rows for it.
func (l *list[F, T]) wanting() bool {
	return !l.win.last && len(l.win.rows)-l.top < l.height || !l.win.first && l.top == 0 && len(l.win.rows) < l.height
}
