package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"trivia/internal/customerio"
)

// tell sends one event to the service at base.
func (s *sender) tell(base string, body []byte) answer {
	return s.post(base+customerio.PathEvent, s.event, body, nil)
}

// A keptEvent is a row of events, and the body that it came with.
type keptEvent struct {
	id, object, metric string
	body               []byte
}

// eventRow is what row returns, of the table.
const eventRow = `
	SELECT concat_ws('|', event_id, object_type, metric, extract(epoch FROM occurred_at)::bigint,
		coalesce(person, ''), coalesce(customer_id, ''), coalesce(email, ''), coalesce(cio_id, ''), coalesce(delivery_id, ''),
		coalesce(campaign_id, ''), coalesce(broadcast_id, ''), coalesce(newsletter_id, ''), coalesce(action_id, ''),
		coalesce(transactional_id, ''), coalesce(template_id, ''), coalesce(link_id, ''), coalesce(href, ''),
		coalesce(tracked_response, ''), coalesce(failure_message, ''), machine, prefetched, proxied, synthetic)
	FROM events ORDER BY event_id COLLATE "C"`

// row returns all that the table has of e.
func (e keptEvent) row(t *testing.T) string {
	t.Helper()

	_, ev, err := customerio.DecodeEvent(e.body)
	if err != nil {
		t.Fatal(err)
	}
	flag := func(set bool) string { return map[bool]string{true: "t", false: "f"}[set] }

	return strings.Join([]string{
		e.id, e.object, e.metric, fmt.Sprint(ev.At.Unix()), ev.Person, ev.CustomerID, ev.Email, ev.CioID, ev.DeliveryID,
		ev.Campaign, ev.Broadcast, ev.Newsletter, ev.Action, ev.Transactional, ev.Template, ev.Link, ev.Href, ev.Response, ev.Failure,
		flag(ev.Machine), flag(ev.Prefetched), flag(ev.Proxied), flag(ev.Synthetic),
	}, "|")
}

// documentedEvents are the vendor's own examples, one made up of every kind
// that it documents, and some that nobody does.
func documentedEvents(t *testing.T) []keptEvent {
	t.Helper()

	text, err := os.ReadFile("../../internal/customerio/testdata/reporting-events.json")
	if err != nil {
		t.Fatal(err)
	}
	var examples []struct {
		Object  string `json:"object_type"`
		Metric  string
		Payload json.RawMessage
	}
	if err := json.Unmarshal(text, &examples); err != nil {
		t.Fatal(err)
	}

	var all []keptEvent
	for _, example := range examples {
		var envelope struct {
			ID string `json:"event_id"`
		}
		var body bytes.Buffer
		if json.Unmarshal(example.Payload, &envelope) != nil || json.Compact(&body, example.Payload) != nil {
			t.Fatalf("the example %s is unusable", example.Payload)
		}
		all = append(all, keptEvent{envelope.ID, example.Object, example.Metric, body.Bytes()})
	}
	samples := customerio.Samples()
	for _, pair := range [][2]string{{"email", "deferred"}, {"sms", "dropped"}, {"carrier_pigeon", "landed"}} {
		sample, _ := customerio.SampleOf(pair[0], pair[1])
		samples = append(samples, sample)
	}
	for i, sample := range samples {
		id := fmt.Sprintf("sample-%03d", i)
		event := sample.Event(id, fmt.Sprintf("user-%d", i), time.Now())
		event["note"] = bodySecret
		body, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, keptEvent{id, sample.Object, sample.Metric, body})
	}

	return all
}

// Customer.io sends everything at least once. Both times are good, and one of
// them counts.
func TestEveryDocumentedEventIsKeptOnce(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	p := start(t, on(db.url))
	s := newSender(t, 1)

	all := documentedEvents(t)
	for _, status := range []string{"accepted", "duplicate"} {
		for _, e := range all {
			a := s.tell(p.public, e.body)
			if a.status != http.StatusOK || a.Status != status || a.Outcome != "recorded" || a.Key != e.id {
				t.Errorf("%s %s was answered %+v, want 200, %s, recorded, %s", e.object, e.metric, a, status, e.id)
			}
		}
	}

	var want []string
	for _, e := range all {
		want = append(want, e.row(t))
	}
	slices.Sort(want)
	db.want(t, eventRow, want...)
	db.want(t, `SELECT count(*)::text FROM events AS e WHERE person IS NULL OR e.payload IS NULL`, "0")
	db.want(t, `SELECT count(*) || ' ' || state || ' ' || outcome FROM deliveries GROUP BY state, outcome`,
		fmt.Sprintf("%d done recorded", len(all)))
}

// Whatever is signed is taken: what is refused would hold up all that follows.
func TestSignedGarbageStopsNothing(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	p := start(t, on(db.url))
	s := newSender(t, 1)

	// deep nests what it is given as often as n says.
	deep := func(open, shut string, n int) string { return strings.Repeat(open, n) + "1" + strings.Repeat(shut, n) }
	parked := []string{
		"", " \r\n", "\x00", "\x00\x01\x02\xfe", "\xff\xfe{\x00}\x00", "\xef\xbb\xbf{}", "null", "true", "17", "-", `"text"`, "[]", "{}", "{", "}", "{}}", "[{]}",
		`[{"event_id":"e","object_type":"email","metric":"sent"}]`, `{"event_id":"cut","object_type":"email","metric":"se`,
		`{"event_id":"two","metric":"sent"}{"event_id":"objects","metric":"sent"}`, `{"event_id":"no metric","object_type":"email"}`,
		`{"event_id":"null","metric":null}`, `{"event_id":"object","metric":{"a":1}}`, `{"event_id":"blank","metric":" \u0000 "}`,
		"{\"event_id\":\"raw NUL\",\"metric\":\"se\x00nt\"}", `{'event_id':'quotes','metric':'sent'}`, `{“event_id”:“typographic”}`,
		`{"event_id":"NaN","metric":"sent","timestamp":NaN}`, `{"event_id":"007","metric":"sent","timestamp":007}`,
		`{"metric":"sent","data":` + deep("[", "]", 20_000) + `}`, `{"metric":"sent","data":` + strings.Repeat(`{"a":`, 20_000),
		"event_id=e&metric=sent", "<event><metric>sent</metric></event>", strings.Repeat("[", 100_000),
	}
	recorded := []string{
		`{"metric":"m0"}`, `{"metric":"m1","data":null}`, `{"metric":"m2","data":"{\"customer_id\":\"u\"}"}`, `{"metric":"m3","data":[[],{}]}`,
		`{"metric":"m4","event_id":null,"object_type":[],"timestamp":{}}`, `{"metric":5,"object_type":6,"timestamp":1e999}`,
		`{"metric":"m6","timestamp":` + strings.Repeat("9", 5000) + `}`, `{"metric":"m7","timestamp":-1}`, `{"metric":"m8","timestamp":1767225661000}`,
		`{"metric":"m9\u0000","object_type":"\u0000","event_id":"a\u0000b"}`, "{\"metric\":\"m\xff\",\"object_type\":\"\xc3\",\"event_id\":\"\xfe\"}",
		`{"metric":"\ud800m","event_id":"\udc00","data":{"identifiers":{"id":"\ud800"},"href":"\ud800\u0000"}}`,
		`{"metric":"m12","event_id":"` + strings.Repeat("é", 5000) + `"}`, `{"metric":"` + strings.Repeat("m", 100_000) + `"}`,
		`{"metric":"m14","data":` + deep(`{"data":`, "}", 4000) + `}`, `{"metric":"m15","data":{"identifiers":` + deep("[", "]", 9000) + `}}`,
		`{"metric":"m16","data":{"identifiers":{"id":` + strings.Repeat("9", 600) + `,"email":{},"cio_id":[]},"customer_id":true,"campaign_id":-1.5e300}}`,
		`{"metric":"m17","data":{"identifiers":{"id":"` + strings.Repeat("漢", 3000) + `"},"campaign_id":"` + strings.Repeat("漢", 3000) + `"}}`,
		`{"metric":"m18","data":{"href":"` + strings.Repeat("🎉", 50_000) + `","failure_message":"` + strings.Repeat("x", 100_000) + `"}}`,
		`{"metric":"bounced","object_type":"email","data":{"identifiers":{"id":"../../x","email":"a@b\u0000"},"recipients":[null,1,"x",[{}]]}}`,
		`{"metric":"clicked","object_type":"in_app","data":{"customer_id":"u","tracked_response":"trivia/\u0000/` + strings.Repeat("x", 3000) + `"}}`,
		`{"metric":"clicked","object_type":"in_app","data":{"customer_id":"u","tracked_response":"trivia/a\u0000/b\ud800"}}`,
	}

	for outcome, bodies := range map[string][]string{"malformed": parked, "recorded": recorded} {
		for i, body := range bodies {
			if a := s.tell(p.public, []byte(body)); a.status != http.StatusOK || a.Status != "accepted" || a.Outcome != outcome {
				t.Errorf("body %d, %.80q, was answered %+v, want 200 and %s", i, body, a, outcome)
			}
		}
	}
	good, _ := customerio.SampleOf("email", "delivered")
	body, err := json.Marshal(good.Event("behind", "user-1", time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	if a := s.tell(p.public, body); a.status != http.StatusOK || a.Outcome != "recorded" {
		t.Errorf("the event behind them was answered %+v, want it recorded", a)
	}

	db.want(t, `SELECT count(*) || ' ' || state || ' ' || outcome || ' ' || (reason IS NOT NULL) FROM deliveries GROUP BY state, outcome, reason IS NOT NULL ORDER BY outcome`,
		fmt.Sprintf("%d parked malformed true", len(parked)), fmt.Sprintf("%d done recorded false", len(recorded)+1))
	db.want(t, `SELECT count(*)::text FROM events`, fmt.Sprint(len(recorded)+1))
	db.want(t, `SELECT object_type || ' ' || metric FROM events WHERE event_id = 'behind'`, "email delivered")
	if code, text := get(t, p.public+"/readyz"); code != http.StatusOK {
		t.Errorf("/readyz says %d %s", code, text)
	}
}
