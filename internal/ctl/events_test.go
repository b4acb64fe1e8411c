package ctl

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// An eventFake is the part of a [fake] that is about events and answers.
type eventFake struct {
	events    []store.EventRow
	event     operator.EventStory
	counts    []store.EventCount
	responses []store.ResponseRow
	eventErr  error

	eventFilter    store.EventFilter
	responseFilter store.ResponseFilter
}

func (f *eventFake) ListEvents(_ context.Context, filter store.EventFilter, page store.Page) iter.Seq2[store.EventRow, error] {
	f.eventFilter = filter

	return pageOf(f.events, page, f.eventErr)
}

func (f *eventFake) ShowEvent(context.Context, string) (operator.EventStory, error) {
	return f.event, f.eventErr
}

func (f *eventFake) CountEvents(_ context.Context, filter store.EventFilter) ([]store.EventCount, error) {
	f.eventFilter = filter

	return f.counts, f.eventErr
}

func (f *eventFake) ListResponses(
	_ context.Context, filter store.ResponseFilter, page store.Page,
) iter.Seq2[store.ResponseRow, error] {
	f.responseFilter = filter

	return pageOf(f.responses, page, f.eventErr)
}

func someEvents() []store.EventRow {
	at := noon.Add(-2 * time.Hour)

	return []store.EventRow{
		{ID: "01E4C4CT6YDC7Y5M7FE1GWWPQJ", ReceivedAt: at, Owed: trivia.PushSuppress, Event: trivia.Event{
			ObjectType: "email", Metric: "bounced", At: at.Add(-time.Minute), Person: "demo-1", CustomerID: "demo-1", Email: "demo-1@example.com",
			CioID: "d9c106000001", DeliveryID: "RPILAgUBcRhIBqSfeiIwdIYJKxTY", Campaign: "23", Action: "13", Template: "5",
			Failure: "550 5.1.1 no such user\r\nhere",
		}},
		{ID: "01E4C4CT6YDC7Y5M7FE1GWWPQK", ReceivedAt: at, Event: trivia.Event{
			ObjectType: "in_app", Metric: "clicked", Person: "Zoë 漢字", DeliveryID: "RPILAgUBcRhIBqSfeiIw", Response: "trivia/capitals/Paris",
			Machine: true, Proxied: true,
		}},
		{ID: "e-3", ReceivedAt: at.Add(-30 * 24 * time.Hour), Owed: trivia.Nobody, Event: trivia.Event{ObjectType: "\x1b[31mred", Metric: "sent"}},
	}
}

func someResponses() []store.ResponseRow {
	at := noon.Add(-2 * time.Hour)

	return []store.ResponseRow{
		{User: "demo-1", Trivia: "capitals", EventID: "01E4C4CT6YDC7Y5M7FE1GWWPQK", Answer: "Paris", Right: true, At: at},
		{User: "Zoë 漢字", Trivia: "rivers, and lakes", EventID: "e-2", Answer: `the "Nile"`, At: at.Add(-time.Hour)},
	}
}

func TestListingsOfEvents(t *testing.T) {
	t.Parallel()

	story := operator.EventStory{EventRow: someEvents()[0], Payload: []byte("{\n  \"metric\": \"bounced\"\n}"), Pushes: somePushes()[:1]}
	counts := []store.EventCount{
		{ObjectType: "email", Metric: "bounced", Count: 12, First: noon.Add(-20 * time.Hour), Last: noon.Add(-time.Minute)},
		{ObjectType: "in_app", Metric: "clicked", Count: 3456, First: noon.Add(-23 * time.Hour), Last: noon},
	}
	for _, call := range []struct {
		file  string
		words []string
	}{
		{"events-list", []string{"events", "list"}},
		{"events-show", []string{"events", "show", "01E4C4CT6YDC7Y5M7FE1GWWPQJ"}},
		{"events-stats", []string{"events", "stats"}},
		{"responses-list", []string{"responses", "list"}},
	} {
		t.Run(call.file, func(t *testing.T) {
			t.Parallel()
			showAll(t, call.file, call.words, func(f *fake) {
				f.events, f.event, f.counts, f.responses = someEvents(), story, counts, someResponses()
			})
		})
	}
}

// showAll holds every format of a call against a golden file.
func showAll(t *testing.T, file string, words []string, fill func(*fake)) {
	t.Helper()

	var all strings.Builder
	show := func(how string, st *stage, more ...string) {
		fill(st.fake)
		if code := st.call(t, append(words, more...)...); code != 0 {
			t.Errorf("%s %q exits with %d: %s", how, words, code, st.err.String())
		}
		all.WriteString("--- " + how + "\n" + st.out.String())
	}
	for _, terminal := range []struct {
		how   string
		width int
	}{{"a terminal of 80 cells", 80}, {"a terminal of 120 cells", 120}} {
		st := newStage(t)
		st.StdoutTerminal, st.Width, st.env["NO_COLOR"] = true, terminal.width, "1"
		show(terminal.how, st)
	}
	show("a pipe", newStage(t))
	show("json", newStage(t), "--output", "json")
	if !strings.HasSuffix(file, "show") {
		show("csv", newStage(t), "--output", "csv")
	}
	golden(t, file, all.String())
}

func TestFiltersOfEventsReachTheDatabase(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	words := []string{"--user", "u", "--object", "email", "--metric", "opened", "--campaign", "7", "--since", "2h", "--until", "1h"}
	want := store.EventFilter{
		Person: "u", ObjectType: "email", Metric: "opened", Campaign: "7", Since: noon.Add(-2 * time.Hour), Until: noon.Add(-time.Hour),
	}
	for _, verb := range []string{"list", "stats"} {
		st.call(t, append([]string{"events", verb}, words...)...)
		if diff := cmp.Diff(want, st.fake.eventFilter); diff != "" {
			t.Errorf("events %s (-want +got):\n%s", verb, diff)
		}
	}

	st.call(t, "events", "stats")
	if got := st.fake.eventFilter; !got.Since.Equal(noon.Add(-24*time.Hour)) || !got.Until.IsZero() {
		t.Errorf("events stats counts %+v, want the last 24 hours", got)
	}
	st.call(t, "events", "stats", "--until", "2026-05-02")
	if got := st.fake.eventFilter; !got.Since.Equal(noon.Add(-84*time.Hour)) || !got.Until.Equal(noon.Add(-60*time.Hour)) {
		t.Errorf("events stats --until counts %+v, want the 24 hours before", got)
	}

	st.call(t, "responses", "list", "--user", "u", "--trivia", "t", "--since", "2h")
	if diff := cmp.Diff(store.ResponseFilter{User: "u", Trivia: "t", Since: noon.Add(-2 * time.Hour)}, st.fake.responseFilter); diff != "" {
		t.Errorf("responses (-want +got):\n%s", diff)
	}
}

func TestAnEventThatIsNotThereOrHasNoPayload(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.fake.event = operator.EventStory{EventRow: someEvents()[0], Payload: []byte("\xff\x00raw")}
	st.want(t, []string{"events", "show", "e", "--raw"}, 0, "\xff\x00raw", "")

	st.fake.event = operator.EventStory{EventRow: someEvents()[2]}
	st.want(t, []string{"events", "show", "e", "--raw"}, 3, "", "triviactl: payload of event \"e-3\": its delivery is gone: not found\n")
	st.want(t, []string{"events", "show", "e"}, 0, `event          e-3
object         ⟨U+001B⟩[31mred
metric         sent
received       2026-04-04T10:00:00.000000Z
push           owed, but the event names nobody to push for
payload        gone, with its delivery
`, "")

	st.fake.eventErr = errors.Join(operator.ErrNotFound)
	st.want(t, []string{"events", "show", "an event"}, 3, "",
		"triviactl: not found\ntriviactl: hint: what came and is no event yet: triviactl deliveries list --kind event --key='an event'\n")
	st.want(t, []string{"events", "stats"}, 3, "", "triviactl: not found\n")
	st.fake.eventErr = nil
	st.want(t, []string{"events", "stats"}, 0, "", "triviactl: no events match\n")
	st.want(t, []string{"events", "stats", "--output", "json"}, 0, "[]\n", "")
	st.want(t, []string{"responses", "list"}, 0, "", "triviactl: no responses match\n")
}
