package operator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"trivia/internal/config"
	"trivia/internal/store"
)

// From where on a warehouse is odd.
const (
	oddLag    = 15 * time.Minute
	oddWriter = time.Minute
)

// warehouse looks at how far what is copied has come.
func (e *examination) warehouse(ctx context.Context) []Finding {
	const name = "warehouse"
	states, err := e.store.Warehouses(ctx)
	if err != nil {
		return one(name, Broken, short(ctx, err), "")
	}
	set := e.Settings.Warehouse.Name()
	if set == "" && len(states) == 0 {
		return one(name, Healthy, "none is set: nothing is copied", "")
	}

	var found []Finding
	for _, st := range states {
		found = append(found, e.warehouseTable(ctx, st, st.Sink == set))
	}
	if set != "" && !slices.ContainsFunc(states, func(st store.WarehouseState) bool { return st.Sink == set }) {
		found = append(found, Finding{
			name, Odd, "nothing was ever copied to " + set, "does trivia-hook run, with " + config.WarehouseTo + " set?",
		})
	}

	return found
}

func (e *examination) warehouseTable(ctx context.Context, st store.WarehouseState, set bool) Finding {
	f := Finding{"warehouse", Healthy, fmt.Sprintf("%s of %s: %d rows sent", st.Table, st.Sink, st.Sent), ""}
	lag := time.Duration(0)
	if !st.Oldest.IsZero() {
		lag = max(e.since(st.Oldest), 0)
		f.Says += fmt.Sprintf(", %d wait, the oldest for %s", st.Waiting, lag)
	}
	switch {
	case !set && st.Waiting > 0:
		f.Health, f.Says = Odd, f.Says+"; it is not set any more, and what it was not sent is never pruned"
		f.Mend = "set it again, or let go of it: DELETE FROM warehouse_positions WHERE sink = '" + strings.ReplaceAll(st.Sink, "'", "''") + "'"
	case st.Error != "":
		f.Health, f.Says = Broken, fmt.Sprintf("%s; nothing is taken since %s: %s", f.Says, st.ErrorSince.UTC().Format(time.RFC3339), st.Error)
		f.Mend = "it is tried again by itself, and nothing is lost"
	case lag > oddLag:
		f.Health = Odd
		f.Mend = "does trivia-hook run? the first time, all there is has to be copied" + e.heldUpBy(ctx)
	case st.Refused > 0:
		f.Health, f.Says = Odd, fmt.Sprintf("%s, %d of them refused", f.Says, st.Refused)
		f.Mend = "triviactl warehouse refused"
	}

	return f
}

// heldUpBy names a transaction that keeps what comes from being copied.
func (e *examination) heldUpBy(ctx context.Context) string {
	w, err := e.store.OldestWriter(ctx)
	if err != nil || e.since(w.Since) < oddWriter {
		return ""
	}

	return fmt.Sprintf("; a transaction of %q (pid %d) has been writing for %s, and nothing that came since then is copied before it ends",
		w.Name, w.PID, e.since(w.Since))
}
