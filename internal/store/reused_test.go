package store_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/sql/migrations"
)

func TestAKeyDecidesNobodysWin(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{Conns: 4})

	// Twenty people come under one key, each three times, all at once.
	var all sync.WaitGroup
	fresh := make([][]store.Receipt, 3)
	for round := range fresh {
		fresh[round] = make([]store.Receipt, 20)
		for n := range 20 {
			all.Go(func() {
				got, err := b.Take(t.Context(), []store.Arrival{win("k", fmt.Sprint("u", n+1), "capitals", "mug")})
				if err != nil {
					t.Errorf("Take: %v", err)
					return
				}
				fresh[round][n] = got[0]
			})
		}
	}
	all.Wait()

	for n := range 20 {
		first := 0
		for round := range fresh {
			r := fresh[round][n]
			if !r.Duplicate {
				first++
			}
			if r.Outcome != trivia.Awarded {
				t.Errorf("u%d was answered %+v, want an award", n+1, r)
			}
		}
		if first != 1 {
			t.Errorf("u%d was accepted %d times, want once", n+1, first)
		}
	}
	b.want(t, `SELECT count(*), count(*) FILTER (WHERE reuses = 'k' AND 'reused_key' = ANY (marks)), sum(seen) FROM deliveries`, "20 19 60")
	b.want(t, `SELECT count(*) FROM prizes`, "20")
	checkInvariants(t, b)

	found, err := b.Delivery(t.Context(), "k")
	if err != nil || len(found) != 20 || found[0].Reuses != "" || found[1].Reuses != "k" {
		t.Errorf("Delivery(k) = %d rows, %v, want all 20 and the first first", len(found), err)
	}
	n := 0
	for d, err := range b.Deliveries(t.Context(), store.DeliveryFilter{Mark: trivia.MarkReusedKey, Key: "k"}, store.Page{}) {
		if err != nil || !slices.Equal(d.Marks, []trivia.Mark{trivia.MarkReusedKey}) {
			t.Errorf("Deliveries = %+v, %v, want marked ones", d, err)
		}
		n++
	}
	if n != 19 {
		t.Errorf("%d deliveries are marked, want 19", n)
	}
}

func TestAKeyOfOurOwnCanBeTakenByNobodyElse(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	mug := win("k", "u2", "capitals", "mug")
	b.take(t, win("k", "u1", "capitals", "mug"), mug)
	again := mug
	again.Key = trivia.BodyKey("k", mug.SHA256)
	if got := b.take(t, again, mug); !got[0].Duplicate || !got[1].Duplicate {
		t.Errorf("Take = %+v, want repeats, under either key", got)
	}
	b.want(t, `SELECT count(*), sum(seen) FROM deliveries`, "2 4")
}

func TestARefusedAwardBehindAKnownKeySpoilsNoNeighbour(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	b.exec(t, `CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
		LANGUAGE plpgsql AS 'BEGIN IF user_id = ''u2'' THEN RAISE EXCEPTION ''no''; END IF; INSERT INTO prizes VALUES ($1, $3, $2); END'`)

	got := b.take(t, win("k", "u1", "capitals", "mug"), win("k", "u2", "capitals", "mug"))
	if got[0].Outcome != trivia.Awarded || got[1].State != trivia.StatePending || got[1].Duplicate || !got[1].Reused {
		t.Errorf("Take = %+v, want an award, and one that waits", got)
	}
}

func TestWinsThatWereParkedForTheirKeyGetOneOfTheirOwn(t *testing.T) {
	t.Parallel()

	p := newPlot(t)
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		sql, err := fs.ReadFile(migrations.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, "009") {
			p.exec(t, `INSERT INTO deliveries (key, kind, rival, body, body_sha256, state, outcome, received_at, last_seen_at)
				SELECT key, kind, CASE outcome WHEN 'key_conflict' THEN sha256(body::bytea) ELSE '' END, body::bytea, sha256(body::bytea),
					CASE outcome WHEN 'key_conflict' THEN 'parked' ELSE 'done' END, outcome, now(), now()
				FROM (VALUES ('k', 'win', 'a', 'awarded'), ('k', 'win', 'b', 'key_conflict'), ('k', 'win', 'c', 'key_conflict'),
					(repeat('ü', 255), 'win', 'b', 'key_conflict'), ('k', 'event', 'b', 'key_conflict')) AS v (key, kind, body, outcome)`)
		}
		p.exec(t, string(sql))
	}

	b := bench{db: p.db}
	rows := b.rows(t, `SELECT key, kind, rival <> '', outcome, coalesce(reuses, '-'), coalesce(marks, '{}') FROM deliveries ORDER BY kind, body, reuses`)
	sums := map[string]string{}
	for _, pair := range b.rows(t, `SELECT encode(body, 'escape') || encode(body_sha256, 'hex') FROM deliveries`) {
		sums[pair[:1]] = pair[1:]
	}
	long := strings.Repeat("ü", 255)
	want := []string{
		"k event true key_conflict - []",
		"k win false awarded - []",
		"k#body-" + sums["b"] + " win false key_conflict k [reused_key]",
		trivia.BodyKey(long, sha256.Sum256([]byte("b"))) + " win false key_conflict " + long + " [reused_key]",
		"k#body-" + sums["c"] + " win false key_conflict k [reused_key]",
	}
	slices.Sort(rows)
	slices.Sort(want)
	if !slices.Equal(rows, want) {
		t.Errorf("the migration left\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
}
