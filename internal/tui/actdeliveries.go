package tui

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// bodyDigits are enough of a SHA-256 to tell bodies of one key apart.
const bodyDigits = 12

func (d *Desk) deliveryActs(c choice) []act {
	rows := rowsOf[store.DeliveryRow](c)
	replay := act{
		name: "replay", what: "settle again, by the rules of now; it never awards twice",
		one: "delivery", many: "deliveries", dryRun: true, yes: true, fields: []field{reasonField()},
	}
	if c.all {
		replay.limited = true
		replay.commands = func(_ context.Context, written []string) ([]command, error) {
			filter, err := d.Deliveries.Parse(c.words)
			if err != nil {
				return nil, err
			}
			flags, _ := only(bounded(filterFlags(c.words), filter.Since, filter.Until, d.Now()),
				"user", "trivia", "item", "key", "kind", "state", "outcome", "text", "since", "until")

			return []command{command{path: "replay", flags: flags}.with(optional("reason", written[0]))}, nil
		}

		return []act{replay}
	}
	replay.commands = func(ctx context.Context, written []string) ([]command, error) {
		all, err := d.replayOf(ctx, rows)
		for i, one := range all {
			all[i] = one.with(optional("reason", written[0]))
		}

		return all, err
	}
	if len(rows) == 0 {
		replay.why = "choose a delivery"
	}

	acts := []act{replay}
	if len(rows) == 1 {
		acts = append(acts, d.repairAct(rows[0]))
	}
	var won []trivia.Win
	for _, row := range rows {
		if row.Outcome == trivia.Awarded {
			won = append(won, row.Win)
		}
	}
	if len(won) > 0 {
		acts = append(acts, revokeAct(won))
	}

	return acts
}

// replayOf returns the commands that replay rows: one, unless several bodies of one
// key are among them. A body is named only where its key has several.
func (d *Desk) replayOf(ctx context.Context, rows []store.DeliveryRow) ([]command, error) {
	doubtful, err := d.doubtful(ctx, rows)
	if err != nil {
		return nil, err
	}

	var all []command
	for left := rows; len(left) > 0; {
		var now, later []store.DeliveryRow
		there := map[string]bool{}
		for _, row := range left {
			if there[row.Key] {
				later = append(later, row)
				continue
			}
			there[row.Key] = true
			now = append(now, row)
		}
		all = append(all, replayCommand(now, doubtful))
		left = later
	}

	return all, nil
}

func replayCommand(rows []store.DeliveryRow, doubtful map[string]bool) command {
	one := command{path: "replay"}
	doubt, kinds := false, map[trivia.Kind]bool{}
	for _, row := range rows {
		one.plain = append(one.plain, row.Key)
		doubt = doubt || doubtful[row.Key]
		kinds[row.Kind] = true
	}
	if !doubt {
		return one
	}
	if len(kinds) == 1 {
		one = one.with(flagWord("kind", string(rows[0].Kind)))
	}
	for _, row := range rows {
		sum := hex.EncodeToString(row.SHA256)
		one = one.with(optional("body", sum[:min(bodyDigits, len(sum))]))
	}

	return one
}

// doubtful finds the keys that came with several bodies, or by both routes.
func (d *Desk) doubtful(ctx context.Context, rows []store.DeliveryRow) (map[string]bool, error) {
	keys := map[string]bool{}
	for _, row := range rows {
		if _, known := keys[row.Key]; known {
			continue
		}
		n := 0
		for _, err := range d.Do.ListDeliveries(ctx, store.DeliveryFilter{Key: row.Key}, store.Page{Limit: 2}) {
			if err != nil {
				return nil, err
			}
			n++
		}
		keys[row.Key] = n > 1
	}

	return keys, nil
}

// repairAct settles a copy of a delivery that has other words.
func (d *Desk) repairAct(row store.DeliveryRow) act {
	repair := act{
		name: "repair", what: "settle a copy that names another item, user or trivia; this one is kept",
		one: "delivery", many: "deliveries", dryRun: true, yes: true,
		fields: []field{
			{label: "item", value: string(row.Win.Item), hint: "what is won"},
			{label: "user", value: string(row.Win.User), hint: "who wins it", check: optionally(userCheck)},
			{label: "trivia", value: string(row.Win.Trivia), hint: "with which trivia", check: optionally(triviaCheck)},
			requiredReason("a typo in the campaign"),
		},
		commands: func(ctx context.Context, written []string) ([]command, error) {
			changes := []string{
				changed("with-item", string(row.Win.Item), written[0]),
				changed("with-user", string(row.Win.User), written[1]),
				changed("with-trivia", string(row.Win.Trivia), written[2]),
			}
			if strings.Join(changes, "") == "" {
				return nil, errors.New("nothing was changed: write another item, user or trivia")
			}
			all, err := d.replayOf(ctx, []store.DeliveryRow{row})
			for i, one := range all {
				all[i] = one.with(changes...).with(optional("reason", written[3]))
			}

			return all, err
		},
	}
	switch {
	case row.Kind != trivia.KindWin:
		repair.why = "only wins can be repaired"
	case row.State != trivia.StateParked:
		repair.why = "only what is parked can be repaired"
	}

	return repair
}

// changed is a flag for a value that is not what it was.
func changed(name, was, is string) string {
	if strings.TrimSpace(is) == was {
		return ""
	}

	return optional(name, is)
}

// peopleOf are the people that a choice is about, each once.
func peopleOf(c choice) (people []string) {
	for _, row := range c.rows {
		who := ""
		switch row := row.(type) {
		case store.DeliveryRow:
			who = string(row.Win.User)
		case store.WinRow:
			who = string(row.User)
		case store.EventRow:
			who = row.Person
		case store.PushRow:
			who = row.Person
		}
		if who != "" && !slices.Contains(people, who) {
			people = append(people, who)
		}
	}

	return people
}

// countOf names a number of things.
func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}

	return fmt.Sprintf("%s %s", thousands(n), many)
}
