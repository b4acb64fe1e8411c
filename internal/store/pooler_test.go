package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"trivia/internal/pgtest"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A pooled bench is a bench whose store and intakes reach the database through
// a pooler. The test itself looks at it directly.
func newPooled(t *testing.T, opts pgtest.PoolerOptions, intake store.IntakeOptions) bench {
	t.Helper()

	url := pgtest.Database(t)
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })
	p := pgtest.StartPooler(t, url, opts)
	s, err := store.Open(t.Context(), p.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	b := bench{s, intakeAt(t, p.URL, intake), p.URL, db}
	b.exec(t, `INSERT INTO users (user_id) SELECT 'u' || n FROM generate_series(1, 50) AS n`)

	return b
}

// eachPooler runs a test behind every kind of PgBouncer that is at hand.
func eachPooler(t *testing.T, test func(*testing.T, pgtest.PoolerOptions)) {
	t.Helper()

	const sincePrepared = 1021 // before, there is nothing to set, and nothing is remembered
	prepared := []int{-1}
	if pgtest.PoolerVersion(t) >= sincePrepared {
		prepared = []int{0, 100}
	}
	for _, mode := range []string{"session", "transaction"} {
		for _, n := range prepared {
			t.Run(fmt.Sprintf("%s mode, max_prepared_statements %d", mode, max(n, 0)), func(t *testing.T) {
				t.Parallel()
				test(t, pgtest.PoolerOptions{Mode: mode, MaxPrepared: n, Size: 16})
			})
		}
	}
}

// Four intakes share what the pooler has, so that no session is anybody's own.
func TestIntakeWorksBehindAPooler(t *testing.T) {
	t.Parallel()

	eachPooler(t, func(t *testing.T, opts pgtest.PoolerOptions) {
		t.Helper()
		if opts.Mode == "transaction" {
			opts.Size = 3
		}
		b := newPooled(t, opts, store.IntakeOptions{Conns: 2})
		intakes := []*store.Intake{b.Intake, intakeAt(t, b.url, store.IntakeOptions{Conns: 2})}

		var crowd errgroup.Group
		for n := range 4 {
			crowd.Go(func() error { return pour(t, intakes[n%2], uint64(n)) })
		}
		if err := crowd.Wait(); err != nil {
			t.Error(err)
		}
		done := make(chan struct{})
		close(done)
		if err := settleUntil(t, b.Store, false, done); err != nil {
			t.Error(err)
		}

		checkInvariants(t, b)
		b.want(t, `SELECT sum(seen) FROM deliveries`, fmt.Sprint(4*rounds*perRound))
		if !b.Pooled() {
			t.Error("Pooled() = false behind a pooler")
		}
	})
}

func TestNoPoolerIsSeenWhereThereIsNone(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	b.take(t, win("k1", "u1", "capitals", "mug"))
	if b.Pooled() {
		t.Error("Pooled() = true on a connection of the server's own")
	}
}

// A pooler that hands on the server's own number is not noticed, until a
// statement is not found.
func TestIntakeHealsItselfBehindAPoolerThatWasNotNoticed(t *testing.T) {
	t.Parallel()

	for name, spoil := range map[string]string{
		"the statements are forgotten": `DEALLOCATE ALL`,
		"a statement of another kind":  `PREPARE %s AS SELECT 1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, store.IntakeOptions{})
			// What another client of a pooler does to the session is done by a rule
			// here, since intake's connection is its own.
			b.take(t, win("k0", "u1", "k0", "mug"))
			names := b.preparedBy(t)
			if strings.Contains(spoil, "%s") {
				all := `DEALLOCATE ALL`
				for _, n := range names {
					all += `; ` + fmt.Sprintf(spoil, n)
				}
				spoil = all
			}
			b.exec(t, `CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void LANGUAGE plpgsql AS $f$
				BEGIN
					INSERT INTO prizes VALUES ($1, $3, $2);
					IF $3 = 'k1' THEN EXECUTE $$`+spoil+`$$; END IF;
				END $f$`)

			for _, key := range []string{"k1", "k2", "k3"} {
				if _, err := b.Take(t.Context(), []store.Arrival{win(key, "u1", key, "mug")}); err != nil && key != "k1" {
					t.Errorf("Take(%s) = %v", key, err)
				}
			}
			b.want(t, `SELECT key FROM deliveries WHERE key IN ('k2', 'k3') AND outcome = 'awarded' ORDER BY key`, "k2", "k3")
		})
	}
}

// preparedBy returns the names that intake prepares its statements by.
func (b bench) preparedBy(t *testing.T) []string {
	t.Helper()
	b.exec(t, `CREATE TABLE names (name text)`)
	b.exec(t, `CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void LANGUAGE sql AS $f$
		INSERT INTO names SELECT name FROM pg_prepared_statements $f$`)
	b.take(t, win("names", "u2", "names", "mug"))

	return b.rows(t, `SELECT name FROM names`)
}

// What the hook does beside intake, through a pooler that lends each
// transaction another session.
func TestTheStoreWorksBehindAPooler(t *testing.T) {
	t.Parallel()
	b := newPooled(t, pgtest.PoolerOptions{Mode: "transaction", MaxPrepared: -1, Size: 2}, store.IntakeOptions{})

	for n := range 20 {
		key := fmt.Sprint("k", n)
		if _, err := b.Keep(t.Context(), []store.Arrival{win(key, "u1", key, "mug")}); err != nil {
			t.Fatalf("Keep: %v", err)
		}
		p, err := b.Claim(t.Context(), store.Ref{Kind: trivia.KindWin, Key: key}, time.Minute)
		if err != nil {
			t.Fatalf("Claim: %v", err)
		}
		if _, err := b.Settle(t.Context(), p, win(key, "u1", key, "mug"), store.SettleOptions{Statement: time.Minute}); err != nil {
			t.Fatalf("Settle: %v", err)
		}
		if err := b.Ready(t.Context()); err != nil {
			t.Fatalf("Ready: %v", err)
		}
		if _, err := b.Overview(t.Context()); err != nil {
			t.Fatalf("Overview: %v", err)
		}
	}
	b.want(t, `SELECT count(*) FROM prizes`, "20")
}
