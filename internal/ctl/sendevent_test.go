package ctl

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/customerio"
	"trivia/internal/operator"
	"trivia/internal/signature"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// newEventHook answers as a hook does that records what it gets. It refuses
// the nth request.
func newEventHook(t *testing.T, refused int) *hook {
	t.Helper()

	var h *hook
	h = newHook(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == refused {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"status":"refused","error":"busy"}`)

			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		var said struct {
			ID string `json:"event_id"`
		}
		_ = json.Unmarshal([]byte(h.bodies[n-1]), &said)
		_, _ = fmt.Fprintf(w, `{"status":"accepted","outcome":"recorded","key":%q}`, said.ID)
	})

	return h
}

func TestSendEventMakesUpASignedEvent(t *testing.T) {
	t.Parallel()

	h := newEventHook(t, 0)
	st := newStage(t)
	args := []string{
		"send", "event", "--object", "email", "--metric", "clicked", "--user", "ann", "--url", h.URL,
		"--set", "event_id=e1", "--set", "data.href=https://a.example/?a=1,2&b=<c>", "--set", `data.link_id="7"`,
		"--set", "data.identifiers.email=null", "--set", "data.extra.deep=1.50", "--set", "timestamp=1777890000", "--set", "object_type_type=",
	}
	st.want(t, args, 0, "200 accepted: recorded, key e1, in 0.0 ms\n", "")

	id, ev, err := customerio.DecodeEvent([]byte(h.bodies[0]))
	if err != nil || id != "e1" {
		t.Errorf("sent %s: %q, %v", h.bodies[0], id, err)
	}
	if ev.ObjectType != "email" || ev.Metric != "clicked" || ev.Person != "ann" || ev.CustomerID != "ann" || ev.Email != "ann@example.com" ||
		ev.Href != "https://a.example/?a=1,2&b=<c>" || ev.Link != "7" || ev.At.Unix() != 1777890000 || ev.Campaign == "" {
		t.Errorf("sent %s: %+v", h.bodies[0], ev)
	}
	for _, part := range []string{`"extra":{"deep":1.50}`, `"link_id":"7"`, `"email":null`, `"object_type_type":""`, `b=<c>`} {
		if !strings.Contains(h.bodies[0], part) {
			t.Errorf("sent %s, want %s in it", h.bodies[0], part)
		}
	}

	r := h.requests[0]
	key, _ := signature.NewKey("event-key")
	stamp := r.Header.Get(signature.HeaderTimestamp)
	if want := signature.Sign(key, stamp, []byte(h.bodies[0])); r.Header.Get(signature.HeaderSignature) != want || r.URL.Path != "/webhooks/customerio" {
		t.Errorf("sent to %s, signed by another key", r.URL.Path)
	}
}

func TestEachEventIsANewOneUnlessItHasAnID(t *testing.T) {
	t.Parallel()

	h := newEventHook(t, 0)
	st := newStage(t)
	words := []string{"send", "event", "--object", "in_app", "--metric", "opened", "--url", h.URL}
	code := st.call(t, append(words, "--repeat", "20", "--concurrency", "4")...)
	if code != 0 || !strings.Contains(st.out.String(), "under 20 keys\n       20  200 accepted: recorded\n") {
		t.Errorf("exit %d: %s%s", code, st.out.String(), st.err.String())
	}
	for _, body := range h.bodies {
		if id, ev, err := customerio.DecodeEvent([]byte(body)); err != nil || len(id) != 26 || ev.Person != "demo-1" || !ev.At.Equal(noon) {
			t.Fatalf("sent %s: %q, %+v, %v", body, id, ev, err)
		}
	}

	h = newEventHook(t, 0)
	st.call(t, "send", "event", "--object", "in_app", "--metric", "opened", "--url", h.URL, "--repeat", "3", "--set", "event_id=same")
	if !strings.Contains(st.out.String(), "under 1 key\n") || h.bodies[0] != h.bodies[1] || h.bodies[0] != h.bodies[2] {
		t.Errorf("printed %q, sent %q", st.out.String(), h.bodies)
	}
}

func TestAnEventThatNobodyDocumentsIsSentWithARemark(t *testing.T) {
	t.Parallel()

	h := newEventHook(t, 0)
	newStage(t).want(t, []string{"send", "event", "--object", "pigeon", "--metric", "landed", "--url", h.URL, "--set", "event_id=e"}, 0,
		"200 accepted: recorded, key e, in 0.0 ms\n", "triviactl: pigeon landed is not documented; Customer.io may still send it\n")
	if _, ev, err := customerio.DecodeEvent([]byte(h.bodies[0])); err != nil || ev.ObjectType != "pigeon" || ev.Metric != "landed" {
		t.Errorf("sent %s: %+v, %v", h.bodies[0], ev, err)
	}
}

func TestWaitFindsTheVeryEventThatWasSent(t *testing.T) {
	t.Parallel()

	h := newEventHook(t, 0)
	st := newStage(t)
	st.fake.found = func(kind trivia.Kind, key string, body []byte) (store.DeliveryRow, error) {
		id, _, err := customerio.DecodeEvent(body)
		if kind != trivia.KindEvent || id != key || err != nil || !slices.Contains(h.bodies, string(body)) {
			t.Errorf("asked for the %s %q with %s, which was never sent", kind, key, body)
		}

		return store.DeliveryRow{Key: key, State: trivia.StateDone, Outcome: trivia.Recorded}, nil
	}
	st.call(t, "send", "event", "--object", "email", "--metric", "sent", "--url", h.URL, "--repeat", "3", "--wait")
	if want := "in the database:\n        3  done: recorded\n"; !strings.HasSuffix(st.out.String(), want) {
		t.Errorf("printed %q%q, want %q at the end", st.out.String(), st.err.String(), want)
	}
}

func TestWrongAssignmentsAreRefused(t *testing.T) {
	t.Parallel()

	const like = "as in --set data.href=https://a.example"
	tests := []struct{ set, said, hint string }{
		{"data.x", `--set wants PATH=VALUE, got "data.x"`, like},
		{"=x", `--set =x: the path "" has a name that is empty`, like},
		{"data..x=1", `--set data..x=1: the path "data..x" has a name that is empty`, like},
		{"data.x.=1", `--set data.x.=1: the path "data.x." has a name that is empty`, like},
		{"metrc=1", "--set metrc=1: an event has no metrc beside its data", "did you mean metric?"},
		{"tracked_response=x", "--set tracked_response=x: an event has no tracked_response beside its data", "a field of its data: --set data.tracked_response=x"},
		{"data.customer_id.x=1", "--set data.customer_id.x=1: data.customer_id is no object", "set all of it: --set 'data.customer_id={…}'"},
	}
	for _, tt := range tests {
		newStage(t).want(t, []string{"send", "event", "--object", "email", "--metric", "sent", "--set", tt.set}, 2, "",
			"triviactl: usage: "+tt.said+"\ntriviactl: hint: "+tt.hint+"\n")
	}
}

func TestAssignmentsAreJSONOrText(t *testing.T) {
	t.Parallel()

	tests := []struct{ set, want string }{
		{"data.a=x", `{"data":{"a":"x"}}`},
		{"data.a=", `{"data":{"a":""}}`},
		{"data.a=a=b", `{"data":{"a":"a=b"}}`},
		{"data.a=true", `{"data":{"a":true}}`},
		{"data.a=12345678901234567890", `{"data":{"a":12345678901234567890}}`},
		{"data.a=1 2", `{"data":{"a":"1 2"}}`},
		{"data.a={} }", `{"data":{"a":"{} }"}}`},
		{"data.a=007", `{"data":{"a":"007"}}`},
		{`data.a="7"`, `{"data":{"a":"7"}}`},
		{`data.a=[{"b":null}]`, `{"data":{"a":[{"b":null}]}}`},
		{"data.a.b.c=1", `{"data":{"a":{"b":{"c":1}}}}`},
		{"data=null", `{"data":null}`},
		{"metric=null", `{"data":null,"metric":null}`},
	}
	for _, tt := range tests {
		object := map[string]any{"data": nil}
		if _, err := assign(object, tt.set); err != nil {
			t.Errorf("assign(%s): %v", tt.set, err)
		}
		if diff := cmp.Diff(tt.want, string(encoded(object))); diff != "" {
			t.Errorf("assign(%s) (-want +got):\n%s", tt.set, diff)
		}
	}
}

func TestSendEventWantsToKnowWhat(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.want(t, []string{"send", "event", "--object", "email"}, 2, "",
		"triviactl: usage: triviactl send event wants --metric\ntriviactl: hint: as in --object email --metric opened\n")
	st.want(t, []string{"send", "event", "--object", "email", "--metric", "sent", "--key", "k"}, 2, "",
		"triviactl: usage: --key is for wins\ntriviactl: hint: the key of an event is the event_id in its body\n")
	st.want(t, []string{"send", "event", "--object", "in", completionFlag}, 0, "in_app\n", "")
	st.want(t, []string{"send", "event", "--metric", "cl", completionFlag}, 0, "clicked\n", "")
}

func allEvents(h *hook, more ...string) []string {
	return append([]string{"send", "events", "--all", "--user", "ann", "--url", h.URL}, more...)
}

func TestSendEventsSendsOneOfEachKind(t *testing.T) {
	t.Parallel()

	h := newEventHook(t, 0)
	st := newStage(t)
	if code := st.call(t, allEvents(h)...); code != 0 || st.err.Len() > 0 {
		t.Errorf("exit %d: %s", code, st.err.String())
	}
	golden(t, "send-events", st.out.String())

	ids := map[string]bool{}
	for _, body := range h.bodies {
		id, ev, err := customerio.DecodeEvent([]byte(body))
		if err != nil || ev.Person != "ann" {
			t.Errorf("sent %s: %+v, %v", body, ev, err)
		}
		ids[id] = true
	}
	if want := len(customerio.Samples()); len(ids) != want {
		t.Errorf("%d events were sent, want %d", len(ids), want)
	}
}

func TestSendEventsFailsIfOneIsRefused(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	code := st.call(t, allEvents(newEventHook(t, 3))...)
	if want := "triviactl: 1 of 75 were not accepted\n"; code != 1 || st.err.String() != want {
		t.Errorf("exit %d, %q, want 1, %q", code, st.err.String(), want)
	}
	if !strings.Contains(st.out.String(), " 503 refused   busy\n") || !strings.HasSuffix(st.out.String(), "\n74 of 75 were accepted, in 0.00 s\n") {
		t.Errorf("printed %s", st.out.String())
	}
}

func TestSendEventsFailsIfOneIsNotRecorded(t *testing.T) {
	t.Parallel()

	h := newEventHook(t, 0)
	st := newStage(t)
	asked := 0
	st.fake.found = func(_ trivia.Kind, key string, _ []byte) (store.DeliveryRow, error) {
		if asked++; asked == 2 {
			return store.DeliveryRow{Key: key, State: trivia.StateParked, Outcome: trivia.Malformed}, nil
		}

		return store.DeliveryRow{Key: key, State: trivia.StateDone, Outcome: trivia.Recorded}, nil
	}
	code := st.call(t, allEvents(h, "--wait")...)
	want := "triviactl: 1 of 75 were not recorded\ntriviactl: hint: what is parked says why: triviactl deliveries list --kind event --state parked\n"
	if code != 1 || st.err.String() != want || asked != 75 {
		t.Errorf("exit %d, %q after %d looks, want 1, %q", code, st.err.String(), asked, want)
	}
	if strings.Count(st.out.String(), "done: recorded\n") != 74 || strings.Count(st.out.String(), "parked: malformed\n") != 1 {
		t.Errorf("printed %s", st.out.String())
	}

	st.fake.found = func(_ trivia.Kind, key string, _ []byte) (store.DeliveryRow, error) {
		return store.DeliveryRow{Key: key, State: trivia.StatePending}, nil
	}
	code = st.call(t, allEvents(h, "--wait", "--timeout", "1ms")...)
	if code != 1 || !strings.HasPrefix(st.err.String(), "triviactl: 75 of 75 were not recorded\n") || strings.Count(st.out.String(), " pending\n") != 75 {
		t.Errorf("exit %d, %q, printed %s", code, st.err.String(), st.out.String())
	}

	st.fake.found = func(trivia.Kind, string, []byte) (store.DeliveryRow, error) {
		return store.DeliveryRow{}, operator.ErrNotFound
	}
	code = st.call(t, allEvents(h, "--wait")...)
	if want := "triviactl: the hook accepted it, but it is not in this database\n"; code != 1 || !strings.HasPrefix(st.err.String(), want) {
		t.Errorf("exit %d, %q, want 1, %q", code, st.err.String(), want)
	}
}

func TestSendEventsWantsAllAndAHook(t *testing.T) {
	t.Parallel()

	newStage(t).want(t, []string{"send", "events"}, 2, "", `triviactl: usage: triviactl send events wants --all, and sends 75
triviactl: hint: one of a kind: triviactl send event --object email --metric opened
`)
	st := newStage(t)
	h := newEventHook(t, 0)
	h.Close()
	code := st.call(t, allEvents(h)...)
	if said := st.err.String(); code != 1 || !strings.HasPrefix(said, "triviactl: nothing listens at ") || st.out.String() != "0 of 75 were accepted, in 0.00 s\n" {
		t.Errorf("exit %d, %q, printed %q", code, said, st.out.String())
	}
}
