package ctl

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

func (s *session) triviaStats(c *cli.Context) error {
	words, err := plainWords(c, "TRIVIA")
	if err != nil {
		return err
	}
	format, err := oneOf(c, "output", formats())
	if err != nil {
		return err
	}
	span := store.TriviaSpan{Trivia: trivia.ID(words[0])}
	if span.Since, span.Until, err = parseSpan(c, s.Now()); err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	st, err := do.TriviaStats(c.Context, span)
	if err != nil {
		return hintMissing(err, triviasHint)
	}
	switch format {
	case formatJSON:
		s.print("%s\n", object(statsFields(span.Trivia), st))

		return nil
	case formatCSV:
		out := newCSVSink(s.Stdout, bucketFields())
		for _, b := range st.PerBucket {
			if err := out.row(b); err != nil {
				return fmt.Errorf("write wins by time: %w", err)
			}
		}

		return out.end()
	}

	return s.stats(span.Trivia, st)
}

// stats tells them to a person.
func (s *session) stats(id trivia.ID, st store.TriviaStats) error {
	var odd []string
	for _, o := range st.Unsettled {
		odd = append(odd, fmt.Sprintf("%d %s", o.Count, oddWord(o)))
	}
	rows := [][2]string{{"trivia", string(id)}, {"wins", fmt.Sprintf("%d, by as many winners", st.Wins)}}
	if st.Wins > 0 {
		rows = append(rows, [2]string{"first", s.longText(st.First)}, [2]string{"last", s.longText(st.Last)})
	}
	if st.Revoked > 0 {
		rows = append(rows, [2]string{"revoked", pluralOf(st.Revoked, "prize", "prizes")})
	}
	if len(odd) > 0 {
		rows = append(rows, [2]string{"not awarded", strings.Join(odd, ", ")})
	}
	if st.Responses > 0 {
		rows = append(rows, [2]string{"answers", answersWords(st)})
	}
	s.wrapped(rows)
	if st.Wins > 0 {
		s.winsChart(st)
	}

	if err := section(s, itemFields(st.Wins), st.Items); err != nil {
		return err
	}
	s.more(st.ItemsInAll-len(st.Items), "")
	err := section(s, statsAnswerFields(), st.Answers)
	s.more(st.AnswersAll-len(st.Answers), "")

	return err
}

// oddWord says what became of deliveries, and whether that is the end of it.
func oddWord(o store.OutcomeCount) string {
	if o.State == trivia.StatePending || o.Outcome == trivia.UnknownUser {
		return cmp.Or(string(o.Outcome), "unsettled") + " (" + string(o.State) + ")"
	}

	return endWord(o.State, o.Outcome)
}

func answersWords(st store.TriviaStats) string {
	return fmt.Sprintf("%d by %s: %d right, %d wrong",
		st.Responses, pluralOf(st.Respondents, "person", "people"), st.Right, st.Responses-st.Right)
}

// bucketWords say how wide a bucket is.
func bucketWords(d time.Duration) string {
	switch {
	case d <= time.Minute:
		return "minute"
	case d <= time.Hour:
		return "hour"
	}

	return "day"
}

// winsChart draws wins over time: as columns for an eye, as bars of text for a
// file.
func (s *session) winsChart(st store.TriviaStats) {
	s.print("\nwins per %s", bucketWords(st.Bucket))
	if st.Bucket == 24*time.Hour {
		s.print(" (UTC)")
	}
	s.print("\n")

	if !s.StdoutTerminal {
		out := newTableSink(s, bucketFields())
		for _, b := range st.PerBucket {
			_ = out.row(b) // what was printed before had no use for an error either
		}
		_ = out.end()

		return
	}
	layout := map[bool]string{true: "2006-01-02", false: "Jan 2 15:04"}[st.Bucket == 24*time.Hour]
	zone := s.Now().Location()
	if st.Bucket == 24*time.Hour {
		zone = time.UTC
	}
	s.print("%s", tui.Chart{
		Values: dense(st), Width: s.Width, Color: s.colorful(true),
		First: st.PerBucket[0].At.In(zone).Format(layout),
		Last:  st.PerBucket[len(st.PerBucket)-1].At.In(zone).Format(layout),
	}.Draw())
}

// mostSteps bounds a chart of wins that are years apart.
const mostSteps = 100_000

// dense returns the wins of every bucket, those without any included.
func dense(st store.TriviaStats) []float64 {
	first := st.PerBucket[0].At
	values := make([]float64, 0, len(st.PerBucket))
	for _, b := range st.PerBucket {
		at := min(int(b.At.Sub(first)/st.Bucket), mostSteps)
		for len(values) < at {
			values = append(values, 0)
		}
		values = append(values, float64(b.Wins))
	}

	return values
}

func bucketFields() []field[store.BucketCount] {
	type row = store.BucketCount

	return []field[row]{
		{name: "at", value: func(b row) any { return b.At }, column: rigid("AT")},
		{name: "wins", value: func(b row) any { return b.Wins }, column: number("WINS")},
	}
}

func itemFields(wins int) []field[store.ItemCount] {
	type row = store.ItemCount

	return []field[row]{
		{name: "item", value: func(i row) any { return i.Item }, column: flexible("ITEM")},
		{name: "wins", value: func(i row) any { return i.Wins }, column: number("WINS")},
		{value: func(i row) any { return share(i.Wins, wins) }, column: number("SHARE")},
	}
}

func statsAnswerFields() []field[store.AnswerCount] {
	type row = store.AnswerCount

	return []field[row]{
		{name: "answer", value: func(a row) any { return a.Answer }, column: flexible("ANSWER")},
		{name: "count", value: func(a row) any { return a.Count }, column: number("GIVEN")},
		{name: "right", value: func(a row) any { return a.Right }, column: number("RIGHT")},
		{name: "wrong", value: func(a row) any { return a.Count - a.Right }, column: number("WRONG")},
	}
}

func share(part, whole int) string {
	if whole == 0 {
		return ""
	}

	return fmt.Sprintf("%.1f%%", 100*float64(part)/float64(whole))
}

func statsFields(id trivia.ID) []field[store.TriviaStats] {
	type row = store.TriviaStats
	odd := []field[store.OutcomeCount]{
		{name: "outcome", value: func(o store.OutcomeCount) any { return orNil(o.Outcome) }},
		{name: "state", value: func(o store.OutcomeCount) any { return o.State }},
		{name: "count", value: func(o store.OutcomeCount) any { return o.Count }},
	}

	return []field[row]{
		{name: "trivia_id", value: func(row) any { return id }},
		{name: "wins", value: func(st row) any { return st.Wins }},
		{name: "winners", value: func(st row) any { return st.Wins }},
		{name: "first_win_at", value: func(st row) any { return st.First }},
		{name: "last_win_at", value: func(st row) any { return st.Last }},
		{name: "bucket_seconds", value: func(st row) any { return int(st.Bucket.Seconds()) }},
		{name: "wins_by_time", value: func(st row) any { return rawObjects(bucketFields(), st.PerBucket) }},
		{name: "items_all", value: func(st row) any { return st.ItemsInAll }},
		{name: "items", value: func(st row) any { return rawObjects(itemFields(st.Wins), st.Items) }},
		{name: "revoked", value: func(st row) any { return st.Revoked }},
		{name: "not_awarded", value: func(st row) any { return rawObjects(odd, st.Unsettled) }},
		{name: "responses", value: func(st row) any { return st.Responses }},
		{name: "respondents", value: func(st row) any { return st.Respondents }},
		{name: "right", value: func(st row) any { return st.Right }},
		{name: "wrong", value: func(st row) any { return st.Responses - st.Right }},
		{name: "answers_all", value: func(st row) any { return st.AnswersAll }},
		{name: "answers", value: func(st row) any { return rawObjects(statsAnswerFields(), st.Answers) }},
	}
}
