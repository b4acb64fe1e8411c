package warehouse

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"cloud.google.com/go/bigquery"
)

// Columns that are more to us than others.
const (
	payloadColumn = "payload"
	invalidColumn = "payload_is_invalid"
)

// mostInsertID is how long an insert id may be, in bytes.
const mostInsertID = 128

// A column of a table, and what a row has in it: nil for null.
type column[T any] struct {
	name     string
	kind     bigquery.FieldType
	required bool
	says     string
	value    func(*T) any
}

const (
	text  = bigquery.StringFieldType
	flag  = bigquery.BooleanFieldType
	stamp = bigquery.TimestampFieldType
	tree  = bigquery.JSONFieldType
)

func eventColumns() []column[Event] {
	return []column[Event]{
		{"event_id", text, true, "unique", func(e *Event) any { return e.EventID }},
		{"object_type", text, false, "what it is about, such as email", func(e *Event) any { return e.ObjectType }},
		{"metric", text, false, "what happened, such as clicked", func(e *Event) any { return e.Metric }},
		{"timestamp", stamp, false, "when it happened", func(e *Event) any { return instantOrNil(e.Timestamp) }},
		{"received_at", stamp, true, "when it came", func(e *Event) any { return instant(e.ReceivedAt) }},
		{"customer_id", text, false, "of the person", func(e *Event) any { return orNil(e.CustomerID) }},
		{"email_address", text, false, "of the person", func(e *Event) any { return orNil(e.EmailAddress) }},
		{"cio_id", text, false, "Customer.io's identifier of the person", func(e *Event) any { return orNil(e.CioID) }},
		{"person", text, false, "by which the Track API finds the person", func(e *Event) any { return orNil(e.Person) }},
		{"delivery_id", text, false, "Customer.io's identifier of the message", func(e *Event) any { return orNil(e.DeliveryID) }},
		{"campaign_id", text, false, "", func(e *Event) any { return orNil(e.CampaignID) }},
		{"broadcast_id", text, false, "", func(e *Event) any { return orNil(e.BroadcastID) }},
		{"newsletter_id", text, false, "", func(e *Event) any { return orNil(e.NewsletterID) }},
		{"action_id", text, false, "", func(e *Event) any { return orNil(e.ActionID) }},
		{"transactional_id", text, false, "", func(e *Event) any { return orNil(e.TransactionalID) }},
		{"template_id", text, false, "", func(e *Event) any { return orNil(e.TemplateID) }},
		{"link_id", text, false, "", func(e *Event) any { return orNil(e.LinkID) }},
		{"href", text, false, "of the link that was clicked", func(e *Event) any { return orNil(e.Href) }},
		{"tracked_response", text, false, "such as trivia/capitals/b", func(e *Event) any { return orNil(e.TrackedResponse) }},
		{"failure_message", text, false, "", func(e *Event) any { return orNil(e.FailureMessage) }},
		{"machine", flag, false, "a program did it, not the person", func(e *Event) any { return e.Machine }},
		{"prefetched", flag, false, "", func(e *Event) any { return e.Prefetched }},
		{"proxied", flag, false, "", func(e *Event) any { return e.Proxied }},
		{"synthetic", flag, false, "a test by us", func(e *Event) any { return e.Synthetic }},
		{payloadColumn, tree, false, "the event as it came; null if it is no longer kept", func(e *Event) any {
			if e.Payload == "" {
				return nil
			}

			return e.Payload
		}},
		{invalidColumn, flag, false, "payload could not be taken as JSON, and is a string", func(e *Event) any { return e.PayloadIsInvalid }},
	}
}

func winColumns() []column[Win] {
	return []column[Win]{
		{"win_id", text, true, "unique: the user and the trivia", func(w *Win) any { return w.WinID }},
		{"user_id", text, false, "who won", func(w *Win) any { return w.UserID }},
		{"trivia_id", text, false, "what was won", func(w *Win) any { return w.TriviaID }},
		{"item", text, false, "the prize", func(w *Win) any { return w.Item }},
		{"delivery_key", text, false, "of the request that was awarded", func(w *Win) any { return w.DeliveryKey }},
		{"won_at", stamp, true, "when it was awarded", func(w *Win) any { return instant(w.WonAt) }},
	}
}

// instant writes a time as BigQuery reads it, in its own microseconds.
func instant(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.999999Z07:00") }

// instantOrNil leaves out what BigQuery has no way to write: years beyond 9999.
// The payload still says it.
func instantOrNil(at *time.Time) any {
	if at == nil || at.UTC().Year() < 1 || at.UTC().Year() > 9999 {
		return nil
	}

	return instant(*at)
}

func orNil(s *string) any {
	if s == nil {
		return nil
	}

	return *s
}

// A streamed row is on its way.
type streamed struct {
	index  int // in the batch
	id     string
	size   int // in a call, about
	values map[string]bigquery.Value
}

// Save makes it a [bigquery.ValueSaver].
func (r *streamed) Save() (map[string]bigquery.Value, string, error) { return r.values, r.id, nil }

// wrap makes the payload a string, and reports whether that is anything new.
// Not all that is JSON is so to BigQuery: nesting too deep, numbers too long.
func (r *streamed) wrap() bool {
	payload, ok := r.values[payloadColumn].(string)
	if !ok || r.values[invalidColumn] == true {
		return false
	}
	quoted, err := json.Marshal(payload)
	if err != nil {
		return false
	}
	r.values[payloadColumn], r.values[invalidColumn] = string(quoted), true
	r.size += sizeOf(string(quoted)) - sizeOf(payload)

	return true
}

func rowsOf(b Batch) []*streamed {
	if b.Table == Wins {
		return stream(winColumns(), b.Wins)
	}

	return stream(eventColumns(), b.Events)
}

// stream makes rows ready. The first column is the one that is unique.
func stream[T any](columns []column[T], batch []T) []*streamed {
	rows := make([]*streamed, len(batch))
	for i := range batch {
		r := &streamed{index: i, values: make(map[string]bigquery.Value, len(columns))}
		for _, c := range columns {
			value := c.value(&batch[i])
			if value == nil {
				continue
			}
			r.values[c.name] = value
			r.size += len(c.name) + sizeOf(value) + len(`"":,`)
		}
		r.id = insertID(r.values[columns[0].name].(string))
		r.size += sizeOf(r.id) + len(`{"insertId":,"json":{}},`)
		rows[i] = r
	}

	return rows
}

// insertID returns an insert id for a row's own id, which may be too long.
func insertID(id string) string {
	if len(id) <= mostInsertID && id != "" {
		return id
	}
	sum := sha256.Sum256([]byte(id))

	return hex.EncodeToString(sum[:])
}

// sizeOf returns how many bytes a value takes in JSON.
func sizeOf(value any) int {
	s, ok := value.(string)
	if !ok {
		return len("false")
	}
	n := len(`""`)
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"', c == '\\', c == '\n', c == '\r', c == '\t':
			n += 2
		case c < ' ', c == '<', c == '>', c == '&':
			n += 6
		case c == 0xe2:
			n += 4 // it may begin U+2028, which takes 6 of 3
		default:
			n++
		}
	}

	return n
}
