package tui

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// mostLooks is how many of several things are shown before they are confirmed.
const mostLooks = 5

// these is what runs the same commands whatever happened meanwhile.
func these(make func(written []string) []command) func(context.Context, []string) ([]command, error) {
	return func(_ context.Context, written []string) ([]command, error) { return make(written), nil }
}

func (d *Desk) winActs(c choice) []act {
	if c.all {
		return []act{
			{name: "revoke", what: "take back what a win earned", why: "prizes are revoked by rows: choose some with space"},
			d.tellAct(c),
		}
	}
	var won []trivia.Win
	for _, row := range rowsOf[store.WinRow](c) {
		if row.Trivia != "" {
			won = append(won, row.Win)
		}
	}
	if len(won) == 0 {
		return nil
	}

	return []act{revokeAct(won)}
}

func revokeAct(won []trivia.Win) act {
	return act{
		name: "revoke", what: "take back what a win earned; the win stays, and it cannot be undone",
		one: "prize", many: "prizes", n: len(won), yes: true,
		fields: []field{requiredReason("won with a script")},
		commands: these(func(written []string) (all []command) {
			for _, win := range won {
				one := command{path: "prizes revoke", plain: []string{string(win.User), string(win.Trivia)}}
				all = append(all, one.with(optional("reason", written[0])))
			}

			return all
		}),
		looks: func([]string) (all [][]string) {
			for _, win := range won[:min(len(won), mostLooks)] {
				all = append(all, plainly("wins show", string(win.User), string(win.Trivia)))
			}

			return all
		},
		note: "It cannot be undone: the user cannot win that trivia again.",
	}
}

// tellAct writes pushes for wins once more.
func (d *Desk) tellAct(c choice) act {
	tell := act{
		name: "tell again", what: "write a push for each win that Customer.io is not being told of",
		one: "push", many: "pushes", dryRun: true, fields: []field{reasonField()},
	}
	filter := filterFlags(c.words)
	switch _, other := only(filter, "since", "until", "trivia"); {
	case other != "":
		tell.why = "not by --" + other + ": it takes --since, --until and --trivia"
	case valueOf(filter, "since") == "":
		tell.why = "it wants a filter with --since"
	}
	tell.commands = func(_ context.Context, written []string) ([]command, error) {
		f, err := d.Wins.Parse(c.words)
		if err != nil {
			return nil, err
		}
		flags, _ := only(bounded(filter, f.Since, f.Until, d.Now()), "since", "until", "trivia")

		return []command{command{path: "push wins", flags: flags}.with(optional("reason", written[0]))}, nil
	}

	return tell
}

func (d *Desk) pushActs(c choice) []act {
	return []act{
		d.moveAct(c, "retry", "send again what Customer.io refused", "parked", "parked", func(p store.PushRow) bool {
			return p.State == trivia.PushParked
		}),
		d.moveAct(c, "hold", "keep from being sent", "pending", "pending or parked", func(p store.PushRow) bool {
			return p.State == trivia.PushPending || p.State == trivia.PushParked ||
				p.State == trivia.PushHeld && p.Reason == trivia.HeldForCredentials
		}),
		d.moveAct(c, "release", "send what is held", "all", "held", func(p store.PushRow) bool {
			return p.State == trivia.PushHeld
		}),
	}
}

// moveAct moves pushes. Whole is the flag that stands for all that can be moved,
// which are of the states called.
func (d *Desk) moveAct(c choice, move, what, whole, called string, moves func(store.PushRow) bool) act {
	a := act{name: move, what: what, one: "push", many: "pushes", dryRun: true, fields: []field{reasonField()}}
	if c.all {
		return d.sweepAct(a, c, whole)
	}

	one := command{path: "push " + move}
	rows := rowsOf[store.PushRow](c)
	for _, p := range rows {
		if moves(p) {
			one.plain = append(one.plain, strconv.FormatInt(p.ID, 10))
		}
	}
	switch n := len(one.plain); {
	case n == 0:
		a.why = "none of them is " + called
		if len(rows) == 1 {
			a.why = "it is not " + called + ", it is " + string(rows[0].State)
		}
	case n < len(rows):
		a.what += fmt.Sprintf(": the %s of %s that %s %s", thousands(n), thousands(len(rows)), map[bool]string{true: "is", false: "are"}[n == 1], called)
	}
	a.commands = these(func(written []string) []command { return []command{one.with(optional("reason", written[0]))} })

	return a
}

// sweepAct moves all pushes that match, as far as the command can say them.
func (d *Desk) sweepAct(a act, c choice, whole string) act {
	states := map[string]string{"parked": "parked", "pending": "pending", "all": "held"}
	filter := filterFlags(c.words)
	state := valueOf(filter, "state")
	switch _, other := only(filter, "state", "user", "since", "until"); {
	case other != "":
		a.why = "not by --" + other + ": all that match are moved by --user, --since and --until; or choose rows"
	case state != "" && state != states[whole]:
		a.why = "none of them is " + states[whole]
	default:
		a.what += ": all that match and are " + states[whole]
	}
	a.commands = func(_ context.Context, written []string) ([]command, error) {
		f, err := d.Pushes.Parse(c.words)
		if err != nil {
			return nil, err
		}
		flags, _ := only(bounded(filter, f.Since, f.Until, d.Now()), "user", "since", "until")
		one := command{path: "push " + a.name, flags: append([]string{"--" + whole}, flags...)}

		return []command{one.with(optional("reason", written[0]))}, nil
	}

	return a
}

func triviaActs(c choice) []act {
	const byRows = "trivias are closed and opened by rows: choose some with space"
	rows := rowsOf[store.TriviaRow](c)
	toggle := func(name, what string, fits func(store.TriviaRow) bool, not string) act {
		var chosen []command
		var looks [][]string
		for _, row := range rows {
			if !fits(row) {
				continue
			}
			chosen = append(chosen, command{path: "trivia " + name, plain: []string{string(row.ID)}})
			if len(looks) < mostLooks {
				looks = append(looks, plainly("trivia show", string(row.ID)))
			}
		}
		a := act{
			name: name, what: what, one: "trivia", many: "trivias", n: len(chosen), fields: []field{reasonField()},
			looks: func([]string) [][]string { return looks },
			commands: these(func(written []string) []command {
				all := make([]command, len(chosen))
				for i, one := range chosen {
					all[i] = one.with(optional("reason", written[0]))
				}

				return all
			}),
		}
		switch {
		case c.all:
			a.why = byRows
		case len(chosen) == 0 && len(rows) == 1:
			a.why = "it is " + rows[0].State() + not
		case len(chosen) == 0:
			a.why = "none of them is " + map[string]string{"close": "open", "open": "closed"}[name]
		}

		return a
	}

	return []act{
		toggle("close", "let nobody win it any more; what was won stays won",
			func(t store.TriviaRow) bool { return t.State() == "open" }, " already"),
		toggle("open", "let people win it again",
			func(t store.TriviaRow) bool { return t.State() == "closed" }, ": only what is closed can be opened"),
	}
}

// mostAttributes is how many attributes a form has room for.
const mostAttributes = 4

func attributesAct(people []string) act {
	a := act{
		name: "attributes", what: "set attributes of " + people[0] + " in Customer.io",
		one: "person", many: "people", n: len(people), dryRun: true,
	}
	if len(people) > 1 {
		a.what = fmt.Sprintf("set attributes of %s people in Customer.io", thousands(len(people)))
	}
	for i := range mostAttributes {
		f := field{label: "attribute", hint: `NAME=VALUE, as in plan=gold, visits=7, zip="01234"`, check: optionally(attributeCheck)}
		if i == 0 {
			f.check = attributeCheck
		}
		a.fields = append(a.fields, f)
	}
	a.fields = append(a.fields, reasonField())
	a.commands = these(func(written []string) (all []command) {
		for _, person := range people {
			one := command{path: "push attributes"}.with(flagWord("user", person), optional("reason", written[mostAttributes]))
			for _, text := range written[:mostAttributes] {
				if text != "" {
					one.plain = append(one.plain, text)
				}
			}
			all = append(all, one)
		}

		return all
	})

	return a
}

func attributeCheck(text string) error {
	name, _, ok := strings.Cut(text, "=")
	if !ok || strings.TrimSpace(name) == "" {
		return errors.New("want NAME=VALUE, as in plan=gold")
	}

	return nil
}

// sendAct sends a win as Customer.io would. Words that the choice has are suggested.
func sendAct(c choice) act {
	var like trivia.Win
	for _, row := range c.rows {
		switch row := row.(type) {
		case store.DeliveryRow:
			like = row.Win
		case store.WinRow:
			like = row.Win
		case store.TriviaRow:
			like.Trivia = row.ID
		}
	}

	return act{
		name: "send", what: "send a signed test win to a hook, and wait for its outcome",
		one: "win", many: "wins", n: 1,
		fields: []field{
			{label: "user", value: string(like.User), check: userCheck},
			{label: "trivia", value: string(like.Trivia), check: triviaCheck},
			{label: "item", value: string(like.Item), check: itemCheck},
			{label: "hook", hint: "its URL; empty: the one on this machine"},
		},
		commands: these(func(written []string) []command {
			return []command{command{path: "send win", flags: []string{
				flagWord("user", strings.TrimSpace(written[0])), flagWord("trivia", strings.TrimSpace(written[1])), flagWord("item", written[2]), "--wait",
			}}.with(optional("url", written[3]))}
		}),
		note: "It is a win like any other: if it is the first of this user and trivia, the prize is granted.",
	}
}
