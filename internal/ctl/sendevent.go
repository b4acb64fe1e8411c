package ctl

import (
	"crypto/rand"
	"maps"
	"slices"

	"github.com/urfave/cli/v2"

	"trivia/internal/customerio"
	"trivia/internal/trivia"
)

// sampleUser is whom made-up events are about.
const sampleUser = "demo-1"

// deletes warns of what a test may do to a real person.
const deletes = `The hook does what its policy says: an email bounced or spammed deletes, by
default, the profile of a real USER at Customer.io for good.`

func (s *session) sendEventCommand() *cli.Command {
	hidden := keyFlag()
	hidden.Hidden = true // it is refused, with the way to do it

	return &cli.Command{
		Name: "event", Usage: "send a made-up event of a reporting webhook", ArgsUsage: "--object OBJECT --metric METRIC",
		Description: `Each is signed, new, of now, and has all that Customer.io's documentation says.
--set changes any of that, and may be there several times: a path of names, and
JSON, or text where it is no JSON. Exit code 1 if any answer is not 2xx.

` + deletes + `

Examples:
  triviactl send event --object email --metric opened --user demo-2 --wait
  triviactl send event --object in_app --metric clicked \
    --set data.tracked_response=trivia/capitals/paris
  triviactl send event --object email --metric delivered \
    --set data.customer_id=null --set 'data.identifiers={"cio_id":"a1b2"}'
  triviactl send event --object sms --metric sent --set event_id=same --repeat 3`,
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "object", Usage: "it happened to `OBJECT`: email, in_app, customer …"},
			&cli.StringFlag{Name: "metric", Usage: "`METRIC` is what happened: sent, opened, clicked …"},
			userFlag(),
			&cli.GenericFlag{Name: "set", Value: &assignments{}, Usage: "let it have `PATH=VALUE`, as in data.link_id=7"},
			hidden,
		}, repeatFlags("copies if event_id is set"), sendFlags()),
		Action: s.sendEvent,
	}
}

func userFlag() cli.Flag {
	return &cli.StringFlag{Name: "user", Value: sampleUser, Usage: "it is about `USER`"}
}

func (s *session) sendEvent(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	for _, flag := range []string{"object", "metric"} {
		if !c.IsSet(flag) {
			return usagef("as in --object email --metric opened", "%s wants --%s", c.Command.HelpName, flag)
		}
	}
	o, err := s.parseSend(c, trivia.KindEvent)
	if err != nil {
		return err
	}

	sample, documented := customerio.SampleOf(c.String("object"), c.String("metric"))
	event := sample.Event(s.newEventID(), c.String("user"), s.Now())
	changes, _ := c.Generic("set").(*assignments)
	fixed := false
	for _, change := range changes.all {
		path, err := assign(event, change)
		if err != nil {
			return err
		}
		fixed = fixed || path[0] == "event_id"
	}
	if !documented {
		s.say("%s %s is not documented; Customer.io may still send it", sample.Object, sample.Metric)
	}

	o.body = always(encoded(event))
	if !fixed {
		o.newKey = s.newEventID
		o.body = func(key string) []byte {
			own := maps.Clone(event)
			own["event_id"] = key

			return encoded(own)
		}
	}

	return s.send(c.Context, o)
}

// newEventID names an event as no other is named.
func (s *session) newEventID() string { return customerio.EventID(s.Now(), rand.Text()) }

// objects and metrics are the words of the events that are documented.
func objects() []string { return wordsOfSamples(func(e customerio.Sample) string { return e.Object }) }

func metrics() []string { return wordsOfSamples(func(e customerio.Sample) string { return e.Metric }) }

func wordsOfSamples(word func(customerio.Sample) string) []string {
	var words []string
	for _, sample := range customerio.Samples() {
		words = append(words, word(sample))
	}
	slices.Sort(words)

	return slices.Compact(words)
}
