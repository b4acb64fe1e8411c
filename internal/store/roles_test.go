package store_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"trivia/internal/pgtest"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

func TestEachRoleHasTheRightsThatItNeedsAndNoMore(t *testing.T) {
	t.Parallel()

	text, err := os.ReadFile("../../sql/roles.sql")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range text {
		if c >= 0x80 {
			t.Fatalf("sql/roles.sql: byte %d is %#x, want ASCII", i, c)
		}
	}
	admin := plotAt(t, pgtest.Database(t))
	admin.exec(t, string(text))
	plot{url: withUser(t, admin.url, "trivia_migrator")}.migrate(t)
	admin.exec(t, `INSERT INTO users (user_id) VALUES ('u1'), ('u2')`)
	admin.exec(t, string(text)) // it may be run again, and sets what there is now

	// The hook: its main path, retention, the warehouse, addresses, keys, the audit.
	at := withUser(t, admin.url, "trivia_hook")
	hook := bench{
		Store: plot{url: at}.open(t), url: at, db: admin.db,
		Intake: intakeAt(t, at, store.IntakeOptions{CreateUsers: true, Owing: store.Owing{Policy: trivia.Policy{Win: trivia.Attributes}}}),
	}
	mainPath(t, hook, "roles")
	ctx := t.Context()
	if _, err := hook.ClaimRetention(ctx, time.Minute); err != nil {
		t.Errorf("ClaimRetention: %v", err)
	}
	if _, err := hook.ClaimWarehouse(ctx, "files:x", store.WarehouseEvents, time.Minute); err != nil {
		t.Errorf("ClaimWarehouse: %v", err)
	}
	if _, err := hook.Sources(ctx, "us"); err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Sources: %v", err)
	}
	if err := hook.AddKeyUses(ctx, []store.KeyUse{{Kind: trivia.KindWin, Fingerprint: "ab", First: noon, Last: noon, Uses: 1}}); err != nil {
		t.Errorf("AddKeyUses: %v", err)
	}
	for _, denied := range []string{
		`CREATE TABLE mine ()`, `DELETE FROM audit_log`, `UPDATE audit_log SET actor = ''`, `DELETE FROM trivia_wins`, `DELETE FROM prizes`,
		`UPDATE trivia_schema_version SET version = 0`, `DROP TABLE events`, `TRUNCATE events`,
	} {
		wantDenied(t, at, denied)
	}

	// An operator changes what there is, and writes it down for good.
	at = withUser(t, admin.url, "trivia_operator")
	operator := plot{url: at}.open(t)
	act := func(s *store.Store) error {
		return s.Act(ctx, func(*store.Act) (store.Deed, error) {
			return store.Deed{Actor: "ann@laptop", Verb: "users add", Target: "u9"}, nil
		})
	}
	if err := act(operator); err != nil {
		t.Errorf("Act: %v", err)
	}
	admin.want(t, `SELECT actor FROM audit_log`, "ann@laptop")
	for _, denied := range []string{`DELETE FROM audit_log`, `CREATE TABLE mine ()`, `DROP TABLE prizes`} {
		wantDenied(t, at, denied)
	}

	// Who only reads sees everything but the key that hides who was forgotten.
	at = withUser(t, admin.url, "trivia_reader")
	reader := plot{url: at}.open(t)
	if _, err := reader.Overview(ctx); err != nil {
		t.Errorf("Overview: %v", err)
	}
	for row, err := range reader.Deliveries(ctx, store.DeliveryFilter{}, store.Page{Limit: 1}) {
		if err != nil || row.Key == "" {
			t.Errorf("Deliveries: %+v, %v", row, err)
		}
	}
	if err := act(reader); err == nil || !store.Denied(err) || !strings.Contains(err.Error(), "permission denied for table audit_log") {
		t.Errorf("Act of a reader = %v, want that it may not write to audit_log", err)
	}
	for _, denied := range []string{`SELECT * FROM forget_key`, `DELETE FROM pushes`, `INSERT INTO users (user_id) VALUES ('x')`} {
		wantDenied(t, at, denied)
	}

	// What a later migration adds is theirs as well.
	migrator := plotAt(t, withUser(t, admin.url, "trivia_migrator"))
	migrator.exec(t, `CREATE TABLE next_table (word text); INSERT INTO next_table VALUES ('x')`)
	for _, role := range []string{"trivia_hook", "trivia_operator", "trivia_reader"} {
		plotAt(t, withUser(t, admin.url, role)).want(t, `SELECT word FROM next_table`, "x")
	}
}

func wantDenied(t *testing.T, at, sql string) {
	t.Helper()
	if _, err := plotAt(t, at).db.Exec(t.Context(), sql); !store.Denied(err) {
		t.Errorf("%s = %v, want it denied", sql, err)
	}
}
