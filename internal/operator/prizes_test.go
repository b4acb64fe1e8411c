package operator_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

var at = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func TestARevokedPrizeIsMarkedAndToldAndNeverWonAgain(t *testing.T) {
	t.Parallel()

	s := newShop(t)
	s.win(t, "k1", "u1", "capitals", "mug")
	s.win(t, "k2", "u2", "capitals", "mug")
	r, err := s.RevokePrize(t.Context(), "u1", "capitals", at, "a script")
	if err != nil || r.Elsewhere || r.Push == 0 || r.Win.Item != "mug" {
		t.Fatalf("RevokePrize = %+v, %v", r, err)
	}

	want := []string{"u1|mug|a script|t", "u2|mug|f"}
	got := s.lines(t, `SELECT concat_ws('|', user_id, item, revoked_reason, revoked_at IS NOT NULL) FROM prizes ORDER BY user_id`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("prizes (-want +got):\n%s", diff)
	}
	want = []string{
		`u1|attributes|ann@desk|pending|{"trivia_prize_revoked_at": 1777896000, "trivia_prize_revoked_id": "capitals", "trivia_prize_revoked_item": "mug"}`,
	}
	got = s.lines(t, `SELECT concat_ws('|', person, kind, cause_id, state, attributes) FROM pushes WHERE cause = 'operator'`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pushes (-want +got):\n%s", diff)
	}
	want = []string{`ann@desk|prizes revoke|u1|a script|{"item": "mug", "push": 3, "user": "u1", "trivia": "capitals"}`}
	if diff := cmp.Diff(want, s.lines(t, allDeeds)); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}

	if got := s.win(t, "k3", "u1", "capitals", "mug"); got != trivia.AlreadyWon {
		t.Errorf("winning it again: %s", got)
	}
	if _, err := s.RevokePrize(t.Context(), "u1", "capitals", at, "twice"); !errors.Is(err, operator.ErrRevoked) {
		t.Errorf("revoking it twice: %v", err)
	}
	if _, err := s.RevokePrize(t.Context(), "u3", "capitals", at, "none"); !errors.Is(err, operator.ErrNotFound) {
		t.Errorf("revoking what was not won: %v", err)
	}
	if n := len(s.lines(t, allDeeds)); n != 1 {
		t.Errorf("the audit log has %d lines, want 1", n)
	}

	story, err := s.ShowWin(t.Context(), "u1", "capitals")
	if err != nil || story.Prize.RevokedAt.IsZero() || story.Prize.RevokedReason != "a script" {
		t.Errorf("ShowWin = %+v, %v, want that it was revoked", story.Prize, err)
	}
	e, err := s.Explain(t.Context(), "u1", "capitals")
	if err != nil || e.Chains[0].Verdict != "has won mug, and the prize was revoked" || e.Chains[0].Pushes.All != 2 || e.Chains[0].Deeds.All != 1 {
		t.Errorf("Explain = %+v, %v", e, err)
	}
	for _, f := range []store.PrizeFilter{{Revoked: true}, {Revoked: true, User: "u1", Trivia: "capitals", Item: "mug"}, {User: "u1"}} {
		n := 0
		for p, err := range s.ListPrizes(t.Context(), f, store.Page{}) {
			if err != nil || p.User != "u1" {
				t.Errorf("ListPrizes(%+v) has %+v, %v", f, p, err)
			}
			n++
		}
		if n != 1 {
			t.Errorf("ListPrizes(%+v) has %d prizes, want 1", f, n)
		}
	}
}

func TestATeamsOwnFunctionTakesItsPrizeBack(t *testing.T) {
	t.Parallel()

	s := newShop(t)
	if _, err := s.db.Exec(t.Context(), `
		CREATE TABLE team_prizes (who text, what text, gone text);
		CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
		LANGUAGE sql AS $$ INSERT INTO team_prizes VALUES ($1, $2) $$;
		CREATE OR REPLACE FUNCTION revoke_prize(user_id text, item text, trivia_id text, reason text) RETURNS void
		LANGUAGE sql AS $$ UPDATE team_prizes SET gone = $4 WHERE who = $1 AND what = $2 $$`); err != nil {
		t.Fatal(err)
	}
	s.win(t, "k1", "u1", "capitals", "mug")
	r, err := s.RevokePrize(t.Context(), "u1", "capitals", at, "a script")
	if err != nil || !r.Elsewhere {
		t.Fatalf("RevokePrize = %+v, %v, want that the prize is elsewhere", r, err)
	}
	if got := s.lines(t, `SELECT concat_ws('|', who, what, gone) FROM team_prizes`); len(got) != 1 || got[0] != "u1|mug|a script" {
		t.Errorf("the team's prizes: %q", got)
	}
	if _, err := s.RevokePrize(t.Context(), "u1", "capitals", at, "twice"); !errors.Is(err, operator.ErrRevoked) {
		t.Errorf("revoking it twice: %v", err)
	}
}

func TestAFunctionThatRefusesLeavesEverythingAsItWas(t *testing.T) {
	t.Parallel()

	s := newShop(t)
	if _, err := s.db.Exec(t.Context(), `
		CREATE OR REPLACE FUNCTION revoke_prize(user_id text, item text, trivia_id text, reason text) RETURNS void
		LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it was shipped'; END $$`); err != nil {
		t.Fatal(err)
	}
	s.win(t, "k1", "u1", "capitals", "mug")
	if _, err := s.RevokePrize(t.Context(), "u1", "capitals", at, "a script"); err == nil {
		t.Error("no error")
	}
	if n := len(s.lines(t, allDeeds)) + len(s.lines(t, `SELECT person FROM pushes WHERE cause = 'operator'`)); n != 0 {
		t.Errorf("%d rows tell of what did not happen", n)
	}
}

func TestOfManyWhoRevokeAtOnceOneDoes(t *testing.T) {
	t.Parallel()

	s := newShop(t)
	s.win(t, "k1", "u1", "capitals", "mug")
	errs := make(chan error, 6)
	var group sync.WaitGroup
	for range cap(errs) {
		group.Go(func() {
			_, err := s.RevokePrize(t.Context(), "u1", "capitals", at, "a script")
			errs <- err
		})
	}
	group.Wait()
	close(errs)
	done := 0
	for err := range errs {
		switch {
		case err == nil:
			done++
		case !errors.Is(err, operator.ErrRevoked):
			t.Error(err)
		}
	}
	if pushes := s.lines(t, `SELECT person FROM pushes WHERE cause = 'operator'`); done != 1 || len(pushes) != 1 {
		t.Errorf("%d revoked it, with %d pushes, want 1 and 1", done, len(pushes))
	}
}
