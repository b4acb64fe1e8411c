package receiver

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"trivia/internal/diag"
	"trivia/internal/faultpoint"
	"trivia/internal/plain"
	"trivia/internal/signature"
	"trivia/internal/source"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// What a request can be refused for, besides its source and its signature.
var (
	errNoRoute   = errors.New("no such route")
	errMethod    = errors.New("method not allowed")
	errFraming   = errors.New("both Content-Length and Transfer-Encoding say where the body ends")
	errForwarded = errors.New("a trusted proxy sends Forwarded, which is not understood: configure X-Forwarded-For")
	errPanic     = errors.New("internal fault")
)

// A readError is a body that did not arrive whole or in time.
type readError struct{ err error }

func (e *readError) Error() string { return "read the body: " + e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// retryAfter is what we ask of a sender, in seconds. Customer.io retries a 503
// with its ordinary backoff, and nearly every other status after an hour.
const retryAfter = "2"

// A refusal is all that the outside learns about an error, and the reason that
// we log and count.
type refusal struct {
	status int
	said   string
	reason string
}

// refusalOf is the one place that knows statuses. Our own faults are always
// 503: a 500 would hold back every later delivery for an hour.
func refusalOf(err error) refusal {
	if foreign, ok := errors.AsType[*source.Refusal](err); ok {
		return refusal{http.StatusForbidden, "this address may not call", foreign.Reason}
	}
	if unsigned, ok := errors.AsType[*signature.Refusal](err); ok {
		return refusal{http.StatusUnauthorized, "request is not signed by a known key", unsigned.Reason}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return refusal{http.StatusRequestEntityTooLarge, "body is too large", "too_large"}
	}
	if _, ok := errors.AsType[*readError](err); ok {
		return refusal{http.StatusServiceUnavailable, "body did not arrive in time; send it again", "unread_body"}
	}

	switch {
	case errors.Is(err, errNoRoute):
		return refusal{http.StatusNotFound, "no such route", "no_route"}
	case errors.Is(err, errMethod):
		return refusal{http.StatusMethodNotAllowed, "only POST is allowed", "method"}
	case errors.Is(err, errForwarded):
		return refusal{http.StatusForbidden, "this address may not call", "forwarded_header"}
	case errors.Is(err, errFraming):
		return refusal{http.StatusBadRequest, "the body must end in one way only", "framing"}
	case errors.Is(err, errStarting):
		return refusal{http.StatusServiceUnavailable, "starting; send it again", "starting"}
	case errors.Is(err, errQueueFull):
		return refusal{http.StatusServiceUnavailable, "busy; send it again", "queue_full"}
	case errors.Is(err, errPanic):
		return refusal{http.StatusServiceUnavailable, "not kept; send it again", "panic"}
	}

	return refusal{http.StatusServiceUnavailable, "not kept; send it again", "not_kept"}
}

// refuse answers a request that was not kept, counts it, logs it, and shows it
// on the private listener.
func (rc *Receiver) refuse(w http.ResponseWriter, r *http.Request, d *dealing, err error) {
	no := refusalOf(err)
	header := w.Header()
	switch no.status {
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", retryAfter)
	case http.StatusMethodNotAllowed:
		header.Set("Allow", http.MethodPost)
	}
	rc.finish(w, r, err)
	rc.write(w, d, no.status, answerOf("status", "refused", "error", no.said))

	caller := callerText(d, err)
	rc.Metrics.Refused(no.reason)
	rc.Refusals.Add(diag.Refusal{
		Time: d.start, Status: no.status, Reason: no.reason, Route: d.name, Caller: caller, Peer: r.RemoteAddr,
		Probe: strings.HasPrefix(r.Header.Get(keyHeader), diag.ProbePrefix),
	})
	rc.said.Warn(r.Context(), "request refused", no.reason,
		slog.Int("status", no.status), slog.String("reason", no.reason), slog.String("route", d.name),
		slog.String("method", plain.Text(r.Method)), slog.String("path", plain.Text(r.URL.Path)), slog.String("peer", r.RemoteAddr),
		slog.String("caller", caller), slog.String("error", plain.Text(err.Error())))
}

// Turned takes note of a request that the server refused by itself, as it does
// of those that it refuses itself.
func (rc *Receiver) Turned(t Turned) {
	rc.Metrics.Refused(t.Reason)
	rc.Refusals.Add(diag.Refusal{Time: t.Time, Status: t.Status, Reason: t.Reason, Route: "none", Peer: t.Peer})

	attrs := []slog.Attr{
		slog.Int("status", t.Status), slog.String("reason", t.Reason), slog.String("route", "none"),
		slog.String("peer", t.Peer), slog.String("began", plain.Text(t.Begin)),
	}
	if hint := turnedHint(t.Reason); hint != "" {
		attrs = append(attrs, slog.String("hint", hint))
	}
	rc.said.Warn(context.Background(), "request refused", t.Reason, attrs...)
}

// FlushLog logs at once what the log's budget holds back. It is for the end.
func (rc *Receiver) FlushLog(ctx context.Context) { rc.said.Flush(ctx) }

// callerText returns who was refused. Of a foreign caller only the refusal
// knows the address; what a proxy could not read as one stays out.
func callerText(d *dealing, err error) string {
	if foreign, ok := errors.AsType[*source.Refusal](err); ok && foreign.Reason == source.ReasonNotListed {
		return foreign.Addr
	}

	return d.callerText()
}

// accept answers a request that was kept, and logs it if it waits for a
// person.
func (rc *Receiver) accept(w http.ResponseWriter, r *http.Request, d *dealing, receipt store.Receipt) {
	// Customer.io can save what an action is answered as attributes of the person,
	// so these words are part of the contract.
	status, outcome := "accepted", string(receipt.Outcome)
	if receipt.Duplicate {
		status = "duplicate"
	}
	if receipt.Outcome == trivia.Unsettled {
		outcome = string(trivia.StatePending)
	}
	rc.write(w, d, http.StatusOK, answerOf("status", status, "outcome", outcome, "key", d.key))
	faultpoint.At(faultpoint.Answered)

	if !receipt.Duplicate && receipt.State == trivia.StateParked {
		rc.said.Warn(r.Context(), "delivery parked", string(receipt.Outcome),
			slog.String("kind", string(d.kind)), slog.String("key", plain.Text(d.key)),
			slog.String("outcome", string(receipt.Outcome)), slog.String("reason", plain.Text(receipt.Reason)),
			slog.String("caller", d.callerText()))
	}
}

// statusTexts are the answers' names in the metrics.
var statusTexts = map[int]string{
	http.StatusOK: "200", http.StatusBadRequest: "400", http.StatusUnauthorized: "401", http.StatusForbidden: "403", http.StatusNotFound: "404",
	http.StatusMethodNotAllowed: "405", http.StatusRequestEntityTooLarge: "413", http.StatusServiceUnavailable: "503",
}

func (rc *Receiver) write(w http.ResponseWriter, d *dealing, status int, answer []byte) {
	w.Header()["Content-Type"] = contentType
	w.WriteHeader(status)
	_, _ = w.Write(answer) // a sender that has hung up will come again
	rc.Metrics.Request(d.name, statusTexts[status], rc.Now().Sub(d.start))
}

// answerOf writes what names and words say, in turns, as a JSON object.
func answerOf(words ...string) []byte {
	out := make([]byte, 0, 128)
	for i, word := range words {
		switch {
		case i == 0:
			out = append(out, '{')
		case i%2 == 0:
			out = append(out, ',')
		default:
			out = append(out, ':')
		}
		out = appendText(out, word)
	}

	return append(out, "}\n"...)
}

// appendText writes a text as JSON. Nearly all of them are plain, and
// [json.Marshal] is slow to find that out.
func appendText(out []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(text) // text always marshals

			return append(out, quoted...)
		}
	}
	out = append(out, '"')
	out = append(out, text...)

	return append(out, '"')
}

var contentType = []string{"application/json"}

func (d *dealing) callerText() string {
	if !d.caller.Addr.IsValid() {
		return ""
	}

	return d.caller.Addr.String()
}
