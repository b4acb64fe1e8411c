package operator

import (
	"encoding/hex"
	"io"
	"strings"
	"time"

	"trivia/internal/parquetfile"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A ParquetFile writes rows of one kind in the Parquet format, compressed, with
// typed columns that are called as those of the listings in CSV and JSON.
type ParquetFile[T any] struct {
	row func(T) error
	end func() error
}

// Row writes one row. It may stay in memory until [ParquetFile.End].
func (p *ParquetFile[T]) Row(row T) error { return p.row(row) }

// End writes the rest, without which nobody can read the file.
func (p *ParquetFile[T]) End() error { return p.end() }

// newParquet returns a file of records. Each has a fixed set of columns, and a
// body of so many bytes.
func newParquet[T, R any](w io.Writer, record func(T) R, body func(T) int) *ParquetFile[T] {
	out := parquetfile.NewWriter[R](w, parquetfile.Options{CreatedBy: "triviactl", Long: []string{"body"}})

	return &ParquetFile[T]{
		row: func(row T) error { return out.Add(record(row), body(row)) },
		end: out.End,
	}
}

func noBody[T any](T) int { return 0 }

// instant is a time in a column that may have none.
func instant(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}

	return &at
}

type parquetWin struct {
	WonAt       time.Time `parquet:"won_at,timestamp(microsecond)"`
	UserID      string    `parquet:"user_id"`
	TriviaID    string    `parquet:"trivia_id,dict"`
	Item        string    `parquet:"item,dict"`
	DeliveryKey string    `parquet:"delivery_key"`
}

// WinsParquet returns a Parquet file of wins.
func WinsParquet(w io.Writer) *ParquetFile[store.WinRow] {
	return newParquet(w, func(w store.WinRow) parquetWin {
		return parquetWin{w.At, string(w.User), string(w.Trivia), string(w.Item), w.Key}
	}, noBody)
}

type parquetEvent struct {
	ReceivedAt      time.Time  `parquet:"received_at,timestamp(microsecond)"`
	ObjectType      string     `parquet:"object_type,dict"`
	Metric          string     `parquet:"metric,dict"`
	Person          string     `parquet:"person,optional"`
	Owed            string     `parquet:"owed,optional,dict"`
	EventID         string     `parquet:"event_id"`
	OccurredAt      *time.Time `parquet:"occurred_at,optional,timestamp(microsecond)"`
	CustomerID      string     `parquet:"customer_id,optional"`
	Email           string     `parquet:"email,optional"`
	CioID           string     `parquet:"cio_id,optional"`
	DeliveryID      string     `parquet:"delivery_id,optional"`
	CampaignID      string     `parquet:"campaign_id,optional,dict"`
	BroadcastID     string     `parquet:"broadcast_id,optional,dict"`
	NewsletterID    string     `parquet:"newsletter_id,optional,dict"`
	ActionID        string     `parquet:"action_id,optional,dict"`
	TransactionalID string     `parquet:"transactional_id,optional,dict"`
	TemplateID      string     `parquet:"template_id,optional,dict"`
	LinkID          string     `parquet:"link_id,optional,dict"`
	Href            string     `parquet:"href,optional"`
	TrackedResponse string     `parquet:"tracked_response,optional,dict"`
	FailureMessage  string     `parquet:"failure_message,optional"`
	Machine         bool       `parquet:"machine"`
	Prefetched      bool       `parquet:"prefetched"`
	Proxied         bool       `parquet:"proxied"`
	Synthetic       bool       `parquet:"synthetic"`
}

// EventsParquet returns a Parquet file of events.
func EventsParquet(w io.Writer) *ParquetFile[store.EventRow] {
	return newParquet(w, func(e store.EventRow) parquetEvent {
		return parquetEvent{
			ReceivedAt: e.ReceivedAt, ObjectType: e.ObjectType, Metric: e.Metric, Person: e.Person, Owed: string(e.Owed),
			EventID: e.ID, OccurredAt: instant(e.At), CustomerID: e.CustomerID, Email: e.Email, CioID: e.CioID,
			DeliveryID: e.DeliveryID, CampaignID: e.Campaign, BroadcastID: e.Broadcast, NewsletterID: e.Newsletter,
			ActionID: e.Action, TransactionalID: e.Transactional, TemplateID: e.Template, LinkID: e.Link, Href: e.Href,
			TrackedResponse: e.Response, FailureMessage: e.Failure,
			Machine: e.Machine, Prefetched: e.Prefetched, Proxied: e.Proxied, Synthetic: e.Synthetic,
		}
	}, noBody)
}

type parquetDelivery struct {
	ReceivedAt time.Time  `parquet:"received_at,timestamp(microsecond)"`
	Kind       string     `parquet:"kind,dict"`
	Key        string     `parquet:"key"`
	UserID     string     `parquet:"user_id,optional"`
	TriviaID   string     `parquet:"trivia_id,optional,dict"`
	Item       string     `parquet:"item,optional,dict"`
	State      string     `parquet:"state,dict"`
	Outcome    string     `parquet:"outcome,optional,dict"`
	Seen       int32      `parquet:"seen"`
	Reason     string     `parquet:"reason,optional,dict"`
	LastSeenAt time.Time  `parquet:"last_seen_at,timestamp(microsecond)"`
	Caller     string     `parquet:"caller,optional,dict"`
	SignedBy   string     `parquet:"signed_by,optional,dict"`
	Stamp      string     `parquet:"timestamp,optional"`
	Attempts   int32      `parquet:"attempts"`
	DueAt      *time.Time `parquet:"due_at,optional,timestamp(microsecond)"`
	SettledAt  *time.Time `parquet:"settled_at,optional,timestamp(microsecond)"`
	Bytes      int32      `parquet:"bytes"`
	SHA256     string     `parquet:"body_sha256"`
	Repairs    string     `parquet:"repairs,optional"`
	RepairedBy string     `parquet:"repaired_by,optional"`
	Marks      string     `parquet:"marks,optional,dict"`
	Reuses     string     `parquet:"reuses,optional"`
}

func newParquetDelivery(d store.DeliveryRow) parquetDelivery {
	//nolint:gosec // all three are integers of 32 bits in the database
	return parquetDelivery{
		ReceivedAt: d.ReceivedAt, Kind: string(d.Kind), Key: d.Key,
		UserID: string(d.Win.User), TriviaID: string(d.Win.Trivia), Item: string(d.Win.Item),
		State: string(d.State), Outcome: string(d.Outcome), Seen: int32(d.Seen), Reason: d.Reason,
		LastSeenAt: d.LastSeenAt, Caller: d.Caller, SignedBy: d.SignedBy, Stamp: d.Stamp, Attempts: int32(d.Attempts),
		DueAt: instant(d.DueAt), SettledAt: instant(d.SettledAt), Bytes: int32(d.Size), SHA256: hex.EncodeToString(d.SHA256),
		Repairs: d.Repairs, RepairedBy: d.RepairedBy, Marks: MarksText(d.Marks), Reuses: d.Reuses,
	}
}

// MarksText returns marks as one text, in every format that people read.
func MarksText(marks []trivia.Mark) string {
	words := make([]string, len(marks))
	for i, m := range marks {
		words[i] = string(m)
	}

	return strings.Join(words, " ")
}

// DeliveriesParquet returns a Parquet file of deliveries without their bodies.
func DeliveriesParquet(w io.Writer) *ParquetFile[store.DeliveryRow] {
	return newParquet(w, newParquetDelivery, noBody)
}

type parquetBody struct {
	parquetDelivery

	Body []byte `parquet:"body"`
}

// BodiesParquet returns a Parquet file of deliveries with their bodies, byte
// for byte.
func BodiesParquet(w io.Writer) *ParquetFile[store.DeliveryRow] {
	return newParquet(w,
		func(d store.DeliveryRow) parquetBody { return parquetBody{newParquetDelivery(d), d.Body} },
		func(d store.DeliveryRow) int { return len(d.Body) })
}
