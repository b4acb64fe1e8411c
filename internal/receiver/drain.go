package receiver

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// What is taken of a body that nobody wants, before its sender is answered.
// The sender's own patience ends after 4 s.
const (
	drainBytes  = 128 << 20
	drainTime   = 2 * time.Second
	drainGap    = 500 * time.Millisecond // without a byte
	drainsMost  = 64                     // bodies at once
	closeHeader = "Connection"
)

// finish takes what is left of a body, so that its sender, who may write all of
// it before reading anything, sees the answer that follows. Net/http itself
// takes 256 KiB at most, and nothing at all where the connection is to be
// closed; what is left then makes the kernel answer with a reset. What is too
// much for us, too, is left to the closing of the connection.
func (rc *Receiver) finish(w http.ResponseWriter, r *http.Request, cause error) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	control := http.NewResponseController(w)
	// Not every writer has a connection below it, as in tests.
	if errors.Is(control.SetReadDeadline(time.Time{}), http.ErrNotSupported) {
		return
	}

	if rc.drain(control, r, cause) != nil {
		w.Header().Set(closeHeader, "close")
		if c := connOf(r.Context()); c != nil {
			c.linger.Store(true)
		}
		// Net/http would wait for what is left, without an end.
		_ = control.SetReadDeadline(longAgo)
	}
}

// drain returns nil if it came to the end of the body.
func (rc *Receiver) drain(control *http.ResponseController, r *http.Request, cause error) error {
	if late, ok := errors.AsType[*readError](cause); ok {
		return late // whoever sent it has waited long enough
	}
	if r.Header["Expect"] != nil {
		return errImpatient // reading would ask for the body
	}
	select {
	case rc.drains <- struct{}{}:
	default:
		return errImpatient
	}
	defer func() { <-rc.drains }()

	b := bounds{bytes: drainBytes, time: drainTime, gap: drainGap}
	if err := b.discard(r.Body, control.SetReadDeadline); err != nil {
		return err
	}

	return control.SetReadDeadline(time.Time{})
}

// Bounds are how much is taken of what nobody wants.
type bounds struct {
	bytes     int64
	time, gap time.Duration // in all, and without a byte
}

var errImpatient = errors.New("more came than is taken")

// discard reads from r to its end, and returns nil if it came to it.
func (b bounds) discard(r io.Reader, setDeadline func(time.Time) error) error {
	buf, _ := discarded.Get().(*[]byte)
	defer discarded.Put(buf)

	// Deadlines of sockets are of real time, whatever clock a test has.
	end := time.Now().Add(b.time) //nolint:forbidigo // as above
	for taken := int64(0); taken < b.bytes; {
		now := time.Now() //nolint:forbidigo // as above
		if !now.Before(end) {
			return errImpatient
		}
		deadline := now.Add(b.gap)
		if deadline.After(end) {
			deadline = end
		}
		if err := setDeadline(deadline); err != nil {
			return err
		}
		n, err := r.Read(*buf)
		taken += int64(n)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}

	return errImpatient
}

// Discarded lends the memory that unwanted bytes are read into.
var discarded = sync.Pool{New: func() any {
	buf := make([]byte, 64<<10)
	return &buf
}}
