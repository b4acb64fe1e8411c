package customerio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"trivia/internal/customerio"
)

// publisher answers as the App API does, or does not.
func publisher(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()

	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)

	return server.URL
}

func TestAddressesAreReadWithoutSigningIn(t *testing.T) {
	t.Parallel()

	url := publisher(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.RequestURI != "/v1/info/ip_addresses" || r.Header.Get("Authorization") != "" {
			t.Errorf("asked with %s %s, Authorization %q", r.Method, r.RequestURI, r.Header.Get("Authorization"))
		}
		_, _ = io.WriteString(w, `{"more":1,"ip_addresses":["104.1.1.1","34.1.2.3","34.1.2.3"]}`)
	})
	got, err := customerio.Addresses(t.Context(), url)
	if want := []string{"34.1.2.3", "104.1.1.1"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("Addresses = %q, %v, want %q", got, err, want)
	}
}

func TestAbsurdAddressesAreRefusedInWords(t *testing.T) {
	t.Parallel()

	say := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"empty", say(200, ``), `the answer is not {"ip_addresses": […]}, it begins with ""`},
		{"a page", say(200, "<!doctype html>\n<title>Log in</title>"), `the answer is not {"ip_addresses": […]}, it begins with "<!doctype html> <title>Log in</title>"`},
		{"cut off", say(200, `{"ip_addresses":["34.1.2.3"`), `the answer is not {"ip_addresses": […]}, it begins with "{\"ip_addresses\":[\"34.1.2.3\""`},
		{"two values", say(200, `{"ip_addresses":["34.1.2.3"]}{}`), `the answer is not {"ip_addresses": […]}, it begins with "{\"ip_addresses\":[\"34.1.2.3\"]}{}"`},
		{"a list alone", say(200, `["34.1.2.3"]`), `the answer is not {"ip_addresses": […]}, it begins with "[\"34.1.2.3\"]"`},
		{"numbers", say(200, `{"ip_addresses":[5]}`), "the answer has a number in ip_addresses, want a list of texts"},
		{"a text", say(200, `{"ip_addresses":"34.1.2.3"}`), "the answer has a string in ip_addresses, want a list of texts"},
		{"another object", say(200, `{"errors":[]}`), `the answer has no ip_addresses, it begins with "{\"errors\":[]}"`},
		{"null", say(200, `{"ip_addresses":null}`), `the answer has no ip_addresses, it begins with "{\"ip_addresses\":null}"`},
		{"none", say(200, `{"ip_addresses":[]}`), "the list is empty"},
		{"a null", say(200, `{"ip_addresses":["34.1.2.3",null]}`), `entry 2 of the list, "", is no address and no network`},
		{"private", say(200, `{"ip_addresses":["34.1.2.3","10.0.0.1"]}`), `entry 2 of the list, "10.0.0.1", cannot be where Customer.io calls from: it is in 10.0.0.0/8, which is private`},
		{"everyone", say(200, `{"ip_addresses":["0.0.0.0/0"]}`), `entry 1 of the list, "0.0.0.0/0", cannot be where Customer.io calls from: it is wider than a /24`},
		{"nowhere", say(200, `{"ip_addresses":["0.0.0.0"]}`), `entry 1 of the list, "0.0.0.0", cannot be where Customer.io calls from: it is in 0.0.0.0/8, which means no address`},
		{"too long", say(200, `{"ip_addresses":["34.1.2.3"]}`+strings.Repeat(" ", 256<<10)), "the answer has more than 256 KiB"},
		{"another status", say(203, `{"ip_addresses":["34.1.2.3"]}`), `Customer.io answered 203 Non-Authoritative Information: {"ip_addresses":["34.1.2.3"]}`},
		{"broken", say(500, "<h1>oh\x1b no</h1>"), "Customer.io answered 500 Internal Server Error: <h1>oh no</h1>"},
		{"too many requests", say(429, ``), "Customer.io answered 429 Too Many Requests"},
		{"cut off on the way", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"ip_addresses":["34.1.2.3"]}`)
		}, "no answer from Customer.io: unexpected EOF"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/other" {
				t.Error("the redirect was followed")
			}
			http.Redirect(w, r, "/other", http.StatusFound)
		}, "Customer.io answered 302 Found: go to /other"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := customerio.Addresses(t.Context(), publisher(t, tt.answer))
			if want := "ask for Customer.io's addresses: " + tt.want; got != nil || err == nil || err.Error() != want {
				t.Errorf("Addresses = %q, %v\nwant %s", got, err, want)
			}
		})
	}
}

func TestAddressesThatDoNotComeAreNotWaitedForForever(t *testing.T) {
	t.Parallel()

	for name, answer := range map[string]http.HandlerFunc{
		"no answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"half an answer": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"ip_addresses":[`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := customerio.Addresses(ctx, publisher(t, answer))
			if !errors.Is(err, context.DeadlineExceeded) || !customerio.Passing(err) {
				t.Errorf("Addresses = %v, want that nobody answered in time", err)
			}
		})
	}
}

// FuzzAddresses holds that whatever is answered, the list is judged: nobody is
// in it who cannot call over the internet.
func FuzzAddresses(f *testing.F) {
	for _, body := range []string{
		"", "null", "[]", "<html>", `{"ip_addresses":null}`, `{"ip_addresses":[]}`, `{"ip_addresses":["34.1.2.3","2600:1900::/48"]}`,
		`{"IP_Addresses":["0.0.0.0/0"],"ip_addresses":["::ffff:34.1.2.3",null]}`, `{"ip_addresses":["\u0031.2.3.4","10.0.0.1"]}`,
	} {
		f.Add([]byte(body))
	}

	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := customerio.ReadAddresses(body)
		switch {
		case err != nil && (got != nil || len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\n\x1b\x00")):
			t.Fatalf("%q: %q, %v is no way to refuse", body, got, err)
		case err == nil && (len(got) == 0 || len(got) > 1000 || !slices.Equal(got, slices.Compact(slices.Clone(got)))):
			t.Fatalf("%q: took %q", body, got)
		case err == nil:
			again, err := customerio.ReadAddresses(fmt.Appendf(nil, `{"ip_addresses":["%s"]}`, strings.Join(got, `","`)))
			if err != nil || !slices.Equal(got, again) {
				t.Fatalf("%q: took %q, and then %q, %v", body, got, again, err)
			}
		}
	})
}
