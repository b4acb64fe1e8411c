package store_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/pgtest"
	"trivia/internal/store"
)

// BenchmarkTake says what a delivery costs: the time that passes, and the CPU
// of its session at the server, which other work on the machine does not
// change much.
func BenchmarkTake(b *testing.B) {
	for _, kind := range []string{"wins", "events"} {
		for _, size := range []int{1, 30, 120} {
			b.Run(fmt.Sprintf("%s/batch=%d", kind, size), func(b *testing.B) { benchmarkTake(b, kind, size, false) })
		}
		b.Run(kind+"/batch=30/pooled", func(b *testing.B) { benchmarkTake(b, kind, 30, true) })
	}
}

func benchmarkTake(b *testing.B, kind string, size int, pooled bool) {
	b.Helper()
	url := pgtest.Database(b)
	if _, err := store.Migrate(b.Context(), url); err != nil {
		b.Fatal(err)
	}
	through := url
	if pooled {
		through = pgtest.StartPooler(b, url, pgtest.PoolerOptions{Mode: "transaction", MaxPrepared: -1}).URL
	}
	in, err := store.OpenIntake(b.Context(), through, store.IntakeOptions{Statement: time.Minute, CreateUsers: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(in.Close)
	n := 0
	batch := func() []store.Arrival {
		arrivals := make([]store.Arrival, size)
		for i := range arrivals {
			n++
			key := fmt.Sprint("k", n)
			if arrivals[i] = win(key, "u"+fmt.Sprint(n%1000), key, "mug"); kind == "events" {
				arrivals[i] = event(key, "email", "opened")
			}
		}

		return arrivals
	}
	for range 10 {
		if _, err := in.Take(b.Context(), batch()); err != nil {
			b.Fatal(err)
		}
	}

	before := sessionTime(b, url)
	for b.Loop() {
		if _, err := in.Take(b.Context(), batch()); err != nil {
			b.Fatal(err)
		}
	}
	spent := sessionTime(b, url) - before
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N*size), "server-µs/delivery")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*size), "µs/delivery")
}

// sessionTime returns the CPU time of all sessions in the database at url.
func sessionTime(b *testing.B, url string) (sum time.Duration) {
	b.Helper()
	db := benchConn(b, url)
	for _, pid := range db.column(b, `SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`) {
		text, err := os.ReadFile("/proc/" + strings.TrimSpace(pid) + "/schedstat")
		if err != nil {
			continue // it has just ended
		}
		var ran time.Duration
		if _, err := fmt.Sscan(string(text), &ran); err != nil {
			b.Fatal(err)
		}
		sum += ran
	}

	return sum
}

type benchDB struct{ conn *pgx.Conn }

func benchConn(b *testing.B, url string) benchDB {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}

	return benchDB{conn}
}

// column returns the one column that sql selects, and closes the connection.
func (db benchDB) column(b *testing.B, sql string) []string {
	b.Helper()
	defer func() { _ = db.conn.Close(b.Context()) }()
	rows, err := db.conn.Query(b.Context(), sql)
	if err != nil {
		b.Fatal(err)
	}
	words, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		b.Fatal(err)
	}

	return words
}
