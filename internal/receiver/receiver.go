// Package receiver is the public edge: it checks where a request comes from
// and who signed it, keeps it together with the others that came at the same
// time, and answers.
package receiver

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/diag"
	"trivia/internal/faultpoint"
	"trivia/internal/plain"
	"trivia/internal/signature"
	"trivia/internal/source"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// Options are what a [Receiver] works with. All of them are needed.
type Options struct {
	Guard    *source.Guard
	Action   signature.Verifier // of [customerio.PathWin], until [Receiver.Rekey]
	Event    signature.Verifier // of [customerio.PathEvent], likewise
	MaxBody  int64              // bytes
	Intake   *Intake
	Ready    func(context.Context) error // nil if deliveries can be kept
	Metrics  *diag.Metrics
	Refusals *diag.Refusals
	Log      *slog.Logger
	Now      func() time.Time
}

// A Receiver is the handler of the public listener.
type Receiver struct {
	Options

	routes        map[string]route
	book          keyBook
	action, event atomic.Pointer[ring]
	said          *diag.Budget  // what may come in floods
	drains        chan struct{} // one token for each body that is taken and not wanted
}

// A route is what one path accepts.
type route struct {
	name   string // in metrics and logs
	kind   trivia.Kind
	ring   *atomic.Pointer[ring] // nil: no request gets as far
	decode func(http.Header, *store.Arrival)
}

// New returns a receiver.
func New(opts Options) *Receiver {
	rc := &Receiver{Options: opts, book: keyBook{uses: map[keyName]*uses{}}, drains: make(chan struct{}, drainsMost), said: diag.NewBudget(opts.Log)}
	rc.routes = map[string]route{
		customerio.PathWin:   {"win", trivia.KindWin, &rc.action, decodeAction},
		customerio.PathEvent: {"event", trivia.KindEvent, &rc.event, decodeEvent},
	}
	rc.Rekey(opts.Action, opts.Event)

	return rc
}

// Names of headers as net/http files them, so that looking them up costs
// nothing.
var (
	stampHeader     = http.CanonicalHeaderKey(signature.HeaderTimestamp)
	signatureHeader = http.CanonicalHeaderKey(signature.HeaderSignature)
	keyHeader       = http.CanonicalHeaderKey(customerio.HeaderIdempotencyKey)
	deliveryHeader  = http.CanonicalHeaderKey(customerio.HeaderDeliveryID)
)

// ServeHTTP answers one request.
func (rc *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := rc.Now()
	rt, ok := rc.routes[r.URL.Path]
	if !ok {
		if rc.serveHealth(w, r) {
			return
		}
		rt = route{name: "other"}
	}

	d := dealing{route: rt, start: start}
	defer rc.rescue(w, r, &d)

	receipt, err := rc.receive(w, r, &d)
	if err != nil {
		rc.refuse(w, r, &d, err)
		return
	}
	rc.accept(w, r, &d, receipt)
}

// rescue answers a request that a fault of ours has interrupted. A panic would
// close the connection, and a closed connection holds back every later
// delivery for an hour.
func (rc *Receiver) rescue(w http.ResponseWriter, r *http.Request, d *dealing) {
	if p := recover(); p != nil {
		rc.Log.ErrorContext(r.Context(), "panic while receiving", slog.Any("panic", p), slog.String("route", d.name),
			slog.String("stack", string(debug.Stack())))
		rc.refuse(w, r, d, errPanic)
	}
}

// A dealing is what is known so far about one request.
type dealing struct {
	route

	start  time.Time
	caller source.Caller
	key    string
}

// receive is the way of a webhook, from the first check to the commit.
func (rc *Receiver) receive(w http.ResponseWriter, r *http.Request, d *dealing) (store.Receipt, error) {
	if err := rc.checkShape(r, d); err != nil {
		return store.Receipt{}, err
	}

	caller, err := rc.Guard.Check(r.RemoteAddr, r.Header["X-Forwarded-For"])
	if err != nil {
		return store.Receipt{}, rc.misspoken(r, err)
	}
	d.caller = caller
	if caller.Observed {
		rc.Metrics.Refused("observed_" + caller.Reason)
		rc.said.Warn(r.Context(), "a foreign caller was let in, since sources are only observed", caller.Reason,
			slog.String("caller", caller.Addr.String()), slog.String("reason", caller.Reason))
	}

	body, err := rc.read(w, r)
	if err != nil {
		return store.Receipt{}, err
	}

	stamp := r.Header.Get(stampHeader)
	keys := d.ring.Load()
	signer, err := keys.Verify(d.start, stamp, body, r.Header.Get(signatureHeader))
	if err != nil {
		return store.Receipt{}, err
	}
	keys.count(signer, d.start)

	a := store.Arrival{
		Kind: d.kind, Body: body, SHA256: sha256.Sum256(body), At: d.start,
		Caller: callerOf(caller), SignedBy: signer.Fingerprint(), Stamp: strings.ToValidUTF8(stamp, "?"),
	}
	if rc.isLate(r, d, stamp) {
		a.Marks = []trivia.Mark{trivia.MarkLate}
	}
	d.decode(r.Header, &a)
	d.key = a.Key
	faultpoint.At(faultpoint.RequestRead)

	return rc.Intake.Submit(a)
}

// misspoken names a proxy of ours that says in a way that we do not understand
// where a request comes from.
func (rc *Receiver) misspoken(r *http.Request, err error) error {
	if r.Header["Forwarded"] != nil && r.Header["X-Forwarded-For"] == nil && rc.Guard.Trusts(r.RemoteAddr) {
		return errForwarded
	}

	return err
}

// isLate reports whether what is signed well has a timestamp that is far from
// our clock. It is taken all the same: to refuse it would hold back all behind
// it, and who sends a recorded request again gains nothing by it.
func (rc *Receiver) isLate(r *http.Request, d *dealing, stamp string) bool {
	off, ok := signature.Distance(d.start, stamp)
	if ok {
		rc.Metrics.Stamp(d.name, off)
		if off.Abs() <= signature.Far {
			return false
		}
	}
	rc.said.Warn(r.Context(), "the timestamp is far from our clock; the request is taken all the same", string(trivia.MarkLate),
		slog.String("route", d.name), slog.String("timestamp", plain.Text(stamp)), slog.String("caller", d.callerText()))

	return true
}

// callerOf says where a request comes from, and which of our proxies said so.
func callerOf(c source.Caller) string {
	if len(c.Via) == 0 {
		return c.Addr.String()
	}

	return c.Addr.String() + " via " + c.Via[len(c.Via)-1].String()
}

// checkShape is what can be told before anything is read.
func (rc *Receiver) checkShape(r *http.Request, d *dealing) error {
	switch {
	case d.decode == nil:
		return errNoRoute
	case r.Method != http.MethodPost:
		return errMethod
	case framedTwice(r):
		return errFraming
	case r.ContentLength > rc.MaxBody:
		return &http.MaxBytesError{Limit: rc.MaxBody}
	}

	return nil
}

// read returns the whole body. The server's read time-out bounds how long it
// may take.
func (rc *Receiver) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	limited := http.MaxBytesReader(w, r.Body, rc.MaxBody)
	if r.ContentLength < 0 {
		body, err := io.ReadAll(limited)
		if err != nil {
			return nil, &readError{err}
		}

		return body, nil
	}

	body, err := readAnnounced(limited, r.ContentLength)
	if err != nil {
		return nil, &readError{err}
	}

	return body, nil
}

// readAnnounced reads n bytes into memory that grows with what arrives: to
// announce much costs a sender nothing.
func readAnnounced(r io.Reader, n int64) ([]byte, error) {
	const first = 16 << 10 // nearly all bodies are shorter

	body := make([]byte, 0, min(n, first))
	for int64(len(body)) < n {
		if len(body) == cap(body) {
			body = append(make([]byte, 0, min(n, 4*int64(cap(body)))), body...)
		}
		got, err := io.ReadFull(r, body[len(body):cap(body)])
		if err != nil {
			return nil, err
		}
		body = body[:len(body)+got]
	}

	return body, nil
}

// decodeAction finds the key and the win of a campaign action.
func decodeAction(header http.Header, a *store.Arrival) {
	a.Key = customerio.ActionKey(a.SHA256, header.Get(keyHeader), header.Get(deliveryHeader))

	var err error
	if a.Win, err = customerio.DecodeAction(a.Body); err != nil {
		a.Win, a.Unusable = trivia.Win{}, err.Error()
	}
}

// decodeEvent finds the key and the envelope of a reporting event.
func decodeEvent(_ http.Header, a *store.Arrival) {
	id, event, err := customerio.DecodeEvent(a.Body)
	a.Key = customerio.Key(a.SHA256, id)
	if err != nil {
		a.Unusable = err.Error()
		return
	}
	a.Event = event
}
