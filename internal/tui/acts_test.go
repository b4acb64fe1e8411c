package tui

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

const previewed = `1 delivery: 1 would be awarded

BEFORE        AFTER    DELIVERIES
──────────────────────────────────
unknown_user  awarded           1

KEY             USER    TRIVIA    ITEM  BEFORE        AFTER
───────────────────────────────────────────────────────────
01H8XGJWBWBAQ4  demo-1  capitals  mug   unknown_user  awarded
`

// chosen is a stage with the menu for a choice on it.
func chosen(t *testing.T, d Desk, c choice, width, height int, keys ...string) *stage {
	t.Helper()

	s := newNowhere(t, d, width, height)
	s.run(s.frame.desk.actOn(c))
	s.press(keys...)

	return s
}

func oneDelivery() choice { return choice{of: pageDeliveries, rows: []any{aDelivery()}} }

func (s *stage) shows(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if !strings.Contains(s.frame.View(), text) {
			s.t.Errorf("no %q in\n%s", text, s.frame.View())
		}
	}
}

func TestWhatActsLookLike(t *testing.T) {
	t.Parallel()

	for name, keys := range map[string][]string{
		"act-menu": nil, "act-form": {"enter", "x"}, "act-preview": {"enter", "enter"}, "act-confirm": {"enter", "enter", "enter", "y", "e"},
		"act-refused": {"enter", "enter", "enter", "n", "o", "enter"}, "act-done": {"enter", "enter", "enter", "y", "e", "s", "enter"},
		"act-repair": {"j", "enter", "enter", "enter", "enter", "enter"},
	} {
		atSizes(t, name, func(t *testing.T, width, height int) *stage {
			t.Helper()
			d, _, line := aDesk()
			line.says["replay --dry-run"] = spoken{previewed, 1, 0}

			return chosen(t, d, oneDelivery(), width, height, keys...)
		})
	}
	atSizes(t, "act-many", func(t *testing.T, width, height int) *stage {
		t.Helper()
		d, _, line := aDesk()
		d.Environment = "production"
		line.says["replay"] = spoken{"1234 deliveries: 1000 would be awarded, 234 unchanged\n", 1234, 0}
		c := choice{of: pageDeliveries, rows: []any{aDelivery()}, all: true, words: []string{"--state", "parked", "--since=2h", "mug"}}

		return chosen(t, d, c, width, height, "enter", "enter", "enter")
	})
	atSizes(t, "act-failing", func(t *testing.T, width, height int) *stage {
		t.Helper()
		d, _, line := aDesk()
		line.says["replay"] = spoken{"triviactl: find delivery: connection refused\n", 0, 1}

		return chosen(t, d, oneDelivery(), width, height, "enter", "enter")
	})
	atSizes(t, "act-empty", func(t *testing.T, width, height int) *stage {
		t.Helper()
		d, _, line := aDesk()
		line.says["replay"] = spoken{"triviactl: no deliveries match\n", 0, 0}

		return chosen(t, d, choice{of: pageDeliveries, all: true, words: []string{"--state", "parked"}}, width, height, "enter", "enter")
	})
	atSizes(t, "act-stopped", func(t *testing.T, width, height int) *stage {
		t.Helper()
		d, _, line := aDesk()
		line.says["prizes revoke"] = spoken{"triviactl: interrupted\n", 0, 1}
		line.says["prizes revoke --reason=r --yes u1"] = spoken{"mug is revoked; the win stays\npush 7 lets Customer.io know\n", 0, 0}
		c := choice{of: pageWins}
		for i := range 7 {
			c.rows = append(c.rows, store.WinRow{Win: trivia.Win{User: trivia.UserID(fmt.Sprintf("u%d", i+1)), Trivia: "t", Item: "mug"}})
		}

		return chosen(t, d, c, width, height, "enter", "r", "enter", "enter", "y", "e", "s", "enter")
	})
}

func TestActsAreTheCommandsThatTheyShow(t *testing.T) {
	t.Parallel()

	win := store.WinRow{Win: trivia.Win{User: "-u", Trivia: "t 1", Item: "mug"}}
	push := func(id int64, state trivia.PushState) store.PushRow {
		return store.PushRow{ID: id, Person: "p", State: state}
	}
	all := func(of pageName, words ...string) choice { return choice{of: of, all: true, words: words} }
	tests := []struct {
		name  string
		c     choice
		act   string
		form  []string // what is written into the fields, besides what stands there
		n     int      // that the dry run counts
		typed string
		ran   []string // the last commands
	}{
		{
			"one delivery", oneDelivery(), "replay",
			[]string{"users came"},
			1, "yes",
			[]string{"replay --reason=users came --dry-run 01H8XGJWBWBAQ4", "replay --reason=users came --yes 01H8XGJWBWBAQ4"},
		},
		{
			"what came under a key by both routes",
			choice{of: pageDeliveries, rows: []any{
				store.DeliveryRow{Key: "twice", Kind: trivia.KindWin, SHA256: []byte{0xab, 0xcd}},
				store.DeliveryRow{Key: "twice", Kind: trivia.KindEvent, SHA256: []byte{0xef}},
			}},
			"replay",
			[]string{""},
			1, "yes",
			[]string{"replay --kind=win --body=abcd --yes twice", "replay --kind=event --body=ef --yes twice"},
		},
		{
			"a delivery among others whose key came twice",
			choice{of: pageDeliveries, rows: []any{
				store.DeliveryRow{Key: "twice", Kind: trivia.KindWin, SHA256: []byte{0xab}},
				store.DeliveryRow{Key: "-odd", Kind: trivia.KindWin, SHA256: []byte{0xef}},
			}},
			"replay",
			[]string{""},
			2, "yes",
			[]string{"replay --kind=win --body=ab --body=ef --yes -- twice -odd"},
		},
		{
			"all deliveries that match", all(pageDeliveries, "--state", "parked", "--since=2h", "mug", "cup"), "replay",
			[]string{""},
			101, "101",
			[]string{
				"replay --state=parked --text=mug cup --since=2026-05-04T11:00:00.000000Z --until=2026-05-04T12:00:00.000000Z --dry-run",
				"replay --state=parked --text=mug cup --since=2026-05-04T11:00:00.000000Z --until=2026-05-04T12:00:00.000000Z --limit=101 --yes",
			},
		},
		{
			"a repair", oneDelivery(), "repair",
			[]string{"s", "", "", "a typo"},
			1, "YES",
			[]string{"replay --with-item=mugs --reason=a typo --yes 01H8XGJWBWBAQ4"},
		},
		{
			"wins",
			choice{of: pageWins, rows: []any{win, store.WinRow{Win: trivia.Win{User: "b", Trivia: "t"}}}},
			"revoke",
			[]string{"a script"},
			0, "yes",
			[]string{"wins show -- -u t 1", "wins show b t", "prizes revoke --reason=a script --yes -- -u t 1", "prizes revoke --reason=a script --yes b t"},
		},
		{
			"wins again", all(pageWins, "--since", "2h", "--trivia=t"), "tell again",
			[]string{""},
			3, "yes",
			[]string{"push wins --trivia=t --until=2026-05-04T12:00:00.000000Z"},
		},
		{
			"the pushes that are parked",
			choice{of: pagePushes, rows: []any{push(7, trivia.PushParked), push(8, trivia.PushSent), push(9, trivia.PushParked)}},
			"retry",
			[]string{""},
			2, "yes",
			[]string{"push retry --dry-run 7 9", "push retry 7 9"},
		},
		{
			"pushes to hold",
			choice{of: pagePushes, rows: []any{push(7, trivia.PushPending)}},
			"hold",
			[]string{"legal"},
			1, "yes",
			[]string{"push hold --reason=legal 7"},
		},
		{
			"all pushes of somebody that are held", all(pagePushes, "--user", "p"), "release",
			[]string{""},
			1000, "1000",
			[]string{"push release --all --user=p --until=2026-05-04T12:00:00.000000Z"},
		},
		{
			"a trivia",
			choice{of: pageTrivias, rows: []any{store.TriviaRow{ID: "t"}}},
			"close",
			[]string{"over"},
			0, "yes",
			[]string{"trivia show t", "trivia close --reason=over t"},
		},
		{
			"trivias that are closed",
			choice{of: pageTrivias, rows: []any{
				store.TriviaRow{ID: "a", ClosedAt: noon}, store.TriviaRow{ID: "b"}, store.TriviaRow{ID: "c", ClosedAt: noon},
			}},
			"open",
			[]string{""},
			0, "yes",
			[]string{"trivia open a", "trivia open c"},
		},
		{
			"attributes of everybody",
			choice{of: pageWins, rows: []any{win, store.WinRow{Win: trivia.Win{User: "b"}}, win}},
			"attributes",
			[]string{"plan=gold", "", "name=Ann Lee", "", "asked"},
			1, "yes",
			[]string{"push attributes --user=-u --reason=asked plan=gold name=Ann Lee", "push attributes --user=b --reason=asked plan=gold name=Ann Lee"},
		},
		{
			"a test win like a delivery", oneDelivery(), "send",
			[]string{"", "", "s", "http://h:1"},
			0, "yes",
			[]string{"send win --user=demo-1 --trivia=capitals --item=mugs --wait --url=http://h:1"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			d, db, line := aDesk()
			db.deliveries = append(db.deliveries, store.DeliveryRow{Key: "twice"}, store.DeliveryRow{Key: "twice"})
			line.says = map[string]spoken{"": {"so it is\n", tt.n, 0}}
			s := chosen(t, d, tt.c, 100, 30)
			s.choose(tt.act)
			for _, text := range tt.form {
				s.write(text)
				s.press("enter")
			}
			s.press("enter")
			s.write(tt.typed)
			before := len(line.ran)
			s.press("enter")
			s.shows("✓ done")
			got := line.ran[max(0, len(line.ran)-len(tt.ran)):]
			if diff := cmp.Diff(tt.ran, got); diff != "" {
				t.Errorf("commands (-want +got):\n%s\nof %q", diff, line.ran)
			}
			if before == len(line.ran) {
				t.Error("nothing was run")
			}
			s.press("enter")
			if got := s.frame.top().title(); got != "nowhere" {
				t.Errorf("after the result %q is on top", got)
			}
		})
	}
}

// choose picks an act of the menu.
func (s *stage) choose(name string) {
	s.t.Helper()

	a, _ := s.frame.top().(*acting)
	m, _ := a.steps[0].(*menu)
	at := slices.IndexFunc(m.acts, func(a act) bool { return a.name == name })
	if at < 0 {
		s.t.Fatalf("no act %s in %v", name, m.acts)
	}
	if m.acts[at].why != "" {
		s.t.Fatalf("%s cannot be done: %s", name, m.acts[at].why)
	}
	m.cursor = at
	s.press("enter")
}

func TestActsThatCannotBeDoneSayWhy(t *testing.T) {
	t.Parallel()

	sent := store.PushRow{ID: 7, State: trivia.PushSent}
	tests := []struct {
		c    choice
		act  string
		want string
	}{
		{choice{of: pagePushes, rows: []any{sent}}, "retry", "it is not parked, it is sent"},
		{choice{of: pagePushes, rows: []any{sent, sent}}, "release", "none of them is held"},
		{choice{of: pagePushes, all: true, words: []string{"--kind", "event"}}, "retry", "not by --kind: all that match are moved by --user, --since and --until; or choose rows"},
		{choice{of: pagePushes, all: true, words: []string{"mug"}}, "hold", "not by --text: all that match are moved by --user, --since and --until; or choose rows"},
		{choice{of: pagePushes, all: true, words: []string{"--state=sent"}}, "release", "none of them is held"},
		{choice{of: pageWins, all: true}, "revoke", "prizes are revoked by rows: choose some with space"},
		{choice{of: pageWins, all: true, words: []string{"--user", "u", "--since", "2h"}}, "tell again", "not by --user: it takes --since, --until and --trivia"},
		{choice{of: pageTrivias, rows: []any{store.TriviaRow{ID: "t"}}}, "open", "it is open: only what is closed can be opened"},
		{choice{of: pageTrivias, rows: []any{store.TriviaRow{ID: "t", SealedAt: noon}}}, "close", "it is sealed already"},
		{choice{of: pageTrivias, all: true}, "close", "trivias are closed and opened by rows: choose some with space"},
		{choice{of: pageDeliveries, rows: []any{store.DeliveryRow{Key: "k", Kind: trivia.KindEvent}}}, "repair", "only wins can be repaired"},
		{choice{of: pageDeliveries}, "replay", "choose a delivery"},
	}
	for _, tt := range tests {
		d, _, _ := aDesk()
		acts := d.acts(tt.c)
		at := slices.IndexFunc(acts, func(a act) bool { return a.name == tt.act })
		if at < 0 || acts[at].why != tt.want {
			t.Errorf("%+v: %s: %+v, want %q", tt.c, tt.act, acts, tt.want)
		}
	}
}

func TestTheLineIsCopiedAsItIsShown(t *testing.T) {
	t.Parallel()

	d, _, line := aDesk()
	line.says["replay"] = spoken{"one\n", 1, 0}
	s := newNowhere(t, d, 100, 30)
	var out strings.Builder
	s.frame.desk.out = &out
	s.run(s.frame.desk.actOn(oneDelivery()))
	s.press("enter", "enter", "y")
	s.shows("$ triviactl replay --yes 01H8XGJWBWBAQ4", "the command was given to the terminal's clipboard")
	if got, want := out.String(), "\x1b]52;c;dHJpdmlhY3RsIHJlcGxheSAtLXllcyAwMUg4WEdKV0JXQkFRNA==\a"; got != want {
		t.Errorf("copied %q, want %q", got, want)
	}
}

func TestFieldsAreChecked(t *testing.T) {
	t.Parallel()

	d, _, line := aDesk()
	s := chosen(t, d, choice{of: pageWins}, 100, 30, "enter")
	s.press("enter")
	s.shows("✗ user_id is empty")
	s.write("u")
	s.press("enter", "enter")
	s.shows("✗ trivia_id is empty")
	s.write(strings.Repeat("t", 65))
	s.press("enter")
	s.shows("✗ trivia_id has 65 characters, at most 64 fit")
	s.press("backspace", "tab", "tab", "enter")
	s.shows("✗ item is empty")
	s.send(tea.MouseMsg{Action: tea.MouseActionPress, Button: tea.MouseButtonLeft, X: 10, Y: headerLines + 2})
	s.write("ser")
	s.shows("user    user▏")
	if len(line.ran) > 0 {
		t.Errorf("it has run %q", line.ran)
	}
}

func TestAnyNumberOfRowsCanBeChosen(t *testing.T) { //nolint:paralleltest // it counts allocations
	d, db, line := aDesk()
	c := choice{of: pageDeliveries}
	for i := range 500 {
		sum := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		row := store.DeliveryRow{Key: fmt.Sprintf("key-%d", i), Kind: trivia.KindWin, SHA256: sum[:]}
		c.rows, db.deliveries = append(c.rows, row), append(db.deliveries, row)
	}
	line.says["replay"] = spoken{"500\n", 500, 0}
	s := chosen(t, d, c, 80, 24, "enter", "enter")
	s.shows("replay 500 deliveries, in staging (db.example.com)?", "lines 1–")
	s.costs("pgdown", 50)
	s.press("enter")
	s.write("500")
	s.press("enter")
	if last := line.ran[len(line.ran)-1]; !strings.HasPrefix(last, "replay --yes key-0 key-1 ") || !strings.HasSuffix(last, " key-499") {
		t.Errorf("it ran %.80q", last)
	}
}
