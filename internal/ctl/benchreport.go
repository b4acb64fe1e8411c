package ctl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"trivia/internal/operator"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

// A benchReport is what a run came to.
type benchReport struct {
	run        string
	kind       trivia.Kind
	load       loaded
	rate       int
	deliveries int // sent, without their repeats
	accepted   int // of them, answered 2xx
	answered   int
	answers    []string
	counts     map[string]int
	latency    map[string]time.Duration
	asked      bool // there is a database to ask
	proved     bool
	proof      operator.TrialProof
	twice      int // deliveries that were answered as awarded more than once
}

// The latencies that are told.
var benchQuantiles = []struct {
	name string
	at   float64
}{{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}, {"max", 100}}

// newBenchReport takes down what the load came to.
func newBenchReport(b *bench, got loaded) benchReport {
	t := b.tally
	r := benchReport{
		run: b.Name, kind: b.Kind, load: got, rate: b.rate, deliveries: t.count(benchSent), accepted: t.count(benchAccepted),
		answered: t.answered, answers: t.answers(), counts: t.counts, twice: t.twice, asked: b.do != nil, latency: map[string]time.Duration{},
	}
	for _, q := range benchQuantiles {
		r.latency[q.name] = time.Duration(t.latencies.ValueAtQuantile(q.at)) * time.Microsecond
	}

	return r
}

// double returns how much was awarded twice, by the answers or by the database.
func (r *benchReport) double() int { return max(r.twice, r.proof.Double) }

// prove asks the database what has become of what was accepted. There must be
// something.
func (b *bench) prove(ctx context.Context) error {
	if b.report.accepted == 0 {
		return hinted{errors.New("nothing was accepted"), hintOf(notAccepted(b.tally.bad))}
	}
	if b.do == nil {
		return nil
	}
	if err := untilSettled(ctx, b.do, b.Trial, b.settle); err != nil {
		return err
	}

	progress := b.progress("proving", "deliveries")
	proof, err := b.do.ProveTrial(ctx, b.Trial, b.tally.keys(benchAccepted, b.Key), func(done int) {
		progress.set(done, int64(done), int64(b.report.accepted))
	})
	progress.stop()
	if err != nil {
		return err
	}
	b.report.proof, b.report.proved = proof, true

	return b.report.verdict()
}

// untilSettled waits until nothing of a trial is pending, but not forever.
func untilSettled(ctx context.Context, do verbs, trial operator.Trial, patience time.Duration) error {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()

	for {
		n, err := do.PendingTrial(waiting, trial)
		switch {
		case errors.Is(err, context.DeadlineExceeded) || waiting.Err() != nil:
			return nil // the proof says what is left
		case err != nil || n == 0:
			return err
		}
		select {
		case <-waiting.Done():
		case <-tick.C:
		}
	}
}

// verdict is nil if everything that was accepted has had its effect, once.
func (r *benchReport) verdict() error {
	p := r.proof
	switch {
	case p.Lost > 0 && p.Rows == 0:
		return hinted{
			errors.New("nothing that was accepted is in this database"),
			"the hook works on another one: compare its DATABASE_URL with yours",
		}
	case p.Lost > 0 || r.double() > 0:
		return fmt.Errorf("%d lost, %d double", p.Lost, r.double())
	case p.Pending > 0:
		return hinted{
			fmt.Errorf("%d are still not settled", p.Pending),
			"is trivia-hook running? it settles what is pending; look at: triviactl deliveries list --state pending",
		}
	case p.Parked > 0:
		return hinted{
			fmt.Errorf("%d are parked", p.Parked),
			"what is parked says why: triviactl deliveries list --state parked",
		}
	}

	return nil
}

// text writes the report as format says.
func (r *benchReport) text(format string) string {
	if format == formatJSON {
		return object(benchFields(), *r) + "\n"
	}

	var text strings.Builder
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&text, format+"\n", args...) }
	line("run %s: %s in %.1f s, %.0f answers per second",
		r.run, pluralOf(r.load.sent, "request", "requests"), r.load.took.Seconds(), r.perSecond())
	if r.rate > 0 {
		r.pace(line)
	}
	for _, said := range r.answers {
		line("  %9d  %s", r.counts[said], tui.Clean(said))
	}
	if r.answered > 0 {
		words := make([]string, len(benchQuantiles))
		for i, q := range benchQuantiles {
			words[i] = q.name + " " + millis(r.latency[q.name])
		}
		line("latency: %s", strings.Join(words, ", "))
	}
	switch {
	case r.proved:
		r.lines(line)
	case !r.asked && r.accepted > 0:
		line("not proved: there is no database to ask")
	}

	return text.String()
}

// pace says whether the rate was kept.
func (r *benchReport) pace(line func(string, ...any)) {
	if r.load.sent < r.load.due {
		line("%d per second could not be kept: %d of %d were never sent, since %d were under way",
			r.rate, r.load.due-r.load.sent, r.load.due, mostConcurrency)
	}
	if r.load.late > 0 {
		line("sent more than %s too late: %d; that is part of the latency", lateBy, r.load.late)
	}
}

// lines are those of the proof.
func (r *benchReport) lines(line func(string, ...any)) {
	p := r.proof
	line("in the database:")
	line("  %9d  sent, in %s", r.deliveries, pluralOf(r.load.sent, "request", "requests"))
	line("  %9d  accepted", r.accepted)
	line("  %9d  kept", p.Rows)
	if r.kind == trivia.KindWin {
		line("  %9d  awarded", p.Wins)
	} else {
		line("  %9d  recorded", p.Settled)
	}
	for _, rest := range []struct {
		n    int
		word string
	}{{p.Pending, "pending"}, {p.Parked, "parked"}} {
		if rest.n > 0 {
			line("  %9d  %s", rest.n, rest.word)
		}
	}
	line("  %9d  double", r.double())
	line("  %9d  lost", p.Lost)
}

func (r *benchReport) perSecond() float64 {
	return float64(r.answered) / max(r.load.took.Seconds(), 0.001)
}

// benchFields are those of the report in JSON.
func benchFields() []field[benchReport] {
	type row = benchReport
	proved := func(value func(row) int) func(row) any {
		return func(r row) any {
			if !r.proved {
				return nil
			}

			return value(r)
		}
	}
	fields := []field[row]{
		{name: "run", value: func(r row) any { return r.run }},
		{name: "kind", value: func(r row) any { return r.kind }},
		{name: "seconds", value: func(r row) any { return r.load.took.Seconds() }},
		{name: "requests", value: func(r row) any { return r.load.sent }},
		{name: "requests_due", value: func(r row) any { return r.load.due }},
		{name: "requests_late", value: func(r row) any { return r.load.late }},
		{name: "answers_per_second", value: func(r row) any { return r.perSecond() }},
		{name: "answers", value: func(r row) any { return json.RawMessage(encoded(r.counts)) }},
	}
	for _, q := range benchQuantiles {
		fields = append(fields, field[row]{name: strings.ReplaceAll(q.name, ".", "_") + "_ms", value: func(r row) any {
			return float64(r.latency[q.name].Microseconds()) / 1000
		}})
	}

	return append(fields,
		field[row]{name: "sent", value: func(r row) any { return r.deliveries }},
		field[row]{name: "accepted", value: func(r row) any { return r.accepted }},
		field[row]{name: "proved", value: func(r row) any { return r.proved }},
		field[row]{name: "kept", value: proved(func(r row) int { return r.proof.Rows })},
		field[row]{name: "settled", value: proved(func(r row) int { return r.proof.Settled })},
		field[row]{name: "awarded", value: proved(func(r row) int { return r.proof.Wins })},
		field[row]{name: "pending", value: proved(func(r row) int { return r.proof.Pending })},
		field[row]{name: "parked", value: proved(func(r row) int { return r.proof.Parked })},
		field[row]{name: "double", value: proved(func(r row) int { return r.double() })},
		field[row]{name: "lost", value: proved(func(r row) int { return r.proof.Lost })},
	)
}

// tidy removes all that the run has written, if that was asked for.
func (b *bench) tidy(ctx context.Context) error {
	if !b.cleanup || b.do == nil {
		return nil
	}
	progress := b.progress("removing", "rows")
	rows, err := b.do.RemoveTrial(ctx, b.Trial, b.tally.keys(benchSent, b.Key), "triviactl bench --cleanup")
	progress.stop()
	if err != nil {
		return fmt.Errorf("clean up after %s: %w", b.Name, err)
	}
	b.say("%d rows of %s removed", rows, b.Name)

	return nil
}
