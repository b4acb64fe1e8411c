package ctl

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

func someWins() []store.WinRow {
	return []store.WinRow{
		{Win: trivia.Win{User: "demo-1", Trivia: "capitals", Item: "mug"}, Key: "01H8XGJWBWBAQ4", At: noon.Add(-90 * time.Second)},
		{Win: trivia.Win{User: "Zoë 漢字", Trivia: "rivers, and lakes", Item: `a "big" hat`}, Key: "k-2", At: noon.Add(-3 * 24 * time.Hour)},
		{Win: trivia.Win{User: "\x1b[31mred", Trivia: "<b>&", Item: "two\nlines"}, Key: "k-3", At: noon.Add(-400 * 24 * time.Hour)},
	}
}

func someDeliveries() []store.DeliveryRow {
	at := noon.Add(-2 * time.Hour)

	return []store.DeliveryRow{
		{
			Key: "01H8XGJWBWBAQ4", Kind: trivia.KindWin, Win: trivia.Win{User: "demo-1", Trivia: "capitals", Item: "mug"},
			State: trivia.StateDone, Outcome: trivia.Awarded, SHA256: []byte{0xab, 0xcd}, Body: []byte(`{"user_id":"demo-1"}`), Size: 20,
			ReceivedAt: at, Seen: 3, LastSeenAt: at.Add(time.Minute), Caller: "35.188.196.183", SignedBy: "ab12cd34", Stamp: "1777888800",
			SettledAt: at.Add(5 * time.Millisecond),
		},
		{
			Key: "01H8XGJWBWBAQ4", Kind: trivia.KindWin, Rival: []byte{1}, State: trivia.StateParked, Outcome: trivia.Malformed,
			Reason: "body is not valid UTF-8", SHA256: []byte{0xef}, Body: []byte("\xff\x00binary"), Size: 8,
			ReceivedAt: at, Seen: 1, LastSeenAt: at, SettledAt: at,
		},
		{
			Key: "01H8XGJWBWBAQ5", Kind: trivia.KindWin, Win: trivia.Win{User: "nobody", Trivia: "capitals", Item: "mug"},
			State: trivia.StatePending, Outcome: trivia.UnknownUser, Reason: "no such user", SHA256: []byte{0x12}, Body: []byte("{\n  \"a\": \"\x1b\"\n}\n"), Size: 17,
			ReceivedAt: at, Seen: 1, LastSeenAt: at, Attempts: 4, DueAt: noon.Add(4 * time.Minute),
			Marks: trivia.Marks(), Reuses: "01H8XGJWBWBAQ4",
		},
	}
}

// TestListings holds every format against what it should look like: on a
// terminal of 80 and of 120 cells, without colours, and in a pipe.
func TestListings(t *testing.T) {
	t.Parallel()

	story := operator.WinStory{
		WinRow: someWins()[0], Deliveries: someDeliveries()[:1], Answers: someResponses()[:1], Pushes: somePushes()[1:2],
	}
	story.Prize = store.Prize{Item: "mug", At: noon.Add(-90 * time.Second)}
	calls := []struct {
		file  string
		words []string
	}{
		{"wins-list", []string{"wins", "list"}},
		{"deliveries-list", []string{"deliveries", "list"}},
		{"users-list", []string{"users", "list"}},
		{"wins-show", []string{"wins", "show", "demo-1", "capitals"}},
		{"deliveries-show", []string{"deliveries", "show", "01H8XGJWBWBAQ4"}},
	}
	for _, call := range calls {
		t.Run(call.file, func(t *testing.T) {
			t.Parallel()

			var all strings.Builder
			show := func(how string, st *stage, words ...string) {
				st.fake.wins, st.fake.deliveries, st.fake.story = someWins(), someDeliveries(), story
				st.fake.users = []store.UserRow{{ID: "demo-1", Wins: 12}, {ID: "Zoë", Wins: 0}}
				if code := st.call(t, append(call.words, words...)...); code != 0 {
					t.Errorf("%s %q exits with %d: %s", how, call.words, code, st.err.String())
				}
				all.WriteString("--- " + how + "\n" + st.out.String())
			}
			for _, width := range []int{80, 120} {
				st := newStage(t)
				st.StdoutTerminal, st.Width, st.env["NO_COLOR"] = true, width, "1"
				show(map[int]string{80: "a terminal of 80 cells", 120: "a terminal of 120 cells"}[width], st)
			}
			show("a pipe", newStage(t))
			show("json", newStage(t), "--output", "json")
			if strings.HasSuffix(call.file, "list") {
				show("csv", newStage(t), "--output", "csv")
			}
			golden(t, call.file, all.String())
		})
	}
}

func TestColourIsForTerminalsThatWantIt(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name     string
		terminal bool
		env      map[string]string
		want     bool
	}{
		{"a terminal", true, nil, true},
		{"a pipe", false, nil, false},
		{"NO_COLOR", true, map[string]string{"NO_COLOR": "1"}, false},
		{"a dumb terminal", true, map[string]string{"TERM": "dumb"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			st := newStage(t)
			st.StdoutTerminal, st.env = tt.terminal, tt.env
			st.fake.deliveries = someDeliveries()
			st.call(t, "deliveries", "list")
			if got := strings.Contains(st.out.String(), "\x1b["); got != tt.want {
				t.Errorf("coloured: %v, want %v:\n%s", got, tt.want, st.out.String())
			}
		})
	}
}

func TestACutListingSaysHowToGoOn(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.fake.wins = someWins()
	cursor := string(someWins()[1].Cursor())

	st.call(t, "wins", "list", "--limit", "2", "--output", "csv")
	if got, want := st.err.String(), "triviactl: 2 shown, there are more: go on with --after "+cursor+", or take --all\n"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
	if n := strings.Count(st.out.String(), "\n"); n != 3 || st.fake.page.Limit != 3 {
		t.Errorf("%d lines of a page of %d, want 3 of 3", n, st.fake.page.Limit)
	}

	st.call(t, "wins", "list", "--limit", "3", "--after", cursor)
	if st.err.Len() > 0 || string(st.fake.page.After) != cursor {
		t.Errorf("with all shown it says %q after %q", st.err.String(), st.fake.page.After)
	}
	st.call(t, "wins", "list", "--all")
	if st.err.Len() > 0 || st.fake.page != (store.Page{}) {
		t.Errorf("with --all it says %q, and asks for %+v", st.err.String(), st.fake.page)
	}
}

func TestAnEmptyListingIsNoFailure(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.want(t, []string{"wins", "list", "--user", "nobody"}, 0, "", "triviactl: no wins match\n")
	st.want(t, []string{"wins", "list", "--output", "json"}, 0, "[]\n", "")
	st.want(t, []string{"wins", "list", "--output", "csv"}, 0, "won_at,user_id,trivia_id,item,delivery_key\n", "")
}

func TestAListingThatBreaksShowsWhatCameAndFails(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.fake.users, st.fake.err = []store.UserRow{{ID: "ann"}}, errors.New("list users: the database went away")
	st.want(t, []string{"users", "list"}, 1, "USER  WINS\n──────────\nann      0\n", "triviactl: list users: the database went away\n")
	st.want(t, []string{"users", "list", "--output", "csv"}, 1, "user_id,wins\nann,0\n", "triviactl: list users: the database went away\n")
	// Nobody must take the array for the whole.
	st.want(t, []string{"users", "list", "--output", "json"}, 1, "[\n{\"user_id\":\"ann\",\"wins\":0}", "triviactl: list users: the database went away\n")
}

func TestFiltersReachTheDatabase(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.call(t, "wins", "list", "--user", "u", "--trivia", "t", "--item", "i", "--key", "k", "--since", "2h", "--until", "2026-05-04T11:00:00Z")
	wins := store.WinFilter{User: "u", Trivia: "t", Item: "i", Key: "k", Since: noon.Add(-2 * time.Hour), Until: noon.Add(-time.Hour)}
	if diff := cmp.Diff(wins, st.fake.winFilter); diff != "" {
		t.Errorf("wins (-want +got):\n%s", diff)
	}

	st.call(t, "deliveries", "list", "--user", "u", "--trivia", "t", "--item", "i", "--key", "k", "--kind", "win",
		"--state", "parked", "--outcome", "malformed", "--since", "today")
	deliveries := store.DeliveryFilter{
		User: "u", Trivia: "t", Item: "i", Key: "k", Kind: trivia.KindWin, State: trivia.StateParked, Outcome: trivia.Malformed,
		Since: noon.Truncate(24 * time.Hour),
	}
	if diff := cmp.Diff(deliveries, st.fake.deliveryFilter); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
}

func TestShowingWhatIsNotThereExitsWith3(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.fake.err = errors.Join(operator.ErrNotFound)
	st.want(t, []string{"wins", "show", "u 1", "t"}, 3, "",
		"triviactl: not found\ntriviactl: hint: what came at all: triviactl deliveries list --user='u 1'\n")
	st.want(t, []string{"deliveries", "show", "k"}, 3, "",
		"triviactl: not found\ntriviactl: hint: keys are in: triviactl deliveries list\n")
}

func TestRawBodies(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.fake.deliveries = someDeliveries()[:2]
	st.want(t, []string{"deliveries", "show", "k", "--raw", "--body", "EF"}, 0, "\xff\x00binary", "")
	st.want(t, []string{"deliveries", "show", "k", "--raw"}, 2, "",
		"triviactl: usage: this key stands for 2 bodies\ntriviactl: hint: choose with --kind and --body; triviactl deliveries show without --raw shows them all\n")
	st.want(t, []string{"deliveries", "show", "k", "--kind", "event"}, 3, "",
		"triviactl: delivery \"k\" has no such body: not found\ntriviactl: hint: leave out --kind and --body to see what there is\n")
}
