package tui

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// bodyPane is the pane that shows bodies.
const bodyPane = "Body"

// showDetail opens all that is known of a row of a list, such as a
// store.DeliveryRow, or of a person. What names the thing is enough of a row.
// It is nil for what has no detail.
func (d *Desk) showDetail(row any) tea.Cmd {
	switch row := row.(type) {
	case store.DeliveryRow:
		return push(d.deliveryDetail(row))
	case store.WinRow:
		return push(d.winDetail(row))
	case store.EventRow:
		return push(d.eventDetail(row))
	case store.PushRow:
		return push(d.pushDetail(row))
	case store.TriviaRow:
		return push(newTriviaDetail(d, row))
	case store.DeedRow:
		return push(d.deedDetail(row))
	case person:
		return push(d.personDetail(row))
	}

	return nil
}

// plainly returns a command and its plain words, which may look like flags.
func plainly(command string, plain ...string) []string {
	words := strings.Fields(command)
	for _, word := range plain {
		if strings.HasPrefix(word, "-") {
			words = append(words, "--")
			break
		}
	}

	return append(words, plain...)
}

// flagWord is a flag with its value in one word.
func flagWord(name, value string) string { return "--" + name + "=" + value }

func newBodyPane() *pane {
	return &pane{name: bodyPane, lay: func(s *detail, width int) []string {
		switch {
		case s.bodies != nil:
			return bodyLines(s.bodies, s.form, width)
		case s.bodyErr != nil:
			return Wrap(s.bodyErr.Error(), width)
		case s.loading || s.thing == nil:
			return []string{"asking…"}
		}

		return []string{"It is gone."}
	}}
}

func (d *Desk) deliveryDetail(row store.DeliveryRow) *detail {
	s := newDetail(d, "delivery", row.Key,
		saidPane("Explained", plainly("explain", row.Key)...),
		newBodyPane(),
		saidPane("Kept", plainly("deliveries show --no-body", row.Key)...),
	)
	s.load = func(ctx context.Context) (loaded, error) { return d.loadDelivery(ctx, row) }
	if row.State != "" {
		s.thing = row
	}
	s.jumps = func(thing any) []jump {
		row, _ := thing.(store.DeliveryRow)
		if row.Kind == trivia.KindEvent {
			return []jump{d.jumpTo("e", "its event", store.EventRow{ID: row.Key})}
		}

		return d.winJumps(row.Win.User, row.Win.Trivia, "w")
	}
	s.acts = func(thing any) choice { return choice{of: pageDeliveries, rows: []any{thing}} }

	return s
}

// loadDelivery reads what came under a key: the body that row is about or, if that
// is not known, all of them.
func (d *Desk) loadDelivery(ctx context.Context, row store.DeliveryRow) (loaded, error) {
	found, err := d.Do.ShowDelivery(ctx, row.Key)
	if err != nil {
		return loaded{}, err
	}

	var got loaded
	for _, f := range found {
		if row.SHA256 != nil && (f.Kind != row.Kind || string(f.SHA256) != string(row.SHA256)) {
			continue
		}
		sum := hex.EncodeToString(f.SHA256)
		sum = sum[:min(bodyDigits, len(sum))] + "…"
		got.bodies = append(got.bodies, keptBody{fmt.Sprintf("%s, %s bytes, sha-256 %s", f.Kind, thousands(f.Size), sum), f.Body})
		f.Body = nil
		if got.thing == nil {
			got.thing = f
		}
	}

	return got, nil
}

func (d *Desk) winDetail(row store.WinRow) *detail {
	user, id := string(row.User), string(row.Trivia)
	s := newDetail(d, "win", user+", "+id,
		saidPane("Explained", plainly("explain", user, id)...),
		saidPane("Win", plainly("wins show", user, id)...),
	)
	s.thing = row
	s.jumps = func(any) []jump {
		return append([]jump{{binding("d", "its delivery"), func() tea.Cmd { return d.deliveryOfWin(row) }}}, d.winJumps(row.User, row.Trivia, "")...)
	}
	s.acts = func(any) choice { return choice{of: pageWins, rows: []any{row}} }

	return s
}

// deliveryOfWin opens the delivery that a win was awarded for.
func (d *Desk) deliveryOfWin(row store.WinRow) tea.Cmd {
	if row.Key != "" {
		return d.showDetail(store.DeliveryRow{Key: row.Key})
	}

	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(d.ctx, deadline)
		defer cancel()
		for win, err := range d.Do.ListWins(ctx, store.WinFilter{User: row.User, Trivia: row.Trivia}, store.Page{Limit: 1}) {
			if err != nil {
				return said{err.Error(), Bad}
			}

			return pushed{d.deliveryDetail(store.DeliveryRow{Key: win.Key})}
		}

		return said{"there is no such win, and so no delivery of it", Waiting}
	}
}

func (d *Desk) eventDetail(row store.EventRow) *detail {
	s := newDetail(d, "event", row.ID,
		saidPane("Event", plainly("events show --no-body", row.ID)...),
		newBodyPane(),
		saidPane("Explained", plainly("explain", row.ID)...),
	)
	if row.ObjectType != "" {
		s.thing = row
	}
	s.load = func(ctx context.Context) (loaded, error) {
		story, err := d.Do.ShowEvent(ctx, row.ID)
		if err != nil {
			return loaded{}, err
		}
		got := loaded{thing: story.EventRow}
		if story.Payload != nil {
			got.bodies = []keptBody{{fmt.Sprintf("event, %s bytes", thousands(len(story.Payload))), story.Payload}}
		}

		return got, nil
	}
	s.jumps = func(thing any) []jump {
		row, _ := thing.(store.EventRow)
		all := []jump{d.jumpTo("d", "its delivery", store.DeliveryRow{Key: row.ID})}
		if row.Person != "" {
			all = append(all, d.jumpTo("u", "its person", person(row.Person)))
		}

		return all
	}
	s.acts = func(thing any) choice { return choice{of: pageEvents, rows: []any{thing}} }

	return s
}

func (d *Desk) pushDetail(row store.PushRow) *detail {
	id := strconv.FormatInt(row.ID, 10)
	panes := []*pane{saidPane("Push", "push", "show", id)}
	if row.Person != "" {
		panes = append(panes, saidPane("Person's pushes", "push", "list", flagWord("user", row.Person)))
	}
	s := newDetail(d, "push", id, panes...)
	if row.State != "" {
		s.thing = row
	}
	s.load = func(ctx context.Context) (loaded, error) {
		story, err := d.Do.ShowPush(ctx, row.ID)

		return loaded{thing: story.PushRow}, err
	}
	s.jumps = func(thing any) []jump {
		row, _ := thing.(store.PushRow)
		var all []jump
		switch row.Cause {
		case trivia.CauseWin:
			all = append(all, d.jumpTo("w", "its win", winNamed(trivia.UserID(row.Person), trivia.ID(row.CauseID))))
		case trivia.CauseEvent:
			all = append(all, d.jumpTo("e", "its event", store.EventRow{ID: row.CauseID}))
		case trivia.CauseOperator:
		}
		if row.Person != "" {
			all = append(all, d.jumpTo("u", "its person", person(row.Person)))
		}

		return all
	}
	s.acts = func(thing any) choice { return choice{of: pagePushes, rows: []any{thing}} }

	return s
}

func (d *Desk) personDetail(who person) *detail {
	user := flagWord("user", string(who))
	s := newDetail(d, "person", string(who),
		saidPane("Wins", "wins", "list", user),
		saidPane("Deliveries", "deliveries", "list", user),
		saidPane("Pushes", "push", "list", user),
		saidPane("Events", "events", "list", user),
		saidPane("Answers", "responses", "list", user),
		saidPane("Prizes", "prizes", "list", user),
	)
	s.thing = who
	s.jumps = func(any) []jump {
		list := func(key, what string, page pageName) jump {
			return jump{binding(key, what), func() tea.Cmd { return turn(page, user) }}
		}

		return []jump{
			list("w", "list of wins", pageWins), list("d", "list of deliveries", pageDeliveries),
			list("p", "list of pushes", pagePushes), list("e", "list of events", pageEvents),
		}
	}
	s.acts = func(any) choice { return choice{of: pageWins, rows: []any{winNamed(trivia.UserID(who), "")}} }

	return s
}

// deedDetail shows a line of the audit log, of which nothing more is known.
func (d *Desk) deedDetail(row store.DeedRow) *detail {
	s := newDetail(d, "act", row.Verb+" "+row.Target, &pane{name: "Act", lay: func(_ *detail, width int) (lines []string) {
		for _, fact := range [][2]string{
			{"done", row.At.In(d.Now().Location()).Format("2006-01-02 15:04:05.000 MST")},
			{"actor", row.Actor},
			{"verb", row.Verb},
			{"target", row.Target},
			{"reason", row.Reason},
			{"id", row.ID},
		} {
			if fact[1] != "" {
				lines = append(lines, folded(fmt.Sprintf("%-6s  %s", fact[0], fact[1]), width)...)
			}
		}
		if len(row.Detail) > 0 && json.Valid(row.Detail) {
			lines = append(append(lines, ""), readable(row.Detail, width)...)
		}

		return lines
	}})
	s.thing = row
	s.jumps = func(any) []jump {
		switch verb, _, _ := strings.Cut(row.Verb, " "); {
		case verb == "trivia":
			return []jump{d.jumpTo("t", "the trivia", store.TriviaRow{ID: trivia.ID(row.Target)})}
		case row.Verb == "push attributes", row.Verb == "prizes revoke":
			return []jump{d.jumpTo("u", "the person", person(row.Target))}
		case row.Verb == "replay", row.Verb == "replay repair":
			return []jump{d.jumpTo("d", "the delivery", store.DeliveryRow{Key: row.Target})}
		}

		return nil
	}

	return s
}

// winJumps lead from what is about a user and a trivia.
func (d *Desk) winJumps(user trivia.UserID, id trivia.ID, win string) (all []jump) {
	if user != "" && id != "" && win != "" {
		all = append(all, d.jumpTo(win, "its win", winNamed(user, id)))
	}
	if user != "" {
		all = append(all, d.jumpTo("u", "its person", person(user)))
	}
	if id != "" {
		all = append(all, d.jumpTo("t", "its trivia", store.TriviaRow{ID: id}))
	}

	return all
}

func (d *Desk) jumpTo(key, what string, row any) jump {
	return jump{binding(key, what), func() tea.Cmd { return d.showDetail(row) }}
}

// winNamed names a win.
func winNamed(user trivia.UserID, id trivia.ID) store.WinRow {
	return store.WinRow{Win: trivia.Win{User: user, Trivia: id}}
}

func binding(name, what string) key.Binding {
	return key.NewBinding(key.WithKeys(name), key.WithHelp(name, what))
}
