package tui

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// How much arrives in an hour's test.
const (
	hourBeats   = 3600
	everyBeat   = 2000
	mostGrowth  = 1 << 20 // of the heap, in bytes: less than what comes in a second
	weighedFrom = 70      // beats, when all that is kept has its size
)

// A flood is a database that two thousand deliveries come to in each second. It
// keeps none of them: it knows each by its number.
type flood struct {
	*shelves
	store.DeliveryReader

	n int
}

func (f *flood) ReadDeliveries() store.DeliveryReader { return f }

func (f *flood) now() time.Time { return noon.Add(time.Duration(f.n) * time.Second / everyBeat) }

func (f *flood) row(i int) store.DeliveryRow {
	return store.DeliveryRow{
		Key: strconv.Itoa(i), Kind: trivia.KindWin, Win: trivia.Win{User: "ann", Trivia: "rivers", Item: "mug"},
		State: trivia.StateDone, Outcome: trivia.Awarded, Seen: 1, ReceivedAt: noon.Add(time.Duration(i) * time.Second / everyBeat),
	}
}

func (f *flood) number(c store.Cursor) int {
	text, err := base64.RawURLEncoding.DecodeString(string(c))
	var place []string
	if err == nil {
		err = json.Unmarshal(text, &place)
	}
	if err != nil || len(place) < 3 {
		panic(fmt.Sprintf("%q is no place: %v", c, err))
	}
	n, _ := strconv.Atoi(place[2])

	return n
}

func (f *flood) Look(_ context.Context, filter store.DeliveryFilter, page store.Page) (found store.Found[store.DeliveryRow], err error) {
	step, i := -1, f.n
	if page.Oldest {
		step, i = 1, 1
		if !filter.Since.IsZero() {
			i = max(1, int(filter.Since.Sub(noon)*everyBeat/time.Second))
		}
	}
	if page.After != "" {
		i = f.number(page.After) + step
	}
	for ; i > 0 && i <= f.n && len(found.Rows) < page.Limit; i += step {
		found.Rows = append(found.Rows, f.row(i))
	}
	found.End = len(found.Rows) < page.Limit
	if n := len(found.Rows); n > 0 {
		found.Last = found.Rows[n-1]
		found.After = found.Last.Cursor()
	}

	return found, nil
}

func (f *flood) Arrived(_ context.Context, _ store.DeliveryFilter, since store.Mark) (store.Mark, error) {
	since.Count = int64(f.n)

	return since, nil
}

func (f *flood) Tally(context.Context, store.DeliveryFilter) (int64, error) { return int64(f.n), nil }

func (f *flood) Again(_ context.Context, rows []store.DeliveryRow) ([]store.DeliveryRow, error) {
	return rows, nil
}

func (f *flood) CountParked(context.Context) (int64, error) { return int64(f.n), nil }

func (f *flood) Overview(context.Context) (store.Overview, error) {
	return store.Overview{Now: f.now(), LastDelivery: f.now(), Pending: 3, Oldest: f.now()}, nil
}

func (f *flood) Minutes(_ context.Context, from, until time.Time) (all []store.Minute, err error) {
	for at := from; at.Before(until); at = at.Add(time.Minute) {
		all = append(all, store.Minute{At: at, Wins: everyBeat, Deliveries: []store.OutcomeCount{
			{Outcome: trivia.Awarded, State: trivia.StateDone, Count: 60 * everyBeat},
		}})
	}

	return all, nil
}

func newFlood() (Desk, *flood) {
	d, s := newDesk(0)
	f := &flood{shelves: s, n: everyBeat}
	d.Do, d.Now = f, f.now

	return d, f
}

// heap is what is held now.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what has a finalizer goes with the second
	runtime.ReadMemStats(&m)

	return int64(m.HeapAlloc)
}

func TestAnHourOfArrivalsNeedsNoMemory(t *testing.T) { //nolint:paralleltest // it weighs the whole process
	begin := map[string]func(*stage){
		"a list":           func(*stage) {},
		"a list, followed": func(s *stage) { s.press("f") },
		"a list, far down": func(s *stage) { s.press("pgdown", "pgdown", "pgdown", "pgdown", "pgdown", "pgdown", "pgdown") },
		"the overview":     func(s *stage) { s.press("1") },
	}
	for what, begin := range begin { //nolint:paralleltest // likewise
		t.Run(what, func(t *testing.T) {
			d, f := newFlood()
			s := newStage(t, d, pageDeliveries, 120, 40)
			begin(s)
			var early int64
			for i := range hourBeats {
				f.n += everyBeat
				s.beat()
				if i%60 == 0 {
					s.frame.View()
				}
				if i == weighedFrom {
					early = heap()
				}
			}
			late := heap()
			t.Logf("%d deliveries: heap from %d to %d KiB", f.n, early>>10, late>>10)
			if late-early > mostGrowth {
				t.Errorf("the heap has grown by %d KiB", (late-early)>>10)
			}
			runtime.KeepAlive(s)
		})
	}

	t.Run("lines", func(t *testing.T) {
		d, f := newFlood()
		var out countingWriter
		l := newLinear(&d, &out, store.DeliveryFilter{})
		var early int64
		const beats = weighedFrom + 40 // it writes each line
		for i := range beats {
			f.n += everyBeat
			l.step(t.Context())
			if i == weighedFrom {
				early = heap()
			}
		}
		late := heap()
		runtime.KeepAlive(l)
		t.Logf("%d lines: heap from %d to %d KiB", out.lines, early>>10, late>>10)
		if late-early > 4*mostGrowth || out.lines < (beats-1)*everyBeat {
			t.Errorf("the heap has grown by %d KiB, %d lines were written", (late-early)>>10, out.lines)
		}
	})
}

type countingWriter struct{ lines int }

func (w *countingWriter) Write(text []byte) (int, error) {
	w.lines += bytes.Count(text, []byte("\n"))

	return len(text), nil
}

func BenchmarkKeyToScreen(b *testing.B) {
	d, f := newFlood()
	d.ctx = b.Context()
	d.Tick = func(time.Duration, func(time.Time) tea.Msg) tea.Cmd { return nil }
	frame := newFrame(&d, pageDeliveries, nil)
	var run func(tea.Cmd)
	send := func(msg tea.Msg) {
		_, cmd := frame.Update(msg)
		run(cmd)
	}
	run = func(cmd tea.Cmd) {
		if cmd == nil {
			return
		}
		msg := cmd()
		if all := commandsOf(msg); all != nil {
			for _, cmd := range all {
				run(cmd)
			}

			return
		}
		send(msg)
	}
	run(frame.Init())
	send(tea.WindowSizeMsg{Width: 200, Height: 60})
	f.n = 1_000_000
	keys := []string{"down", "pgdown", "up", "pgup"}
	for i := 0; b.Loop(); i++ {
		if i%50 == 0 {
			f.n += everyBeat
			send(looked{f.now()})
		}
		send(keyOf(keys[i%len(keys)]))
		frame.View()
	}
}
