package tui

import (
	"context"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// triviaEvery is how often a trivia is looked at again, and statsTime how long it
// may take to count what came of it.
const (
	triviaEvery = 5 * time.Second
	statsTime   = 20 * time.Second
)

// A triviaDetail shows what came of one trivia.
type triviaDetail struct {
	asker

	desk  *Desk
	theme theme
	keys  triviaDetailKeys
	row   store.TriviaRow
	span  int // of spans

	story    operator.TriviaStory
	stats    store.TriviaStats
	of       int // the span that stats are of
	told     bool
	counted  bool
	err      error
	telling  question
	counting question

	top, height, lines int // what is seen, of how many lines
}

// spans are the spans of time that a trivia can be looked at over.
func spans() []span {
	return []span{{"all time", 0, ""}, {"the last 24 hours", 24 * time.Hour, "24h"}, {"the last hour", time.Hour, "1h"}}
}

type span struct {
	name string
	back time.Duration // 0: all of it

	since string // the same in the words of a filter
}

type triviaDetailKeys struct {
	Span, Wins, Deliveries, Act, Up, Down, PageUp, PageDown, Back key.Binding
}

// A countedTrivia is what came of it over one of spans.
type countedTrivia struct {
	store.TriviaStats

	of int
}

func newTriviaDetail(d *Desk, row store.TriviaRow) screen {
	bind := func(help, desc string, keys ...string) key.Binding {
		return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, desc))
	}

	return &triviaDetail{
		asker: newAsker(), desk: d, theme: newTheme(d.Color), row: row,
		keys: triviaDetailKeys{
			Span:       bind("t", "another span of time", "t"),
			Wins:       bind("w", "its wins", "w"),
			Deliveries: bind("d", "its deliveries", "d"),
			Act:        bind("x", "act", "x"),
			Up:         bind("↑/k", "up", "up", "k"),
			Down:       bind("↓/j", "down", "down", "j"),
			PageUp:     bind("pgup", "a page up", "pgup", "ctrl+b"),
			PageDown:   bind("pgdn", "a page down", "pgdown", "ctrl+f"),
			Back:       bind("esc", "back", "esc"),
		},
	}
}

func (t *triviaDetail) title() string { return "trivia " + string(t.row.ID) }
func (*triviaDetail) typing() bool    { return false }
func (t *triviaDetail) bindings() []key.Binding {
	k := t.keys
	k.Act.SetEnabled(!t.desk.ReadOnly)

	return []key.Binding{k.Span, k.Wins, k.Deliveries, k.Act, k.Back, k.Up, k.Down, k.PageUp, k.PageDown}
}

// open asks at once: what lay on it may have changed something.
func (t *triviaDetail) open() tea.Cmd {
	t.telling.next, t.counting.next = time.Time{}, time.Time{}

	return t.look()
}

func (t *triviaDetail) look() tea.Cmd { return tea.Batch(t.askStory(), t.askStats()) }

func (t *triviaDetail) askStory() tea.Cmd {
	if !t.telling.may(t.desk.Now()) {
		return nil
	}

	return ask(t.desk, t.asker, func(ctx context.Context) (operator.TriviaStory, error) {
		return t.desk.Do.ShowTrivia(ctx, t.row.ID)
	})
}

func (t *triviaDetail) askStats() tea.Cmd {
	if !t.counting.may(t.desk.Now()) {
		return nil
	}
	of := t.span

	return askFor(t.desk, t.asker, statsTime, func(ctx context.Context) (countedTrivia, error) {
		what := store.TriviaSpan{Trivia: t.row.ID}
		if back := spans()[of].back; back > 0 {
			what.Since = t.desk.Now().Add(-back)
		}
		stats, err := t.desk.Do.TriviaStats(ctx, what)

		return countedTrivia{stats, of}, err
	})
}

func (t *triviaDetail) update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[operator.TriviaStory]:
		if msg.to != t.asker {
			break
		}
		t.telling.answered(msg.at, msg.took, msg.err)
		t.telling.next = later(t.telling.next, msg.at.Add(triviaEvery))
		if t.err = msg.err; msg.err == nil {
			t.story, t.row, t.told = msg.value, msg.value.TriviaRow, true
		}
	case answer[countedTrivia]:
		if msg.to != t.asker {
			break
		}
		t.counting.answered(msg.at, msg.took, msg.err)
		t.counting.next = later(t.counting.next, msg.at.Add(triviaEvery))
		if t.err = msg.err; msg.err == nil {
			t.stats, t.of, t.counted = msg.value.TriviaStats, msg.value.of, true
		}
		if msg.value.of != t.span {
			t.counting.next = time.Time{}
			return t, t.askStats()
		}
	case tea.KeyMsg:
		return t, t.pressed(msg)
	case tea.MouseMsg:
		t.top += notches(msg)
		t.scroll()
	}

	return t, nil
}

func (t *triviaDetail) pressed(msg tea.KeyMsg) tea.Cmd {
	k := t.keys
	switch {
	case key.Matches(msg, k.Up):
		t.top--
	case key.Matches(msg, k.Down):
		t.top++
	case key.Matches(msg, k.PageUp):
		t.top -= max(1, t.height-1)
	case key.Matches(msg, k.PageDown):
		t.top += max(1, t.height-1)
	case key.Matches(msg, k.Span):
		t.span = (t.span + 1) % len(spans())
		t.counting.next = time.Time{}

		return t.askStats()
	case key.Matches(msg, k.Wins):
		return turn(pageWins, t.words()...)
	case key.Matches(msg, k.Deliveries):
		return turn(pageDeliveries, t.words()...)
	case key.Matches(msg, k.Act) && !t.desk.ReadOnly:
		return t.desk.actOn(choice{of: pageTrivias, rows: []any{t.row}})
	case key.Matches(msg, k.Back):
		return pop
	}
	t.scroll()

	return nil
}

// words are the filter that leads to what this shows.
func (t *triviaDetail) words() []string {
	words := []string{flagWord("trivia", string(t.row.ID))}
	if since := spans()[t.span].since; since != "" {
		words = append(words, flagWord("since", since))
	}

	return words
}

func (t *triviaDetail) scroll() { t.top = max(0, min(t.top, t.lines-t.height)) }

// oddWords say what became of deliveries that won nothing.
func oddWords(o store.OutcomeCount) string {
	name := string(o.Outcome)
	if o.Outcome == trivia.Unsettled {
		name = "not settled"
	}
	if o.State == trivia.StatePending || o.Outcome == trivia.Unsettled {
		name += " (" + string(o.State) + ")"
	}

	return grouped(int64(o.Count)) + " " + name
}

// notches is by how many lines the mouse's wheel was turned.
func notches(msg tea.MouseMsg) int {
	const lines = 3
	by := map[tea.MouseButton]int{tea.MouseButtonWheelUp: -lines, tea.MouseButtonWheelDown: lines}

	return by[msg.Button]
}
