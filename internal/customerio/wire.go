package customerio

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"trivia/internal/config"
)

const (
	callTime      = 10 * time.Second
	maxAnswer     = 64 << 10       // bytes of an answer that are read
	maxSaid       = 300            // characters of it that an error repeats
	maxRetryAfter = 24 * time.Hour // longer is a mistake
	connections   = 100            // kept open between calls
)

// A wire carries single requests to Customer.io. It is the official client's
// HTTP client too, and makes up for what that does badly.
type wire struct {
	http   *http.Client
	siteID string
	key    config.Secret
	now    func() time.Time
}

func newWire(opts ClientOptions) *wire {
	return &wire{
		http: &http.Client{
			Timeout:   cmp.Or(opts.Timeout, callTime),
			Transport: transport(),
			// Followed, a PUT would become a GET that succeeds, and credentials might
			// go to strangers.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		siteID: opts.SiteID, key: opts.APIKey, now: opts.Now,
	}
}

// transport keeps more connections than the two that net/http would.
func transport() http.RoundTripper {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	own := standard.Clone()
	own.MaxIdleConns, own.MaxIdleConnsPerHost = connections, connections

	return own
}

// escapeMore escapes what a URL may contain as it is and the vendor wants
// escaped.
var escapeMore = strings.NewReplacer("+", "%2B", "@", "%40", "&", "%26", "=", "%3D", "$", "%24", ":", "%3A")

// Do sends one request. An answer of 2xx comes whole and as 200, which is all
// that the official client takes for success; everything else comes as a
// [*CallError].
func (w *wire) Do(req *http.Request) (*http.Response, error) {
	req.SetBasicAuth(w.siteID, w.key.Reveal())
	req.URL.RawPath = escapeMore.Replace(req.URL.EscapedPath())

	resp, err := w.http.Do(req)
	if err != nil {
		return nil, unanswered(err)
	}
	defer func() { _ = resp.Body.Close() }()

	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, w.refused(resp, body)
	}
	if err != nil {
		return nil, unanswered(err)
	}

	resp.StatusCode = http.StatusOK
	resp.Body = io.NopCloser(bytes.NewReader(body))

	return resp, nil
}

// unanswered takes the address out of an error, which the caller knows.
func unanswered(err error) *CallError {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}

	return &CallError{cause: err}
}

func (w *wire) refused(resp *http.Response, body []byte) *CallError {
	said := w.words(body)
	if to := resp.Header.Get("Location"); to != "" {
		said = "go to " + w.words([]byte(to))
	}

	return &CallError{
		Status:     resp.StatusCode,
		RetryAfter: retryAfter(resp.Header.Get("Retry-After"), w.now()),
		Said:       said,
	}
}

// words returns an answer as it can be shown and kept: one line, not long, and
// without the key, should something in between repeat it.
func (w *wire) words(answer []byte) string {
	said := string(answer)
	if key := w.key.Reveal(); key != "" {
		basic := base64.StdEncoding.EncodeToString([]byte(w.siteID + ":" + key))
		said = strings.NewReplacer(key, w.key.String(), basic, w.key.String()).Replace(said)
	}
	said = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7F && r < 0xA0 {
			return ' '
		}

		return r
	}, strings.ToValidUTF8(said, "\uFFFD"))

	return clip(strings.Join(strings.Fields(said), " "), maxSaid)
}

// retryAfter reads a number of seconds or a date, and returns 0 for everything
// else.
func retryAfter(header string, now time.Time) time.Duration {
	var wait time.Duration
	if n, err := strconv.ParseInt(header, 10, 64); err == nil {
		wait = time.Duration(min(n, int64(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}

	return min(max(wait, 0), maxRetryAfter)
}
