package tui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A shelf is a table in memory, newest first, that more can be laid on.
type shelf[F, T any] struct {
	cursor func(T) store.Cursor
	fits   func(F, T) bool

	mu      sync.Mutex
	rows    []T
	err     error
	stretch int   // rows that one look looks through; 0: all
	arrived int64 // what counting finds
	asked   []store.Page
}

func (s *shelf[F, T]) Look(_ context.Context, f F, page store.Page) (found store.Found[T], err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, page)
	if s.err != nil {
		return found, s.err
	}

	rows := slices.Clone(s.rows)
	if page.Oldest {
		slices.Reverse(rows)
	}
	begin := 0
	if page.After != "" {
		begin = 1 + slices.IndexFunc(rows, func(row T) bool { return s.cursor(row) == page.After })
	}
	found.After = page.After
	for i, row := range rows[begin:] {
		found.Last, found.After = row, s.cursor(row)
		if s.fits == nil || s.fits(f, row) {
			found.Rows = append(found.Rows, row)
		}
		if len(found.Rows) == page.Limit || s.stretch > 0 && i+1 == s.stretch {
			return found, nil
		}
	}
	found.End = true

	return found, nil
}

func (s *shelf[F, T]) Arrived(_ context.Context, _ F, since store.Mark) (store.Mark, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	since.Count = s.arrived

	return since, s.err
}

func (s *shelf[F, T]) Tally(_ context.Context, f F) (n int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range s.rows {
		if s.fits == nil || s.fits(f, row) {
			n++
		}
	}

	return n, s.err
}

func (s *shelf[F, T]) Again(_ context.Context, rows []T) (now []T, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range rows {
		for _, is := range s.rows {
			if s.cursor(is) == s.cursor(row) {
				now = append(now, is)
			}
		}
	}

	return now, s.err
}

// lay puts a row on top.
func (s *shelf[F, T]) lay(rows ...T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = append(rows, s.rows...)
	s.arrived += int64(len(rows))
}

// shelves are all tables that lists look at.
type shelves struct {
	fakeVerbs

	wins       *shelf[store.WinFilter, store.WinRow]
	deliveries *shelf[store.DeliveryFilter, store.DeliveryRow]
	events     *shelf[store.EventFilter, store.EventRow]
	pushes     *shelf[store.PushFilter, store.PushRow]
	deeds      *shelf[store.DeedFilter, store.DeedRow]
}

func (s *shelves) ReadWins() store.WinReader            { return s.wins }
func (s *shelves) ReadDeliveries() store.DeliveryReader { return s.deliveries }
func (s *shelves) ReadEvents() store.EventReader        { return s.events }
func (s *shelves) ReadPushes() store.PushReader         { return s.pushes }
func (s *shelves) ReadDeeds() store.DeedReader          { return s.deeds }

// Tables of those who have none.
func (fakeVerbs) ReadWins() store.WinReader            { return newShelves(0).wins }
func (fakeVerbs) ReadDeliveries() store.DeliveryReader { return newShelves(0).deliveries }
func (fakeVerbs) ReadEvents() store.EventReader        { return newShelves(0).events }
func (fakeVerbs) ReadPushes() store.PushReader         { return newShelves(0).pushes }
func (fakeVerbs) ReadDeeds() store.DeedReader          { return newShelves(0).deeds }

// fail lets all tables fail, or work again.
func (s *shelves) fail(err error) {
	s.wins.err, s.deliveries.err, s.events.err, s.pushes.err, s.deeds.err = err, err, err, err, err
}

// newShelves lays n rows on each shelf.
func newShelves(n int) *shelves {
	s := &shelves{
		wins: &shelf[store.WinFilter, store.WinRow]{cursor: store.WinRow.Cursor, fits: func(f store.WinFilter, w store.WinRow) bool {
			return (f.User == "" || f.User == w.User) && (f.Text == "" || strings.Contains(string(w.User)+" "+string(w.Trivia)+" "+w.Key, f.Text))
		}},
		deliveries: &shelf[store.DeliveryFilter, store.DeliveryRow]{cursor: store.DeliveryRow.Cursor, fits: func(f store.DeliveryFilter, d store.DeliveryRow) bool {
			return (f.State == "" || f.State == d.State) && (f.User == "" || f.User == d.Win.User) &&
				(f.Text == "" || strings.Contains(string(d.Win.User)+" "+string(d.Win.Trivia)+" "+d.Key, f.Text))
		}},
		events: &shelf[store.EventFilter, store.EventRow]{cursor: store.EventRow.Cursor},
		pushes: &shelf[store.PushFilter, store.PushRow]{cursor: store.PushRow.Cursor},
		deeds:  &shelf[store.DeedFilter, store.DeedRow]{cursor: store.DeedRow.Cursor},
	}
	for i := n; i > 0; i-- {
		s.wins.rows = append(s.wins.rows, winNumber(i))
		s.deliveries.rows = append(s.deliveries.rows, deliveryNumber(i))
		s.events.rows = append(s.events.rows, eventNumber(i))
		s.pushes.rows = append(s.pushes.rows, pushNumber(i))
		s.deeds.rows = append(s.deeds.rows, deedNumber(i))
	}

	return s
}

// momentOf is when the row with a number came: one each second, the thousandth
// at noon.
func momentOf(i int) time.Time { return noon.Add(time.Duration(i-1000) * time.Second) }

func winOf(i int) trivia.Win {
	return trivia.Win{
		User: trivia.UserID(fmt.Sprintf("user-%d", i)), Trivia: trivia.ID([]string{"capitals-of-the-world", "rivers", "漢字"}[i%3]),
		Item: trivia.Item([]string{"hat", "golden-cup", "mug"}[i%3]),
	}
}

func winNumber(i int) store.WinRow {
	return store.WinRow{Win: winOf(i), Key: fmt.Sprintf("01H8XGJWBWBAQ4%08d", i), At: momentOf(i)}
}

func deliveryNumber(i int) store.DeliveryRow {
	d := store.DeliveryRow{
		Key: fmt.Sprintf("01H8XGJWBWBAQ4%08d", i), Kind: trivia.KindWin, Win: winOf(i),
		State: trivia.StateDone, Outcome: trivia.Awarded, ReceivedAt: momentOf(i), Seen: 1,
	}
	switch i % 7 {
	case 1:
		d.State, d.Outcome = trivia.StatePending, trivia.Unsettled
	case 2:
		d.State, d.Outcome, d.Reason = trivia.StateParked, trivia.UnknownUser, "no such user, tried 12 times"
	case 3:
		d.State, d.Outcome, d.Reason, d.Win = trivia.StateParked, trivia.Malformed, "user_id is missing\x1b[31m", trivia.Win{}
	case 4:
		d.Kind, d.Outcome, d.Win = trivia.KindEvent, trivia.Recorded, trivia.Win{}
	}

	return d
}

func eventNumber(i int) store.EventRow {
	e := store.EventRow{ID: fmt.Sprintf("01E4C4CT6YDC7Y%08d", i), ReceivedAt: momentOf(i)}
	e.ObjectType, e.Metric, e.Person, e.Campaign = "email", []string{"sent", "bounced", "clicked"}[i%3], fmt.Sprintf("user-%d", i), "7"
	switch i % 3 {
	case 1:
		e.Failure, e.Owed = "550 no such mailbox", trivia.PushSuppress
	case 2:
		e.ObjectType, e.Response = "in_app", "trivia/rivers/Danube"
	}

	return e
}

func pushNumber(i int) store.PushRow {
	p := store.PushRow{
		ID: int64(i), Person: fmt.Sprintf("user-%d", i), Kind: trivia.PushEvent, Cause: trivia.CauseWin,
		CauseID: "rivers", State: trivia.PushSent, Status: 200, Attempts: 1, CreatedAt: momentOf(i),
	}
	switch i % 5 {
	case 1:
		p.State, p.Status, p.Attempts = trivia.PushPending, 0, 0
	case 2:
		p.State, p.Status, p.Reason = trivia.PushParked, 400, "attributes are too long"
	}

	return p
}

func deedNumber(i int) store.DeedRow {
	return store.DeedRow{
		ID: fmt.Sprintf("0190163d-8694-739b-aea5-%012d", i), At: momentOf(i), Actor: "ann@desk", Verb: []string{"replay", "push hold"}[i%2],
		Target: fmt.Sprintf("01H8XGJWBWBAQ4%08d", i), Reason: "the user was written late", Detail: []byte(`{"keys": 1}`),
	}
}

// newDesk is a desk with n rows of each kind, listed as triviactl does.
func newDesk(n int) (Desk, *shelves) {
	s := newShelves(n)
	flexible := func(title string) Column { return Column{Title: title} }
	rigid := func(title string) Column { return Column{Title: title, Rigid: true} }
	number := func(title string) Column { return Column{Title: title, Rigid: true, Right: true} }
	states := Column{Title: "STATE", Rigid: true, Tone: func(cell string) Tone {
		return map[string]Tone{"done": Good, "sent": Good, "pending": Waiting, "parked": Bad}[cell]
	}}

	return Desk{
		Do: s, Database: "db.example.com", Environment: "test", Color: false, Now: func() time.Time { return noon },
		Wins: Listing[store.WinFilter, store.WinRow]{
			Columns: []Column{rigid("WON"), flexible("USER"), flexible("TRIVIA"), flexible("ITEM"), flexible("KEY")},
			Cells: func(w store.WinRow, now time.Time) []string {
				return []string{ago(w.At, now), string(w.User), string(w.Trivia), string(w.Item), w.Key}
			},
			Parse: func(words []string) (f store.WinFilter, err error) {
				user, text := string(f.User), f.Text
				err = parseFlags(words, map[string]*string{"user": &user, "text": &text})
				f.User, f.Text = trivia.UserID(user), text

				return f, err
			},
			Flags: []Flag{{Name: "user"}, {Name: "text"}},
		},
		Deliveries: Listing[store.DeliveryFilter, store.DeliveryRow]{
			Columns: []Column{
				rigid("RECEIVED"), rigid("KIND"), flexible("KEY"), flexible("USER"), flexible("TRIVIA"), flexible("ITEM"),
				states, rigid("OUTCOME"), number("SEEN"), flexible("REASON"),
			},
			Cells: func(d store.DeliveryRow, now time.Time) []string {
				return []string{
					ago(d.ReceivedAt, now), string(d.Kind), d.Key, string(d.Win.User), string(d.Win.Trivia), string(d.Win.Item),
					string(d.State), string(d.Outcome), fmt.Sprint(d.Seen), d.Reason,
				}
			},
			Parse: func(words []string) (f store.DeliveryFilter, err error) {
				var state, user, text string
				err = parseFlags(words, map[string]*string{"state": &state, "user": &user, "text": &text})
				f.State, f.User, f.Text = trivia.State(state), trivia.UserID(user), text

				return f, err
			},
			Flags: []Flag{{Name: "user"}, {Name: "state", Values: []string{"pending", "done", "parked"}}, {Name: "since"}, {Name: "text"}},
		},
		Events: Listing[store.EventFilter, store.EventRow]{
			Columns: []Column{
				rigid("RECEIVED"), rigid("OBJECT"), rigid("METRIC"), flexible("PERSON"), flexible("OF"), flexible("SAYS"),
				rigid("OWED"), rigid("EVENT"),
			},
			Cells: func(e store.EventRow, now time.Time) []string {
				return []string{
					ago(e.ReceivedAt, now), e.ObjectType, e.Metric, e.Person, "campaign " + e.Campaign, e.Response + e.Failure, string(e.Owed), e.ID,
				}
			},
			Parse: func(words []string) (f store.EventFilter, err error) { return f, parseFlags(words, nil) },
		},
		Pushes: Listing[store.PushFilter, store.PushRow]{
			Columns: []Column{
				number("ID"), rigid("CREATED"), flexible("PERSON"), rigid("KIND"), rigid("CAUSE"), states, number("TRIES"),
				number("HTTP"), flexible("REASON"),
			},
			Cells: func(p store.PushRow, now time.Time) []string {
				return []string{
					fmt.Sprint(p.ID), ago(p.CreatedAt, now), p.Person, string(p.Kind), string(p.Cause), string(p.State),
					fmt.Sprint(p.Attempts), fmt.Sprint(p.Status), p.Reason,
				}
			},
			Parse: func(words []string) (f store.PushFilter, err error) { return f, parseFlags(words, nil) },
		},
		Deeds: Listing[store.DeedFilter, store.DeedRow]{
			Columns: []Column{rigid("DONE"), flexible("ACTOR"), rigid("VERB"), flexible("TARGET"), flexible("REASON"), flexible("DETAIL")},
			Cells: func(d store.DeedRow, now time.Time) []string {
				return []string{ago(d.At, now), d.Actor, d.Verb, d.Target, d.Reason, string(d.Detail)}
			},
			Parse: func(words []string) (f store.DeedFilter, err error) { return f, parseFlags(words, nil) },
		},
	}, s
}

func ago(t, now time.Time) string { return now.Sub(t).String() + " ago" }

// parseFlags reads flags as the command line does, about.
func parseFlags(words []string, into map[string]*string) error {
	var parts []string // as in --name value
	for _, word := range words {
		if name, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(name, "--") {
			parts = append(parts, name, value)
		} else {
			parts = append(parts, word)
		}
	}
	words = parts
	for i := 0; i < len(words); i += 2 {
		name := strings.TrimPrefix(words[i], "--")
		if i+1 < len(words) && slices.Contains([]string{"trivia", "outcome", "since", "until"}, name) {
			continue // known, and nothing is chosen by it
		}
		if into[name] == nil || i+1 == len(words) {
			return errors.New("the filter has no flag " + words[i] + "; did you mean --state?")
		}
		*into[name] = words[i+1]
	}

	return nil
}
