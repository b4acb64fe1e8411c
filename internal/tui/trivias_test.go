package tui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A quiz is a fake that knows some trivias, in the order of their identifiers.
type quiz struct {
	lively

	rows   []store.TriviaRow
	stats  store.TriviaStats
	deeds  []store.DeedRow
	looked int // how many rows were listed
	spans  []store.TriviaSpan
}

func (q *quiz) ListTrivias(_ context.Context, page store.Page) iter.Seq2[store.TriviaRow, error] {
	return func(yield func(store.TriviaRow, error) bool) {
		if q.err != nil {
			yield(store.TriviaRow{}, q.err)
			return
		}
		behind := page.After == ""
		for _, row := range q.rows {
			if behind {
				q.looked++
				if !yield(row, nil) {
					return
				}
			}
			behind = behind || row.Cursor() == page.After
		}
	}
}

func (q *quiz) CountWinsOf(_ context.Context, ids []trivia.ID) (map[trivia.ID]int64, error) {
	counts := map[trivia.ID]int64{}
	for _, id := range ids {
		counts[id] = int64(len(id) * len(id) * 157)
	}

	return counts, q.err
}

func (q *quiz) ShowTrivia(_ context.Context, id trivia.ID) (operator.TriviaStory, error) {
	for _, row := range q.rows {
		if row.ID == id {
			return operator.TriviaStory{TriviaRow: row, Deeds: q.deeds}, q.err
		}
	}

	return operator.TriviaStory{}, q.err
}

func (q *quiz) TriviaStats(_ context.Context, span store.TriviaSpan) (store.TriviaStats, error) {
	q.spans = append(q.spans, span)

	return q.stats, q.err
}

func manyTrivias(n int) *quiz {
	q := &quiz{lively: *busy()}
	for i := range n {
		row := store.TriviaRow{
			ID:       trivia.ID(fmt.Sprintf("trivia-%05d", i)),
			FirstWin: noon.Add(-time.Duration(90+i) * time.Hour), LastWin: noon.Add(-time.Duration(i*7%50) * time.Minute),
		}
		q.rows = append(q.rows, row)
	}

	return q
}

func fewTrivias() *quiz {
	q := &quiz{lively: *busy()}
	q.rows = []store.TriviaRow{
		{ID: "capitals", FirstWin: noon.Add(-90 * time.Hour), LastWin: noon.Add(-3 * time.Second), LastAnswer: noon.Add(-2 * time.Second)},
		{ID: "closed-for-the-season", ClosedAt: noon.Add(-26 * time.Hour), FirstWin: noon.Add(-400 * time.Hour), LastWin: noon.Add(-30 * time.Hour)},
		{ID: "never-won", LastAnswer: noon.Add(-time.Minute)},
		{ID: "odd \x1b[31m\u202ename 漢字", FirstWin: noon.Add(-time.Hour), LastWin: noon.Add(-time.Hour)},
		{ID: "old", ClosedAt: noon.Add(-9000 * time.Hour), SealedAt: noon.Add(-8000 * time.Hour), FirstWin: noon.Add(-9900 * time.Hour), LastWin: noon.Add(-9400 * time.Hour)},
	}
	q.stats = store.TriviaStats{
		Wins: 12840, First: noon.Add(-90 * time.Hour), Last: noon, Bucket: time.Hour,
		Items: []store.ItemCount{{Item: "mug", Wins: 12000}, {Item: "t-shirt", Wins: 800}, {Item: "car \x1b[2J", Wins: 40}}, ItemsInAll: 5,
		Unsettled: []store.OutcomeCount{
			{Outcome: trivia.PrizeConflict, State: trivia.StateParked, Count: 12},
			{State: trivia.StateParked, Count: 1},
			{Outcome: trivia.UnknownUser, State: trivia.StatePending, Count: 3},
		},
		Revoked: 2, Responses: 20000, Right: 12900, Respondents: 14000, AnswersAll: 2,
		Answers: []store.AnswerCount{{Answer: "paris", Count: 13000, Right: 12800}, {Answer: "rome", Count: 7000, Right: 100}},
	}
	for i := range 90 {
		if i%13 != 5 {
			q.stats.PerBucket = append(q.stats.PerBucket, store.BucketCount{At: noon.Add(time.Duration(i-90) * time.Hour), Wins: 100 + i*i%77})
		}
	}
	q.deeds = []store.DeedRow{{At: noon.Add(-time.Hour), Actor: "ann@desk", Verb: "trivia open", Reason: "closed by mistake", Detail: json.RawMessage("{}")}}

	return q
}

func deskWith(q *quiz) Desk {
	d := deskOf(&q.lively)
	d.Do = q

	return d
}

func TestTriviasGoldens(t *testing.T) {
	t.Parallel()

	goldens(t, pageTrivias, "full", func() Desk { return deskWith(fewTrivias()) })
	goldens(t, pageTrivias, "many", func() Desk { return deskWith(manyTrivias(1000)) })
	goldens(t, pageTrivias, "empty", func() Desk { return deskWith(&quiz{lively: *busy()}) })
	goldens(t, pageTrivias, "failing", func() Desk {
		q := fewTrivias()
		q.err = errors.New("list trivias: connect to db.example.com: connection refused")

		return deskWith(q)
	})
}

func TestTriviaDetailGoldens(t *testing.T) {
	t.Parallel()

	for _, size := range sizes {
		for state, quiz := range map[string]func() *quiz{
			"full":  fewTrivias,
			"empty": func() *quiz { return &quiz{lively: *busy(), rows: []store.TriviaRow{{ID: "never-won"}}} },
		} {
			name := fmt.Sprintf("trivia-%s-%dx%d", state, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := newStage(t, deskWith(quiz()), pageTrivias, size[0], size[1])
				s.press("enter")
				s.golden(name)
			})
		}
		name := fmt.Sprintf("trivia-failing-%dx%d", size[0], size[1])
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := fewTrivias()
			s := newStage(t, deskWith(q), pageTrivias, size[0], size[1])
			q.err = errors.New("count what came of trivia capitals: connect to db.example.com: connection refused")
			s.press("enter")
			s.golden(name)
		})
	}
}

func listOf(s *stage) *triviaList { return s.frame.pages[pageTrivias][0].(*triviaList) }

func TestTriviasAreHeldAStretchAtATime(t *testing.T) {
	t.Parallel()

	const n = 5000
	s := newStage(t, deskWith(manyTrivias(n)), pageTrivias, 80, 24)
	l := listOf(s)
	most := 0
	for range n {
		s.press("down")
		most = max(most, len(l.rows))
	}
	if row, _ := l.row(); row.ID != "trivia-04999" || most > mostTrivias {
		t.Errorf("the last one is %s, and %d rows were held, want at most %d", row.ID, most, mostTrivias)
	}
	for i := n - 2; i >= 0; i-- {
		s.press("up")
		if row, _ := l.row(); row.ID != trivia.ID(fmt.Sprintf("trivia-%05d", i)) {
			t.Fatalf("going up from %d leads to %s", i+1, row.ID)
		}
	}
	s.press("G")
	if row, _ := l.row(); row.ID != "trivia-04999" || len(l.rows) > mostTrivias {
		t.Errorf("G leads to %s, with %d rows held", row.ID, len(l.rows))
	}
	s.press("g")
	if row, _ := l.row(); row.ID != "trivia-00000" || l.top != 0 {
		t.Errorf("g leads to %s", row.ID)
	}
}

func TestTheCursorStaysOnItsTrivia(t *testing.T) {
	t.Parallel()

	q := manyTrivias(100)
	at := noon
	d := deskWith(q)
	d.Now = func() time.Time { return at }
	s := newStage(t, d, pageTrivias, 80, 24)
	for range 30 {
		s.press("down")
	}
	l := listOf(s)
	before, line := l.rows[l.at], l.at-l.top
	q.rows = append([]store.TriviaRow{{ID: "a-new-one"}}, q.rows...)
	at = at.Add(time.Minute)
	s.beat()
	row, _ := l.row()
	if row.ID != before.ID || l.at != 31 || l.at-l.top != line {
		t.Errorf("the cursor is on %s, line %d; want %s where it was, line %d", row.ID, l.at-l.top, before.ID, line)
	}
}

func TestTriviasAreLookedForByTheirIdentifier(t *testing.T) {
	t.Parallel()

	s := newStage(t, deskWith(manyTrivias(1000)), pageTrivias, 80, 24)
	s.press("/")
	s.write("77q")
	s.press("backspace", "enter")
	l := listOf(s)
	if len(l.rows) != 19 || !strings.Contains(s.frame.View(), "with 77 in it") {
		t.Errorf("%d trivias have 77, want 19:\n%s", len(l.rows), s.frame.View())
	}
	s.press("esc")
	if len(l.rows) != triviaStretch || s.frame.current != pageTrivias {
		t.Errorf("after esc %d are held, want %d", len(l.rows), triviaStretch)
	}
	s.press("/")
	s.write("nothing like it")
	s.press("enter")
	if view := s.frame.View(); !strings.Contains(view, "No trivia has nothing like it in its identifier.") {
		t.Errorf("what is not there looks like:\n%s", view)
	}
}

func TestTriviasAreSortedAsTheyAreNow(t *testing.T) {
	t.Parallel()

	q := manyTrivias(20)
	s := newStage(t, deskWith(q), pageTrivias, 80, 24)
	s.press("s", "g")
	l := listOf(s)
	s.press("s")
	first, _ := l.row()
	for i, row := range l.shown()[1:] {
		if row.LastWin.After(l.shown()[i].LastWin) {
			t.Errorf("%s stands behind %s, which was won before", row.ID, l.shown()[i].ID)
		}
	}
	s.press("s", "s")
	if row, _ := l.row(); row.ID != first.ID || l.order != byName {
		t.Errorf("sorting has moved the cursor from %s to %s", first.ID, row.ID)
	}
}

func TestATriviaLeadsToItsWinsAndDeliveries(t *testing.T) {
	t.Parallel()

	q := fewTrivias()
	s := newStage(t, deskWith(q), pageTrivias, 80, 24)
	s.press("w")
	if s.frame.current != pageWins {
		t.Errorf("w leads to %s", s.frame.current)
	}
	s.press("4", "down", "enter", "t")
	detail := s.frame.top().(*triviaDetail)
	if got, want := strings.Join(detail.words(), " "), "--trivia=closed-for-the-season --since=24h"; got != want {
		t.Errorf("its filter is %q, want %q", got, want)
	}
	if n := len(q.spans); n < 2 || q.spans[n-1].Since.IsZero() || q.spans[n-1].Trivia != "closed-for-the-season" {
		t.Errorf("asked for the stats of %+v", q.spans)
	}
	s.press("d")
	if s.frame.current != pageDeliveries {
		t.Errorf("d leads to %s", s.frame.current)
	}
	s.press("4", "esc")
	if s.frame.top() != s.frame.pages[pageTrivias][0] {
		t.Error("esc does not lead back to the list")
	}
}

func TestSeveralTriviasAreChosen(t *testing.T) {
	t.Parallel()

	s := newStage(t, deskWith(fewTrivias()), pageTrivias, 80, 24)
	l := listOf(s)
	s.press(" ", " ", "k", " ")
	if row, _ := l.row(); len(l.choice(row)) != 1 {
		t.Errorf("space three times chooses %d, want 1: %v", len(l.choice(row)), l.chosen)
	}
	s.press("esc")
	row, _ := l.row()
	if got := l.choice(row); len(l.chosen) != 0 || len(got) != 1 || got[0].(store.TriviaRow).ID != row.ID {
		t.Errorf("after esc %v is chosen, want the row under the cursor", got)
	}

	d := deskWith(fewTrivias())
	d.ReadOnly = true
	for _, b := range newStage(t, d, pageTrivias, 80, 24).frame.top().bindings() {
		if b.Enabled() && b.Help().Desc == "act" {
			t.Error("read-only, and it can still be acted on")
		}
	}
}

func (fakeVerbs) ListTrivias(context.Context, store.Page) iter.Seq2[store.TriviaRow, error] {
	return func(func(store.TriviaRow, error) bool) {}
}

func (fakeVerbs) CountWinsOf(context.Context, []trivia.ID) (map[trivia.ID]int64, error) {
	return nil, nil
}

func (fakeVerbs) TriviaStats(context.Context, store.TriviaSpan) (store.TriviaStats, error) {
	return store.TriviaStats{}, nil
}
