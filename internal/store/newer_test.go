package store_test

import (
	"testing"
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A next migration, of all kinds that the rule over migrations allows: columns
// for each table, before and behind the ones that are known to programs, a new
// table, a new function, indexes.
const nextMigration = `
	DO $$
	DECLARE
		name text;
	BEGIN
		FOR name IN SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' LOOP
			EXECUTE format('ALTER TABLE %I ADD COLUMN next_word text, ADD COLUMN next_count integer NOT NULL DEFAULT 7', name);
			EXECUTE format('CREATE INDEX ON %I (next_word)', name);
		END LOOP;
	END
	$$;
	CREATE TABLE next_table (id bigint PRIMARY KEY, word text NOT NULL);
	CREATE FUNCTION next_function(word text) RETURNS text LANGUAGE sql AS 'SELECT word';
	UPDATE trivia_schema_version SET version = version + 1`

func TestTheNextSchemaIsWorkedOnByWhatRunsAndByWhatStarts(t *testing.T) {
	t.Parallel()

	for _, running := range []bool{true, false} {
		t.Run(map[bool]string{true: "it runs meanwhile", false: "it is started afterwards"}[running], func(t *testing.T) {
			t.Parallel()

			b := newBench(t, store.IntakeOptions{Conns: 1, CreateUsers: true, Owing: store.Owing{Policy: trivia.Policy{Win: trivia.Attributes}}})
			mainPath(t, b, "before")
			b.exec(t, nextMigration)
			if !running {
				b.Store, b.Intake = plot{url: b.url}.open(t), intakeAt(t, b.url, store.IntakeOptions{CreateUsers: true})
			}
			mainPath(t, b, "after")

			schema, err := b.Schema(t.Context())
			if err != nil || !schema.Newer() || schema.Check() != nil {
				t.Errorf("Schema = %+v, %v; want it newer, and fit to work on", schema, err)
			}
			checkInvariants(t, b)
		})
	}
}

// mainPath takes wins and events in, settles what was left, and reads it again.
func mainPath(t *testing.T, b bench, tag string) {
	t.Helper()

	got := b.take(t, win(tag+"-1", "u1", tag, "mug"), win(tag+"-2", "u1", tag, "mug"), win(tag+"-3", "u1", tag, "hat"),
		event(tag+"-4", "email", "opened"), unusable(tag+"-5", "{"))
	for i, want := range []trivia.Outcome{trivia.Awarded, trivia.AlreadyWon, trivia.PrizeConflict, trivia.Recorded, trivia.Malformed} {
		if got[i].Outcome != want {
			t.Errorf("%s: delivery %d is %+v, want %s", tag, i+1, got[i], want)
		}
	}
	if again := b.take(t, win(tag+"-1", "u1", tag, "mug"), win(tag+"-1", "u1", tag, "other")); !again[0].Duplicate {
		t.Errorf("%s: the first again is %+v, want a duplicate", tag, again[0])
	}

	later := []store.Arrival{win(tag+"-6", "u2", tag, "mug"), event(tag+"-7", "email", "clicked")}
	if _, err := b.Keep(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	for i, want := range []trivia.Outcome{trivia.Awarded, trivia.Recorded} {
		a := later[i]
		p, err := b.Claim(t.Context(), store.Ref{Key: a.Key, Kind: a.Kind}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := b.Settle(t.Context(), p, a, store.SettleOptions{Statement: time.Minute}); err != nil || r.Outcome != want {
			t.Errorf("%s: Settle(%s) = %+v, %v; want %s", tag, a.Key, r, err, want)
		}
	}

	var wins int
	for _, err := range b.Wins(t.Context(), store.WinFilter{Trivia: trivia.ID(tag)}, store.Page{Limit: 10}) {
		if err != nil {
			t.Fatal(err)
		}
		wins++
	}
	if wins != 2 {
		t.Errorf("%s: %d wins, want 2", tag, wins)
	}
	if _, payload, err := b.Event(t.Context(), tag+"-4"); err != nil || len(payload) == 0 {
		t.Errorf("%s: Event = %d bytes, %v", tag, len(payload), err)
	}
	if _, err := b.Overview(t.Context()); err != nil {
		t.Errorf("%s: Overview: %v", tag, err)
	}
	if _, err := b.Check(t.Context(), store.Checks{Since: noon.Add(-time.Hour), Statement: time.Minute, Rows: 1}); err != nil {
		t.Errorf("%s: Check: %v", tag, err)
	}
}
