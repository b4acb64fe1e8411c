package customerio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"

	vendor "github.com/customerio/go-customerio/v3"

	"trivia/internal/config"
)

// ErrPerson is what the error of a call is that was never made, since no
// address can name the person. It will not pass.
var ErrPerson = errors.New("no call can name this person")

// ClientOptions are what a [Client] works with.
type ClientOptions struct {
	URL     string // of the Track API, without a slash at the end
	SiteID  string
	APIKey  config.Secret
	Timeout time.Duration    // of one call; 0 means 10 s
	Now     func() time.Time // since Retry-After may be a date
}

// A Client calls the Track API: with the official client where that has what
// is needed, and by hand where it has not. It never tries a call again. An
// error of a call that was made wraps a [*CallError].
type Client struct {
	url  string
	wire *wire
	api  *vendor.CustomerIO
}

// NewClient returns a client. It may be used by several goroutines at once.
func NewClient(opts ClientOptions) *Client {
	w := newWire(opts)
	// The wire signs in, so that the key is in one place only.
	api := vendor.NewTrackClient(opts.SiteID, "", vendor.WithHTTPClient(w))
	api.URL = opts.URL

	return &Client{url: opts.URL, wire: w, api: api}
}

// SetAttributes sets attributes of a person who is there already; it creates
// nobody. At is when they came to be true: of several rapid updates the latest
// counts. The zero time means now.
func (c *Client) SetAttributes(ctx context.Context, person string, attributes map[string]any, at time.Time) error {
	body := make(map[string]any, len(attributes)+2)
	maps.Copy(body, attributes)
	body["_update"] = true
	if !at.IsZero() {
		body["_timestamp"] = at.Unix()
	}

	return about("set attributes", person, func() error { return c.api.IdentifyCtx(ctx, person, body) })
}

// A TrackEvent is an event that Customer.io is told of.
type TrackEvent struct {
	ID   string // a ULID, as [EventID] makes it: what comes twice counts once
	Name string
	At   time.Time // to the second; the zero time means now
	Data map[string]any
}

// Track tells of something that happened to a person.
func (c *Client) Track(ctx context.Context, person string, ev TrackEvent) error {
	options := []vendor.TrackOption{vendor.WithEventID(ev.ID)}
	if !ev.At.IsZero() {
		options = append(options, vendor.WithEventTimestamp(ev.At))
	}

	return about("track "+ev.Name, person, func() error { return c.api.TrackCtx(ctx, person, ev.Name, ev.Data, options...) })
}

// Suppress deletes the profile of a person for good, and lets nobody create it
// again.
func (c *Client) Suppress(ctx context.Context, person string) error {
	return about("suppress", person, func() error { return c.post(ctx, person, "suppress") })
}

// Unsuppress lets a person be created again. It does not bring back what
// [Client.Suppress] has deleted.
func (c *Client) Unsuppress(ctx context.Context, person string) error {
	return about("unsuppress", person, func() error { return c.post(ctx, person, "unsuppress") })
}

func (c *Client) post(ctx context.Context, person, verb string) error {
	_, err := c.call(ctx, http.MethodPost, "/api/v1/customers/"+url.PathEscape(person)+"/"+verb)

	return err
}

// An Account is what Customer.io says about whoever holds the credentials.
type Account struct {
	Region      string // us or eu
	URL         string // of the Track API of that region
	Environment string // the workspace's number
}

// Account asks whose credentials these are, which also tells whether they and
// the region are right: see [Unauthorized].
func (c *Client) Account(ctx context.Context) (Account, error) {
	said, err := c.call(ctx, http.MethodGet, "/api/v1/accounts/region")
	if err != nil {
		return Account{}, fmt.Errorf("ask for the account: %w", err)
	}

	var answer struct {
		URL         string          `json:"url"`
		Region      string          `json:"region"`
		Environment json.RawMessage `json:"environment_id"`
	}
	if err := json.Unmarshal(said, &answer); err != nil || answer.Region == "" {
		return Account{}, fmt.Errorf("ask for the account: the answer names no region: %s", c.wire.words(said))
	}

	return Account{Region: answer.Region, URL: answer.URL, Environment: loose(answer.Environment)}, nil
}

// call makes a call without a body and returns what was answered.
func (c *Client) call(ctx context.Context, method, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := c.wire.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()

	return io.ReadAll(resp.Body)
}

// about makes a call about a person, if it can name them.
func about(verb, person string, call func() error) error {
	if err := CheckPerson(person); err != nil {
		return fmt.Errorf("%s: %w: %w", verb, ErrPerson, err)
	}
	if err := call(); err != nil {
		return fmt.Errorf("%s of %q: %w", verb, person, err)
	}

	return nil
}
