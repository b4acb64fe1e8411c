package tui

import (
	"context"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/store"
)

// A kind says what a list is of.
type kind[F, T any] struct {
	page    pageName
	plural  string
	listing Listing[F, T]
	reader  func(Verbs) store.Reader[F, T]
	cursor  func(T) store.Cursor
	at      func(T) time.Time // what it is sorted by
	note    func(T) string    // what there is to say of the row under the cursor
	matters []string          // titles of the columns that matter most, the most important one first
	parked  []string          // the same where only what is parked is seen; nil: no difference
	nothing []string          // what to do as long as there are none
	jumps   jumps[T]
	actless bool // nothing can be done to them
}

// A list shows rows of one kind: newest first, calm while more arrive.
type list[F, T any] struct {
	asker
	kind[F, T]

	desk   *Desk
	theme  theme
	filter F
	words  []string // the filter, as flags of the command line
	line   *filterLine
	keys   listKeys

	win           window[T]
	oldest        bool // the oldest first
	sorted        sorting[T]
	at, top       int // the row under the cursor, and the first one that is seen
	width, height int // of the rows
	fit           fitting

	load   loading
	live   liveness
	chosen choosing[T]
}

func newList[F, T any](d *Desk, k kind[F, T], words []string) *list[F, T] {
	l := &list[F, T]{
		asker: newAsker(), kind: k, desk: d, theme: newTheme(d.Color),
		keys: newListKeys(), win: window[T]{cursor: k.cursor}, height: 1,
	}
	l.reset()
	if err := l.sift(words); err != nil {
		l.line = newFilterLine(l, joinWords(words))
		l.line.mistake = err.Error()
	}

	return l
}

// sift takes another filter, in the words of the command line.
func (l *list[F, T]) sift(words []string) error {
	var f F
	if len(words) > 0 {
		var err error
		if f, err = l.listing.Parse(words); err != nil {
			return err
		}
	}
	l.filter, l.words = f, words
	l.reset()

	return nil
}

// reset forgets all rows.
func (l *list[F, T]) reset() {
	l.win = window[T]{cursor: l.win.cursor}
	l.at, l.top = 0, 0
	l.sorted = sorting[T]{}
	l.fit = newFitting(l.listing.Columns, l.mattering())
	l.live = liveness{}
	l.chooseNone()
	l.load.stop()
	l.load = loading{life: l.load.life + 1}
}

func (l *list[F, T]) mattering() []string {
	line := strings.ReplaceAll(strings.Join(l.words, " "), "=", " ")
	if l.parked != nil && strings.Contains(line, "--state parked") {
		return l.parked
	}

	return l.matters
}

func (l *list[F, T]) title() string { return l.plural }

func (l *list[F, T]) open() tea.Cmd {
	if l.load.begun {
		return tea.Batch(l.more(), l.look())
	}

	return l.begin()
}

// begin looks for rows from the very top.
func (l *list[F, T]) begin() tea.Cmd { return l.fetch(fromTop) }

func (l *list[F, T]) update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		if l.line != nil {
			return l, l.typed(msg)
		}

		return l, l.pressed(msg)
	case tea.MouseMsg:
		return l, l.pointed(msg)
	case answer[fetched[T]]:
		if msg.to == l.asker {
			return l, l.arrived(msg)
		}
	case answer[news[T]]:
		if msg.to == l.asker {
			return l, tea.Batch(l.heard(msg), l.more())
		}
	case answer[counted]:
		if msg.to == l.asker {
			l.countedAll(msg)
		}
	}

	return l, nil
}

func (l *list[F, T]) typing() bool { return l.line != nil }

// rows are those that can be moved through.
func (l *list[F, T]) rows() []T {
	if l.sorted.rows != nil {
		return l.sorted.rows
	}

	return l.win.rows
}

// row returns the one under the cursor.
func (l *list[F, T]) row() (row T, ok bool) {
	rows := l.rows()
	if l.at < 0 || l.at >= len(rows) {
		return row, false
	}

	return rows[l.at], true
}

// askOf asks something about the rows that are looked at now: it ends with them.
func askOf[F, T, A any](l *list[F, T], question func(context.Context, store.Reader[F, T]) (A, error)) tea.Cmd {
	l.load.start(l.desk)

	return askDuring(l, l.load.ctx, deadline, question)
}

// askDuring asks something that nobody wants to know any more when life ends.
func askDuring[F, T, A any](
	l *list[F, T], life context.Context, within time.Duration, question func(context.Context, store.Reader[F, T]) (A, error), //nolint:revive // the context of the question comes later
) tea.Cmd {
	reader := l.reader(l.desk.Do)

	return askFor(l.desk, l.asker, within, func(ctx context.Context) (A, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(life, cancel)()

		return question(ctx, reader)
	})
}
