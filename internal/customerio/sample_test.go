package customerio_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"trivia/internal/customerio"
)

var sampleTime = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// encoded returns a made-up event as it is sent.
func encoded(t *testing.T, s customerio.Sample) []byte {
	t.Helper()

	body, err := json.Marshal(s.Event("01JZ", "player-7", sampleTime))
	if err != nil {
		t.Fatal(err)
	}

	return body
}

func TestEverySampleIsUnderstood(t *testing.T) {
	t.Parallel()

	for _, s := range customerio.Samples() {
		id, ev, err := customerio.DecodeEvent(encoded(t, s))
		if err != nil || id != "01JZ" || ev.ObjectType != s.Object || ev.Metric != s.Metric || !ev.At.Equal(sampleTime) {
			t.Errorf("%s %s: DecodeEvent = %q, %+v, %v", s.Object, s.Metric, id, ev, err)
		}
		if ev.Person != "player-7" || ev.CustomerID != "player-7" || ev.Email != "player-7@example.com" || !strings.HasPrefix(ev.CioID, "a1b2") {
			t.Errorf("%s %s is about %q, %q, %q, %q", s.Object, s.Metric, ev.Person, ev.CustomerID, ev.Email, ev.CioID)
		}

		data, _ := s.Event("01JZ", "player-7", sampleTime)["data"].(map[string]any)
		for field, word := range map[string]string{
			"delivery_id": ev.DeliveryID, "campaign_id": ev.Campaign, "action_id": ev.Action, "link_id": ev.Link, "href": ev.Href,
			"tracked_response": ev.Response, "failure_message": ev.Failure,
		} {
			if _, ok := data[field]; ok && word == "" {
				t.Errorf("%s %s: %s is lost", s.Object, s.Metric, field)
			}
		}
		if s.Object == "push" && s.Metric == "bounced" && ev.Failure == "" {
			t.Error("push bounced: the failure of the device is lost")
		}
	}
}

// All that the vendor documents is there, and all that it has in its examples.
func TestSamplesAreWhatIsDocumented(t *testing.T) {
	t.Parallel()

	const unknown = "email deferred, sms dropped, slack converted, webhook converted, carrier_pigeon landed" // no documented payload
	object, pairs := "", 0
	for word := range strings.FieldsSeq(documentedMetrics) {
		if name, ok := strings.CutSuffix(word, ":"); ok {
			object = name
			continue
		}
		_, documented := customerio.SampleOf(object, word)
		if documented == strings.Contains(unknown, object+" "+word) {
			t.Errorf("SampleOf(%s, %s): documented = %v", object, word, documented)
		}
		if documented {
			pairs++
		}
	}
	if got := len(customerio.Samples()); got != pairs+1 { // the two shapes of email unsubscribed
		t.Errorf("there are %d samples of %d pairs", got, pairs)
	}

	for _, documented := range samples(t) {
		var payload struct{ Data map[string]any }
		if err := json.Unmarshal(documented.Payload, &payload); err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(slices.Sorted(maps.Keys(payload.Data)), ofSender)
		found := slices.ContainsFunc(customerio.Samples(), func(s customerio.Sample) bool {
			data, _ := s.Event("01JZ", "u", sampleTime)["data"].(map[string]any)
			have := slices.DeleteFunc(slices.Sorted(maps.Keys(data)), ofSender)

			return s.Object == documented.ObjectType && s.Metric == documented.Metric && slices.Equal(have, want)
		})
		if !found {
			t.Errorf("no sample of %s %s has %q", documented.ObjectType, documented.Metric, want)
		}
	}
}

// ofSender reports whether a field says which campaign, broadcast, newsletter
// or transactional message sent a message.
func ofSender(field string) bool {
	return slices.Contains([]string{
		"campaign_id", "broadcast_id", "newsletter_id", "transactional_message_id", "action_id", "content_id", "trigger_id",
		"journey_id", "parent_action_id", "trigger_event_id",
	}, field)
}

func TestAnUndocumentedSampleHasWhatAllHave(t *testing.T) {
	t.Parallel()

	s, documented := customerio.SampleOf("carrier_pigeon", "landed")
	_, ev, err := customerio.DecodeEvent(encoded(t, s))
	if documented || err != nil || ev.ObjectType != "carrier_pigeon" || ev.Metric != "landed" || ev.DeliveryID == "" || ev.Campaign == "" {
		t.Errorf("DecodeEvent = %+v, %v; documented %v", ev, err, documented)
	}
}

// Some contents are JSON inside a string.
func TestSampleContentsAreJSONWhereTheVendorsAre(t *testing.T) {
	t.Parallel()

	for _, pair := range [][2]string{{"push", "sent"}, {"webhook", "sent"}, {"customer", "cio_subscription_preferences_changed"}} {
		s, _ := customerio.SampleOf(pair[0], pair[1])
		data, _ := s.Event("01JZ", "u", sampleTime)["data"].(map[string]any)
		content, _ := data["content"].(string)
		if !strings.HasPrefix(content, "{") || !json.Valid([]byte(content)) {
			t.Errorf("%s %s has the content %q", pair[0], pair[1], content)
		}
	}
}

// Whoever a test names, no mail goes to anybody.
func TestSampleAddressesBelongToNobody(t *testing.T) {
	t.Parallel()

	s, _ := customerio.SampleOf("email", "sent")
	for _, user := range []string{"", "u", "a@b.example", "Zoë", "a b", strings.Repeat("x", 65), "p/3?x=1"} {
		body, err := json.Marshal(s.Event("01JZ", user, sampleTime))
		if err != nil {
			t.Fatal(err)
		}
		_, ev, err := customerio.DecodeEvent(body)
		if err != nil || ev.CustomerID != user || !strings.HasSuffix(ev.Email, "@example.com") || strings.Count(ev.Email, "@") != 1 {
			t.Errorf("user %q: DecodeEvent = %+v, %v", user, ev, err)
		}
	}
}
