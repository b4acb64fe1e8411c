package warehouse

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"trivia/internal/parquetfile"
)

// CountDays implements [Counter]. It reads every file of these days, though only
// two of its columns.
func (f *Files) CountDays(ctx context.Context, table Table, since, until time.Time) (map[string]int, error) {
	names, err := f.shelf.list(ctx, dayPrefix(table, since, until))
	if err != nil {
		return nil, err
	}

	// Different rows are told apart by a hash: two of a million rows have the same
	// one in 1 of 10⁷ cases.
	counts, seed := map[string]int{}, maphash.MakeSeed()
	var (
		day    string
		hashes []uint64
	)
	count := func() {
		slices.Sort(hashes)
		if n := len(slices.Compact(hashes)); n > 0 {
			counts[day] += n
		}
		hashes = hashes[:0]
	}
	for _, name := range names {
		of, ok := dayOf(table, name)
		if !ok {
			continue
		}
		if of != day {
			count()
			day = of
		}
		err := f.eachRow(ctx, name, func(id string, at time.Time) error {
			if !at.Before(since) && at.Before(until) {
				hashes = append(hashes, maphash.String(seed, id))
			}

			return ctx.Err()
		})
		if err != nil {
			return nil, fmt.Errorf("count the rows of %s: %w", name, err)
		}
	}
	count()

	return counts, nil
}

// dayPrefix is how the names of all files of some days begin.
func dayPrefix(table Table, since, until time.Time) string {
	first, last := since.UTC().Format(time.DateOnly), until.Add(-1).UTC().Format(time.DateOnly)
	n := 0
	for n < len(first) && n < len(last) && first[n] == last[n] {
		n++
	}

	return string(table) + "/day=" + first[:n]
}

// dayOf returns the day of a file that holds rows.
func dayOf(table Table, name string) (day string, ok bool) {
	folder, ok := strings.CutPrefix(path.Dir(name), string(table)+"/day=")
	ending := strings.TrimPrefix(path.Ext(name), ".")
	_, err := time.Parse(time.DateOnly, folder)

	return folder, ok && err == nil && !strings.HasPrefix(path.Base(name), ".") &&
		(format(ending) == formatParquet || format(ending) == formatNDJSON)
}

// A rowName is what tells rows of either table apart, and when they were received
// or won.
type (
	eventName struct {
		ID string    `parquet:"event_id" json:"event_id"`
		At time.Time `parquet:"received_at,timestamp(microsecond)" json:"received_at"`
	}
	winName struct {
		ID string    `parquet:"win_id" json:"win_id"`
		At time.Time `parquet:"won_at,timestamp(microsecond)" json:"won_at"`
	}
)

// eachRow yields the rows of a file.
func (f *Files) eachRow(ctx context.Context, name string, yield func(id string, at time.Time) error) error {
	file, size, err := f.shelf.open(ctx, name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()

	events := strings.HasPrefix(name, string(Events)+"/")
	switch parquet := strings.HasSuffix(name, string(formatParquet)); {
	case parquet && events:
		return parquetfile.Read(file, size, func(r *eventName) error { return yield(r.ID, r.At) })
	case parquet:
		return parquetfile.Read(file, size, func(r *winName) error { return yield(r.ID, r.At) })
	case events:
		return eachLine(file, func(r eventName) error { return yield(r.ID, r.At) })
	}

	return eachLine(file, func(r winName) error { return yield(r.ID, r.At) })
}

// eachLine yields what stands in each line as JSON.
func eachLine[R any](r io.Reader, yield func(R) error) error {
	in := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var row R
			if err := json.Unmarshal(line, &row); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
			if err := yield(row); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}
