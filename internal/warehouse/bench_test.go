package warehouse_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// BenchmarkDrain measures events on the way from Postgres into files: the rate
// is that of everything together, on the cores that Postgres has, too.
func BenchmarkDrain(b *testing.B) {
	for _, format := range []string{"parquet", "ndjson"} {
		b.Run(format, func(b *testing.B) {
			const rows = 200_000
			bench := newBench(b)
			body := `{"event_id":"%s","object_type":"email","metric":"clicked","timestamp":1777896000,"data":{"identifiers":{"id":"u%[1]s","email":"u%[1]s@example.com","cio_id":"d9c106000001"},` +
				`"customer_id":"u%[1]s","email_address":"u%[1]s@example.com","delivery_id":"RPILAgUBcRhIBqSfeiIwdIYJKxTY","campaign_id":23,"action_id":96,"broadcast_id":2,"template_id":11,` +
				`"recipient":"u%[1]s@example.com","subject":"Thanks for joining %[1]s","href":"https://example.com/landing?u=%[1]s","link_id":1,"content":"` + strings.Repeat("lorem ipsum ", 20) + `"}}`
			for from := 0; from < rows; from += 500 {
				bench.exec(b, `
				WITH n AS (SELECT i, now() + i * interval '1 us' AS at, '01E4C4CT6YDC7Y5M7FE1GWW' || lpad(i::text, 8, '0') AS id FROM generate_series($1::int, $2::int) AS i),
				d AS (
					INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at, settled_at)
					SELECT id, 'event', convert_to(format(replace(replace($3, '%[1]s', '%1$s'), '"%s"', '"%1$s"'), id), 'UTF8'), '\x00', 'done', 'recorded', at, at, at FROM n)
				INSERT INTO events (event_id, object_type, metric, occurred_at, received_at, customer_id, person, email, cio_id, delivery_id, campaign_id, broadcast_id, action_id, template_id, link_id, href)
				SELECT id, 'email', CASE WHEN i % 3 = 0 THEN 'clicked' ELSE 'opened' END, at, at, 'u' || id, 'u' || id, 'u' || id || '@example.com', 'd9c106' || i,
					'RPILAgUBcRhIBqSfeiIwdIYJKxTY' || i, '23', '2', '96', '11', '1', 'https://example.com/landing?u=' || id FROM n`,
					from, from+499, body)
			}
			bench.exec(b, `VACUUM ANALYZE events, deliveries`)
			b.Logf("a body has %s bytes", bench.rows(b, `SELECT avg(length(body))::int::text FROM deliveries`)[0])
			b.ResetTimer()
			n, size := 0, int64(0)
			begun := time.Now()
			for i := range b.N {
				dir := b.TempDir()
				st := bench.stage(b, openFiles(b, fmt.Sprintf("%s/%d", dir, i), format))
				bench.send(b, st)
				n += rows
				for _, name := range files(b, fmt.Sprintf("%s/%d", dir, i), "customerio_events") {
					if info, err := os.Stat(fmt.Sprintf("%s/%d/%s", dir, i, name)); err == nil {
						size += info.Size()
					}
				}
			}
			b.ReportMetric(float64(n)/time.Since(begun).Seconds(), "events/s")
			b.ReportMetric(float64(size)/float64(n), "B/event")
			if got := bench.rows(b, `SELECT DISTINCT sent::text FROM warehouse_positions WHERE what = 'customerio_events'`); len(got) != 1 || got[0] != fmt.Sprint(rows) {
				b.Errorf("%q rows were sent, want %d", got, rows)
			}
		})
	}
}
