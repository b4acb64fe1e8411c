package operator

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"

	"trivia/internal/config"
	"trivia/internal/customerio"
	"trivia/internal/diag"
	"trivia/internal/signature"
	"trivia/internal/trivia"
)

// mostHeard is as much of an answer as is read.
const mostHeard = 1 << 20

// A heard is what was answered, and from which address of ours it was asked.
type heard struct {
	status int
	text   []byte
	from   string
}

// ask sends one request on a connection of its own: the hook knows us by that.
func (e *examination) ask(ctx context.Context, method, target string, body []byte, header http.Header) (heard, error) {
	var h heard
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		h.from = info.Conn.LocalAddr().String()
	}})
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return h, err
	}
	for name, values := range header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	req.Header.Set("User-Agent", e.Agent)

	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // it repeats the URL
		}

		return h, err
	}
	defer func() { _ = resp.Body.Close() }()
	h.status = resp.StatusCode
	h.text, err = io.ReadAll(io.LimitReader(resp.Body, mostHeard))

	return h, err
}

// listener asks the public listener whether it is up, and ready.
func (e *examination) listener(ctx context.Context) []Finding {
	const name = "listener"
	if e.URL == "" {
		return one(name, Skipped, "nobody knows where trivia-hook listens", "say it with --url")
	}

	up, err := e.ask(ctx, http.MethodGet, e.URL+"/healthz", nil, nil)
	switch {
	case err != nil:
		return one(name, Broken, fmt.Sprintf("%s does not answer: %s", e.URL, short(ctx, err)),
			"start trivia-hook, or say where it listens with "+config.Listen+" or --url")
	case up.status != http.StatusOK:
		return one(name, Broken, fmt.Sprintf("%s/healthz answers %d", e.URL, up.status), "is it a trivia-hook that listens there?")
	}
	ready, err := e.ask(ctx, http.MethodGet, e.URL+"/readyz", nil, nil)
	switch {
	case err != nil:
		return one(name, Broken, fmt.Sprintf("%s/readyz does not answer: %s", e.URL, short(ctx, err)), "")
	case ready.status != http.StatusOK:
		return one(name, Broken, fmt.Sprintf("%s is up and not ready (%d): it cannot keep deliveries", e.URL, ready.status),
			"the reason is at "+e.AdminURL+"/readyz; mostly it is the database")
	}

	return one(name, Healthy, e.URL+" is up, and ready to keep deliveries", "")
}

func pathOf(kind trivia.Kind) string {
	if kind == trivia.KindEvent {
		return customerio.PathEvent
	}

	return customerio.PathWin
}

// signatures asks, without leaving anything, whether the hook refuses what is
// forged and knows the keys of the settings.
func (e *examination) signatures(ctx context.Context) []Finding {
	const name = "signatures"
	if e.URL == "" {
		return one(name, Skipped, "nobody knows where trivia-hook listens", "")
	}

	var found []Finding
	for _, kind := range trivia.Kinds() {
		f := e.forged(ctx, kind)
		if f.Health == Healthy {
			f = e.knows(ctx, kind, f.Says)
		}
		f.Check = name
		f.Says = "of " + string(kind) + "s: " + f.Says
		found = append(found, f)
	}

	return found
}

// probeBody is what probes say; a hook that took one would park that of a win,
// and record that of an event.
func probeBody(kind trivia.Kind, id string, now time.Time) []byte {
	if kind == trivia.KindWin {
		return []byte(`{"probe":` + strconv.Quote(id) + `}`)
	}

	return fmt.Appendf(nil, `{"event_id":%q,"object_type":"doctor","metric":"probe","timestamp":%d}`, id, now.Unix())
}

func newProbe() string { return diag.ProbePrefix + strings.ToLower(rand.Text()[:16]) }

func (e *examination) send(ctx context.Context, kind trivia.Kind, key signature.Key, id string, at time.Time) (heard, error) {
	body, stamp := probeBody(kind, id, e.Now()), strconv.FormatInt(at.Unix(), 10)

	return e.ask(ctx, http.MethodPost, e.URL+pathOf(kind), body, http.Header{
		"Content-Type":                  {"application/json"},
		signature.HeaderTimestamp:       {stamp},
		signature.HeaderSignature:       {signature.Sign(key, stamp, body)},
		customerio.HeaderIdempotencyKey: {id},
	})
}

// forged sends what no key of anybody has signed.
func (e *examination) forged(ctx context.Context, kind trivia.Kind) Finding {
	stranger, err := signature.NewKey(rand.Text())
	if err != nil {
		return Finding{Health: Broken, Says: err.Error()}
	}

	got, err := e.send(ctx, kind, stranger, newProbe(), e.Now())
	switch {
	case err != nil:
		return Finding{Health: Broken, Says: short(ctx, err), Mend: "start trivia-hook, or say where it listens with --url"}
	case got.status == http.StatusUnauthorized:
		return Finding{Health: Healthy, Says: "what is forged is refused"}
	case got.status == http.StatusForbidden:
		return Finding{
			Health: Skipped, Says: "this machine may not call, so nothing can be found out from here",
			Mend: "add its address to " + config.Sources + " if it is to be let in: triviactl sources check tells by which rule",
		}
	case got.status == http.StatusOK:
		return Finding{Health: Broken, Says: "a forged request was accepted", Mend: "what listens there? it verifies nothing"}
	}

	return Finding{Health: Broken, Says: fmt.Sprintf("a forged request is answered %d, want 401", got.status), Mend: "is it a trivia-hook that listens there?"}
}

// knows finds out which of the route's keys the hook knows. A request that is
// signed and too old is refused like any other, and kept nowhere; but on the
// private listener the hook says that it is stale, which it can only know once
// the signature holds.
func (e *examination) knows(ctx context.Context, kind trivia.Kind, says string) Finding {
	f := Finding{Health: Healthy, Says: says}
	keys := e.ring(kind)
	switch {
	case len(keys) == 0:
		f.Says += "; there is no key to try"
		return f
	case e.AdminURL == "":
		f.Says += "; nobody knows where its private listener is, which would tell whether it knows our keys"
		return f
	case e.Settings.Tolerance == 0:
		return e.lists(ctx, kind, keys, f)
	}

	for _, key := range keys {
		id := newProbe()
		got, err := e.send(ctx, kind, key, id, e.Now().Add(-e.Settings.Tolerance-365*24*time.Hour))
		switch {
		case err != nil:
			return Finding{Health: Broken, Says: short(ctx, err)}
		case got.status == http.StatusOK:
			return Finding{
				Health: Odd, Says: "the hook takes requests of any age; it has kept the probe as delivery " + id,
				Mend: "set " + config.SignatureTolerance + " to 0 here too",
			}
		}
		reason, err := e.refusalOf(ctx, got.from)
		switch {
		case err != nil:
			f.Says += "; whether it knows our keys it tells on its private listener: " + short(ctx, err)
			return f
		case reason == signature.ReasonMismatch:
			return unknownKey(key)
		case reason != signature.ReasonStale:
			f.Says += "; the private listener at " + e.AdminURL + " knows nothing of our request: is it the same hook's?"
			return f
		}
		f.Says += ", key " + key.Fingerprint() + " is known"
	}

	return f
}

// lists asks the private listener which keys the hook takes: what keeps whatever
// is signed cannot be tried with a request that is too old.
func (e *examination) lists(ctx context.Context, kind trivia.Kind, keys []signature.Key, f Finding) Finding {
	got, err := e.ask(ctx, http.MethodGet, e.AdminURL+"/metrics", nil, nil)
	switch {
	case err != nil:
		f.Says += "; whether it knows our keys it tells on its private listener: " + short(ctx, err)
		return f
	case !bytes.Contains(got.text, []byte("\ntrivia_signing_key{")):
		f.Says += "; the private listener at " + e.AdminURL + " says nothing of its keys: is it the same hook's?"
		return f
	}

	for _, key := range keys {
		line := fmt.Sprintf("\ntrivia_signing_key{key=%q,route=%q} 1\n", key.Fingerprint(), kind)
		if !bytes.Contains(got.text, []byte(line)) {
			return unknownKey(key)
		}
		f.Says += ", key " + key.Fingerprint() + " is known"
	}

	return f
}

func unknownKey(key signature.Key) Finding {
	return Finding{
		Health: Broken, Says: fmt.Sprintf("the hook does not know key %s", key.Fingerprint()),
		Mend: "give it the settings that are here, and reload it (SIGHUP); or these those of the hook",
	}
}

// refusalOf asks the private listener why the request of a peer was refused.
func (e *examination) refusalOf(ctx context.Context, peer string) (string, error) {
	got, err := e.ask(ctx, http.MethodGet, e.AdminURL+"/refused", nil, nil)
	if err != nil {
		return "", fmt.Errorf("%s does not answer: %w", e.AdminURL, err)
	}
	var refusals []diag.Refusal
	if err := json.Unmarshal(got.text, &refusals); err != nil || got.status != http.StatusOK {
		return "", fmt.Errorf("%s/refused answers %d", e.AdminURL, got.status)
	}
	for _, r := range refusals {
		if r.Peer == peer {
			return r.Reason, nil
		}
	}

	return "", nil
}

// probe sends an event that is kept, if it was asked to.
func (e *examination) probe(ctx context.Context) []Finding {
	const name = "probe"
	keys := e.ring(trivia.KindEvent)
	switch {
	case !e.Probe:
		return one(name, Skipped, "not asked: --probe sends a signed event, which stays", "")
	case e.URL == "" || len(keys) == 0:
		return one(name, Skipped, "there is no key to sign with, or nowhere to send to", "")
	}

	id := newProbe()
	got, err := e.send(ctx, trivia.KindEvent, keys[0], id, e.Now())
	switch {
	case err != nil:
		return one(name, Broken, short(ctx, err), "")
	case got.status == http.StatusOK:
		return one(name, Healthy, "a signed event was kept, and stays: "+id, "")
	case got.status == http.StatusForbidden:
		return one(name, Broken, "this machine may not call", "triviactl sources check tells by which rule it might")
	case got.status == http.StatusUnauthorized:
		return one(name, Broken, fmt.Sprintf("the hook does not know key %s, or its clock is off", keys[0].Fingerprint()),
			"give it the settings that are here, and reload it (SIGHUP)")
	}

	return one(name, Broken, fmt.Sprintf("a signed event is answered %d", got.status), "see the log of trivia-hook")
}

// customerIO asks Customer.io whether credentials and region are right.
func (e *examination) customerIO(ctx context.Context) []Finding {
	const name = "customer.io"
	set := e.Settings
	if set.SiteID == "" || set.TrackAPIKey.IsZero() {
		return one(name, Odd, "there are no credentials: pushes are kept and not sent",
			"set "+config.SiteID+" and "+config.TrackAPIKey+": Settings, API credentials, Track API keys")
	}

	account, err := customerio.NewClient(customerio.ClientOptions{
		URL: set.TrackURL, SiteID: set.SiteID, APIKey: set.TrackAPIKey, Timeout: checkTime, Now: e.Now,
	}).Account(ctx)
	switch {
	case customerio.Unauthorized(err):
		return one(name, Broken, err.Error(), "compare "+config.SiteID+" and "+config.TrackAPIKey+
			" with Customer.io; the account may also be in another region than "+config.Region)
	case err != nil:
		return one(name, Broken, short(ctx, err), "let this machine reach "+set.TrackURL)
	case account.Region != set.Region:
		return one(name, Broken, fmt.Sprintf("the account is in region %s, and %s is %s", account.Region, config.Region, set.Region),
			"set "+config.Region+"="+account.Region)
	}

	return one(name, Healthy, fmt.Sprintf("credentials and region (%s) are right", account.Region), "")
}
