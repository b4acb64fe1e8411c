package tui

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"trivia/internal/store"
)

const (
	// linearFirst is how many deliveries that are there already begin it.
	linearFirst = 10

	// linearPage is how many it asks for at once.
	linearPage = 500

	// A commit takes a while, and clocks differ: deliveries may come behind those
	// that were seen. It looks a little back each time, and now and then far back.
	lookBack, lookFarBack = time.Second, time.Minute
	farBackEvery          = 30

	// forgetEvery is after how many pages it forgets what it has written long ago.
	forgetEvery = 100

	// judgeEvery is how many beats go by until it looks at the stream as a whole.
	judgeEvery = 5

	// hookRest is how long a private listener that does not answer is not asked.
	hookRest = time.Minute
)

// Linear writes what arrives, a line for each delivery and in words, and when the
// stream goes silent or is late, or the database is lost: for screen readers and
// pipes. words are the filter, as for the command that lists deliveries. It ends
// with ctx, which is no error, or when nothing can be written any more.
func Linear(ctx context.Context, d Desk, out io.Writer, words []string) error {
	filter, err := d.Deliveries.Parse(words)
	if err != nil {
		return err
	}
	l := newLinear(&d, out, filter)
	l.begin()

	beat := time.NewTicker(lookEvery)
	defer beat.Stop()
	for {
		l.step(ctx)
		if l.failed != nil {
			return l.failed
		}
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		}
	}
}

// A linear is the linear mode.
type linear struct {
	desk   *Desk
	out    io.Writer
	failed error // that nothing can be written any more
	filter store.DeliveryFilter

	beats    int
	begun    bool                 // those that it begins with were written
	reached  time.Time            // when the newest of all that were there was received
	written  map[string]time.Time // what may be found again, and when it was received
	minutes  minuteLog            // to judge the stream by
	wrong    string               // what was said to be wrong with the stream
	askAgain time.Time            // not before that the private listener
	stale    staleness
}

func newLinear(d *Desk, out io.Writer, filter store.DeliveryFilter) *linear {
	return &linear{
		desk: d, out: out, filter: filter, written: map[string]time.Time{}, minutes: newMinuteLog(), wrong: "nothing is known yet",
	}
}

// say writes a line.
func (l *linear) say(at time.Time, text string) {
	if l.failed != nil {
		return
	}
	local := at.In(l.desk.Now().Location())
	if _, err := fmt.Fprintf(l.out, "%s %s\n", local.Format(time.DateTime), Clean(text)); err != nil {
		l.failed = fmt.Errorf("write what arrives: %w", err)
	}
}

func (l *linear) begin() {
	environment := l.desk.Environment
	if l.desk.production() {
		environment = "PRODUCTION"
	}
	l.say(l.desk.Now(), fmt.Sprintf("deliveries of %s, %s", l.desk.Database, environment))
}

// step writes what is new.
func (l *linear) step(ctx context.Context) {
	at, was := l.desk.Now(), l.stale.text()
	err := l.arrivals(ctx)
	if err == nil && l.beats%judgeEvery == 0 {
		l.judge(ctx)
	}
	l.beats++

	l.stale.note(at, err)
	switch is := l.stale.text(); {
	case is != "" && was == "":
		l.say(at, "DATABASE LOST: "+is)
	case is == "" && was != "":
		l.say(at, "the database answers again")
	}
}

// arrivals writes the deliveries that were not written yet, the oldest first.
func (l *linear) arrivals(ctx context.Context) error {
	newest, err := l.look(ctx, store.DeliveryFilter{}, store.Page{Limit: 1})
	if err != nil || len(newest.Rows) == 0 {
		return err
	}
	if !l.begun && l.filter.Since.IsZero() {
		err = l.first(ctx)
	} else {
		err = l.rest(ctx)
	}
	if err == nil {
		l.begun, l.reached = true, newest.Rows[0].ReceivedAt
	}

	return err
}

// first writes the last few that are there already.
func (l *linear) first(ctx context.Context) error {
	found, err := l.look(ctx, l.filter, store.Page{Limit: linearFirst})
	for _, row := range slices.Backward(found.Rows) {
		l.write(row)
	}

	return err
}

// rest writes what came since.
func (l *linear) rest(ctx context.Context) error {
	filter, back := l.filter, lookBack
	if l.beats%farBackEvery == 0 {
		back = lookFarBack
	}
	if since := l.reached.Add(-back); since.After(filter.Since) {
		filter.Since = since
	}
	page := store.Page{Limit: linearPage, Oldest: true}
	for n := 1; l.failed == nil; n++ {
		found, err := l.look(ctx, filter, page)
		if err != nil {
			return err
		}
		for _, row := range found.Rows {
			l.write(row)
		}
		if found.End {
			break
		}
		if n%forgetEvery == 0 {
			l.forget(found.Last.ReceivedAt)
		}
		page.After = found.After
	}
	l.forget(l.reached)

	return nil
}

// forget drops what will not be found again, now that it has come to at.
func (l *linear) forget(at time.Time) {
	for name, received := range l.written {
		if received.Before(at.Add(-lookFarBack)) {
			delete(l.written, name)
		}
	}
}

func (l *linear) look(ctx context.Context, f store.DeliveryFilter, p store.Page) (store.Found[store.DeliveryRow], error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()

	return l.desk.Do.ReadDeliveries().Look(ctx, f, p)
}

// write writes a delivery, unless it was written.
func (l *linear) write(d store.DeliveryRow) {
	name := strings.Join([]string{string(d.Kind), d.Key, string(d.Rival)}, "\x00")
	if _, ok := l.written[name]; ok {
		return
	}
	l.written[name] = d.ReceivedAt
	l.say(d.ReceivedAt, deliveryWords(d))
}
