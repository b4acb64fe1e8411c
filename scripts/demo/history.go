package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// prepare lets people in, closes a trivia, and sends what seems to have come in
// the last hour: some of everything.
func prepare(ctx context.Context, h *hook, st *stream, history int) error {
	var names strings.Builder
	for i := range players {
		_, _ = fmt.Fprintf(&names, "player-%04d\n", i+1)
	}
	file := filepath.Join(h.dir, "players.csv")
	if err := os.WriteFile(file, []byte(names.String()), 0o600); err != nil {
		return err
	}
	if err := h.ctl(ctx, "users", "import", file, "--reason", "they play in the demo"); err != nil {
		return err
	}
	if err := h.ctl(ctx, "trivia", "close", closedTrivia, "--reason", "the summer is over"); err != nil {
		return err
	}

	now := time.Now()
	requests := st.made.each(now)
	for range history {
		requests = append(requests, st.made.next(now))
	}
	if err := st.all(ctx, requests); err != nil {
		return err
	}
	if err := st.all(ctx, st.made.again(now)); err != nil {
		return err
	}

	return spread(ctx, h.database)
}

// spreading dates back what was sent, each delivery by a span that its key
// stands for: a third of them evenly over the hour, the rest behind one of three
// campaigns.
var spreading = []string{
	`CREATE TEMPORARY TABLE spread ON COMMIT DROP AS
	SELECT key, kind, rival, interval '1 s' * CASE
		WHEN h % 100 < 35 THEN u * 3540
		ELSE greatest(u * 30, (ARRAY[3000, 1980, 840])[h % 3 + 1] + 240 * ln(u))
		END AS ago
	FROM (SELECT key, kind, rival, h, (h / 300 % 10000 + 1) / 10001.0 AS u
		FROM (SELECT key, kind, rival, abs(hashtext(key)::bigint) AS h FROM deliveries) AS d) AS d`,
	`UPDATE deliveries AS d SET received_at = received_at - ago, last_seen_at = last_seen_at - ago, settled_at = settled_at - ago,
		stamp = extract(epoch FROM received_at - ago)::bigint::text
	FROM spread AS s WHERE (d.key, d.kind, d.rival) = (s.key, s.kind, s.rival)`,
	`UPDATE prizes AS p SET granted_at = granted_at - ago
	FROM spread AS s, trivia_wins AS w
	WHERE w.delivery_key = s.key AND s.kind = 'win' AND s.rival = '' AND (p.user_id, p.trivia_id) = (w.user_id, w.trivia_id)`,
	`UPDATE trivia_wins AS w SET won_at = won_at - ago
	FROM spread AS s WHERE w.delivery_key = s.key AND s.kind = 'win' AND s.rival = ''`,
	`UPDATE events AS e SET received_at = received_at - ago, occurred_at = occurred_at - ago
	FROM spread AS s WHERE e.event_id = s.key AND s.kind = 'event'`,
	`UPDATE responses AS r SET answered_at = answered_at - ago
	FROM spread AS s WHERE r.event_id = s.key AND s.kind = 'event'`,
}

func spread(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()

	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, sql := range spreading {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return fmt.Errorf("spread what was sent over the last hour: %w", err)
			}
		}

		return nil
	})
}

// summing says what has come, a kind a line.
const summing = `
	SELECT coalesce(outcome, 'none') || ' ' || state || ' ' || count(*) FROM deliveries GROUP BY outcome, state
	UNION ALL SELECT 'came again ' || sum(seen - 1) FROM deliveries
	UNION ALL SELECT 'wins ' || count(*) FROM trivia_wins
	UNION ALL SELECT 'responses ' || count(*) FROM responses
	UNION ALL SELECT 'kinds of events ' || count(DISTINCT (object_type, metric)) FROM events
	UNION ALL SELECT 'pushes ' || state || ' ' || count(*) FROM pushes GROUP BY state
	UNION ALL SELECT 'minutes ' || count(DISTINCT date_bin('1 min', received_at, '2000-01-01')) FROM deliveries
	ORDER BY 1`

// summary prints what has come, for whoever did not look.
func summary(ctx context.Context, h *hook, st *stream, out io.Writer) error {
	conn, err := pgx.Connect(ctx, h.database)
	if err != nil {
		return h.explain(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, summing)
	if err != nil {
		return err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for status := range st.answers {
		if n := st.answers[status].Load(); n > 0 {
			lines = append(lines, fmt.Sprintf("answered %d %d", status, n))
		}
	}
	_, err = fmt.Fprintln(out, strings.Join(lines, "\n"))

	return errors.Join(err, ctx.Err())
}
