package warehouse

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzARowIsNoLongerThanItSays feeds payloads: whatever the bytes, what goes to
// BigQuery is JSON within JSON, and no longer than was reckoned.
func FuzzARowIsNoLongerThanItSays(f *testing.F) {
	for _, payload := range []string{
		`{"a":1}`, "", "\x00", "\xff\xfe", "Ω \u2028 <script>", `"` + strings.Repeat(`\`, 9), "null", `{"a":"\ud800"}`, `{"a":1}}`, "{\xc3}", "{\n}",
	} {
		f.Add(payload, "id")
	}
	f.Fuzz(func(t *testing.T, payload, id string) {
		if !utf8.ValidString(id) {
			t.Skip() // Postgres has none
		}
		events := []Event{{EventID: id, Payload: payload, Href: &id, ReceivedAt: time.Unix(0, 0)}}
		mend(events, nil)
		row := rowsOf(Batch{Table: Events, Events: events})[0]
		for range 2 {
			text, err := json.Marshal(map[string]any{"insertId": row.id, "json": row.values})
			if err != nil {
				t.Fatal(err)
			}
			if len(text) > row.size || len(row.id) > mostInsertID || row.id == "" {
				t.Errorf("a row of %d bytes says %d, under %q", len(text), row.size, row.id)
			}
			document, there := row.values[payloadColumn].(string)
			if there != (payload != "") || !utf8.ValidString(document) {
				t.Errorf("the payload %q is %q", payload, document)
			}
			if !row.wrap() {
				return
			}
			if document = row.values[payloadColumn].(string); !json.Valid([]byte(document)) { //nolint:forcetypeassert // wrap has found it
				t.Errorf("the payload %q is wrapped as %q", payload, document)
			}
		}
	})
}

func TestColumnsAreDescribedAndTheFirstIsUnique(t *testing.T) {
	t.Parallel()

	for _, table := range Tables() {
		d := designOf(table)
		if d.schema[0].Name != d.id || !d.schema[0].Required || !find(d.schema, d.day).Required {
			t.Errorf("%s: the columns %s and %s are not as they should be", table, d.id, d.day)
		}
		for _, name := range d.cluster {
			if find(d.schema, name) == nil {
				t.Errorf("%s is clustered by %s, which it has not", table, name)
			}
		}
	}
}
