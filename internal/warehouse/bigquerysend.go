package warehouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"cloud.google.com/go/bigquery"
)

// A sending is one batch under way.
type sending struct {
	table  *bigquery.Table
	insert *bigquery.Inserter
	time   time.Duration // that a call may take

	mu      sync.Mutex
	refused []Refusal
	checked bool // the table exists, and is not what calls fail for
}

func newSending(table *bigquery.Table, time time.Duration) *sending {
	s := &sending{table: table, insert: table.Inserter(), time: time}
	// Without this, one bad row of a call would hold up all the others of it.
	s.insert.SkipInvalidRows = true
	// A table that lacks a column of ours takes the others.
	s.insert.IgnoreUnknownValues = true

	return s
}

// calls divides rows into calls. Those that are too large for any are refused.
func (s *sending) calls(rows []*streamed) (calls [][]*streamed) {
	begin, size := 0, 0
	for i, r := range rows {
		if i > begin && (i-begin == rowsPerCall || size+r.size > bytesPerCall) {
			calls = append(calls, rows[begin:i])
			begin, size = i, 0
		}
		size += r.size
	}
	calls = append(calls, rows[begin:])

	for i, call := range calls {
		calls[i] = slices.DeleteFunc(slices.Clone(call), func(r *streamed) bool {
			if r.size > mostRowBytes {
				s.refuse(r, fmt.Sprintf("the row has %d bytes, and BigQuery takes %d", r.size, mostRowBytes))
			}

			return r.size > mostRowBytes
		})
	}

	return slices.DeleteFunc(calls, func(call []*streamed) bool { return len(call) == 0 })
}

// put streams rows. When it returns without an error each of them has arrived,
// or is refused.
func (s *sending) put(ctx context.Context, rows []*streamed) error {
	err := s.call(ctx, func(ctx context.Context) error { return s.insert.Put(ctx, rows) })
	if err == nil {
		return nil
	}
	if faults, ok := errors.AsType[bigquery.PutMultiError](err); ok {
		return s.sort(ctx, rows, faults)
	}
	if answer := answerOf(err); !isRows(answer) {
		return err
	} else if !isSize(answer) {
		if err := s.check(ctx); err != nil {
			return err
		}
	}

	// Which row it is nobody says: half of them at a time.
	if len(rows) == 1 {
		s.refuse(rows[0], brief(err).Error())

		return nil
	}
	half := len(rows) / 2
	if err := s.put(ctx, rows[:half]); err != nil {
		return err
	}

	return s.put(ctx, rows[half:])
}

// call bounds a call, which the client repeats until its time is over.
func (s *sending) call(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.time)
	defer cancel()

	err := do(ctx)
	if errors.Is(err, context.DeadlineExceeded) && answerOf(err) == nil {
		return fmt.Errorf("no answer within %s: %w", s.time, err)
	}

	return err
}

// sort looks at what BigQuery says about single rows, and puts again those
// that may do better.
func (s *sending) sort(ctx context.Context, rows []*streamed, faults bigquery.PutMultiError) error {
	var again []*streamed
	progress := len(faults) < len(rows)
	for _, row := range faults {
		r, f := rows[row.RowIndex], faultOf(row)
		switch {
		case f.again:
			return fmt.Errorf("row %s: %s", r.id, f.reason) // all come again, later
		case f.stopped:
			again = append(again, r)
		case f.payload && r.wrap():
			again, progress = append(again, r), true
		default:
			s.refuse(r, f.reason)
			progress = true
		}
	}
	switch {
	case len(again) == 0:
		return nil
	case !progress && len(again) == 1:
		s.refuse(again[0], "invalid: BigQuery does not say why")

		return nil
	case !progress:
		half := len(again) / 2
		if err := s.put(ctx, again[:half]); err != nil {
			return err
		}

		return s.put(ctx, again[half:])
	}

	return s.put(ctx, again)
}

// check asks once whether the table is there at all, before rows are blamed.
func (s *sending) check(ctx context.Context) error {
	s.mu.Lock()
	checked := s.checked
	s.mu.Unlock()
	if checked {
		return nil
	}
	err := s.call(ctx, func(ctx context.Context) error {
		found, err := s.table.Metadata(ctx)
		if err != nil {
			return err
		}

		return fit(Table(s.table.TableID), found)
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checked = true

	return nil
}

func (s *sending) refuse(r *streamed, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.refused = append(s.refused, Refusal{Row: r.index, Reason: reason})
}

// none reports whether all rows were refused.
func (s *sending) none(rows []*streamed) bool { return len(s.refused) == len(rows) }

// refusals returns what was refused, in the order of the batch.
func (s *sending) refusals() []Refusal {
	slices.SortFunc(s.refused, func(a, b Refusal) int { return a.Row - b.Row })

	return s.refused
}
