package warehouse

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"trivia/internal/config"
)

// How large a batch of files becomes.
const (
	mostFileRows  = 200_000
	mostFileDays  = 8 // each is a file that is being written, and takes some memory
	mostFileBytes = 512 << 20
)

// Files is a folder of files, by table and day, in a directory or in object
// storage:
//
//	customerio_events/day=2026-11-22/20261120T101500-a00000004c7d3-0642a4b5c8f1e0-5be1a3f2-3.parquet
//
// A file is there as a whole or not at all. Which files a batch becomes is noted
// before they are put in their places: whoever sends it again, after a crash,
// removes those of them that are not his own.
type Files struct {
	name   string
	format format
	shelf  shelf
}

func openFiles(_ context.Context, set config.Warehouse) (*Files, error) {
	f := &Files{name: set.Name(), format: format(set.Format)}
	if f.format != formatParquet && f.format != formatNDJSON {
		return nil, fmt.Errorf("open the warehouse: no format is called %q", set.Format)
	}
	if set.Bucket != nil {
		shelf, err := openBucket(set.Bucket)
		if err != nil {
			return nil, err
		}
		f.shelf = shelf

		return f, nil
	}
	f.shelf = directory{set.Dir}

	return f, nil
}

// Name implements [Sink].
func (f *Files) Name() string { return f.name }

// Close implements [Sink].
func (f *Files) Close() error { return nil }

// trusts implements [truster].
func (f *Files) trusts() bool { return f.format == formatParquet }

// Init makes the folder, and finds out whether files can be written there.
func (f *Files) Init(ctx context.Context) (done []string, err error) {
	const probe = unfinished + "/probe"
	if err := f.put(ctx, probe, []byte("trivia writes here\n")); err != nil {
		return nil, err
	}
	if err := f.shelf.remove(ctx, probe); err != nil {
		return nil, err
	}

	return []string{"files can be written to " + strings.TrimPrefix(f.name, "files:")}, nil
}

// Send implements [Sink] by gathering just b. Nothing is ever refused.
func (f *Files) Send(ctx context.Context, b Batch) ([]Refusal, error) {
	for part := 0; b.Rows() > 0; part++ {
		place := b.Place
		if part > 0 {
			place = fmt.Sprintf("%s-%04d", b.Place, part)
		}
		g := f.Gather(b.Table, place, b.Turn)
		defer g.Drop()
		taken, err := g.Add(ctx, b)
		if err != nil {
			return nil, err
		}
		if err := g.End(ctx); err != nil {
			return nil, err
		}
		b = b.from(taken)
	}

	return nil, nil
}

// Gather implements [Gatherer].
func (f *Files) Gather(table Table, place string, turn int64) Gathering {
	return &gathering{Files: f, table: table, place: place, turn: turn, days: map[int64]*dayFile{}}
}

// A gathering is files that are being written, one for each day.
type gathering struct {
	*Files

	table Table
	place string
	turn  int64

	days        map[int64]*dayFile // by days since 1970
	rows, bytes int
	failed      error
}

// A dayFile is one of them.
type dayFile struct {
	name string // where it will be
	page page
	rows rowWriter
}

// Add implements [Gathering].
func (g *gathering) Add(ctx context.Context, b Batch) (taken int, err error) {
	if g.failed != nil {
		return 0, g.failed
	}
	for i := range b.Events {
		e := &b.Events[i]
		day, ok, err := g.day(ctx, e.ReceivedAt)
		if err != nil || !ok {
			return i, err
		}
		g.bytes += len(e.Payload)
		if err := day.rows.event(e); err != nil {
			g.failed = fmt.Errorf("write %s: %w", day.name, err)
			return i, g.failed
		}
	}
	for i := range b.Wins {
		w := &b.Wins[i]
		day, ok, err := g.day(ctx, w.WonAt)
		if err != nil || !ok {
			return i, err
		}
		if err := day.rows.win(w); err != nil {
			g.failed = fmt.Errorf("write %s: %w", day.name, err)
			return i, g.failed
		}
	}

	return b.Rows(), nil
}

// day returns the file for one row more, or reports that there is no room.
func (g *gathering) day(ctx context.Context, at time.Time) (day *dayFile, ok bool, err error) {
	const perDay = 24 * 60 * 60

	n := at.Unix() / perDay
	if at.Unix() < 0 {
		n-- // before 1970, of the hours that round up
	}
	day, known := g.days[n]
	switch {
	case g.rows >= mostFileRows, g.bytes >= mostFileBytes, !known && len(g.days) >= mostFileDays:
		return nil, false, nil
	case !known:
		name := fmt.Sprintf("%s/day=%s/%s-%d.%s", g.table, at.UTC().Format(time.DateOnly), g.place, g.turn, g.format)
		page, err := g.shelf.begin(ctx, name)
		if err != nil {
			g.failed = err
			return nil, false, err
		}
		day = &dayFile{name: name, page: page, rows: newRowWriter(g.format, page, g.table)}
		g.days[n] = day
	}
	g.rows++

	return day, true, nil
}

// End implements [Gathering].
func (g *gathering) End(ctx context.Context) error {
	if g.failed != nil {
		return g.failed
	}

	names := make([]string, 0, len(g.days))
	for _, day := range g.days {
		if err := day.rows.end(); err != nil {
			return fmt.Errorf("write %s: %w", day.name, err)
		}
		if err := day.page.finish(); err != nil {
			return fmt.Errorf("write %s: %w", day.name, err)
		}
		names = append(names, day.name)
	}
	slices.Sort(names)

	left, err := g.leftovers(ctx)
	if err != nil {
		return err
	}
	if err := g.note(ctx, append(left.stale, names...)); err != nil {
		return err
	}
	for _, day := range g.days {
		if ctx.Err() != nil {
			return fmt.Errorf("put %s in its place: %w", day.name, context.Cause(ctx))
		}
		if err := day.page.keep(ctx); err != nil {
			return err
		}
	}

	return g.clear(ctx, left, names)
}

// Drop implements [Gathering].
func (g *gathering) Drop() {
	for _, day := range g.days {
		day.page.drop()
	}
	clear(g.days)
	if g.failed == nil {
		g.failed = errDropped
	}
}

var errDropped = errors.New("what was gathered is dropped already")

// unfinished is where files stand that are no part of the warehouse.
const unfinished = ".unfinished"

// A notice names the files that a batch is to become. It is there before they are.
func (g *gathering) notice() string {
	return fmt.Sprintf("%s/%s.%s.%d.files", unfinished, g.table, g.place, g.turn)
}

// series is what the places of one walk have in common: another walk, such as a
// backfill, is another process's.
func series(place string) string {
	word, _, _ := strings.Cut(place, "-")

	return word
}

// Leftovers are what earlier batches of our series have left.
type leftovers struct {
	notices []string
	stale   []string // files of our very place: who put them there did not come to say so
}

func (g *gathering) leftovers(ctx context.Context) (left leftovers, err error) {
	names, err := g.shelf.list(ctx, unfinished+"/"+string(g.table)+"."+series(g.place))
	if err != nil {
		return left, err
	}
	for _, name := range names {
		parts := strings.Split(path.Base(name), ".")
		if len(parts) != 4 || parts[3] != "files" || series(parts[1]) != series(g.place) {
			continue
		}
		left.notices = append(left.notices, name)
		if parts[1] != g.place {
			continue // of another place, the batch was sent for good
		}
		text, err := g.shelf.read(ctx, name)
		if err != nil {
			return left, err
		}
		for file := range strings.Lines(string(text)) {
			if file = strings.TrimSuffix(file, "\n"); g.isOurs(file) {
				left.stale = append(left.stale, file)
			}
		}
	}

	return left, nil
}

// note writes down which files this batch becomes, before it does.
func (g *gathering) note(ctx context.Context, names []string) error {
	return g.put(ctx, g.notice(), []byte(strings.Join(names, "\n")+"\n"))
}

// clear removes what is left of earlier batches, but for the files of this one.
func (g *gathering) clear(ctx context.Context, left leftovers, names []string) error {
	for _, file := range left.stale {
		if slices.Contains(names, file) {
			continue
		}
		if err := g.shelf.remove(ctx, file); err != nil {
			return err
		}
	}
	for _, name := range left.notices {
		if name == g.notice() {
			continue
		}
		if err := g.shelf.remove(ctx, name); err != nil {
			return err
		}
	}

	return nil
}

// isOurs reports whether a notice of our place may name that file.
func (g *gathering) isOurs(name string) bool {
	return strings.HasPrefix(name, string(g.table)+"/day=") && strings.HasPrefix(path.Base(name), g.place+"-") &&
		!strings.Contains(name, "..")
}

func (f *Files) put(ctx context.Context, name string, text []byte) error {
	page, err := f.shelf.begin(ctx, name)
	if err != nil {
		return err
	}
	defer page.drop()
	if _, err := page.Write(text); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := page.finish(); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}

	return page.keep(ctx)
}
