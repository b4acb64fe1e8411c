package tui

import (
	"context"
	"io"
	"iter"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// Verbs are what the screens ask of an operator; an [operator.Operator] has them.
type Verbs interface {
	ListWins(context.Context, store.WinFilter, store.Page) iter.Seq2[store.WinRow, error]
	ListDeliveries(context.Context, store.DeliveryFilter, store.Page) iter.Seq2[store.DeliveryRow, error]
	ListEvents(context.Context, store.EventFilter, store.Page) iter.Seq2[store.EventRow, error]
	ListPushes(context.Context, store.PushFilter, store.Page) iter.Seq2[store.PushRow, error]
	ListDeeds(context.Context, store.DeedFilter, store.Page) iter.Seq2[store.DeedRow, error]
	ListTrivias(context.Context, store.Page) iter.Seq2[store.TriviaRow, error]
	CountParked(context.Context) (int64, error)
	Readers
	ShowDelivery(ctx context.Context, key string) ([]store.DeliveryRow, error)
	ShowEvent(ctx context.Context, id string) (operator.EventStory, error)
	ShowPush(ctx context.Context, id int64) (operator.PushStory, error)
	ShowTrivia(context.Context, trivia.ID) (operator.TriviaStory, error)
	TriviaStats(context.Context, store.TriviaSpan) (store.TriviaStats, error)
	CountWinsOf(context.Context, []trivia.ID) (map[trivia.ID]int64, error)
	Overview(context.Context) (store.Overview, error)
	Minutes(ctx context.Context, from, until time.Time) ([]store.Minute, error)
}

// Readers are what lists look at their rows with.
type Readers interface {
	ReadWins() store.WinReader
	ReadDeliveries() store.DeliveryReader
	ReadEvents() store.EventReader
	ReadPushes() store.PushReader
	ReadDeeds() store.DeedReader
}

// A CommandLine is triviactl itself: what the screens say of one thing, and what
// they do, are its commands, run in this process.
type CommandLine interface {
	// Run runs the command that words are, as wide as said, and returns what it
	// wrote, coloured if the screens are, and its exit code. What is said while it
	// goes on, such as a progress bar, is told to progress, which may be nil.
	Run(ctx context.Context, width int, words []string, progress func(line string)) (said string, code int)

	// Preview is Run of a command that has --dry-run among its words. n is how many
	// things it is about, as its own question would name them; 0 if nothing would change.
	Preview(ctx context.Context, width int, words []string, progress func(line string)) (said string, n, code int)

	// Line returns words as they would be typed in a shell, triviactl in front.
	Line(words ...string) string
}

// A Listing is a kind of row that is listed, in the words of the command line.
type Listing[F, T any] struct {
	Columns []Column
	Cells   func(row T, now time.Time) []string // one for each column; times are relative
	Parse   func(words []string) (F, error)     // the flags of the command that lists
	Flags   []Flag                              // those that Parse knows
}

// A Flag is a word of the command line that filters.
type Flag struct {
	Name   string // without dashes
	Usage  string
	Values []string // what it takes, or some of it; nil: anything
}

// A Desk is what the screens work on.
type Desk struct {
	Do          Verbs
	CommandLine CommandLine
	Wins        Listing[store.WinFilter, store.WinRow]
	Deliveries  Listing[store.DeliveryFilter, store.DeliveryRow]
	Events      Listing[store.EventFilter, store.EventRow]
	Pushes      Listing[store.PushFilter, store.PushRow]
	Deeds       Listing[store.DeedFilter, store.DeedRow]

	// AskHook asks a trivia-hook for what no database knows; HookAt says where it
	// listens. Nil: nobody knows of one.
	AskHook func(context.Context) (operator.Hook, error)
	HookAt  string

	QuietAfter time.Duration // TRIVIA_QUIET_AFTER; 0: what was usual decides what silence is too long

	Database    string // its host, for the header
	Environment string // TRIVIA_ENV
	ReadOnly    bool   // nothing can be changed
	Color       bool
	Now         func() time.Time

	// Tick returns the message that the screens look again after a moment; tests
	// replace it, so that nothing waits. Nil: [tea.Tick].
	Tick func(after time.Duration, message func(time.Time) tea.Msg) tea.Cmd

	parting *parting              // the acts under way; nil: whatever there is is waited for
	ctx     context.Context       // ends with the screens
	width   int                   // of the terminal, as it was told last
	out     io.Writer             // the terminal, for what is no picture; nil in tests that want none of it
	typed   map[pageName]*history // filters, by page
}

func (d *Desk) tick(after time.Duration, message func(time.Time) tea.Msg) tea.Cmd {
	if d.Tick != nil {
		return d.Tick(after, message)
	}

	return tea.Tick(after, message)
}
