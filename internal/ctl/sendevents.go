package ctl

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"trivia/internal/customerio"
	"trivia/internal/trivia"
)

func (s *session) sendEventsCommand() *cli.Command {
	return &cli.Command{
		Name: "events", Usage: "send a made-up event of every documented kind", ArgsUsage: "--all",
		Description: `Each is signed, new, and of now. Exit code 1 if any answer is not 2xx or, with
--wait, if any was not recorded.

` + deletes + `

Examples:
  triviactl send events --all
  triviactl send events --all --user demo-2 --wait`,
		Flags:  append([]cli.Flag{&cli.BoolFlag{Name: "all", Usage: "send one of every kind"}, userFlag()}, sendFlags()...),
		Action: s.sendEvents,
	}
}

// A sentEvent is one of many kinds, and what became of it.
type sentEvent struct {
	sample customerio.Sample
	key    string
	body   []byte
	answer answer
	kept   string // by the database; empty: nobody has looked
}

func sentEventNoun() noun[sentEvent] {
	return noun[sentEvent]{plural: "events", fields: []field[sentEvent]{
		{"object_type", func(e sentEvent) any { return e.sample.Object }, rigid("OBJECT"), false},
		{"metric", func(e sentEvent) any { return e.sample.Metric }, flexible("METRIC"), false},
		{"answer", func(e sentEvent) any { return fmt.Sprintf("%d %s", e.answer.code, e.answer.status) }, rigid("ANSWER"), false},
		{"outcome", func(e sentEvent) any { return e.outcome() }, flexible("OUTCOME"), false},
	}}
}

func (e sentEvent) outcome() string {
	switch {
	case !e.answer.ok():
		return e.answer.fault
	case e.kept != "":
		return e.kept
	}

	return e.answer.outcome
}

func (s *session) sendEvents(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	samples := customerio.Samples()
	if !c.Bool("all") {
		return usagef("one of a kind: triviactl send event --object email --metric opened",
			"%s wants --all, and sends %d", c.Command.HelpName, len(samples))
	}
	o, err := s.parseTarget(c, trivia.KindEvent)
	if err != nil {
		return err
	}

	all := make([]sentEvent, len(samples))
	for i, sample := range samples {
		id := s.newEventID()
		all[i] = sentEvent{sample: sample, key: id, body: encoded(sample.Event(id, c.String("user"), s.Now()))}
	}

	return s.sendEach(c.Context, o, all)
}

// sendEach sends one event after the other, shows what came back, and looks
// what became of them if asked.
func (s *session) sendEach(ctx context.Context, o sendOptions, all []sentEvent) error {
	var do verbs
	if o.wait > 0 {
		opened, done, err := s.open(ctx)
		if err != nil {
			return err
		}
		defer done()
		do = opened
	}

	sd := s.newSender(o)
	defer sd.client.CloseIdleConnections()
	begun := s.Now()
	answered, err := s.postEach(ctx, sd, all)
	if err == nil && do != nil {
		err = s.checkEach(ctx, sd, do, all)
	}
	if drawErr := s.drawEach(all[:answered]); drawErr != nil {
		return drawErr
	}

	refused := 0
	var bad answer
	for _, e := range all[:answered] {
		if !e.answer.ok() {
			refused, bad = refused+1, e.answer
		}
	}
	s.print("%d of %d were accepted, in %.2f s\n", answered-refused, len(all), s.Now().Sub(begun).Seconds())
	if err == nil && refused > 0 {
		return hinted{fmt.Errorf("%d of %d were not accepted", refused, len(all)), hintOf(notAccepted(bad))}
	}

	return err
}

// postEach returns how many were answered.
func (s *session) postEach(ctx context.Context, sd *sender, all []sentEvent) (int, error) {
	progress := s.progress("sending", "events")
	defer progress.stop()
	for i := range all {
		e := &all[i]
		var err error
		if e.answer, err = sd.postBody(ctx, e.key, e.body); err != nil {
			return i, err
		}
		progress.set(i+1, int64(i+1), int64(len(all)))
	}

	return len(all), nil
}

// checkEach looks what became of all that was accepted.
func (s *session) checkEach(ctx context.Context, sd *sender, do verbs, all []sentEvent) error {
	waiting, cancel := context.WithTimeout(ctx, sd.wait)
	defer cancel()

	lost := 0
	for i := range all {
		e := &all[i]
		if !e.answer.ok() {
			continue
		}
		d, err := settled(waiting, do, trivia.KindEvent, e.answer.key, e.body)
		switch {
		case err == nil:
			e.kept = fmt.Sprintf("%s: %s", d.State, d.Outcome)
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			e.kept = string(trivia.StatePending)
		default:
			return s.notSettled(ctx, sd, d, err)
		}
		if err != nil || d.Outcome != trivia.Recorded {
			lost++
		}
	}
	if lost > 0 {
		return hinted{
			fmt.Errorf("%d of %d were not recorded", lost, len(all)),
			"what is parked says why: triviactl deliveries list --kind event --state parked",
		}
	}

	return nil
}

func (s *session) drawEach(all []sentEvent) error {
	if len(all) == 0 {
		return nil
	}
	events := sentEventNoun()
	out := newSink(s, events, formatTable)
	for _, e := range all {
		if err := out.row(e); err != nil {
			return fmt.Errorf("write %s: %w", events.plural, err)
		}
	}

	return out.end()
}
