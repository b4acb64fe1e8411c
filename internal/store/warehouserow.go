package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// A WarehouseEvent is an event as a warehouse gets it. What is nil is null: not
// said in the event.
type WarehouseEvent struct {
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

	Written uint64 // the transaction that recorded it
}

// Place returns where the row stands in the order in which rows are copied.
func (e *WarehouseEvent) Place() WarehousePlace {
	return WarehousePlace{Written: e.Written, At: e.ReceivedAt, Key: e.EventID}
}

// A WarehouseWin is a win as a warehouse gets it.
type WarehouseWin struct {
	WinID       string // unique: the user and the trivia, so that sending twice is seen
	UserID      string
	TriviaID    string
	Item        string
	DeliveryKey string
	WonAt       time.Time // the table is partitioned by its day, in UTC

	Written uint64 // the transaction that awarded it
}

// Place returns where the row stands in the order in which rows are copied.
func (w *WarehouseWin) Place() WarehousePlace {
	return WarehousePlace{Written: w.Written, At: w.WonAt, Key: w.UserID, Key2: w.TriviaID}
}

// warehouseEventColumns are what readWarehouseEvent takes, in this order. The
// body is looked up for each event, so that no plan reads all of them.
const warehouseEventColumns = `
	SELECT e.written, e.event_id, e.object_type, e.metric, e.occurred_at, e.received_at,
		e.customer_id, e.email, e.cio_id, e.person,
		e.delivery_id, e.campaign_id, e.broadcast_id, e.newsletter_id, e.action_id, e.transactional_id,
		e.template_id, e.link_id, e.href, e.tracked_response, e.failure_message,
		e.machine, e.prefetched, e.proxied, e.synthetic,
		(SELECT d.body FROM deliveries AS d WHERE d.key = e.event_id AND d.kind = 'event' AND d.rival = '')
	FROM events AS e`

const warehouseWinColumns = `
	SELECT w.written, w.user_id, w.trivia_id, w.item, w.delivery_key, w.won_at
	FROM trivia_wins AS w`

var errNotBinary = errors.New("a column came in another form than it was asked for")

// A rawRow is a row as the server sent it, in binary. The driver would look at
// the type of each of its values; they are always the same here.
type rawRow struct {
	values [][]byte
	texts  *texture
	bad    bool // a value had not the length of its type
}

func (r *rawRow) next() []byte {
	value := r.values[0]
	r.values = r.values[1:]

	return value
}

func (r *rawRow) text() string { return r.texts.keep(r.next()) }

func (r *rawRow) optional() *string {
	value := r.next()
	if value == nil {
		return nil
	}

	return r.texts.point(r.texts.keep(value))
}

func (r *rawRow) number() uint64 {
	value := r.next()
	if len(value) != 8 {
		r.bad = true
		return 0
	}

	return binary.BigEndian.Uint64(value)
}

func (r *rawRow) time() time.Time {
	return time.UnixMicro(int64(r.number()) + epoch).UTC() //nolint:gosec // two's complement
}

func (r *rawRow) optionalTime() *time.Time {
	if r.values[0] == nil {
		r.next()
		return nil
	}
	t := r.time()

	return &t
}

func (r *rawRow) flag() bool {
	value := r.next()
	if len(value) != 1 {
		r.bad = true
		return false
	}

	return value[0] != 0
}

func (r *rawRow) event(e *WarehouseEvent) {
	e.Written = r.number()
	e.EventID, e.ObjectType, e.Metric = r.text(), r.text(), r.text()
	e.Timestamp, e.ReceivedAt = r.optionalTime(), r.time()
	for _, column := range [...]**string{
		&e.CustomerID, &e.EmailAddress, &e.CioID, &e.Person,
		&e.DeliveryID, &e.CampaignID, &e.BroadcastID, &e.NewsletterID, &e.ActionID, &e.TransactionalID,
		&e.TemplateID, &e.LinkID, &e.Href, &e.TrackedResponse, &e.FailureMessage,
	} {
		*column = r.optional()
	}
	e.Machine, e.Prefetched, e.Proxied, e.Synthetic = r.flag(), r.flag(), r.flag(), r.flag()
	e.Payload = r.text()
}

func (r *rawRow) win(w *WarehouseWin) {
	w.Written = r.number()
	w.UserID, w.TriviaID, w.Item, w.DeliveryKey = r.text(), r.text(), r.text(), r.text()
	w.WonAt = r.time()
	w.WinID = winID(w.UserID, w.TriviaID)
}

var escapeWin = strings.NewReplacer("%", "%25", "/", "%2F")

// winID names a win in one word: USER/TRIVIA, with a slash in either as %2F, and
// so a percent sign as %25.
func winID(user, id string) string { return escapeWin.Replace(user) + "/" + escapeWin.Replace(id) }

// A texture keeps texts, many in one piece of memory: there are some twenty in
// each of many rows.
type texture struct {
	piece *strings.Builder

	slabs [][]string // of texts that are pointed to
	slab  int        // the one in use
}

const (
	pieceSize = 64 << 10
	slabSize  = 1024
)

func (t *texture) keep(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	if len(raw) > pieceSize/8 {
		return string(raw)
	}
	if t.piece == nil || t.piece.Cap()-t.piece.Len() < len(raw) {
		t.piece = &strings.Builder{}
		t.piece.Grow(pieceSize)
	}
	at := t.piece.Len()
	t.piece.Write(raw) // within its capacity, so that what is kept does not move

	return t.piece.String()[at:]
}

// point returns a pointer to text, which lasts until the next reset.
func (t *texture) point(text string) *string {
	for t.slab < len(t.slabs) && len(t.slabs[t.slab]) == slabSize {
		t.slab++
	}
	if t.slab == len(t.slabs) {
		t.slabs = append(t.slabs, make([]string, 0, slabSize))
	}
	t.slabs[t.slab] = append(t.slabs[t.slab], text)
	slab := t.slabs[t.slab]

	return &slab[len(slab)-1]
}

// reset begins anew, and uses the memory of what was pointed to again.
func (t *texture) reset() {
	for i, slab := range t.slabs {
		clear(slab)
		t.slabs[i] = slab[:0]
	}
	t.slab = 0
}

// readRaw reads rows until there are no more, or they are too many bytes. cut
// says that there may be more.
func readRaw(rows pgx.Rows, texts *texture, most int, read func(*rawRow)) (cut bool, err error) {
	defer rows.Close()
	var (
		row   = rawRow{texts: texts}
		bytes int
	)
	for rows.Next() {
		if row.values == nil && !isBinary(rows.FieldDescriptions()) {
			return false, errNotBinary
		}
		row.values = rows.RawValues()
		for _, value := range row.values {
			bytes += len(value)
		}
		read(&row)
		if row.bad {
			return false, errNotBinary
		}
		if bytes >= most {
			return true, nil // what the server still sends is passed over
		}
	}

	return false, rows.Err()
}

// isBinary reports whether the rows are as rawRow reads them. Text is the same
// in either form.
func isBinary(fields []pgconn.FieldDescription) bool {
	for _, f := range fields {
		if f.Format != pgx.BinaryFormatCode && f.DataTypeOID != pgtype.TextOID {
			return false
		}
	}

	return true
}

// A pieceLimit adapts how many rows are asked for to how long they are: what is
// asked for and not taken was read for nothing.
type pieceLimit struct{ rows int }

func (p *pieceLimit) next(most int) int {
	if p.rows == 0 || p.rows > most {
		p.rows = most
	}

	return p.rows
}

func (p *pieceLimit) learn(taken int, cut bool) {
	if cut {
		p.rows = max(taken, 1)
		return
	}
	p.rows *= 2
}

func wrapRead(table WarehouseTable, err error) error {
	if err == nil {
		return nil
	}

	return fmt.Errorf("read %s for the warehouse: %w", table, err)
}
