package warehouse_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/config"
	"trivia/internal/warehouse"
)

func TestRowsBecomeFilesByTableAndDay(t *testing.T) {
	t.Parallel()

	b, dir := newBench(t), t.TempDir()
	b.exec(t, writeEvents, "2026-05-04 23:59:00Z", 1, 100, "e") // 59 of them before midnight
	b.wins(t, 7)
	st := b.stage(t, openFiles(t, dir, "parquet"))
	b.send(t, st)

	wantIDs(t, "customerio_events", inParquet(t, dir, "customerio_events"), numbered("e%d", 1, 100))
	wantIDs(t, "trivia_wins", inParquet(t, dir, "trivia_wins"), numbered("w%d/capitals", 1, 7))
	var days []string
	for _, name := range append(files(t, dir, "customerio_events"), files(t, dir, "trivia_wins")...) {
		if !strings.HasSuffix(name, "-1.parquet") {
			t.Errorf("a file is called %s", name)
		}
		days = append(days, filepath.Dir(name))
	}
	want := []string{"customerio_events/day=2026-05-04", "customerio_events/day=2026-05-05", "trivia_wins/day=2026-05-04"}
	if diff := cmp.Diff(want, days); diff != "" {
		t.Errorf("folders (-want +got):\n%s", diff)
	}
	b.want(t, `SELECT what || ' ' || sent FROM warehouse_positions ORDER BY what`, "customerio_events 100", "trivia_wins 7")
	b.scraped(t, `trivia_warehouse_rows_total{sink="files:`+dir+`",table="customerio_events"} 100`)

	// What comes next is another file, and nothing is written where nothing comes.
	b.events(t, 200, 201)
	b.send(t, st)
	b.send(t, st)
	wantIDs(t, "then", inParquet(t, dir, "customerio_events"), slices.Sorted(slices.Values(append(numbered("e%d", 1, 100), "e200", "e201"))))
	if n := len(files(t, dir, "customerio_events")); n != 3 {
		t.Errorf("%d files, want 3", n)
	}
}

func TestRowsOfEveryKindAreTheSameInBothFormats(t *testing.T) {
	t.Parallel()

	b, dir := newBench(t), t.TempDir()
	b.events(t, 2, 2)
	b.exec(t, `UPDATE deliveries SET body = convert_to(E'{"a":"\n', 'UTF8') || '\xff'::bytea || convert_to('"}', 'UTF8') WHERE key = 'e2'`)
	b.exec(t, `UPDATE events SET machine = true, template_id = '11', failure_message = 'no "such" user'`)
	b.exec(t, `INSERT INTO events (event_id, object_type, metric, received_at, written) SELECT 'gone', 'sms', 'sent', received_at, '1' FROM events`)
	b.wins(t, 1)
	b.send(t, b.stage(t, openFiles(t, dir, "ndjson")))

	var lines []string
	for _, table := range warehouse.Tables() {
		for _, name := range files(t, dir, string(table)) {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, strings.Split(strings.TrimSpace(string(text)), "\n")...)
		}
	}
	const rest = `"link_id":null,"href":`
	want := []string{
		`{"event_id":"gone","object_type":"sms","metric":"sent","timestamp":null,"received_at":"2026-05-04T12:00:02Z",` +
			`"customer_id":null,"email_address":null,"cio_id":null,"person":null,"delivery_id":null,"campaign_id":null,"broadcast_id":null,"newsletter_id":null,` +
			`"action_id":null,"transactional_id":null,"template_id":null,` + rest + `null,"tracked_response":null,"failure_message":null,` +
			`"machine":false,"prefetched":false,"proxied":false,"synthetic":false,"payload":null,"payload_is_invalid":false}`,
		`{"event_id":"e2","object_type":"email","metric":"clicked","timestamp":"2026-05-04T12:00:02Z","received_at":"2026-05-04T12:00:02Z",` +
			`"customer_id":"c2","email_address":"c2@example.com","cio_id":null,"person":"c2","delivery_id":null,"campaign_id":"k7","broadcast_id":null,"newsletter_id":null,` +
			`"action_id":null,"transactional_id":null,"template_id":"11",` + rest + `"https://example.com/","tracked_response":null,"failure_message":"no \"such\" user",` +
			`"machine":true,"prefetched":false,"proxied":false,"synthetic":false,"payload":"{\"a\":\"\n�\"}","payload_is_invalid":true}`,
		`{"win_id":"w1/capitals","user_id":"w1","trivia_id":"capitals","item":"mug","delivery_key":"k1","won_at":"2026-05-04T12:00:01Z"}`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("this is no JSON: %s", line)
		}
	}
}

// A batch is limited: by rows, and by the days that it has a file of open for.
func TestWhatDoesNotFitIntoABatchIsTheNext(t *testing.T) {
	t.Parallel()

	b, dir := newBench(t), t.TempDir()
	b.exec(t, `INSERT INTO events (event_id, object_type, metric, received_at) SELECT 'e' || i, 'email', 'sent', '2026-01-01Z'::timestamptz + i * interval '6 hours' FROM generate_series(1, 100) AS i`)
	st := b.stage(t, openFiles(t, dir, "parquet"))
	b.send(t, st)
	wantIDs(t, "customerio_events", inParquet(t, dir, "customerio_events"), numbered("e%d", 1, 100))
	places := map[string]int{}
	for _, name := range files(t, dir, "customerio_events") {
		places[filepath.Base(name)]++
	}
	if len(places) != 4 { // 26 days, 8 at a time
		t.Errorf("files are called %v, want 4 names", places)
	}
}

// Whenever it happens, a crash leaves nothing missing, nothing double and no
// file that is half written.
func TestAfterACrashAtAnyPointAllIsThereOnce(t *testing.T) {
	t.Parallel()

	for n := 0; ; n++ {
		b, dir := newBench(t), t.TempDir()
		b.exec(t, writeEvents, "2026-05-04 23:59:30Z", 1, 60, "e")
		b.settle(t)

		first := openFiles(t, dir, "parquet")
		crash := warehouse.CrashAfter(first, n)
		b.trySend(t, b.stage(t, first))
		crashed := crash.Crashed()

		// More has come meanwhile, and whoever goes on crashes, too.
		b.exec(t, writeEvents, "2026-05-05 12:00Z", 100, 110, "e")
		b.settle(t)
		for again := range 8 {
			b.endLeases(t)
			next := openFiles(t, dir, "parquet")
			warehouse.CrashAfter(next, again)
			b.trySend(t, b.stage(t, next))
		}
		b.endLeases(t)
		b.send(t, b.stage(t, openFiles(t, dir, "parquet")))

		want := slices.Sorted(slices.Values(append(numbered("e%d", 1, 60), numbered("e%d", 100, 110)...)))
		wantIDs(t, "after a crash", inParquet(t, dir, "customerio_events"), want)
		if t.Failed() {
			t.Fatalf("crashed after %d operations; files %q", n, files(t, dir, "customerio_events"))
		}
		if !crashed {
			if n < 10 {
				t.Errorf("only %d operations were tried", n)
			}

			return
		}
	}
}

func TestFilesOfADayAreCountedAsDifferentRows(t *testing.T) {
	t.Parallel()

	for _, format := range []string{"parquet", "ndjson"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()

			b, dir := newBench(t), t.TempDir()
			sink := openFiles(t, dir, format)
			b.exec(t, writeEvents, "2026-05-04 23:59:00Z", 1, 100, "e")
			b.exec(t, writeEvents, "2026-06-01 12:00:00Z", 200, 209, "e")
			b.wins(t, 3)
			b.send(t, b.stage(t, sink))
			// Once more, as after the position was lost.
			b.exec(t, `DELETE FROM warehouse_positions`)
			b.send(t, b.stage(t, sink))
			for _, name := range []string{"customerio_events/day=2026-05-04/notes.txt", "customerio_events/day=never/x.parquet"} {
				_ = os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o750)
				if err := os.WriteFile(filepath.Join(dir, name), []byte("not ours"), 0o600); err != nil {
					t.Fatal(err)
				}
			}

			day := func(text string) time.Time { at, _ := time.Parse(time.DateOnly, text); return at }
			count := sink.(warehouse.Counter)
			for _, tt := range []struct {
				table        warehouse.Table
				since, until time.Time
				want         map[string]int
			}{
				{warehouse.Events, day("2020-01-01"), day("2030-01-01"), map[string]int{"2026-05-04": 59, "2026-05-05": 41, "2026-06-01": 10}},
				{warehouse.Events, day("2026-05-05"), day("2026-05-06"), map[string]int{"2026-05-05": 41}},
				{warehouse.Events, day("2026-05-05").Add(10 * time.Second), day("2026-06-01"), map[string]int{"2026-05-05": 31}},
				{warehouse.Events, day("2027-05-05"), day("2028-05-06"), map[string]int{}},
				{warehouse.Wins, day("2026-05-01"), day("2026-06-01"), map[string]int{"2026-05-04": 3}},
			} {
				got, err := count.CountDays(t.Context(), tt.table, tt.since, tt.until)
				if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
					t.Errorf("CountDays(%s, %v, %v), %v (-want +got):\n%s", tt.table, tt.since, tt.until, err, diff)
				}
			}
		})
	}
}

func TestAFileThatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	name := filepath.Join(dir, "trivia_wins", "day=2026-05-04", "x.parquet")
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("PAR1 but not really PAR1"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := openFiles(t, dir, "parquet").(warehouse.Counter).CountDays(t.Context(), warehouse.Wins, time.Time{}, time.Now())
	if err == nil || !strings.Contains(err.Error(), "count the rows of trivia_wins/day=2026-05-04/x.parquet: read parquet: ") {
		t.Errorf("CountDays = %v", err)
	}
}

func TestInitSaysWhetherFilesCanBeWritten(t *testing.T) {
	t.Parallel()

	dir := filepath.Join(t.TempDir(), "deep", "down")
	done, err := openFiles(t, dir, "parquet").(warehouse.Initer).Init(t.Context())
	if err != nil || len(done) != 1 || done[0] != "files can be written to "+dir {
		t.Errorf("Init = %q, %v", done, err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".unfinished")); err != nil {
		t.Error(err)
	}

	taken := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openFiles(t, taken, "parquet").(warehouse.Initer).Init(t.Context()); err == nil || !strings.Contains(err.Error(), "make "+taken) {
		t.Errorf("Init where a file stands = %v", err)
	}
}

func TestNoWarehouseIsNotOpened(t *testing.T) {
	t.Parallel()

	if _, err := warehouse.Open(t.Context(), config.Warehouse{}); err == nil || err.Error() != "no warehouse is set" {
		t.Errorf("Open = %v", err)
	}
}
