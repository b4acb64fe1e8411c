package ctl

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A triviaFake is the part of a [fake] that is about trivias and prizes.
type triviaFake struct {
	trivias   []store.TriviaRow
	trivia    operator.TriviaStory
	closing   operator.Closing
	stats     store.TriviaStats
	prizes    []store.PrizeRow
	revoked   operator.Revocation
	triviaErr error

	span        store.TriviaSpan
	prizeFilter store.PrizeFilter
	revokedFor  string
}

func (f *triviaFake) ListTrivias(_ context.Context, page store.Page) iter.Seq2[store.TriviaRow, error] {
	return pageOf(f.trivias, page, f.triviaErr)
}

func (f *triviaFake) ShowTrivia(context.Context, trivia.ID) (operator.TriviaStory, error) {
	return f.trivia, f.triviaErr
}

func (f *triviaFake) CloseTrivia(context.Context, trivia.ID, string) (operator.Closing, error) {
	return f.closing, f.triviaErr
}

func (f *triviaFake) OpenTrivia(context.Context, trivia.ID, string) (operator.Closing, error) {
	return f.closing, f.triviaErr
}

func (f *triviaFake) TriviaStats(_ context.Context, span store.TriviaSpan) (store.TriviaStats, error) {
	f.span = span

	return f.stats, f.triviaErr
}

func (f *triviaFake) ListPrizes(_ context.Context, filter store.PrizeFilter, page store.Page) iter.Seq2[store.PrizeRow, error] {
	f.prizeFilter = filter

	return pageOf(f.prizes, page, f.triviaErr)
}

func (f *triviaFake) RevokePrize(
	_ context.Context, user trivia.UserID, id trivia.ID, _ time.Time, reason string,
) (operator.Revocation, error) {
	f.revokedFor = string(user) + " " + string(id) + ": " + reason

	return f.revoked, f.triviaErr
}

func someTrivias() []store.TriviaRow {
	at := noon.Add(-2 * time.Hour)

	return []store.TriviaRow{
		{ID: "capitals", FirstWin: at.Add(-time.Hour), LastWin: at, LastAnswer: at},
		{ID: "rivers, and lakes", ClosedAt: at, FirstWin: at.Add(-40 * 24 * time.Hour), LastWin: at},
		{ID: "\x1b[31mred", ClosedAt: at, SealedAt: noon},
	}
}

func someStats() store.TriviaStats {
	st := store.TriviaStats{
		First: noon.Add(-2 * time.Hour), Last: noon, Bucket: time.Minute,
		Items: []store.ItemCount{{Item: "mug", Wins: 4000}, {Item: "漢字 hat", Wins: 77}}, ItemsInAll: 3,
		Unsettled: []store.OutcomeCount{
			{Outcome: trivia.PrizeConflict, State: trivia.StateParked, Count: 3},
			{Outcome: trivia.UnknownUser, State: trivia.StateParked, Count: 2},
			{Outcome: trivia.UnknownUser, State: trivia.StatePending, Count: 5},
			{State: trivia.StatePending, Count: 1},
		},
		Revoked: 2, Answers: []store.AnswerCount{{Answer: "Paris", Count: 400, Right: 399}, {Answer: "Rome", Count: 30}}, AnswersAll: 2,
		Responses: 430, Right: 399, Respondents: 420,
	}
	for i := range 121 {
		if wins := (i * i) % 97; wins > 0 {
			st.PerBucket = append(st.PerBucket, store.BucketCount{At: st.First.Add(time.Duration(i) * time.Minute), Wins: wins})
			st.Wins += wins
		}
	}

	return st
}

func TestListingsOfTriviasAndPrizes(t *testing.T) {
	t.Parallel()

	story := operator.TriviaStory{TriviaRow: someTrivias()[1], Deeds: someDeeds()[1:2]}
	prizes := []store.PrizeRow{
		{User: "ann", Trivia: "capitals", Prize: store.Prize{Item: "mug", At: noon.Add(-time.Hour)}},
		{User: "Zoë 漢字", Trivia: "rivers, and lakes", Prize: store.Prize{
			Item: "hat", At: noon.Add(-2 * time.Hour), RevokedAt: noon.Add(-time.Minute), RevokedReason: "won with a script",
		}},
	}
	for _, tt := range []struct {
		file  string
		words []string
		fill  func(*fake)
	}{
		{"trivia-list", []string{"trivia", "list"}, func(f *fake) { f.trivias = someTrivias() }},
		{"trivia-show", []string{"trivia", "show", "rivers, and lakes"}, func(f *fake) { f.trivia = story }},
		{"trivia-stats", []string{"trivia", "stats", "capitals"}, func(f *fake) { f.stats = someStats() }},
		{"prizes-list", []string{"prizes", "list"}, func(f *fake) { f.prizes = prizes }},
	} {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			showAll(t, tt.file, tt.words, tt.fill)
		})
	}
}

func TestStatsOfATriviaThatNobodyHasWon(t *testing.T) {
	t.Parallel()
	newStage(t).want(t, []string{"trivia", "stats", "t"}, 0, "trivia  t\nwins    0, by as many winners\n", "")
}

func TestClosingAndOpeningSayWhatTheyDid(t *testing.T) {
	t.Parallel()

	tests := []struct {
		verb     string
		closing  operator.Closing
		err      error
		code     int
		out, say string
	}{
		{"close", operator.Closing{Changed: true, Known: true}, nil, 0, "a b is closed: wins that come from now on are parked\n", ""},
		{
			"close",
			operator.Closing{Changed: true},
			nil, 0, "a b is closed: wins that come from now on are parked\n",
			"triviactl: nothing was known of it before; is that its name? undo it with: triviactl trivia open 'a b'\n",
		},
		{"close", operator.Closing{Since: noon}, nil, 0, "a b is closed already, since 2026-05-04T12:00:00.000000Z\n", ""},
		{
			"open",
			operator.Closing{Changed: true},
			nil, 0, "a b is open again\n",
			"triviactl: wins that came meanwhile stay parked; award them with: triviactl replay --outcome trivia_closed --trivia 'a b'\n",
		},
		{"open", operator.Closing{}, nil, 0, "a b is open already\n", ""},
		{
			"open",
			operator.Closing{},
			errors.Join(operator.ErrSealed), 1, "",
			"triviactl: trivia is sealed\ntriviactl: hint: a new trivia wants a new identifier\n",
		},
		{"open", operator.Closing{}, operator.ErrNotFound, 3, "", "triviactl: not found\ntriviactl: hint: " + triviasHint + "\n"},
	}
	for _, tt := range tests {
		st := newStage(t)
		st.fake.closing, st.fake.triviaErr = tt.closing, tt.err
		st.want(t, []string{"trivia", tt.verb, "a b"}, tt.code, tt.out, tt.say)
	}
	newStage(t).want(t, []string{"trivia", "close", ""}, 2, "",
		"triviactl: usage: \"\" cannot name a trivia: trivia_id is empty\ntriviactl: hint: a user or a trivia has 1 to 64 characters that can be seen; white space around them is dropped\n")
}

func TestRevokingAsksFirst(t *testing.T) {
	t.Parallel()

	words := []string{"prizes", "revoke", "ann", "capitals", "--reason", "a script"}
	win := store.WinRow{Win: trivia.Win{User: "ann", Trivia: "capitals", Item: "mug"}}
	st := newStage(t)
	st.fake.story = operator.WinStory{WinRow: win}
	if code := st.call(t, words...); code != 4 || st.fake.revokedFor != "" {
		t.Errorf("without anybody to ask: exit %d, revoked %q, want 4 and nothing", code, st.fake.revokedFor)
	}

	st.fake.revoked = operator.Revocation{Win: win, Push: 77}
	st.want(t, append(words, "--yes"), 0, "mug is revoked; the win stays\npush 77 lets Customer.io know\n", "")
	if st.fake.revokedFor != "ann capitals: a script" {
		t.Errorf("revoked %q", st.fake.revokedFor)
	}
	st.fake.revoked = operator.Revocation{Win: win, Elsewhere: true, NoPush: "the identifier is too long"}
	st.want(t, append(words, "--yes"), 0, `mug is revoked; the win stays
there is no row in prizes: what revoke_prize did elsewhere is not seen from here
Customer.io is not told: the identifier is too long
`, "")
	st.fake.triviaErr = errors.Join(operator.ErrRevoked)
	st.want(t, append(words, "--yes"), 1, "",
		"triviactl: prize is revoked\ntriviactl: hint: nothing was done; triviactl explain ann capitals tells more\n")
	st.want(t, words[:4], 2, "",
		"triviactl: usage: triviactl prizes revoke wants --reason\ntriviactl: hint: as in --reason \"won with a script\"\n")
}
