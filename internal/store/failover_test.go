package store_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/pgtest"
	"trivia/internal/store"
)

// The primary is killed while wins come, and the standby, for which every
// commit has waited, takes over. Nobody helps intake, and what it has
// acknowledged is there.
func TestIntakeFollowsAFailover(t *testing.T) {
	t.Parallel()

	for name, end := range map[string]func(*testing.T, bench, int){
		"the primary is killed": func(t *testing.T, _ bench, pid int) {
			t.Helper()
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		},
		// It answers, and takes no writes: the old primary that became a standby.
		"the primary turns read-only": func(t *testing.T, b bench, _ int) {
			t.Helper()
			b.exec(t, `ALTER SYSTEM SET default_transaction_read_only = on`)
			b.exec(t, `SELECT pg_reload_conf()`)
			for b.rows(t, `SELECT current_setting('default_transaction_read_only')`)[0] != "on" {
				t.Log("the server has not read its configuration yet")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			primary := pgtest.Durable(t)
			if _, err := store.Migrate(t.Context(), primary.URL()); err != nil {
				t.Fatal(err)
			}
			standby := pgtest.StartStandby(t, primary)
			db, err := pgx.Connect(t.Context(), primary.URL())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close(context.Background()) })
			b := bench{db: db}
			b.exec(t, `INSERT INTO users (user_id) SELECT 'u' || n FROM generate_series(1, 50) AS n`)
			b.exec(t, `ALTER SYSTEM SET synchronous_standby_names = '`+pgtest.Name+`'`)
			b.exec(t, `SELECT pg_reload_conf()`)
			in := intakeAt(t, standby.Both(t, primary), store.IntakeOptions{Conns: 2, Statement: 950 * time.Millisecond})
			take := func(key string) error {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := in.Take(ctx, []store.Arrival{win(key, "u1", key, "mug")})

				return err
			}

			var kept []string
			for n := range 50 {
				key := fmt.Sprint("before", n)
				if err := take(key); err != nil {
					t.Fatalf("Take = %v", err)
				}
				kept = append(kept, key)
			}
			end(t, b, primary.PID())
			_ = take("during")
			standby.Promote(t)

			// Each try is a sender's. All of the connections that there were may have
			// to be found broken first, and no more.
			tries := 0
			for err := take("after"); err != nil; err = take("after") {
				if tries++; tries > 4 {
					t.Fatalf("try %d after the standby takes writes: %v", tries, err)
				}
			}

			t.Logf("%d tries failed after the standby took writes", tries)

			after, err := pgx.Connect(t.Context(), standby.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = after.Close(context.Background()) }()
			bench{db: after}.want(t, `SELECT count(*) FROM trivia_wins WHERE delivery_key LIKE 'before%'`, fmt.Sprint(len(kept)))
			bench{db: after}.want(t, `SELECT count(*) FROM trivia_wins WHERE delivery_key = 'after'`, "1")
		})
	}
}
