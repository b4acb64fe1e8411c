package operator_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

var lunch = time.Date(2026, 5, 4, 12, 0, 0, 123_456_000, time.UTC)

// columns reads a Parquet file: its schema, and every row as what its columns
// hold, none where a value is null.
func columns(t *testing.T, file []byte) (schema string, rows []map[string]any, groups int) {
	t.Helper()

	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	names := f.Schema().Columns()
	for _, group := range f.RowGroups() {
		groups++
		reader := group.Rows()
		buffer := make([]parquet.Row, 100)
		for {
			n, err := reader.ReadRows(buffer)
			for _, row := range buffer[:n] {
				values := map[string]any{}
				for _, v := range row {
					name := names[v.Column()][0]
					switch v.Kind() { //nolint:exhaustive // we write no others
					case parquet.Boolean:
						values[name] = v.Boolean()
					case parquet.Int32:
						values[name] = int(v.Int32())
					case parquet.Int64:
						values[name] = v.Int64()
					case parquet.ByteArray:
						values[name] = string(v.ByteArray())
					}
				}
				rows = append(rows, values)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
	}

	return f.Schema().String(), rows, groups
}

// write writes rows into a file.
func write[T any](t *testing.T, begin func(io.Writer) *operator.ParquetFile[T], rows ...T) []byte {
	t.Helper()

	var file bytes.Buffer
	out := begin(&file)
	for _, row := range rows {
		if err := out.Row(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.End(); err != nil {
		t.Fatal(err)
	}

	return file.Bytes()
}

func TestParquetHasTypedColumnsAndNulls(t *testing.T) {
	t.Parallel()

	schema, rows, _ := columns(t, write(t, operator.WinsParquet,
		store.WinRow{Win: trivia.Win{User: "Zoë 漢字", Trivia: "capitals", Item: "mug"}, Key: "k", At: lunch}))
	if want := `message parquetWin {
	required int64 won_at (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS));
	required binary user_id (STRING);
	required binary trivia_id (STRING);
	required binary item (STRING);
	required binary delivery_key (STRING);
}`; schema != want {
		t.Errorf("schema of wins:\n%s\nwant\n%s", schema, want)
	}
	want := []map[string]any{{
		"won_at": lunch.UnixMicro(), "user_id": "Zoë 漢字", "trivia_id": "capitals", "item": "mug", "delivery_key": "k",
	}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("wins (-want +got):\n%s", diff)
	}

	_, rows, _ = columns(t, write(t, operator.EventsParquet,
		store.EventRow{ID: "e", ReceivedAt: lunch, Event: trivia.Event{ObjectType: "email", Metric: "sent", Machine: true}},
		store.EventRow{ID: "f", ReceivedAt: lunch, Owed: trivia.PushSuppress, Event: trivia.Event{
			ObjectType: "email", Metric: "bounced", Person: "p", At: lunch.Add(-time.Minute), Campaign: "7", Failure: "550",
		}}))
	want = []map[string]any{
		{
			"event_id": "e", "received_at": lunch.UnixMicro(), "object_type": "email", "metric": "sent",
			"machine": true, "prefetched": false, "proxied": false, "synthetic": false,
		},
		{
			"event_id": "f", "received_at": lunch.UnixMicro(), "object_type": "email", "metric": "bounced", "owed": "suppress",
			"person": "p", "occurred_at": lunch.Add(-time.Minute).UnixMicro(), "campaign_id": "7", "failure_message": "550",
			"machine": false, "prefetched": false, "proxied": false, "synthetic": false,
		},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestParquetKeepsBodiesByteForByte(t *testing.T) {
	t.Parallel()

	const body = "\xff\x00\x1b{\n"
	schema, rows, _ := columns(t, write(t, operator.BodiesParquet, store.DeliveryRow{
		Key: "k", Kind: trivia.KindWin, State: trivia.StateParked, Outcome: trivia.Malformed, Reason: "no", SHA256: []byte{0xab},
		Body: []byte(body), Size: len(body), ReceivedAt: lunch, Seen: 2, LastSeenAt: lunch, SettledAt: lunch,
	}))
	want := []map[string]any{{
		"key": "k", "kind": "win", "state": "parked", "outcome": "malformed", "reason": "no", "body_sha256": "ab",
		"received_at": lunch.UnixMicro(), "last_seen_at": lunch.UnixMicro(), "settled_at": lunch.UnixMicro(),
		"seen": 2, "attempts": 0, "bytes": len(body), "body": body,
	}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("deliveries with bodies (-want +got):\n%s\n%s", diff, schema)
	}
}

func TestParquetIsWrittenGroupByGroup(t *testing.T) {
	t.Parallel()

	long := store.DeliveryRow{Key: "k", Body: bytes.Repeat([]byte("x"), 1<<20), ReceivedAt: lunch, LastSeenAt: lunch}
	all := make([]store.DeliveryRow, 70)
	for i := range all {
		all[i] = long
	}
	file := write(t, operator.BodiesParquet, all...)
	if _, rows, groups := columns(t, file); len(rows) != len(all) || groups < 3 {
		t.Errorf("%d rows in %d groups, want %d rows in groups of some 32 MiB", len(rows), groups, len(all))
	}
	if len(file) > 1<<20 {
		t.Errorf("70 MiB of the same letter are %d bytes: they are not compressed", len(file))
	}

	if _, rows, _ := columns(t, write[store.WinRow](t, operator.WinsParquet)); len(rows) != 0 {
		t.Errorf("%d rows in an empty file", len(rows))
	}
}

// brokenWriter takes so many bytes and no more.
type brokenWriter int

var errFull = errors.New("no space left")

func (b *brokenWriter) Write(p []byte) (int, error) {
	if *b -= brokenWriter(len(p)); *b < 0 {
		return 0, errFull
	}

	return len(p), nil
}

func TestParquetSaysThatItCouldNotBeWritten(t *testing.T) {
	t.Parallel()

	room := brokenWriter(100)
	out := operator.WinsParquet(&room)
	for range 1000 {
		if err := out.Row(store.WinRow{At: lunch}); err != nil {
			return
		}
	}
	if err := out.End(); !errors.Is(err, errFull) {
		t.Errorf("End = %v, want %v", err, errFull)
	}
}
