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

// A fileEvent is a row of customerio_events in a Parquet file. Its columns are
// called as those in BigQuery. What is optional is null where it is empty. The
// payload is JSON, and called text: parquet-go would write it as a text in JSON.
type fileEvent struct {
	EventID          string     `parquet:"event_id"`
	ObjectType       string     `parquet:"object_type,dict"`
	Metric           string     `parquet:"metric,dict"`
	Timestamp        *time.Time `parquet:"timestamp,optional,timestamp(microsecond)"`
	ReceivedAt       time.Time  `parquet:"received_at,timestamp(microsecond)"`
	CustomerID       string     `parquet:"customer_id,optional"`
	EmailAddress     string     `parquet:"email_address,optional"`
	CioID            string     `parquet:"cio_id,optional"`
	Person           string     `parquet:"person,optional"`
	DeliveryID       string     `parquet:"delivery_id,optional"`
	CampaignID       string     `parquet:"campaign_id,optional,dict"`
	BroadcastID      string     `parquet:"broadcast_id,optional,dict"`
	NewsletterID     string     `parquet:"newsletter_id,optional,dict"`
	ActionID         string     `parquet:"action_id,optional,dict"`
	TransactionalID  string     `parquet:"transactional_id,optional,dict"`
	TemplateID       string     `parquet:"template_id,optional,dict"`
	LinkID           string     `parquet:"link_id,optional,dict"`
	Href             string     `parquet:"href,optional"`
	TrackedResponse  string     `parquet:"tracked_response,optional,dict"`
	FailureMessage   string     `parquet:"failure_message,optional"`
	Machine          bool       `parquet:"machine"`
	Prefetched       bool       `parquet:"prefetched"`
	Proxied          bool       `parquet:"proxied"`
	Synthetic        bool       `parquet:"synthetic"`
	Payload          string     `parquet:"payload,optional"`
	PayloadIsInvalid bool       `parquet:"payload_is_invalid"`
}

func newFileEvent(e *Event) fileEvent {
	return fileEvent{
		EventID: e.EventID, ObjectType: e.ObjectType, Metric: e.Metric, Timestamp: e.Timestamp, ReceivedAt: e.ReceivedAt,
		CustomerID: textOf(e.CustomerID), EmailAddress: textOf(e.EmailAddress), CioID: textOf(e.CioID), Person: textOf(e.Person),
		DeliveryID: textOf(e.DeliveryID), CampaignID: textOf(e.CampaignID), BroadcastID: textOf(e.BroadcastID), NewsletterID: textOf(e.NewsletterID),
		ActionID: textOf(e.ActionID), TransactionalID: textOf(e.TransactionalID), TemplateID: textOf(e.TemplateID), LinkID: textOf(e.LinkID),
		Href: textOf(e.Href), TrackedResponse: textOf(e.TrackedResponse), FailureMessage: textOf(e.FailureMessage),
		Machine: e.Machine, Prefetched: e.Prefetched, Proxied: e.Proxied, Synthetic: e.Synthetic,
		Payload: e.Payload, PayloadIsInvalid: e.PayloadIsInvalid,
	}
}

func textOf(word *string) string {
	if word == nil {
		return ""
	}

	return *word
}

// A lineEvent is the same in a line of JSON.
type lineEvent struct {
	EventID          string          `json:"event_id"`
	ObjectType       string          `json:"object_type"`
	Metric           string          `json:"metric"`
	Timestamp        *time.Time      `json:"timestamp"`
	ReceivedAt       time.Time       `json:"received_at"`
	CustomerID       *string         `json:"customer_id"`
	EmailAddress     *string         `json:"email_address"`
	CioID            *string         `json:"cio_id"`
	Person           *string         `json:"person"`
	DeliveryID       *string         `json:"delivery_id"`
	CampaignID       *string         `json:"campaign_id"`
	BroadcastID      *string         `json:"broadcast_id"`
	NewsletterID     *string         `json:"newsletter_id"`
	ActionID         *string         `json:"action_id"`
	TransactionalID  *string         `json:"transactional_id"`
	TemplateID       *string         `json:"template_id"`
	LinkID           *string         `json:"link_id"`
	Href             *string         `json:"href"`
	TrackedResponse  *string         `json:"tracked_response"`
	FailureMessage   *string         `json:"failure_message"`
	Machine          bool            `json:"machine"`
	Prefetched       bool            `json:"prefetched"`
	Proxied          bool            `json:"proxied"`
	Synthetic        bool            `json:"synthetic"`
	Payload          json.RawMessage `json:"payload"`
	PayloadIsInvalid bool            `json:"payload_is_invalid"`
}

func newLineEvent(e *Event) lineEvent {
	return lineEvent{
		EventID: e.EventID, ObjectType: e.ObjectType, Metric: e.Metric, Timestamp: e.Timestamp, ReceivedAt: e.ReceivedAt,
		CustomerID: e.CustomerID, EmailAddress: e.EmailAddress, CioID: e.CioID, Person: e.Person,
		DeliveryID: e.DeliveryID, CampaignID: e.CampaignID, BroadcastID: e.BroadcastID, NewsletterID: e.NewsletterID,
		ActionID: e.ActionID, TransactionalID: e.TransactionalID, TemplateID: e.TemplateID, LinkID: e.LinkID,
		Href: e.Href, TrackedResponse: e.TrackedResponse, FailureMessage: e.FailureMessage,
		Machine: e.Machine, Prefetched: e.Prefetched, Proxied: e.Proxied, Synthetic: e.Synthetic,
		Payload: documentOf(e.Payload), PayloadIsInvalid: e.PayloadIsInvalid,
	}
}

func documentOf(payload string) json.RawMessage {
	if payload == "" {
		return nil // which is written as null
	}

	return json.RawMessage(payload)
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
	return r.enc.Encode(newLineEvent(e))
}

func (r *lineRows) win(w *Win) error { return r.enc.Encode(newFileWin(w)) }
func (r *lineRows) end() error       { return r.out.Flush() }
