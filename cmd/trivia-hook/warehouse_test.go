package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/config"
	"trivia/internal/parquetfile"
	"trivia/internal/pgtest"
)

// A crowd sends events, each until it is answered 200.
type crowd struct {
	base  atomic.Pointer[string]
	taken atomic.Int64
	end   func()
}

func startCrowd(t *testing.T, base string) *crowd {
	t.Helper()

	ctx, cancel := context.WithCancel(context.Background())
	c, s := &crowd{}, newSender(t, workers)
	c.base.Store(&base)
	var done sync.WaitGroup
	for worker := range workers {
		done.Go(func() {
			for n := worker; ; n += workers {
				body := fmt.Appendf(nil, `{"event_id":"crowd-%06d","object_type":"email","metric":"opened","timestamp":1777896000,"data":{"customer_id":"c%d","note":%q}}`, n, n, bodySecret)
				for ctx.Err() == nil {
					if a := s.tell(*c.base.Load(), body); a.err == nil && a.status == 200 {
						c.taken.Add(1)
						break
					}
					select {
					case <-ctx.Done():
					case <-time.After(interval):
					}
				}
				if ctx.Err() != nil {
					return
				}
			}
		})
	}
	c.end = sync.OnceFunc(func() { cancel(); done.Wait() })
	t.Cleanup(c.end)

	return c
}

func (c *crowd) await(t *testing.T, more int64) {
	t.Helper()
	mark := c.taken.Load()
	wait(t, "events are taken", func() bool { return c.taken.Load() >= mark+more })
}

type (
	fileEvent struct {
		ID      string `parquet:"event_id"`
		Payload string `parquet:"payload,optional"`
	}
	fileWin struct {
		ID string `parquet:"win_id"`
	}
)

// inFiles returns what yields of every row in the Parquet files of a table.
func inFiles[R any](t *testing.T, dir, table string, yield func(*R) string) (words []string) {
	t.Helper()

	names, err := filepath.Glob(filepath.Join(dir, table, "day=*", "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		err = parquetfile.Read(bytes.NewReader(text), int64(len(text)), func(row *R) error {
			words = append(words, yield(row))

			return nil
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	slices.Sort(words)

	return words
}

// A service that copies to files is killed again and again, while it writes
// them: no event and no win is missing in the end, and none is there twice.
func TestFilesOfAWarehouseSurviveKill9(t *testing.T) {
	t.Parallel()

	db, dir := prepare(t, pgtest.Durable(t).URL()), filepath.Join(t.TempDir(), "warehouse")
	e := on(db.url).with(env{config.WarehouseTo: "files:" + dir, config.WarehouseEvery: "1s"})
	p := start(t, e)
	load, crowd := startLoad(t, p.public), startCrowd(t, p.public)

	written := func() int {
		names, _ := filepath.Glob(filepath.Join(dir, "*", "day=*", "*.parquet"))

		return len(names)
	}
	for round := range 6 {
		crowd.await(t, 200)
		switch mark := written(); round % 3 {
		case 0: // at any moment
		case 1: // as soon as there is a file more, of which the position may not tell yet
			wait(t, "a file is written", func() bool { return written() > mark })
		case 2: // while files are put in their places
			wait(t, "a batch is noted", func() bool {
				names, _ := filepath.Glob(filepath.Join(dir, ".unfinished", "*"))

				return len(names) > 2
			})
		}
		p.kill(t)
		db.exec(t, `UPDATE warehouse_positions SET leased_until = now()`)
		p = start(t, e)
		load.aim(p.public)
		crowd.base.Store(&p.public)
	}
	crowd.await(t, 200)
	crowd.end()
	all := load.end()
	db.endLeases(t)
	db.checkPrizes(t, all)
	p.signal(t, syscall.SIGTERM)
	if code := p.exit(t); code != exitDone {
		t.Errorf("exit code %d", code)
	}

	// Who stops hands over all that it has read; what came at the very end is for
	// the next one.
	p = start(t, e)
	wait(t, "all is copied", func() bool {
		_, text := get(t, p.private+"/metrics")

		return strings.Count(text, "trivia_warehouse_lag_seconds{") == 2 &&
			strings.Contains(text, `trivia_warehouse_lag_seconds{sink="files:`+dir+`",table="customerio_events"} 0`) &&
			strings.Contains(text, `trivia_warehouse_lag_seconds{sink="files:`+dir+`",table="trivia_wins"} 0`)
	})

	want := db.column(t, `SELECT event_id FROM events`)
	slices.Sort(want)
	got := inFiles(t, dir, "customerio_events", func(e *fileEvent) string {
		if !strings.Contains(e.Payload, `"event_id":"`+e.ID+`"`) {
			t.Errorf("event %s has the payload %q", e.ID, e.Payload)
		}

		return e.ID
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events in the files (-want +got):\n%s", diff)
	}
	want = db.column(t, `SELECT user_id || '/' || trivia_id FROM trivia_wins`)
	slices.Sort(want)
	if diff := cmp.Diff(want, inFiles(t, dir, "trivia_wins", func(w *fileWin) string { return w.ID })); diff != "" {
		t.Errorf("wins in the files (-want +got):\n%s", diff)
	}
	if len(got) < 1000 {
		t.Errorf("only %d events were sent", len(got))
	}
	t.Logf("%d events and %d wins in %d files", len(got), len(want), written())
}

// Beside a private Postgres, files are the default.
func TestAnEmbeddedServiceCopiesToFilesBesideItsPostgres(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	p := start(t, embeddedIn(dir), "--embedded")
	s := newSender(t, 1)
	if a := s.tell(p.public, []byte(`{"event_id":"one","object_type":"email","metric":"sent"}`)); a.err != nil || a.status != 200 {
		t.Fatalf("an event was answered %+v", a)
	}
	db := find(t, dir)
	wait(t, "the event is read", func() bool {
		names, _ := filepath.Glob(filepath.Join(dir, "warehouse", ".unfinished", "*"))

		return len(names) > 0 && db.column(t, `SELECT count(*)::text FROM events`)[0] == "1"
	})
	p.signal(t, syscall.SIGTERM)
	if code := p.exit(t); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	got := inFiles(t, filepath.Join(dir, "warehouse"), "customerio_events", func(e *fileEvent) string { return e.ID })
	if diff := cmp.Diff([]string{"one"}, got); diff != "" {
		t.Errorf("events in the files (-want +got):\n%s", diff)
	}
}

// A warehouse that takes nothing is nobody's business but its own.
func TestAWarehouseThatFailsHoldsUpNothing(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	p := start(t, on(db.url).with(env{config.WarehouseTo: "files:/dev/null/warehouse", config.WarehouseEvery: "1s"}))
	s := newSender(t, 1)
	for n := range 5 {
		if a := s.win(p.public, nthWin(n)); a.err != nil || a.status != 200 || a.Outcome != "awarded" {
			t.Errorf("a win was answered %+v", a)
		}
	}
	wait(t, "it is said", func() bool {
		return len(p.logged(t, "the warehouse takes nothing; it is tried again, and nothing is lost")) > 0
	})
	_, text := get(t, p.private+"/metrics")
	if !strings.Contains(text, `trivia_warehouse_up{sink="files:/dev/null/warehouse"} 0`) {
		t.Error("/metrics does not say that it is down")
	}
	if status := readyz(t, p.public); status != 200 {
		t.Errorf("/readyz = %d", status)
	}
}
