package warehouse

import (
	"bufio"
	"encoding/json"
	"io"
	"time"

	"trivia/internal/parquetfile"
)

// A format is how rows stand in a file; it is also how its name ends.
type format string

const (
	formatParquet format = "parquet"
	formatNDJSON  format = "ndjson"
)

// A rowWriter writes rows of one table into a file.
type rowWriter interface {
	event(e *Event) error
	win(w *Win) error
	end() error
}

// A fileEvent is a row of customerio_events in a file. Its columns are called as
// those in BigQuery.
type fileEvent struct {
	EventID          string          `parquet:"event_id" json:"event_id"`
	ObjectType       string          `parquet:"object_type,dict" json:"object_type"`
	Metric           string          `parquet:"metric,dict" json:"metric"`
	Timestamp        *time.Time      `parquet:"timestamp,optional,timestamp(microsecond)" json:"timestamp"`
	ReceivedAt       time.Time       `parquet:"received_at,timestamp(microsecond)" json:"received_at"`
	CustomerID       *string         `parquet:"customer_id,optional" json:"customer_id"`
	EmailAddress     *string         `parquet:"email_address,optional" json:"email_address"`
	CioID            *string         `parquet:"cio_id,optional" json:"cio_id"`
	Person           *string         `parquet:"person,optional" json:"person"`
	DeliveryID       *string         `parquet:"delivery_id,optional" json:"delivery_id"`
	CampaignID       *string         `parquet:"campaign_id,optional,dict" json:"campaign_id"`
	BroadcastID      *string         `parquet:"broadcast_id,optional,dict" json:"broadcast_id"`
	NewsletterID     *string         `parquet:"newsletter_id,optional,dict" json:"newsletter_id"`
	ActionID         *string         `parquet:"action_id,optional,dict" json:"action_id"`
	TransactionalID  *string         `parquet:"transactional_id,optional,dict" json:"transactional_id"`
	TemplateID       *string         `parquet:"template_id,optional,dict" json:"template_id"`
	LinkID           *string         `parquet:"link_id,optional,dict" json:"link_id"`
	Href             *string         `parquet:"href,optional" json:"href"`
	TrackedResponse  *string         `parquet:"tracked_response,optional,dict" json:"tracked_response"`
	FailureMessage   *string         `parquet:"failure_message,optional" json:"failure_message"`
	Machine          bool            `parquet:"machine" json:"machine"`
	Prefetched       bool            `parquet:"prefetched" json:"prefetched"`
	Proxied          bool            `parquet:"proxied" json:"proxied"`
	Synthetic        bool            `parquet:"synthetic" json:"synthetic"`
	Payload          *string         `parquet:"payload,optional,json" json:"-"`
	Document         json.RawMessage `parquet:"-" json:"payload"`
	PayloadIsInvalid bool            `parquet:"payload_is_invalid" json:"payload_is_invalid"`
}

func newFileEvent(e *Event) fileEvent {
	row := fileEvent{
		EventID: e.EventID, ObjectType: e.ObjectType, Metric: e.Metric, Timestamp: e.Timestamp, ReceivedAt: e.ReceivedAt,
		CustomerID: e.CustomerID, EmailAddress: e.EmailAddress, CioID: e.CioID, Person: e.Person,
		DeliveryID: e.DeliveryID, CampaignID: e.CampaignID, BroadcastID: e.BroadcastID, NewsletterID: e.NewsletterID,
		ActionID: e.ActionID, TransactionalID: e.TransactionalID, TemplateID: e.TemplateID, LinkID: e.LinkID, Href: e.Href,
		TrackedResponse: e.TrackedResponse, FailureMessage: e.FailureMessage,
		Machine: e.Machine, Prefetched: e.Prefetched, Proxied: e.Proxied, Synthetic: e.Synthetic,
		PayloadIsInvalid: e.PayloadIsInvalid,
	}
	if e.Payload != "" {
		row.Payload = &e.Payload
	}

	return row
}

// A fileWin is a row of trivia_wins in a file.
type fileWin struct {
	WinID       string    `parquet:"win_id" json:"win_id"`
	UserID      string    `parquet:"user_id" json:"user_id"`
	TriviaID    string    `parquet:"trivia_id,dict" json:"trivia_id"`
	Item        string    `parquet:"item,dict" json:"item"`
	DeliveryKey string    `parquet:"delivery_key" json:"delivery_key"`
	WonAt       time.Time `parquet:"won_at,timestamp(microsecond)" json:"won_at"`
}

func newFileWin(w *Win) fileWin {
	return fileWin{w.WinID, w.UserID, w.TriviaID, w.Item, w.DeliveryKey, w.WonAt}
}

func newRowWriter(f format, w io.Writer, table Table) rowWriter {
	opts := parquetfile.Options{CreatedBy: "trivia", Long: []string{"payload"}, Fast: true}
	switch {
	case f == formatNDJSON:
		out := bufio.NewWriterSize(w, 1<<16)
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)

		return &lineRows{enc, out}
	case table == Events:
		return &eventRows{out: parquetfile.NewWriter[fileEvent](w, opts)}
	}
	opts.Long = nil

	return &winRows{out: parquetfile.NewWriter[fileWin](w, opts)}
}

// eventRows are a Parquet file of events.
type eventRows struct {
	rowWriter

	out *parquetfile.Writer[fileEvent]
}

func (r *eventRows) event(e *Event) error { return r.out.Add(newFileEvent(e), len(e.Payload)+200) }
func (r *eventRows) end() error           { return r.out.End() }

// winRows are a Parquet file of wins.
type winRows struct {
	rowWriter

	out *parquetfile.Writer[fileWin]
}

func (r *winRows) win(w *Win) error { return r.out.Add(newFileWin(w), 0) }
func (r *winRows) end() error       { return r.out.End() }

// lineRows are a JSON document a line.
type lineRows struct {
	enc *json.Encoder
	out *bufio.Writer
}

func (r *lineRows) event(e *Event) error {
	row := newFileEvent(e)
	if row.Payload != nil {
		row.Document = json.RawMessage(*row.Payload)
	}

	return r.enc.Encode(row)
}

func (r *lineRows) win(w *Win) error { return r.enc.Encode(newFileWin(w)) }
func (r *lineRows) end() error       { return r.out.Flush() }
