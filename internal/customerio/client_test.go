package customerio_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/config"
	"trivia/internal/customerio"
)

// The key is one that the URL alphabet of base64 would spell differently.
const (
	siteID = "site-1"
	apiKey = "k?>~k?>~ÿ"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// A recorded request is what the other side saw.
type recorded struct {
	Method, URI, Body, Type string
	Auth                    bool // the credentials are ours
}

// A fakeAPI stands in for the Track API.
type fakeAPI struct {
	*httptest.Server

	mu   sync.Mutex
	seen []recorded
}

// newFakeAPI returns one that records every request and lets answer answer it;
// nil answers 200 {}.
func newFakeAPI(t *testing.T, answer http.HandlerFunc) *fakeAPI {
	t.Helper()

	api := &fakeAPI{}
	api.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the request: %v", err)
		}
		user, key, _ := r.BasicAuth()
		api.mu.Lock()
		api.seen = append(api.seen, recorded{
			Method: r.Method, URI: r.RequestURI, Body: string(body), Type: r.Header.Get("Content-Type"),
			Auth: user == siteID && key == apiKey,
		})
		api.mu.Unlock()

		if answer != nil {
			answer(w, r)
			return
		}
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(api.Close)

	return api
}

func (api *fakeAPI) requests() []recorded {
	api.mu.Lock()
	defer api.mu.Unlock()

	return api.seen
}

func (api *fakeAPI) client() *customerio.Client { return clientOf(api.URL, 0) }

func clientOf(url string, timeout time.Duration) *customerio.Client {
	return customerio.NewClient(customerio.ClientOptions{
		URL: url, SiteID: siteID, APIKey: config.NewSecret(apiKey), Timeout: timeout,
		Now: func() time.Time { return noon },
	})
}

// calls are all calls about a person.
var calls = map[string]func(context.Context, *customerio.Client, string) error{
	"set attributes": func(ctx context.Context, c *customerio.Client, person string) error {
		return c.SetAttributes(ctx, person, map[string]any{"plan": "gold"}, time.Time{})
	},
	"track": func(ctx context.Context, c *customerio.Client, person string) error {
		return c.Track(ctx, person, customerio.TrackEvent{ID: "01ARYZ6S41TSV4RRFFQ69G5FAV", Name: "won", At: noon})
	},
	"suppress": func(ctx context.Context, c *customerio.Client, person string) error { return c.Suppress(ctx, person) },
	"unsuppress": func(ctx context.Context, c *customerio.Client, person string) error {
		return c.Unsuppress(ctx, person)
	},
}

func TestClientSaysWhatTheTrackAPIUnderstands(t *testing.T) {
	t.Parallel()

	const asJSON = "application/json"

	tests := []struct {
		name string
		call func(context.Context, *customerio.Client) error
		want recorded
	}{
		{"attributes", func(ctx context.Context, c *customerio.Client) error {
			return c.SetAttributes(ctx, "u1", map[string]any{"wins": 3, "late": false, "item": "café", "_update": false}, noon)
		}, recorded{"PUT", "/api/v1/customers/u1", `{"_timestamp":1777896000,"_update":true,"item":"café","late":false,"wins":3}`, asJSON, true}},
		{"attributes of now", func(ctx context.Context, c *customerio.Client) error {
			return c.SetAttributes(ctx, "u1", nil, time.Time{})
		}, recorded{"PUT", "/api/v1/customers/u1", `{"_update":true}`, asJSON, true}},
		{"an event", func(ctx context.Context, c *customerio.Client) error {
			return c.Track(ctx, "u1", customerio.TrackEvent{
				ID: "01ARYZ6S41TSV4RRFFQ69G5FAV", Name: "trivia_prize_awarded", At: noon, Data: map[string]any{"item": "gem"},
			})
		}, recorded{
			"POST", "/api/v1/customers/u1/events",
			`{"data":{"item":"gem"},"id":"01ARYZ6S41TSV4RRFFQ69G5FAV","name":"trivia_prize_awarded","timestamp":1777896000}`, asJSON, true,
		}},
		{
			"suppress", func(ctx context.Context, c *customerio.Client) error { return c.Suppress(ctx, "u1") },
			recorded{"POST", "/api/v1/customers/u1/suppress", "", "", true},
		},
		{
			"unsuppress", func(ctx context.Context, c *customerio.Client) error { return c.Unsuppress(ctx, "u1") },
			recorded{"POST", "/api/v1/customers/u1/unsuppress", "", "", true},
		},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			api := newFakeAPI(t, nil)
			if err := tt.call(t.Context(), api.client()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]recorded{tt.want}, api.requests()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestClientReachesPersonsOfAnyShape(t *testing.T) {
	t.Parallel()

	persons := map[string]string{ // as the path spells them
		"player-1001":          "player-1001",
		"a~b_c.d":              "a~b_c.d",
		"p/3?x=1":              "p%2F3%3Fx%3D1",
		"kim+quiz@example.net": "kim%2Bquiz%40example.net",
		"a#b%c&d":              "a%23b%25c%26d",
		"50%20off":             "50%2520off",
		"%2e%2e":               "%252e%252e",
		"a/../b":               "a%2F..%2Fb",
		"../":                  "..%2F",
		"...":                  "...",
		"a b\tc":               "a%20b%09c",
		`a\b"c`:                "a%5Cb%22c",
		"a;b,c:d=e$f!g'h(i)*":  "a%3Bb%2Cc%3Ad%3De%24f%21g%27h%28i%29%2A",
		"Zoë 漢字 🎉":             "Zo%C3%AB%20%E6%BC%A2%E5%AD%97%20%F0%9F%8E%89",
		"\xff":                 "%FF",
		"cio_a1b206000001":     "cio_a1b206000001",

		strings.Repeat("a", 150): strings.Repeat("a", 150),
	}
	tails := map[string]string{"set attributes": "", "track": "/events", "suppress": "/suppress", "unsuppress": "/unsuppress"}

	for verb, call := range calls {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()

			var understood string
			api := newFakeAPI(t, func(_ http.ResponseWriter, r *http.Request) { understood = r.URL.Path })
			for person, spelt := range persons {
				if err := call(t.Context(), api.client(), person); err != nil {
					t.Fatal(err)
				}
				requests := api.requests()
				if got, want := requests[len(requests)-1].URI, "/api/v1/customers/"+spelt+tails[verb]; got != want {
					t.Errorf("%s %q went to %s, want %s", verb, person, got, want)
				}
				if want := "/api/v1/customers/" + person + tails[verb]; understood != want {
					t.Errorf("%s %q was understood as %q, want %q", verb, person, understood, want)
				}
			}
		})
	}
}

func TestClientCallsNobodyItCannotName(t *testing.T) {
	t.Parallel()

	persons := map[string]string{
		"":                        "the identifier is empty",
		"   ":                     "the identifier is empty",
		".":                       `"." is a step in a path`,
		"..":                      `".." is a step in a path`,
		strings.Repeat("a", 151):  "the identifier has 151 bytes, at most 150 fit",
		strings.Repeat("漢", 51):   "the identifier has 153 bytes, at most 150 fit",
		strings.Repeat("a", 1e6):  "the identifier has 1000000 bytes, at most 150 fit",
		strings.Repeat(" ", 1000): "the identifier is empty",
	}

	for verb, call := range calls {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()

			api := newFakeAPI(t, nil)
			for person, want := range persons {
				err := call(t.Context(), api.client(), person)
				if !errors.Is(err, customerio.ErrPerson) || !strings.HasSuffix(err.Error(), want) || customerio.Passing(err) {
					t.Errorf("%s %.20q = %v, want %q", verb, person, err, want)
				}
			}
			if n := len(api.requests()); n != 0 {
				t.Errorf("%d calls were made, want none", n)
			}
		})
	}
}

func TestClientLeavesTheAttributesAlone(t *testing.T) {
	t.Parallel()

	attributes := map[string]any{"plan": "gold"}
	if err := newFakeAPI(t, nil).client().SetAttributes(t.Context(), "u1", attributes, noon); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"plan": "gold"}, attributes); diff != "" {
		t.Errorf("attributes of the caller (-want +got):\n%s", diff)
	}
}

func TestClientRefusesWhatJSONCannotSay(t *testing.T) {
	t.Parallel()

	api := newFakeAPI(t, nil)
	err := api.client().SetAttributes(t.Context(), "u1", map[string]any{"share": math.NaN()}, noon)
	if err == nil || customerio.Passing(err) || len(api.requests()) != 0 {
		t.Errorf("SetAttributes of NaN = %v after %d calls, want an error that does not pass and no call", err, len(api.requests()))
	}
}

func TestClientAccount(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, answer string
		want         customerio.Account
		err          string
	}{
		{"as documented", `{"url":"track-eu.customer.io","region":"eu","environment_id":1234}`, customerio.Account{Region: "eu", URL: "track-eu.customer.io", Environment: "1234"}, ""},
		{"the number as text", `{"region":"us","environment_id":"77","more":[]}`, customerio.Account{Region: "us", Environment: "77"}, ""},
		{"a page of something in between", "<html>\n Sign in </html>", customerio.Account{}, "ask for the account: the answer names no region: <html> Sign in </html>"},
		{"no region", `{}`, customerio.Account{}, "ask for the account: the answer names no region: {}"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			api := newFakeAPI(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tt.answer) })
			got, err := api.client().Account(t.Context())
			if got != tt.want || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
				t.Errorf("Account() = %+v, %v, want %+v, %q", got, err, tt.want, tt.err)
			}
			want := []recorded{{Method: http.MethodGet, URI: "/api/v1/accounts/region", Auth: true}}
			if diff := cmp.Diff(want, api.requests()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryCallFailsWithACallError(t *testing.T) {
	t.Parallel()

	api := newFakeAPI(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "who are you", http.StatusUnauthorized) })
	client := api.client()

	errs := map[string]error{}
	for verb, call := range calls {
		errs[verb] = call(t.Context(), client, "u1")
	}
	_, errs["ask for the account"] = client.Account(t.Context())

	for verb, err := range errs {
		call, ok := errors.AsType[*customerio.CallError](err)
		if !ok || call.Status != http.StatusUnauthorized || call.Said != "who are you" {
			t.Errorf("%s = %#v, want a CallError with the answer", verb, err)
		}
		if !customerio.Unauthorized(err) || customerio.Passing(err) {
			t.Errorf("%s = %v, want that credentials are refused", verb, err)
		}
		if !strings.HasPrefix(err.Error(), verb) {
			t.Errorf("%s = %v, want that it says what was being done", verb, err)
		}
	}
}
