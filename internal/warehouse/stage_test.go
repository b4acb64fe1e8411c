package warehouse_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trivia/internal/warehouse"
)

// A till is a sink that takes batches one by one, as BigQuery does.
type till struct {
	mu      sync.Mutex
	broken  error
	refuses map[string]string // what it never takes → why
	rows    []string
	places  []string
	during  func() // called while it takes a batch
}

func (s *till) Name() string { return "till" }
func (s *till) Close() error { return nil }

func (s *till) Send(ctx context.Context, b warehouse.Batch) (refused []warehouse.Refusal, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.during != nil {
		s.during()
	}
	if s.broken != nil || ctx.Err() != nil {
		return nil, errors.Join(s.broken, ctx.Err())
	}
	s.places = append(s.places, b.Place)
	take := func(i int, id string) {
		if why, ok := s.refuses[id]; ok {
			refused = append(refused, warehouse.Refusal{Row: i, Reason: why})
			return
		}
		s.rows = append(s.rows, id)
	}
	for i, e := range b.Events {
		take(i, e.EventID)
	}
	for i, w := range b.Wins {
		take(i, w.WinID)
	}

	return refused, nil
}

func (s *till) sorted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()

	return slices.Sorted(slices.Values(s.rows))
}

func TestRefusedRowsAreSetAsideAndHoldUpNobody(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	b.events(t, 1, 5)
	b.exec(t, `INSERT INTO users VALUES ('a/b%'); INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key, won_at) VALUES ('a/b%', 'c/d', 'mug', 'k', '2026-05-04Z')`)
	sink := &till{refuses: map[string]string{"e2": "too long", "a%2Fb%25/c%2Fd": "too odd"}}
	b.send(t, b.stage(t, sink))
	wantIDs(t, "taken", sink.sorted(), []string{"e1", "e3", "e4", "e5"})
	b.want(t, `SELECT concat_ws('|', sink, what, key, key2, reason) FROM warehouse_refused ORDER BY key DESC`,
		"till|customerio_events|e2||too long", "till|trivia_wins|a/b%|c/d|too odd")
	b.want(t, `SELECT what || ' ' || sent || ' ' || refused FROM warehouse_positions ORDER BY what`, "customerio_events 5 1", "trivia_wins 1 1")
	b.scraped(t, `trivia_warehouse_refused_total{sink="till",table="customerio_events"} 1`)
	b.scraped(t, `trivia_warehouse_rows_total{sink="till",table="customerio_events"} 4`)
}

func TestAnUnreachableSinkIsLeftAloneForLongerAndLongerAndSaidOnce(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	b.events(t, 1, 3)
	b.settle(t)
	sink := &till{broken: errors.New("the sky is down")}
	st := b.stage(t, sink)
	tries := 0
	sink.during = func() { tries++ }
	for range 10 {
		if n := step(t, st); n != 0 {
			t.Errorf("Step = %d, though nothing was taken", n)
		}
	}
	if tries != 1 {
		t.Errorf("tried %d times at once, want once", tries)
	}
	for range 30 {
		b.pass(30 * time.Second)
		step(t, st)
	}
	if tries < 10 || tries > 25 { // in 15 minutes: at most every minute, half of two
		t.Errorf("tried %d times in a quarter of an hour", tries)
	}
	b.want(t, `SELECT error || ' ' || (error_since IS NOT NULL) || ' ' || sent FROM warehouse_positions WHERE what = 'customerio_events'`, "the sky is down true 0")
	b.scraped(t, `trivia_warehouse_up{sink="till"} 0`)
	if n := b.logged("the warehouse takes nothing"); n != 1 {
		t.Errorf("it was said %d times, want once", n)
	}

	sink.broken = nil
	b.pass(time.Hour)
	b.send(t, st)
	wantIDs(t, "taken", sink.sorted(), numbered("e%d", 1, 3))
	b.want(t, `SELECT sent::text FROM warehouse_positions WHERE error IS NULL AND error_since IS NULL AND what = 'customerio_events'`, "3")
	b.scraped(t, `trivia_warehouse_up{sink="till"} 1`)
	if n := b.logged("the warehouse takes rows again"); n != 1 {
		t.Errorf("that it is well again was said %d times, want once", n)
	}
	if n := len(slices.Compact(slices.Clone(sink.places))); n != 1 {
		t.Errorf("places %q, want one", sink.places)
	}
}

func TestOneOfTwoProcessesSendsAndTheOtherTakesOver(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	one, two := &till{}, &till{}
	first, second := b.stage(t, one), b.stage(t, two)
	b.events(t, 1, 10)
	b.wins(t, 2)
	b.send(t, first)
	b.send(t, second)
	b.events(t, 11, 20)
	b.send(t, second)
	b.send(t, first)
	if len(two.rows) != 0 || len(one.rows) != 22 {
		t.Errorf("the first sent %d rows and the second %d, want 22 and none", len(one.rows), len(two.rows))
	}

	// The first one hangs while it sends, and the second takes over.
	b.events(t, 21, 30)
	one.during = func() {
		one.during = nil
		b.endLeases(t)
		b.send(t, second)
	}
	b.send(t, first)
	wantIDs(t, "the second", two.sorted(), numbered("e%d", 21, 30))
	b.want(t, `SELECT sent || ' ' || turn FROM warehouse_positions WHERE what = 'customerio_events'`, "30 2")
	if n := b.logged("another process sends to the warehouse now"); n == 0 {
		t.Error("the first does not say that it was too late")
	}

	// It gives it back when it stops.
	if err := second.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.events(t, 31, 32)
	b.send(t, first)
	if !slices.Contains(one.rows, "e32") {
		t.Error("the first has not taken it up again")
	}
}

func TestFilesAreGatheredForAWhile(t *testing.T) {
	t.Parallel()

	b, dir := newBench(t), t.TempDir()
	st := b.stage(t, openFiles(t, dir, "parquet"))
	b.events(t, 1, 10)
	b.settle(t)
	if n := step(t, st); n != 10 {
		t.Fatalf("Step = %d", n)
	}
	b.events(t, 11, 20)
	b.settle(t)
	b.pass(30 * time.Second)
	if n := step(t, st); n != 10 {
		t.Fatalf("Step = %d", n)
	}
	if got := files(t, dir, "customerio_events"); len(got) != 0 {
		t.Errorf("after half a minute there are %q", got)
	}
	b.want(t, `SELECT sent::text FROM warehouse_positions WHERE what = 'customerio_events'`, "0")

	b.pass(31 * time.Second)
	step(t, st)
	wantIDs(t, "after a minute", inParquet(t, dir, "customerio_events"), numbered("e%d", 1, 20))
	if got := files(t, dir, "customerio_events"); len(got) != 1 {
		t.Errorf("after a minute there are %q, want one", got)
	}

	// What is gathered is handed over when the service stops.
	b.events(t, 21, 21)
	b.settle(t)
	step(t, st)
	if err := st.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, "at the end", inParquet(t, dir, "customerio_events"), numbered("e%d", 1, 21))
}

func TestAFolderThatCannotBeWrittenIsSaid(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	b.events(t, 1, 1)
	b.settle(t)
	st := b.stage(t, openFiles(t, "/dev/null/x", "parquet"))
	if n := step(t, st); n != 0 {
		t.Errorf("Step = %d", n)
	}
	got := b.rows(t, `SELECT error FROM warehouse_positions WHERE what = 'customerio_events'`)
	if len(got) != 1 || !strings.Contains(got[0], "make /dev/null/x") || !strings.Contains(got[0], "may this user write there?") {
		t.Errorf("the error is %q", got)
	}
}

func TestACopiedDatabaseIsSentAsAWhole(t *testing.T) {
	t.Parallel()

	b, dir := newBench(t), t.TempDir()
	b.events(t, 1, 5)
	b.send(t, b.stage(t, openFiles(t, dir, "parquet")))
	b.endLeases(t)
	b.exec(t, `UPDATE warehouse_positions SET cluster = 'another'`)
	b.exec(t, writeEvents, noon, 10, 12, "e")
	b.exec(t, `UPDATE events SET written = (written::text::bigint + (1::bigint << 40))::text::xid8 WHERE event_id IN ('e10', 'e11')`)
	b.send(t, b.stage(t, openFiles(t, dir, "parquet")))
	got := inParquet(t, dir, "customerio_events")
	wantIDs(t, "different ones", slices.Compact(got), slices.Sorted(slices.Values(append(numbered("e%d", 1, 5), numbered("e%d", 10, 12)...))))
	if n := b.logged("the database is a copy of another one"); n != 2 {
		t.Errorf("it was said %d times, want once for each table", n)
	}

	// What is ahead is not sent again and again.
	b.endLeases(t)
	n := len(files(t, dir, "customerio_events"))
	b.send(t, b.stage(t, openFiles(t, dir, "parquet")))
	if now := len(files(t, dir, "customerio_events")); now != n {
		t.Errorf("%d files became %d", n, now)
	}
}
