package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/bqtest"
	"trivia/internal/config"
	"trivia/internal/pgtest"
	"trivia/internal/store"
)

// manyEvents is enough for a backfill to be caught in the middle.
const manyEvents = 30_000

func TestABackfillThatIsInterruptedGoesOn(t *testing.T) {
	t.Parallel()

	url := pgtest.Schema(t)
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(context.Background()) }()
	if _, err := db.Exec(t.Context(), fmt.Sprintf(`
		INSERT INTO events (event_id, object_type, metric, occurred_at, received_at)
		SELECT 'event-' || n, 'email', 'clicked', at, at
		FROM (SELECT n, '2026-05-04 12:00Z'::timestamptz + n / 100 * '1 ms'::interval AS at FROM generate_series(1, %d) AS n) AS e`, manyEvents)); err != nil {
		t.Fatal(err)
	}

	server := bqtest.Start(t)
	run := func(words ...string) (said string, code int) {
		var out bytes.Buffer
		cmd := triviactl(t, url, words...)
		cmd.Env = append(cmd.Env, config.WarehouseTo+"=bigquery:test-project.d", config.WarehouseEndpoint+"="+server.URL())
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if words[1] == "backfill" && words[2] == "--rate" {
			poll := time.NewTicker(time.Millisecond)
			defer poll.Stop()
			for deadline := time.Now().Add(time.Minute); len(server.Rows("d", "customerio_events")) <= 5000 && time.Now().Before(deadline); <-poll.C {
			}
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
		_ = cmd.Wait() // its exit code says it

		return out.String(), cmd.ProcessState.ExitCode()
	}

	if said, code := run("warehouse", "init", "--location", "EU"); code != 0 {
		t.Fatalf("exit code %d, said %s", code, said)
	}
	said, code := run("warehouse", "backfill", "--rate", "5000", "--since", "2026-05-04", "--until", "2026-05-05")
	_, next, ok := strings.Cut(said, "hint: go on with: triviactl ")
	if code != 1 || !ok || !strings.Contains(said, "triviactl: interrupted\n") || !strings.Contains(next, "--after ") {
		t.Fatalf("exit code %d, said %s", code, said)
	}
	before := len(server.Rows("d", "customerio_events"))
	if before >= manyEvents {
		t.Fatalf("%d rows were sent before it was interrupted", before)
	}
	if said, code := run(strings.Fields(next)...); code != 0 {
		t.Fatalf("exit code %d, said %s", code, said)
	}
	latest, all := len(server.Latest("d", "customerio_events", "event_id")), len(server.Rows("d", "customerio_events"))
	if latest != manyEvents || all > manyEvents+5000 {
		t.Errorf("%d rows are there, %d of them different; want %d, and no more than a batch twice", all, latest, manyEvents)
	}
}
