package ctl

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"trivia/internal/operator"
	"trivia/internal/simulate"
	"trivia/internal/tui"
)

// A simulateReport is what a simulation came to.
type simulateReport struct {
	*simulate.Report

	asked  bool // there is a database to ask
	proved bool
	proof  operator.TrialProof // of both kinds together
}

// add takes in the proof of one kind.
func (r *simulateReport) add(p operator.TrialProof) {
	r.proof.Rows += p.Rows
	r.proof.Pending += p.Pending
	r.proof.Parked += p.Parked
	r.proof.Settled += p.Settled
	r.proof.Lost += p.Lost
	r.proof.Wins += p.Wins
	r.proof.Prizes += p.Prizes
	r.proof.Double += p.Double
}

// verdict is nil if nothing waited an hour, nothing was lost and nothing was
// awarded twice. What an interrupted run has left undelivered is no fault.
func (r *simulateReport) verdict(interrupted bool) error {
	var faults []string
	fault := func(n int, format string) {
		if n > 0 {
			faults = append(faults, fmt.Sprintf(format, n))
		}
	}
	if stalled := r.Stalled(); stalled > 0 {
		faults = append(faults, hours(stalled)+" hours of stall")
	}
	fault(r.Lost(), "%d lost for good")
	if !interrupted {
		fault(r.Undelivered(), "%d undelivered")
	}
	fault(r.proof.Lost, "%d acknowledged and not in the database")
	fault(r.proof.Double, "%d awarded twice")

	switch {
	case len(faults) == 0:
		return nil
	case r.proved && r.proof.Rows == 0 && r.proof.Lost > 0:
		return hinted{
			errors.New("nothing that was acknowledged is in this database"),
			"the hook works on another one: compare its DATABASE_URL with yours",
		}
	case len(r.Stalls) > 0 && r.Stalls[0].Cause == "401":
		return hinted{
			errors.New(strings.Join(faults, ", ")),
			"the hook verifies with other keys than this environment has, or its clock is off",
		}
	default:
		return errors.New(strings.Join(faults, ", "))
	}
}

// hours writes how long something waited, to a tenth of an hour where that says
// anything.
func hours(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d < 6*time.Minute:
		return strconv.FormatFloat(d.Hours(), 'f', 4, 64)
	default:
		return strconv.FormatFloat(d.Hours(), 'f', 1, 64)
	}
}

// text writes the report as format says.
func (r *simulateReport) text(format string) string {
	if format == formatJSON {
		return object(simulateFields(), *r) + "\n"
	}

	var text strings.Builder
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&text, format+"\n", args...) }
	line("run %s: %.1f s, in which an hour of waiting took %s; again with --seed %d --begun %s",
		r.Run, r.Took.Seconds(), r.Hour, r.Seed, r.Begun.UTC().Format(time.RFC3339))
	line("        %9s %9s %9s %9s %9s %9s %9s", "made", "sent", "delivered", "dupl.", "lost", "left", "queue")
	for _, m := range []struct {
		name string
		simulate.Machine
	}{{"events", r.Events}, {"wins", r.Wins}} {
		line("%-7s %9d %9d %9d %9d %9d %9d %9d", m.name, m.Made, m.Sent, m.Delivered, m.Duplicates, m.Lost, m.Undelivered, m.LongestQueue)
	}
	line("hours of stall caused: %s", hours(r.Stalled()))
	r.holds(line, r.Stalls)
	if r.Held() > 0 {
		line("held back by backoff: %s hours", hours(r.Held()))
		r.holds(line, r.Holds)
	}
	line("lost for good: %d", r.Lost())
	line("answers:")
	for _, answer := range r.Answers {
		line("  %9d  %s", answer.N, tui.Clean(answer.Words))
	}
	line("latency: p50 %s, p99 %s, max %s", millis(r.P50), millis(r.P99), millis(r.Max))
	switch {
	case r.proved:
		r.lines(line)
	case !r.asked:
		line("not proved: there is no database to ask")
	}

	return text.String()
}

func (r *simulateReport) holds(line func(string, ...any), holds []simulate.Hold) {
	for _, h := range holds {
		line("  %9s h  after %s, %s", hours(h.Wait), tui.Clean(h.Cause), pluralOf(h.Times, "time", "times"))
	}
}

// lines are those of the proof.
func (r *simulateReport) lines(line func(string, ...any)) {
	p := r.proof
	line("in the database:")
	for _, row := range []struct {
		n     int
		word  string
		shown bool
	}{
		{r.Events.Delivered + r.Wins.Delivered, "acknowledged", true},
		{p.Rows, "kept", true},
		{p.Wins, "awarded", true},
		{p.Pending, "pending", p.Pending > 0},
		{p.Parked, "parked", p.Parked > 0},
		{p.Double, "awarded twice", true},
		{p.Lost, "acknowledged and lost", true},
	} {
		if row.shown {
			line("  %9d  %s", row.n, row.word)
		}
	}
}

// simulateFields are those of the report in JSON.
func simulateFields() []field[simulateReport] {
	type row = simulateReport
	proved := func(value func(row) int) func(row) any {
		return func(r row) any {
			if !r.proved {
				return nil
			}

			return value(r)
		}
	}
	fraction := func(value func(row) time.Duration) func(row) any {
		return func(r row) any { return float64(value(r).Microseconds()) / 1000 }
	}

	return []field[row]{
		{name: "run", value: func(r row) any { return r.Run }},
		{name: "seed", value: func(r row) any { return r.Seed }},
		{name: "begun", value: func(r row) any { return r.Begun }},
		{name: "seconds", value: func(r row) any { return r.Took.Seconds() }},
		{name: "hour_ms", value: fraction(func(r row) time.Duration { return r.Hour })},
		{name: "events", value: func(r row) any { return machineObject(r.Events) }},
		{name: "wins", value: func(r row) any { return machineObject(r.Wins) }},
		{name: "stalled_hours", value: func(r row) any { return r.Stalled().Hours() }},
		{name: "stalls", value: func(r row) any { return holdObjects(r.Stalls) }},
		{name: "held_hours", value: func(r row) any { return r.Held().Hours() }},
		{name: "holds", value: func(r row) any { return holdObjects(r.Holds) }},
		{name: "lost", value: func(r row) any { return r.Lost() }},
		{name: "undelivered", value: func(r row) any { return r.Undelivered() }},
		{name: "timeouts", value: func(r row) any { return r.Timeouts }},
		{name: "answers", value: func(r row) any { return answerObject(r.Answers) }},
		{name: "p50_ms", value: fraction(func(r row) time.Duration { return r.P50 })},
		{name: "p99_ms", value: fraction(func(r row) time.Duration { return r.P99 })},
		{name: "max_ms", value: fraction(func(r row) time.Duration { return r.Max })},
		{name: "proved", value: func(r row) any { return r.proved }},
		{name: "kept", value: proved(func(r row) int { return r.proof.Rows })},
		{name: "awarded", value: proved(func(r row) int { return r.proof.Wins })},
		{name: "pending", value: proved(func(r row) int { return r.proof.Pending })},
		{name: "parked", value: proved(func(r row) int { return r.proof.Parked })},
		{name: "awarded_twice", value: proved(func(r row) int { return r.proof.Double })},
		{name: "acknowledged_lost", value: proved(func(r row) int { return r.proof.Lost })},
	}
}

func machineObject(m simulate.Machine) any {
	type row = simulate.Machine

	return json.RawMessage(object([]field[row]{
		{name: "made", value: func(m row) any { return m.Made }},
		{name: "sent", value: func(m row) any { return m.Sent }},
		{name: "delivered", value: func(m row) any { return m.Delivered }},
		{name: "duplicates", value: func(m row) any { return m.Duplicates }},
		{name: "lost", value: func(m row) any { return m.Lost }},
		{name: "undelivered", value: func(m row) any { return m.Undelivered }},
		{name: "longest_queue", value: func(m row) any { return m.LongestQueue }},
		{name: "slowest_delivery_ms", value: func(m row) any { return float64(m.Slowest.Microseconds()) / 1000 }},
	}, m))
}

func holdObjects(holds []simulate.Hold) any {
	type row = simulate.Hold
	all := make([]json.RawMessage, len(holds))
	for i, h := range holds {
		all[i] = json.RawMessage(object([]field[row]{
			{name: "cause", value: func(h row) any { return h.Cause }},
			{name: "times", value: func(h row) any { return h.Times }},
			{name: "hours", value: func(h row) any { return h.Wait.Hours() }},
		}, h))
	}

	return json.RawMessage(encoded(all))
}

func answerObject(answers []simulate.Count) any {
	counts := map[string]int{}
	for _, answer := range answers {
		counts[answer.Words] += answer.N
	}

	return json.RawMessage(encoded(counts))
}
