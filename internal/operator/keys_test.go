package operator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"trivia/internal/operator"
	"trivia/internal/trivia"
)

func TestKeysSayWhichOneCanGo(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	if _, err := d.db.Exec(t.Context(), `
		INSERT INTO key_uses (kind, fingerprint, first_used, last_used, uses)
		SELECT kind, fingerprint, @now::timestamptz - '30 days'::interval, @now::timestamptz - last, 7
		FROM (VALUES ('win', 'new', '1 minute'::interval), ('win', 'old', '25 hours'), ('win', 'young', '23 hours'),
			('event', 'lonely', '90 days'), ('event', 'foreign', '1 hour'), ('event', 'gone', '2 days')) AS u (kind, fingerprint, last)`,
		pgx.NamedArgs{"now": now}); err != nil {
		t.Fatal(err)
	}

	rows, err := d.Keys(t.Context(), []operator.KnownKey{
		{Kind: trivia.KindWin, Fingerprint: "new"},
		{Kind: trivia.KindWin, Fingerprint: "old"},
		{Kind: trivia.KindWin, Fingerprint: "young"},
		{Kind: trivia.KindWin, Fingerprint: "lonely"}, // of the other route only
		{Kind: trivia.KindEvent, Fingerprint: "lonely"},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		got = append(got, strings.Join([]string{string(r.Kind), r.Fingerprint, r.Remark}, "|"))
	}
	want := []string{
		"win|new|", "win|old|" + operator.KeyIsIdle, "win|young|", "win|lonely|" + operator.KeyNeverMatched,
		"event|lonely|", // nothing else matches: it is not known to be useless
		"event|foreign|" + operator.KeyIsForeign, "event|gone|" + operator.KeyIsGone,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}
