package tui

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// wins returns the list that a stage shows.
func wins(t *testing.T, s *stage) *list[store.WinFilter, store.WinRow] {
	t.Helper()
	l, ok := s.frame.top().(*list[store.WinFilter, store.WinRow])
	if !ok {
		t.Fatalf("%T is on top", s.frame.top())
	}

	return l
}

// under returns the user of the win under the cursor.
func under(t *testing.T, s *stage) string {
	t.Helper()
	row, _ := wins(t, s).row()

	return string(row.User)
}

// sees checks that the screen has all of these.
func sees(t *testing.T, s *stage, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(s.frame.View(), text) {
			t.Errorf("%q is not seen:\n%s", text, s.frame.View())
		}
	}
}

func TestTheCursorStaysOnItsRowWhileOthersArrive(t *testing.T) {
	t.Parallel()

	d, shelves := newDesk(1000)
	s := newStage(t, d, pageWins, 80, 24)
	s.press("down", "j", "down")
	before := rowsSeen(t, s)
	for i := range 1234 {
		shelves.wins.lay(winNumber(1001 + i))
	}
	s.beat()
	if got := under(t, s); got != "user-997" {
		t.Errorf("the cursor is on %s, want user-997", got)
	}
	if got := rowsSeen(t, s); got != before {
		t.Errorf("the rows moved:\n%s", got)
	}
	sees(t, s, "▲ 1,234 new")

	s.press("g")
	if got := under(t, s); got != "user-2234" {
		t.Errorf("g leads to %s, want user-2234", got)
	}
}

// rowsSeen are the users on the screen.
func rowsSeen(t *testing.T, s *stage) string {
	t.Helper()
	s.frame.View()
	var users []string
	for _, w := range wins(t, s).seen() {
		users = append(users, string(w.User))
	}

	return strings.Join(users, " ")
}

func TestEveryRowIsPassedOnceInBothDirections(t *testing.T) {
	t.Parallel()

	const n = 3217
	d, _ := newDesk(n)
	s := newStage(t, d, pageWins, 80, 24)
	s.frame.View()
	for i := n; i > 0; i-- {
		if got, want := under(t, s), fmt.Sprintf("user-%d", i); got != want {
			t.Fatalf("going down the cursor is on %s, want %s", got, want)
		}
		if held := len(wins(t, s).win.rows); held > mostRows {
			t.Fatalf("%d rows are in memory", held)
		}
		s.press("down")
		s.frame.View()
	}
	for i := 1; i <= n; i++ {
		if got, want := under(t, s), fmt.Sprintf("user-%d", i); got != want {
			t.Fatalf("going up the cursor is on %s, want %s", got, want)
		}
		s.press("up")
		s.frame.View()
	}
}

func TestTheEndIsOneKeyAway(t *testing.T) {
	t.Parallel()

	d, _ := newDesk(3217)
	s := newStage(t, d, pageWins, 80, 24)
	s.frame.View()
	s.press("G")
	if got := under(t, s); got != "user-1" {
		t.Errorf("G leads to %s, want user-1", got)
	}
	s.frame.View()
	s.press("pgup", "pgup", "ctrl+u", "ctrl+d")
	s.frame.View()
	for range 400 {
		s.press("pgup")
		s.frame.View()
	}
	if got := under(t, s); got != "user-3217" {
		t.Errorf("page by page one comes to %s, want user-3217", got)
	}
	s.press("end", "home")
	if got := under(t, s); got != "user-3217" {
		t.Errorf("Home leads to %s, want user-3217", got)
	}
}

func TestUpFromTheTopGoesOnToWhatCame(t *testing.T) {
	t.Parallel()

	d, shelves := newDesk(50)
	s := newStage(t, d, pageWins, 80, 24)
	s.frame.View()
	shelves.wins.lay(winNumber(53), winNumber(52), winNumber(51))
	s.beat()
	s.press("up")
	if got := under(t, s); got != "user-51" {
		t.Errorf("up leads to %s, want user-51", got)
	}
	s.press("up", "up", "up")
	if got := under(t, s); got != "user-53" {
		t.Errorf("up leads to %s, want user-53", got)
	}
}

func TestFollowingShowsTheNewestUntilAKeyMoves(t *testing.T) {
	t.Parallel()

	d, shelves := newDesk(50)
	s := newStage(t, d, pageWins, 80, 24)
	s.press("down", "down", "f")
	sees(t, s, "following the newest")
	shelves.wins.lay(winNumber(52), winNumber(51))
	s.beat()
	sees(t, s, "user-52")
	if strings.Contains(s.frame.View(), "▸") {
		t.Error("there is a cursor while it follows")
	}
	s.press("down")
	if got := under(t, s); got != "user-52" {
		t.Errorf("the cursor is on %s, want user-52", got)
	}
	shelves.wins.lay(winNumber(53))
	s.beat()
	if got := rowsSeen(t, s); !strings.HasPrefix(got, "user-52 ") {
		t.Errorf("it follows still: %s", got)
	}
	sees(t, s, "▸")
}

func TestOldestFirstGoesOnAtTheEnd(t *testing.T) {
	t.Parallel()

	d, shelves := newDesk(5)
	s := newStage(t, d, pageWins, 80, 24)
	s.press("s")
	sees(t, s, "oldest first")
	if got := under(t, s); got != "user-1" {
		t.Errorf("the cursor is on %s, want user-1", got)
	}
	shelves.wins.lay(winNumber(6))
	s.beat()
	s.press("G")
	if got := under(t, s); got != "user-6" {
		t.Errorf("the end is %s, want user-6", got)
	}
	s.press("s")
	sees(t, s, "newest first")
}

func TestColumnsSortTheLoadedRowsOnly(t *testing.T) {
	t.Parallel()

	d, _ := newDesk(1000)
	s := newStage(t, d, pageWins, 80, 24)
	s.press("down", "S", "S")
	sees(t, s, "by USER, within the 100 rows loaded")
	if got := under(t, s); got != "user-999" {
		t.Errorf("the cursor went to %s", got)
	}
	s.press("home")
	if got := under(t, s); got != "user-1000" {
		t.Errorf("the first is %s, want user-1000", got)
	}
	s.press("down")
	if got := under(t, s); got != "user-901" {
		t.Errorf("the second is %s, want user-901", got)
	}
	s.press("esc")
	sees(t, s, "newest first")
}

func TestAListThatFailsAsksAgain(t *testing.T) {
	t.Parallel()

	d, shelves := newDesk(30)
	shelves.fail(errors.New("connection refused"))
	s := newStage(t, d, pageWins, 80, 24)
	sees(t, s, "cannot be read", "connection refused")
	s.beat()
	shelves.fail(nil)
	s.beat()
	sees(t, s, "user-30")

	shelves.fail(errors.New("connection refused"))
	s.press("g")
	sees(t, s, "user-30", "cannot be read on")
	shelves.fail(nil)
	s.beat()
	if strings.Contains(s.frame.View(), "cannot be read") {
		t.Errorf("it does not recover:\n%s", s.frame.View())
	}
}

func TestAnEmptyListShowsTheFirstRowThatComes(t *testing.T) {
	t.Parallel()

	d, shelves := newDesk(0)
	s := newStage(t, d, pageWins, 80, 24)
	sees(t, s, "There are no wins yet")
	shelves.wins.lay(winNumber(1))
	s.beat()
	sees(t, s, "user-1")
}

func TestRowsChangeInTheirPlace(t *testing.T) {
	t.Parallel()

	d, shelves := newDesk(20)
	s := newStage(t, d, pageDeliveries, 80, 24, "--state", "parked")
	sees(t, s, "unknown_user")
	for i, row := range shelves.deliveries.rows {
		if row.Outcome == trivia.UnknownUser {
			shelves.deliveries.rows[i].State, shelves.deliveries.rows[i].Outcome = trivia.StateDone, trivia.Awarded
		}
	}
	s.beat()
	sees(t, s, "awarded")
	if strings.Contains(s.frame.View(), "unknown_user") {
		t.Errorf("a row is as it was:\n%s", s.frame.View())
	}
}

func TestTheMouseMovesAndOpens(t *testing.T) {
	t.Parallel()

	d, _ := newDesk(100)
	s := newStage(t, d, pageWins, 80, 24)
	s.frame.View()
	mouse := func(b tea.MouseButton, y int) {
		s.send(tea.MouseMsg{Action: tea.MouseActionPress, Button: b, X: 10, Y: y})
	}
	mouse(tea.MouseButtonWheelDown, 10)
	if got := under(t, s); got != "user-97" {
		t.Errorf("a notch down leads to %s, want user-97", got)
	}
	mouse(tea.MouseButtonWheelUp, 10)
	lines := strings.Split(s.frame.View(), "\n")
	at := 0
	for i, line := range lines {
		if strings.Contains(line, "user-95 ") {
			at = i
		}
	}
	mouse(tea.MouseButtonLeft, at)
	if got := under(t, s); got != "user-95" {
		t.Errorf("a click leads to %s, want user-95", got)
	}
}

func TestATallScreenLooksNoFurtherThanItNeeds(t *testing.T) {
	t.Parallel()

	d, shelves := newDesk(5000)
	s := newStage(t, d, pageWins, 80, 400)
	for range 8 {
		s.press("pgdown")
		s.frame.View()
	}
	s.press("pgup", "pgup")
	s.beat() // looking ahead and back comes to an end
	if held := len(wins(t, s).win.rows); held > 5*400 {
		t.Errorf("%d rows are in memory", held)
	}
	if n := len(shelves.wins.asked); n > 40 {
		t.Errorf("it asked %d times", n)
	}
}
