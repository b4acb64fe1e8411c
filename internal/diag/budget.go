package diag

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// What a log may say in vain.
const (
	budgetLines  = 5           // in full, of one reason
	budgetWindow = time.Second // and one line for all others of that time
)

// A Budget keeps a log readable, and its disk from filling up, while something
// happens thousands of times a second: of each reason it lets five lines through
// in a second, and tells of the others in one line at the end of that second,
// with how many there were and with the last of them as a sample. It may be used
// from anywhere at once.
type Budget struct {
	log *slog.Logger

	mu      sync.Mutex
	windows map[[2]string]*window
}

// A window is one second of one reason.
type window struct {
	lines  int
	held   int // back
	sample []slog.Attr
}

// NewBudget returns a budget of what is said to log.
func NewBudget(log *slog.Logger) *Budget {
	return &Budget{log: log, windows: map[[2]string]*window{}}
}

// Warn logs a warning, or counts it if there were too many with that message
// and reason just now. The reason is for that alone, and must come from a closed
// set.
func (b *Budget) Warn(ctx context.Context, msg, reason string, attrs ...slog.Attr) {
	if b.lets(ctx, msg, reason, attrs) {
		b.log.LogAttrs(ctx, slog.LevelWarn, msg, attrs...) //nolint:sloglint // it is constant where Warn is called
	}
}

func (b *Budget) lets(ctx context.Context, msg, reason string, attrs []slog.Attr) bool {
	b.mu.Lock()
	defer b.mu.Unlock()

	key := [2]string{msg, reason}
	w := b.windows[key]
	if w == nil {
		w = &window{}
		b.windows[key] = w
		ctx := context.WithoutCancel(ctx)
		time.AfterFunc(budgetWindow, func() { b.end(ctx, key) })
	}
	if w.lines < budgetLines {
		w.lines++
		return true
	}
	w.held++
	w.sample = attrs

	return false
}

// end tells what was held back.
func (b *Budget) end(ctx context.Context, key [2]string) {
	b.mu.Lock()
	w := b.windows[key]
	delete(b.windows, key)
	b.mu.Unlock()

	if w != nil && w.held > 0 {
		b.log.LogAttrs(ctx, slog.LevelWarn, "the same again",
			slog.String("what", key[0]), slog.String("reason", key[1]), slog.Int("more", w.held),
			slog.Attr{Key: "sample", Value: slog.GroupValue(w.sample...)})
	}
}

// Flush tells at once what is held back, for the end of a program.
func (b *Budget) Flush(ctx context.Context) {
	b.mu.Lock()
	var keys [][2]string
	for key := range b.windows {
		keys = append(keys, key)
	}
	b.mu.Unlock()

	for _, key := range keys {
		b.end(ctx, key)
	}
}
