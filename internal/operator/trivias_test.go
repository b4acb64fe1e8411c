package operator_test

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

func TestAClosedTriviaCannotBeWonUntilItIsOpened(t *testing.T) {
	t.Parallel()

	s := newShop(t)
	if got := s.win(t, "k1", "u1", "capitals", "mug"); got != trivia.Awarded {
		t.Errorf("open: %s", got)
	}
	closed, err := s.CloseTrivia(t.Context(), "capitals", "over")
	if err != nil || !closed.Changed || !closed.Known {
		t.Fatalf("CloseTrivia = %+v, %v", closed, err)
	}
	if got := s.win(t, "k2", "u2", "capitals", "mug"); got != trivia.TriviaClosed {
		t.Errorf("closed: %s", got)
	}
	if got := s.win(t, "k3", "u1", "capitals", "mug"); got != trivia.AlreadyWon {
		t.Errorf("won before it was closed: %s", got)
	}
	if again, err := s.CloseTrivia(t.Context(), "capitals", ""); err != nil || again.Changed || !again.Since.Equal(closed.Since) {
		t.Errorf("closing it twice = %+v, %v, want no change", again, err)
	}
	opened, err := s.OpenTrivia(t.Context(), "capitals", "not over")
	if err != nil || !opened.Changed {
		t.Fatalf("OpenTrivia = %+v, %v", opened, err)
	}
	if got := s.win(t, "k4", "u2", "capitals", "mug"); got != trivia.Awarded {
		t.Errorf("open again: %s", got)
	}
	if again, err := s.OpenTrivia(t.Context(), "capitals", ""); err != nil || again.Changed {
		t.Errorf("opening it twice = %+v, %v, want no change", again, err)
	}

	want := []string{"trivia close|capitals|over", "trivia open|capitals|not over"}
	if diff := cmp.Diff(want, s.lines(t, `SELECT concat_ws('|', verb, target, reason) FROM audit_log ORDER BY at`)); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
	story, err := s.ShowTrivia(t.Context(), "capitals")
	if err != nil || len(story.Deeds) != 2 || story.State() != "open" || story.FirstWin.IsZero() {
		t.Errorf("ShowTrivia = %+v, %v", story, err)
	}
}

func TestASealedTriviaStaysClosed(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	d.lines(t, `INSERT INTO trivias (trivia_id, closed_at, sealed_at) VALUES ('old', now(), now()) RETURNING trivia_id`)
	if _, err := d.OpenTrivia(t.Context(), "old", ""); !errors.Is(err, operator.ErrSealed) {
		t.Errorf("opening it: %v, want that it is sealed", err)
	}
	if _, err := d.OpenTrivia(t.Context(), "never", ""); !errors.Is(err, operator.ErrNotFound) {
		t.Errorf("opening what nothing is known of: %v", err)
	}
	if _, err := d.ShowTrivia(t.Context(), "never"); !errors.Is(err, operator.ErrNotFound) {
		t.Errorf("showing what nothing is known of: %v", err)
	}
	if _, err := d.CloseTrivia(t.Context(), trivia.ID(strings.Repeat("x", 65)), ""); err == nil {
		t.Error("closing what cannot be a trivia: no error")
	}
	if got := d.lines(t, allDeeds); len(got) > 0 {
		t.Errorf("audit log = %q, want nothing", got)
	}
}

func TestTriviasAreListedFromAllThatNamesThem(t *testing.T) {
	t.Parallel()

	s := newShop(t)
	s.win(t, "k1", "u1", "won", "mug")
	s.win(t, "k2", "nobody", "claimed", "mug")
	s.answer(t, "e1", "u1", "answered", "x")
	if _, err := s.CloseTrivia(t.Context(), "closed", ""); err != nil {
		t.Fatal(err)
	}

	all := func(page store.Page) (names []string, last store.Cursor) {
		for row, err := range s.ListTrivias(t.Context(), page) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, string(row.ID)+" "+row.State())
			last = row.Cursor()
		}

		return names, last
	}
	want := []string{"answered open", "claimed open", "closed closed", "won open"}
	got, _ := all(store.Page{})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	first, cursor := all(store.Page{Limit: 3})
	rest, _ := all(store.Page{After: cursor, Limit: 3})
	if diff := cmp.Diff(want, append(first, rest...)); diff != "" {
		t.Errorf("in two pages (-want +got):\n%s", diff)
	}
}

func TestStatsCountWhatCameOfATrivia(t *testing.T) {
	t.Parallel()

	s := newShop(t)
	s.win(t, "k1", "u1", "capitals", "mug")
	s.win(t, "k2", "u2", "capitals", "mug")
	s.win(t, "k3", "u3", "capitals", "hat")
	s.win(t, "k4", "u3", "capitals", "car")
	s.win(t, "k5", "nobody", "capitals", "mug")
	s.win(t, "k6", "u4", "rivers", "mug")
	s.answer(t, "e1", "u1", "capitals", "paris")
	s.answer(t, "e2", "u9", "capitals", "rome")
	s.answer(t, "e3", "u9", "capitals", "bonn")
	s.answer(t, "e4", "u8", "capitals", "rome")
	if _, err := s.RevokePrize(t.Context(), "u1", "capitals", time.Now(), "a script"); err != nil {
		t.Fatal(err)
	}

	got, err := s.TriviaStats(t.Context(), store.TriviaSpan{Trivia: "capitals"})
	if err != nil {
		t.Fatal(err)
	}
	buckets := 0
	for _, b := range got.PerBucket {
		buckets += b.Wins
	}
	if got.First.IsZero() || got.Last.Before(got.First) || buckets != 3 {
		t.Errorf("from %s to %s, %d in buckets, want 3", got.First, got.Last, buckets)
	}
	got.First, got.Last, got.PerBucket = time.Time{}, time.Time{}, nil
	want := store.TriviaStats{
		Wins: 3, Bucket: time.Minute, Items: []store.ItemCount{{Item: "mug", Wins: 2}, {Item: "hat", Wins: 1}}, ItemsInAll: 2, Revoked: 1,
		Unsettled: []store.OutcomeCount{
			{Outcome: trivia.PrizeConflict, State: trivia.StateParked, Count: 1}, {Outcome: trivia.UnknownUser, State: trivia.StatePending, Count: 1},
		},
		Answers: []store.AnswerCount{{Answer: "rome", Count: 2}, {Answer: "bonn", Count: 1}, {Answer: "paris", Count: 1, Right: 1}}, AnswersAll: 3,
		Responses: 4, Right: 1, Respondents: 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	none, err := s.TriviaStats(t.Context(), store.TriviaSpan{Trivia: "capitals", Since: time.Now().Add(time.Hour)})
	if err != nil || none.Wins != 0 || none.Responses != 0 || len(none.Unsettled) != 0 {
		t.Errorf("of the future: %+v, %v", none, err)
	}
	if _, err := s.TriviaStats(t.Context(), store.TriviaSpan{Trivia: "never"}); !errors.Is(err, operator.ErrNotFound) {
		t.Errorf("of what nothing is known of: %v", err)
	}
}
