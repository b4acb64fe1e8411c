package ctl

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

// replayAll shows what would come of a replay, asks, and does it.
func (s *session) replayAll(c *cli.Context, do verbs, r replayCall) error {
	replay := operator.Replay{
		Set: r.set, Reason: r.reason, CreateUsers: r.create, Owing: r.owing, Rate: r.rate, Now: s.Now,
	}
	preview, err := s.withProgress("looking", replay, func(p operator.Replay) (operator.Replayed, error) {
		return do.PreviewReplay(c.Context, p)
	})
	if err != nil {
		return err
	}
	if preview.Deliveries == 0 {
		s.say("no deliveries match")

		return nil
	}
	if err := s.showPreview(preview, r); err != nil || r.dryRun {
		return err
	}
	if preview.Changed() == 0 {
		s.say("nothing would change, so nothing is done")

		return nil
	}
	question := fmt.Sprintf("replay %s, of which %d would be awarded", countDeliveries(preview.Deliveries), preview.Awarded())
	if err := s.confirmUntil(c.Context, r.yes, preview.Deliveries, question); err != nil {
		return err
	}

	replay.Set.Walk.Through = preview.Last // what came since was not shown
	begun := s.Now()
	so, err := s.withProgress("replaying", replay, func(p operator.Replay) (operator.Replayed, error) {
		return do.Replay(c.Context, p)
	})
	s.showReplayed(so, r, s.Now().Sub(begun))
	switch {
	case errors.Is(err, store.ErrCursor):
		return err
	case err != nil:
		return hinted{err, "go on with: " + r.goOn(c.Command.HelpName, so)}
	case so.Left > 0:
		return hinted{
			fmt.Errorf("%s could not be settled now, and are as they were", countDeliveries(so.Left)),
			"run it again: it goes on with the rest",
		}
	}

	return nil
}

// withProgress draws how far a replay has come.
func (s *session) withProgress(
	label string, r operator.Replay, run func(operator.Replay) (operator.Replayed, error),
) (operator.Replayed, error) {
	progress := s.progress(label, "deliveries")
	defer progress.stop()
	r.Progress = func(_ *operator.Replayed, done, whole int) { progress.set(done, int64(done), int64(whole)) }

	return run(r)
}

func countDeliveries(n int) string { return pluralOf(n, "delivery", "deliveries") }

// verdictOf puts a replay into one line: what would come of it, or what came.
func verdictOf(so operator.Replayed, awarded string) string {
	var conflict, unusable, other, same int
	for change, n := range so.Changes {
		switch outcome := change.After.Outcome; {
		case outcome == trivia.PrizeConflict || outcome == trivia.KeyConflict:
			conflict += n
		case outcome == trivia.Malformed || outcome == trivia.Unsettled && change.After.State == trivia.StateParked:
			unusable += n
		case change.Before == change.After:
			same += n
		case outcome != trivia.Awarded:
			other += n
		}
	}
	words := []string{fmt.Sprintf("%d %s", so.Awarded(), awarded)}
	for _, part := range []struct {
		n    int
		word string
	}{{other, "settled otherwise"}, {conflict, "in conflict"}, {unusable, "unusable"}, {same, "unchanged"}} {
		if part.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", part.n, part.word))
		}
	}

	return strings.Join(words, ", ")
}

// A changeRow is a line of the table of what comes of what.
type changeRow struct {
	before, after string
	same          bool
	n             int
}

func changeRows(so operator.Replayed) (rows []changeRow) {
	for change, n := range so.Changes {
		rows = append(rows, changeRow{change.Before.String(), change.After.String(), change.Before == change.After, n})
	}
	slices.SortFunc(rows, func(x, y changeRow) int {
		return cmp.Or(-cmp.Compare(x.n, y.n), strings.Compare(x.before, y.before), strings.Compare(x.after, y.after))
	})

	return rows
}

func changeFields() []field[changeRow] {
	return []field[changeRow]{
		{name: "before", value: func(r changeRow) any { return r.before }, column: rigid("BEFORE")},
		{name: "after", value: func(r changeRow) any { return r.after }, column: &tui.Column{Title: "AFTER", Rigid: true, Tone: afterTone}},
		{name: "deliveries", value: func(r changeRow) any { return r.n }, column: number("DELIVERIES")},
		{value: func(r changeRow) any { return map[bool]string{true: "unchanged"}[r.same] }, column: rigid("")},
	}
}

func afterTone(cell string) tui.Tone {
	switch trivia.Outcome(cell) {
	case trivia.Awarded, trivia.AlreadyWon, trivia.Recorded:
		return tui.Good
	case trivia.PrizeConflict, trivia.KeyConflict, trivia.UnknownUser, trivia.TriviaClosed, trivia.Malformed, "refused":
		return tui.Bad
	case trivia.Unsettled:
	}

	return tui.Waiting
}

func replayedFields() []field[operator.ReplayedRow] {
	type row = operator.ReplayedRow
	before := func(r row) any { return operator.Standing{State: r.State, Outcome: r.Outcome}.String() }

	return []field[row]{
		{name: "received_at", value: func(r row) any { return r.ReceivedAt }, column: rigid("RECEIVED"), wide: true},
		{name: "kind", value: func(r row) any { return r.Kind }},
		{name: "key", value: func(r row) any { return r.Key }, column: flexible("KEY")},
		{name: "user_id", value: func(r row) any { return orNil(r.Win.User) }, column: flexible("USER")},
		{name: "trivia_id", value: func(r row) any { return orNil(r.Win.Trivia) }, column: flexible("TRIVIA")},
		{name: "item", value: func(r row) any { return orNil(r.Win.Item) }, column: flexible("ITEM")},
		{name: "before", value: before, column: rigid("BEFORE")},
		{name: "after", value: func(r row) any { return r.After.String() }, column: &tui.Column{Title: "AFTER", Rigid: true, Tone: afterTone}},
		{name: "reason", value: func(r row) any { return orNil(r.Reason) }, column: flexible("REASON"), wide: true},
	}
}

// replayObject is a replay as JSON.
func replayObject(so operator.Replayed, dryRun bool) string {
	return string(encoded(struct {
		DryRun     bool              `json:"dry_run"`
		Deliveries int               `json:"deliveries"`
		Awarded    int               `json:"awarded"`
		Changed    int               `json:"changed"`
		Left       int               `json:"left"`
		Changes    []json.RawMessage `json:"changes"`
		First      []json.RawMessage `json:"first"`
	}{
		dryRun, so.Deliveries, so.Awarded(), so.Changed(), so.Left,
		rawObjects(changeFields(), changeRows(so)), rawObjects(replayedFields(), so.First),
	}))
}

func (s *session) showPreview(so operator.Replayed, r replayCall) error {
	if so.Left > 0 {
		s.say("%s could not be tried now: in other hands, or too slow", countDeliveries(so.Left))
	}
	if so.Changed() > 0 {
		s.previewed = so.Deliveries
	}
	line := countDeliveries(so.Deliveries) + ": " + verdictOf(so, "would be awarded")
	if r.format == formatJSON {
		if r.dryRun {
			s.print("%s\n", replayObject(so, true))

			return nil
		}
		s.say("%s", line)

		return nil
	}

	s.print("%s\n", line)
	if err := section(s, changeFields(), changeRows(so)); err != nil {
		return err
	}
	if err := section(s, replayedFields(), so.First); err != nil {
		return err
	}
	if more := so.Deliveries - len(so.First); more > 0 {
		s.print("… and %d more\n", more)
	}
	if !r.dryRun {
		s.print("\n")
	} else if so.Changed() == 0 {
		s.say("nothing would change")
	}

	return nil
}

// showReplayed says what came of a replay. The rows were shown before.
func (s *session) showReplayed(so operator.Replayed, r replayCall, took time.Duration) {
	if r.format == formatJSON {
		s.print("%s\n", replayObject(so, false))

		return
	}
	s.print("%s replayed in %.1f s: %s\n", countDeliveries(so.Deliveries), took.Seconds(), verdictOf(so, "awarded"))
	_ = section(s, changeFields(), changeRows(so)) // nobody is left to read it
}

// goOn is the call that goes on where a replay was stopped. Its times are those
// of the first call, however that has put them.
func (r replayCall) goOn(called string, so operator.Replayed) string {
	words := []string{called}
	flag := func(name, value string) {
		if value != "" {
			words = append(words, "--"+name+"="+shellWord(value))
		}
	}
	f := r.set.Walk.Filter
	for _, w := range []struct{ name, value string }{
		{"user", string(f.User)},
		{"trivia", string(f.Trivia)},
		{"item", string(f.Item)},
		{"key", f.Key},
		{"kind", string(f.Kind)},
		{"state", string(f.State)},
		{"outcome", string(f.Outcome)},
		{"text", f.Text},
		{"http", r.http},
	} {
		flag(w.name, w.value)
	}
	for _, begin := range r.bodies {
		flag("body", begin)
	}
	if !f.Since.IsZero() {
		flag("since", exact(f.Since))
	}
	if !f.Until.IsZero() {
		flag("until", exact(f.Until))
	}
	if r.set.Limit > 0 {
		flag("limit", fmt.Sprint(max(1, r.set.Limit-so.Deliveries)))
	}
	if r.rate != defaultRate {
		flag("rate", fmt.Sprint(r.rate))
	}
	flag("reason", r.reason)
	if len(r.keys) == 0 {
		flag("after", string(so.Last))

		return strings.Join(words, " ")
	}
	words = append(words, "--")
	for _, key := range r.keys {
		words = append(words, shellWord(key))
	}

	return strings.Join(words, " ")
}
