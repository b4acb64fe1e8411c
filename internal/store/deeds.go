package store

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// A DeedRow is a [Deed] as it is kept.
type DeedRow struct {
	ID     string
	At     time.Time
	Actor  string
	Verb   string
	Target string
	Reason string
	Detail json.RawMessage // an object
}

// Cursor names the row in a listing of deeds.
func (d DeedRow) Cursor() Cursor { return newCursor("deeds", instant(d.At), d.ID) }

// A DeedFilter chooses lines of the audit log: those that fit all of its
// fields. A zero field fits everything.
type DeedFilter struct {
	Actor        string
	Verb         string // or the first words of one
	Target       string
	Text         string    // a part of who did it, of the target or of the reason, as it is written
	Since, Until time.Time // Since ≤ done < Until
}

const (
	selectDeed = `
	SELECT id::text, at, actor, verb, target, reason, detail`

	listDeeds = selectDeed + `
	FROM audit_log`

	newestDeeds = `
	ORDER BY at DESC, audit_log.id DESC`
)

// Deeds yields what people did, newest first. After an error it yields nothing
// more.
func (s *Store) Deeds(ctx context.Context, f DeedFilter, page Page) iter.Seq2[DeedRow, error] {
	return deedsBy(f).rows(ctx, s.pool, page)
}

func deedsBy(f DeedFilter) listing[DeedRow] {
	return listing[DeedRow]{
		what: "acts", query: f.query, cursor: DeedRow.Cursor,
		scan: func(row pgx.CollectableRow) (DeedRow, error) { return scanDeed(row) },
	}
}

func (f DeedFilter) query(after Cursor) (*query, error) {
	q := newQuery(listDeeds, newestDeeds)
	if f.Actor != "" {
		q.where("actor = @actor", "actor", f.Actor)
	}
	if f.Verb != "" {
		q.where("(verb = @verb OR starts_with(verb, @verb || ' '))", "verb", f.Verb)
	}
	if f.Target != "" {
		q.where("target = @target", "target", f.Target)
	}
	q.during("at", f.Since, f.Until)
	q.find(f.Text, "actor", "target", "reason")
	if after == "" {
		return q, nil
	}

	place, err := after.place("deeds", 2)
	if err != nil {
		return nil, err
	}
	at, err := parseInstant(after, place[0])
	if err != nil {
		return nil, err
	}
	q.after("(at, id)", "(@after_at, @after_id::text::uuid)", "after_at", at, "after_id", place[1])

	return q, nil
}

// scanDeed reads selectDeed, and into more what follows.
func scanDeed(row pgx.CollectableRow, more ...any) (d DeedRow, err error) {
	var detail []byte
	err = row.Scan(append([]any{&d.ID, &d.At, &d.Actor, &d.Verb, &d.Target, &d.Reason, &detail}, more...)...)
	d.Detail = detail

	return d, err
}

// A deedSubject is what acts may be about. Those that name one of many name it
// in their detail.
type deedSubject struct {
	User   trivia.UserID
	Trivia trivia.ID
	Keys   []string // of deliveries
	Pushes []int64
}

// An act on a user that names another trivia is about something else.
const deedsAbout = selectDeed + `, count(*) OVER ()
	FROM audit_log
	WHERE target = ANY(@keys::text[])
		OR target = @user AND coalesce(detail ->> 'trivia', @trivia) = @trivia
		OR target = @trivia AND verb LIKE 'trivia %'
		OR detail @> ANY(@details::jsonb[])` + newestDeeds + `
	LIMIT @limit`

// args are those of deedsAbout.
func (s deedSubject) args(limit int) pgx.NamedArgs {
	var details []string
	add := func(object map[string]any) {
		text, _ := json.Marshal(object) // words and numbers always marshal
		details = append(details, string(text))
	}
	if s.User != "" {
		add(map[string]any{"users": []trivia.UserID{s.User}})
		add(map[string]any{"user": s.User, "trivia": s.Trivia})
	}
	for _, key := range s.Keys {
		add(map[string]any{"keys": []string{key}})
		add(map[string]any{"key": key})
	}
	for _, id := range s.Pushes {
		add(map[string]any{"pushes": []int64{id}})
		add(map[string]any{"push": id})
	}

	return pgx.NamedArgs{
		"user": s.User, "trivia": s.Trivia, "keys": s.Keys, "details": details, "limit": limit,
	}
}
