package operator

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"trivia/internal/diag"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// Overview looks at how things stand now.
func (o *Operator) Overview(ctx context.Context) (store.Overview, error) {
	now, err := o.store.Overview(ctx)
	if err == nil {
		err = o.addPauses(ctx, now.Streams)
	}

	return now, err
}

// Minutes counts what came from ≤ t < until, an hour at most, minute by minute.
func (o *Operator) Minutes(ctx context.Context, from, until time.Time) ([]store.Minute, error) {
	return o.store.Minutes(ctx, from, until)
}

// CountWinsOf counts the wins of each trivia, up to [store.MostWinsCounted].
func (o *Operator) CountWinsOf(ctx context.Context, ids []trivia.ID) (map[trivia.ID]int64, error) {
	return o.store.CountWinsOf(ctx, ids)
}

// A Hook is what a trivia-hook tells on its private listener, and no database
// knows.
type Hook struct {
	Refused    map[string]int64 // requests since it was started, by reason
	Duplicates int64            // deliveries that came again
	Fallbacks  int64            // batches that were kept without their award
	Waiting    int64            // requests that wait for their commit
	Paused     []string         // why nothing is sent to Customer.io; empty if it is
	Refusals   []diag.Refusal   // the latest, newest first
	Unready    string           // why it cannot keep anything; empty: it can
}

// Latest is the latest refusal, and zero if there was none.
func (h Hook) Latest() diag.Refusal {
	if len(h.Refusals) == 0 {
		return diag.Refusal{}
	}

	return h.Refusals[0]
}

// AllRefused is how many requests were refused since it was started.
func (h Hook) AllRefused() (n int64) {
	for _, of := range h.Refused {
		n += of
	}

	return n
}

// A Listener is the private listener of a trivia-hook.
type Listener struct {
	URL   string // without a path
	Agent string // who asks
}

// Ask asks it for what it has counted.
func (l Listener) Ask(ctx context.Context) (Hook, error) {
	e := examination{Checkup: Checkup{Agent: l.Agent}}
	get := func(path string, also ...int) (heard, error) {
		got, err := e.ask(ctx, http.MethodGet, l.URL+path, nil, nil)
		switch {
		case err != nil:
			return heard{}, fmt.Errorf("%s does not answer: %w", l.URL, err)
		case got.status != http.StatusOK && !slices.Contains(also, got.status):
			return heard{}, fmt.Errorf("%s%s answers %d", l.URL, path, got.status)
		}

		return got, nil
	}

	got, err := get("/metrics")
	if err != nil {
		return Hook{}, err
	}
	h, ok := readMetrics(got.text)
	if !ok {
		return Hook{}, fmt.Errorf("%s/metrics is not that of a trivia-hook", l.URL)
	}
	if got, err = get("/refused"); err != nil {
		return Hook{}, err
	}
	if err := json.Unmarshal(got.text, &h.Refusals); err != nil {
		return Hook{}, fmt.Errorf("read %s/refused: %w", l.URL, err)
	}
	if got, err = get("/readyz", http.StatusServiceUnavailable); err != nil {
		return Hook{}, err
	}
	if got.status != http.StatusOK {
		h.Unready = strings.TrimSpace(string(got.text))
	}

	return h, nil
}

// readMetrics finds what is wanted in the text that Prometheus reads. Where
// nothing of it is, somebody else has answered.
func readMetrics(text []byte) (h Hook, ok bool) {
	h.Refused = map[string]int64{}
	paused := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, mostHeard)
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), "{")
		value := rest[strings.LastIndexByte(rest, '}')+1:]
		if rest == "" {
			name, value, _ = strings.Cut(name, " ")
		}
		number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			continue
		}
		n := int64(number)
		switch {
		case name == "trivia_queue_length":
			h.Waiting, ok = n, true
		case name == "trivia_refused_total":
			h.Refused[label(rest, "reason")] = n
		case name == "trivia_deliveries_total" && label(rest, "outcome") == "duplicate":
			h.Duplicates += n
		case name == "trivia_award_fallbacks_total":
			h.Fallbacks += n
		case name == "trivia_push_paused" && n > 0:
			paused[label(rest, "reason")] = true
		}
	}
	h.Paused = slices.Sorted(maps.Keys(paused))

	return h, ok
}

// label finds the value of a label. Ours are words, without quotes in them.
func label(labels, name string) string {
	_, value, _ := strings.Cut(labels, name+`="`)
	value, _, _ = strings.Cut(value, `"`)

	return value
}
