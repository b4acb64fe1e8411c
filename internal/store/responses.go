package store

import (
	"context"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// A ResponseRow is an answer to a trivia as it is recorded.
type ResponseRow struct {
	User    trivia.UserID // the person of the event; perhaps no user of ours
	Trivia  trivia.ID
	EventID string
	Answer  string
	Right   bool // they won this trivia
	At      time.Time
}

// Cursor names the row in a listing of responses.
func (r ResponseRow) Cursor() Cursor {
	return newCursor("responses", instant(r.At), string(r.User), string(r.Trivia), r.EventID)
}

// A ResponseFilter chooses responses: those that fit all of its fields. A zero
// field fits everything.
type ResponseFilter struct {
	User         trivia.UserID
	Trivia       trivia.ID
	Since, Until time.Time // Since ≤ answered < Until
}

// The win is asked for as a value: of an EXISTS the planner may think that it
// is cheaper to read all wins first.
const (
	listResponses = `
	SELECT r.user_id, r.trivia_id, r.event_id, r.answer, r.answered_at,
		(SELECT true FROM trivia_wins AS w WHERE w.user_id = r.user_id AND w.trivia_id = r.trivia_id) IS NOT NULL
	FROM responses AS r`

	newestResponses = `
	ORDER BY r.answered_at DESC, r.user_id DESC, r.trivia_id DESC, r.event_id DESC`
)

// Responses yields answers, newest first. After an error it yields nothing
// more.
func (s *Store) Responses(ctx context.Context, f ResponseFilter, page Page) iter.Seq2[ResponseRow, error] {
	return responsesBy(f).rows(ctx, s.pool, page)
}

func responsesBy(f ResponseFilter) listing[ResponseRow] {
	return listing[ResponseRow]{what: "responses", query: f.query, scan: scanResponse, cursor: ResponseRow.Cursor}
}

func (f ResponseFilter) query(after Cursor) (*query, error) {
	q := newQuery(listResponses, newestResponses)
	if f.User != "" {
		q.where("r.user_id = @user", "user", f.User)
	}
	if f.Trivia != "" {
		q.where("r.trivia_id = @trivia", "trivia", f.Trivia)
	}
	q.during("r.answered_at", f.Since, f.Until)
	if after == "" {
		return q, nil
	}

	place, err := after.place("responses", 4)
	if err != nil {
		return nil, err
	}
	at, err := parseInstant(after, place[0])
	if err != nil {
		return nil, err
	}
	q.where("(r.answered_at, r.user_id, r.trivia_id, r.event_id) < (@after_at, @after_user, @after_trivia, @after_event)",
		"after_at", at, "after_user", place[1], "after_trivia", place[2], "after_event", place[3])

	return q, nil
}

func scanResponse(row pgx.CollectableRow) (r ResponseRow, err error) {
	err = row.Scan(&r.User, &r.Trivia, &r.EventID, &r.Answer, &r.At, &r.Right)

	return r, err
}
