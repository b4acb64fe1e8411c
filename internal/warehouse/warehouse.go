// Package warehouse brings every recorded event and every win to the company's
// data warehouse. It reads what is committed, behind the back of intake, and
// remembers for each sink how far it has come: a crash sends at most one batch
// again.
package warehouse

import (
	"context"
	"time"
)

// A Table is one of the two that a warehouse gets. Its value is its name there.
type Table string

// The tables.
const (
	Events Table = "customerio_events"
	Wins   Table = "trivia_wins"
)

// Tables are all tables.
func Tables() []Table { return []Table{Events, Wins} }

// A Sink is a place to which rows are sent.
type Sink interface {
	// Name is the one under which the position is kept, such as "files".
	Name() string

	// Send hands a batch over, for good when it returns without an error. After
	// an error nothing may be taken for sent, and the batch comes again, perhaps
	// with more rows behind it. Rows that the sink would never take are no error:
	// they are returned with the reason, and do not hold up the others.
	Send(ctx context.Context, b Batch) (refused []Refusal, err error)

	// Close gives back what the sink holds. What was sent is sent.
	Close() error
}

// A Batch is a stretch of one table.
type Batch struct {
	Table  Table
	Place  string  // names where it begins: the same for the same first row; letters, digits and "-"; sorts as the batches do
	Events []Event // if the table is Events
	Wins   []Win   // if the table is Wins
}

// A Refusal is a row that a sink does not take.
type Refusal struct {
	Row    int    // its index in the batch
	Reason string // in the sink's words
}

// An Event is a row of customerio_events. What is nil is null: not said in the
// event.
type Event struct {
	EventID          string     // unique
	ObjectType       string     // such as "email"
	Metric           string     // such as "clicked"
	Timestamp        *time.Time // when it happened, as Customer.io says
	ReceivedAt       time.Time  // when it came; the tables are partitioned by its day, in UTC
	CustomerID       *string
	EmailAddress     *string
	CioID            *string
	Person           *string // by which the Track API finds the person
	DeliveryID       *string // Customer.io's, of a message
	CampaignID       *string
	BroadcastID      *string
	NewsletterID     *string
	ActionID         *string
	TransactionalID  *string
	TemplateID       *string
	LinkID           *string
	Href             *string
	TrackedResponse  *string
	FailureMessage   *string
	Machine          bool
	Prefetched       bool
	Proxied          bool
	Synthetic        bool
	Payload          string // the event as it came, in JSON; bytes that are no UTF-8 are replaced; empty if its delivery is gone
	PayloadIsInvalid bool   // Payload is no JSON document as it came, and was made one: a string
}

// A Win is a row of trivia_wins.
type Win struct {
	WinID       string // unique: the user and the trivia, so that sending twice is seen
	UserID      string
	TriviaID    string
	Item        string
	DeliveryKey string
	WonAt       time.Time // the table is partitioned by its day, in UTC
}
