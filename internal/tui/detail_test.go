package tui

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A fakeLine says what a test wants it to, and remembers what it ran.
type fakeLine struct {
	says map[string]spoken // by the words, or the first of them
	ran  []string
	do   func(ctx context.Context, words []string, progress func(string))
}

// spoken is what a command says.
type spoken struct {
	text    string
	n, code int
}

func (f *fakeLine) Run(ctx context.Context, width int, words []string, progress func(string)) (string, int) {
	text, _, code := f.Preview(ctx, width, words, progress)

	return text, code
}

func (f *fakeLine) Preview(ctx context.Context, _ int, words []string, progress func(string)) (string, int, int) {
	line := strings.Join(words, " ")
	f.ran = append(f.ran, line)
	if f.do != nil {
		f.do(ctx, words, progress)
	}
	longest, says := -1, spoken{"", 0, 0}
	for begin, s := range f.says {
		if strings.HasPrefix(line, begin) && len(begin) > longest {
			longest, says = len(begin), s
		}
	}

	return says.text, says.n, says.code
}

func (*fakeLine) Line(words ...string) string {
	return strings.Join(append([]string{"triviactl"}, words...), " ")
}

// aBody is one that was kept.
const aBody = `{"user_id":"demo-1","trivia_id":"capitals","item":"mug","note":"\u001b[31mred ünïcödé 漢字","answers":[1,2.50,{"deep":null}]}`

func aDelivery() store.DeliveryRow {
	sum := sha256.Sum256([]byte(aBody))

	return store.DeliveryRow{
		Key: "01H8XGJWBWBAQ4", Kind: trivia.KindWin, Win: trivia.Win{User: "demo-1", Trivia: "capitals", Item: "mug"},
		State: trivia.StateParked, Outcome: trivia.UnknownUser, Reason: "no such user", SHA256: sum[:], Size: len(aBody),
		ReceivedAt: noon.Add(-2 * time.Hour), Seen: 2, LastSeenAt: noon.Add(-time.Hour), Caller: "35.188.196.183", SignedBy: "ab12cd34",
	}
}

// anArchive is a database with one delivery, or what a test puts into it.
type anArchive struct {
	fakeVerbs

	deliveries []store.DeliveryRow
	bodies     []string
	event      operator.EventStory
	push       store.PushRow
	err        error
}

func (a *anArchive) ShowDelivery(_ context.Context, key string) ([]store.DeliveryRow, error) {
	if a.err != nil {
		return nil, a.err
	}
	found := slices.Clone(a.deliveries)
	for i := range found {
		found[i].Body = []byte(a.bodies[i])
	}
	found = slices.DeleteFunc(found, func(d store.DeliveryRow) bool { return d.Key != key })
	if len(found) == 0 {
		return nil, fmt.Errorf("there is no delivery %q: %w", key, operator.ErrNotFound)
	}

	return found, nil
}

func (a *anArchive) ListDeliveries(_ context.Context, f store.DeliveryFilter, p store.Page) iter.Seq2[store.DeliveryRow, error] {
	return func(yield func(store.DeliveryRow, error) bool) {
		if a.err != nil {
			yield(store.DeliveryRow{}, a.err)
			return
		}
		n := 0
		for _, d := range a.deliveries {
			if d.Key == f.Key && n < p.Limit {
				n++
				if !yield(d, nil) {
					return
				}
			}
		}
	}
}

func (a *anArchive) ListWins(context.Context, store.WinFilter, store.Page) iter.Seq2[store.WinRow, error] {
	return func(yield func(store.WinRow, error) bool) {
		if a.err != nil {
			yield(store.WinRow{}, a.err)
		}
	}
}

func (a *anArchive) ShowEvent(context.Context, string) (operator.EventStory, error) {
	return a.event, a.err
}

func (a *anArchive) ShowPush(_ context.Context, id int64) (operator.PushStory, error) {
	push := a.push
	push.ID = id

	return operator.PushStory{PushRow: push}, a.err
}

func (a *anArchive) TriviaStats(context.Context, store.TriviaSpan) (store.TriviaStats, error) {
	return store.TriviaStats{}, a.err
}

func (a *anArchive) ShowTrivia(_ context.Context, id trivia.ID) (operator.TriviaStory, error) {
	return operator.TriviaStory{TriviaRow: store.TriviaRow{ID: id, ClosedAt: noon}}, a.err
}

// explained is what explain says of aDelivery, about.
const explained = `user     demo-1, who is not in users
trivia   capitals, open
verdict  nothing was won: the user is unknown

1 delivery: 1 unknown_user
  win 01H8XGJWBWBAQ4: unknown_user
    received 2026-05-04 10:00:00.000 UTC (2h ago), stamped the same second
    from 35.188.196.183, signed by key ab12cd34
    repeated 1 time, last 2026-05-04 11:00:00.000 UTC (1h ago)
    because no such user
`

// aDesk is one on which a person can look at a delivery, and act.
func aDesk() (Desk, *anArchive, *fakeLine) {
	db := &anArchive{deliveries: []store.DeliveryRow{aDelivery()}, bodies: []string{aBody}}
	line := &fakeLine{says: map[string]spoken{
		"explain":                  {explained, 0, 0},
		"deliveries show":          {"key       01H8XGJWBWBAQ4\nkind      win\nstate     parked\n", 0, 0},
		"replay":                   {"1 delivery replayed in 0.1 s: 1 awarded\n", 0, 0},
		"wins list --user=demo-1":  {"triviactl: no wins match\n", 0, 0},
		"push list --user=demo-1":  {"triviactl: no pushes match\n", 0, 0},
		"deliveries list --user=d": {"RECEIVED  KEY             USER\n2h ago    01H8XGJWBWBAQ4  demo-1\n", 0, 0},
	}}

	return Desk{
		Do: db, CommandLine: line, Database: "db.example.com", Environment: "staging",
		Deliveries: Listing[store.DeliveryFilter, store.DeliveryRow]{Parse: func(words []string) (store.DeliveryFilter, error) {
			if slices.Contains(words, "--bad") {
				return store.DeliveryFilter{}, errors.New("filter has no flag --bad")
			}

			return store.DeliveryFilter{Since: noon.Add(-time.Hour)}, nil
		}},
		Pushes: Listing[store.PushFilter, store.PushRow]{Parse: func([]string) (store.PushFilter, error) { return store.PushFilter{}, nil }},
		Wins:   Listing[store.WinFilter, store.WinRow]{Parse: func([]string) (store.WinFilter, error) { return store.WinFilter{}, nil }},
	}, db, line
}

// bareScreen is a page that has nothing to show.
type bareScreen struct{}

func (bareScreen) title() string                      { return "nowhere" }
func (bareScreen) open() tea.Cmd                      { return nil }
func (bareScreen) look() tea.Cmd                      { return nil }
func (n bareScreen) update(tea.Msg) (screen, tea.Cmd) { return n, nil }
func (bareScreen) view(width, height int) string      { return fill("", width, height) }
func (bareScreen) bindings() []key.Binding            { return nil }
func (bareScreen) typing() bool                       { return false }

// newNowhere is a stage whose page has nothing to show.
func newNowhere(t *testing.T, d Desk, width, height int) *stage {
	t.Helper()

	d.ctx, d.Now = t.Context(), func() time.Time { return noon }
	d.Tick = func(time.Duration, func(time.Time) tea.Msg) tea.Cmd { return nil }
	s := &stage{t: t, frame: newFrame(&d, pageDeliveries, nil)}
	s.frame.pages[pageDeliveries] = []screen{bareScreen{}}
	s.run(s.frame.Init())
	s.send(tea.WindowSizeMsg{Width: width, Height: height})

	return s
}

// opened is a stage with a detail on it.
func opened(t *testing.T, d Desk, row any, width, height int, keys ...string) *stage {
	t.Helper()

	s := newNowhere(t, d, width, height)
	s.run(s.frame.desk.showDetail(row))
	s.press(keys...)

	return s
}

// atSizes looks at something at all sizes.
func atSizes(t *testing.T, name string, look func(t *testing.T, width, height int) *stage) {
	t.Helper()

	for _, size := range sizes {
		called := fmt.Sprintf("%s-%dx%d", name, size[0], size[1])
		t.Run(called, func(t *testing.T) {
			t.Parallel()
			look(t, size[0], size[1]).golden(called)
		})
	}
}

func TestDetailsOfADelivery(t *testing.T) {
	t.Parallel()

	for name, keys := range map[string][]string{
		"detail-delivery": nil, "detail-body": {"l"}, "detail-raw": {"l", "b"}, "detail-hex": {"l", "b", "b"}, "detail-kept": {"l", "l"},
	} {
		atSizes(t, name, func(t *testing.T, width, height int) *stage {
			t.Helper()
			d, _, _ := aDesk()

			return opened(t, d, aDelivery(), width, height, keys...)
		})
	}
	atSizes(t, "detail-empty", func(t *testing.T, width, height int) *stage {
		t.Helper()
		d, db, line := aDesk()
		db.deliveries = nil
		line.says["explain"] = spoken{"triviactl: there is no delivery \"01H8XGJWBWBAQ4\": not found\ntriviactl: hint: keys are in: triviactl deliveries list\n", 0, 3}

		return opened(t, d, aDelivery(), width, height)
	})
	atSizes(t, "detail-failing", func(t *testing.T, width, height int) *stage {
		t.Helper()
		d, db, line := aDesk()
		s := opened(t, d, aDelivery(), width, height)
		db.err = errors.New("find delivery: connection refused")
		line.says["explain"] = spoken{"triviactl: find delivery: connection refused\n", 0, 1}
		s.press("R")

		return s
	})
}

func TestADetailLeadsToWhatBelongsToIt(t *testing.T) {
	t.Parallel()

	tests := []struct {
		row   any
		key   string
		title string
		runs  string
	}{
		{aDelivery(), "w", "win demo-1, capitals", "explain demo-1 capitals"},
		{aDelivery(), "u", "person demo-1", "wins list --user=demo-1"},
		{aDelivery(), "t", "trivia capitals", ""},
		{store.DeliveryRow{Key: "01H8XGJWBWBAQ4"}, "w", "win demo-1, capitals", "explain demo-1 capitals"},
		{store.DeliveryRow{Key: "e-1", Kind: trivia.KindEvent, State: trivia.StateDone}, "e", "event e-1", "events show --no-body e-1"},
		{store.WinRow{Win: trivia.Win{User: "-u", Trivia: "t"}, Key: "k"}, "d", "delivery k", "explain k"},
		{store.WinRow{Win: trivia.Win{User: "-u", Trivia: "t"}, Key: "k"}, "u", "person -u", "wins list --user=-u"},
		{store.EventRow{ID: "e-1", Event: trivia.Event{ObjectType: "email", Person: "p"}}, "d", "delivery e-1", "explain e-1"},
		{store.PushRow{ID: 7, Person: "p", Cause: trivia.CauseWin, CauseID: "t"}, "w", "win p, t", "explain p t"},
		{store.PushRow{ID: 7, Person: "p", Cause: trivia.CauseEvent, CauseID: "e"}, "e", "event e", "events show --no-body e"},
		{store.PushRow{ID: 7, Person: "p", Cause: trivia.CauseOperator, CauseID: "ann"}, "u", "person p", "wins list --user=p"},
		{store.DeedRow{Verb: "trivia close", Target: "t"}, "t", "trivia t", ""},
		{store.DeedRow{Verb: "replay", Target: "k"}, "d", "delivery k", "explain k"},
		{store.DeedRow{Verb: "prizes revoke", Target: "p"}, "u", "person p", "wins list --user=p"},
	}
	for _, tt := range tests {
		t.Run(tt.title, func(t *testing.T) {
			t.Parallel()

			d, db, line := aDesk()
			db.deliveries = append(db.deliveries, store.DeliveryRow{Key: "e-1", Kind: trivia.KindEvent, State: trivia.StateDone})
			db.bodies = append(db.bodies, "{}")
			db.event.EventRow, _ = tt.row.(store.EventRow)
			db.push, _ = tt.row.(store.PushRow)
			s := opened(t, d, tt.row, 100, 30, tt.key)
			if got := s.frame.top().title(); got != tt.title {
				t.Errorf("%s leads from %T to %q, want %q", tt.key, tt.row, got, tt.title)
			}
			if got := line.ran; tt.runs != "" && got[len(got)-1] != tt.runs {
				t.Errorf("it asks by %q, want %q at last", got, tt.runs)
			}
			s.press("esc")
			if got := s.frame.top().title(); got == tt.title {
				t.Error("esc does not lead back")
			}
		})
	}
}

func TestAPersonsListsAreOneKeyAway(t *testing.T) {
	t.Parallel()

	d, _, _ := aDesk()
	for _, j := range d.personDetail("demo-1").goals() {
		want := turned{map[string]pageName{"w": pageWins, "d": pageDeliveries, "p": pagePushes, "e": pageEvents}[j.Help().Key], []string{"--user=demo-1"}}
		if diff := cmp.Diff(want, j.to()(), cmp.AllowUnexported(turned{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", j.Help().Key, diff)
		}
	}
}

func TestADetailLooksAgainAndKeepsWhatItKnew(t *testing.T) {
	t.Parallel()

	d, _, line := aDesk()
	s := opened(t, d, aDelivery(), 100, 30)
	if n := len(line.ran); n != 1 {
		t.Fatalf("it asked %d times at first: %q", n, line.ran)
	}
	for range refreshBeats {
		s.beat()
	}
	if n := len(line.ran); n != 2 {
		t.Errorf("it asked %d times after %d beats, want 2", n, refreshBeats)
	}
	line.says["explain"] = spoken{"triviactl: the disk is full\ntriviactl: hint: empty it\n", 0, 1}
	s.press("R")
	if view := s.frame.View(); !strings.Contains(view, "as of 12:00:00: triviactl: the disk is full") || !strings.Contains(view, "who is not in users") {
		t.Errorf("after a failure:\n%s", view)
	}
	s.send(tea.WindowSizeMsg{Width: 140, Height: 40})
	if n := len(line.ran); n != 4 {
		t.Errorf("after another width it asked %d times, want 4", n)
	}
}

func TestALongTextIsScrolledAndSearched(t *testing.T) {
	t.Parallel()

	var text strings.Builder
	for i := range 200 {
		_, _ = fmt.Fprintf(&text, "line %d\n", i+1)
	}
	d, _, line := aDesk()
	line.says["explain"] = spoken{text.String(), 0, 0}
	s := opened(t, d, aDelivery(), 80, 24)
	shows := func(what string, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if !strings.Contains(s.frame.View(), text) {
				t.Errorf("%s: no %q in\n%s", what, text, s.frame.View())
			}
		}
	}
	shows("at first", "line 1\n", "lines 1–")
	s.press("G")
	shows("at the end", "line 200", "100%")
	s.press("g", "j", "j")
	shows("two down", "lines 3–")
	s.send(tea.MouseMsg{Action: tea.MouseActionPress, Button: tea.MouseButtonWheelDown, Y: 10})
	shows("a notch of the wheel", "lines 6–")
	s.press("/")
	s.write("LINE 15")
	s.press("enter")
	shows("found", "▸ line 15\n")
	s.press("n")
	shows("the next", "▸ line 150")
	s.press("N", "N", "N")
	shows("behind the first comes the last", "▸ line 15")
	s.press("/")
	s.write("nowhere q")
	s.press("enter")
	shows("not found", "nothing here says nowhere q")
}

func TestTheCommandBehindADetailCanBeCopied(t *testing.T) {
	t.Parallel()

	d, _, _ := aDesk()
	s := newNowhere(t, d, 80, 24)
	var out strings.Builder
	s.frame.desk.out = &out
	s.run(s.frame.desk.showDetail(aDelivery()))
	s.press("y")
	want := "\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte("triviactl explain 01H8XGJWBWBAQ4")) + "\a"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("written to the terminal (-want +got):\n%s", diff)
	}
	if !strings.Contains(s.frame.View(), "given to the terminal's clipboard") {
		t.Errorf("nobody says so:\n%s", s.frame.View())
	}
}

func TestOtherDetails(t *testing.T) {
	t.Parallel()

	for name, row := range map[string]any{
		"detail-person": person("demo-1"),
		"detail-deed": store.DeedRow{
			ID: "0195-aa", At: noon, Actor: "ann@desk", Verb: "push hold", Target: "2 pushes", Reason: "asked by\x1b[2J legal",
			Detail: []byte(`{"pushes":[7,8],"state":"pending"}`),
		},
		"detail-event": store.EventRow{ID: "01E4C4CT6YDC7Y5M7FE1GWWPQJ", Event: trivia.Event{ObjectType: "email", Metric: "bounced", Person: "demo-1"}},
		"detail-push":  store.PushRow{ID: 42, Person: "demo-1", Cause: trivia.CauseWin, CauseID: "capitals", State: trivia.PushParked},
	} {
		atSizes(t, name, func(t *testing.T, width, height int) *stage {
			t.Helper()
			d, db, line := aDesk()
			event, _ := row.(store.EventRow)
			db.push, _ = row.(store.PushRow)
			db.event = operator.EventStory{EventRow: event, Payload: []byte("\x00\x01\xffno text at all")}
			line.says["events show"] = spoken{"event     01E4C4CT6YDC7Y5M7FE1GWWPQJ\nobject    email\nmetric    bounced\n", 0, 0}
			line.says["push show"] = spoken{"push    42\nperson  demo-1\nstate   parked\n", 0, 0}
			keys := []string{}
			if event.ID != "" {
				keys = []string{"l"}
			}

			return opened(t, d, row, width, height, keys...)
		})
	}
}
