package customerio_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/customerio"
	"trivia/internal/trivia"
)

// decodeData decodes an event with the data, which may be any JSON, and
// returns only what comes from it.
func decodeData(t *testing.T, object, data string) trivia.Event {
	t.Helper()

	body := `{"object_type":"` + object + `","metric":"m","data":` + data + `}`
	id, ev, err := customerio.DecodeEvent([]byte(body))
	if err != nil || id != "" || ev.ObjectType != object || ev.Metric != "m" {
		t.Errorf("DecodeEvent(%s) = %q, %+v, %v", body, id, ev, err)
	}
	ev.ObjectType, ev.Metric = "", ""

	return ev
}

func TestDecodeEventReadsTheData(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, data string
		want       trivia.Event
	}{
		{
			"every word",
			`{"delivery_id":"d","campaign_id":1,"broadcast_id":2,"newsletter_id":3,"action_id":4,"transactional_message_id":5,
			"template_id":6,"link_id":7,"href":"https://a.example/?b=c&d","tracked_response":"trivia/capitals/paris","failure_message":"550 no",
			"machine":true,"prefetched":true,"proxied":true,"synthetic":true}`,
			trivia.Event{
				DeliveryID: "d", Campaign: "1", Broadcast: "2", Newsletter: "3", Action: "4", Transactional: "5",
				Template: "6", Link: "7", Href: "https://a.example/?b=c&d", Response: "trivia/capitals/paris", Failure: "550 no",
				Machine: true, Prefetched: true, Proxied: true, Synthetic: true,
			},
		},
		{
			"text for numbers and numbers for text", `{"campaign_id":" 21 ","link_id":"a\/b","delivery_id":17,"href":1.50,"failure_message":550}`,
			trivia.Event{Campaign: "21", Link: "a/b", DeliveryID: "17", Href: "1.50", Failure: "550"},
		},
		{"a number that a float cannot hold", `{"action_id":12345678901234567890123}`, trivia.Event{Action: "12345678901234567890123"}},
		{
			"null, blank and other kinds",
			`{"identifiers":null,"customer_id":null,"delivery_id":{"a":1},"campaign_id":null,"broadcast_id":"","newsletter_id":" \t","action_id":[1],
			"template_id":true,"link_id":false,"href":null,"tracked_response":["trivia/a/b"],"failure_message":{},"recipients":null,
			"machine":null,"prefetched":0,"proxied":"no","synthetic":["true"]}`,
			trivia.Event{},
		},
		{"flags as text and as numbers", `{"machine":"true","prefetched":1,"proxied":"1","synthetic":" True "}`, trivia.Event{Machine: true, Prefetched: true, Proxied: true, Synthetic: true}},
		{"flags that are not set", `{"machine":false,"prefetched":"false","proxied":2,"synthetic":""}`, trivia.Event{}},
		{"the last of several equal names", `{"campaign_id":1,"machine":true,"campaign_id":null,"link_id":1,"link_id":2,"machine":false}`, trivia.Event{Link: "2"}},
		{"names with escapes, and in another case", `{"campaign\u005fid":1,"Action_Id":2,"ACTION_ID":3}`, trivia.Event{Campaign: "1"}},
		{"NUL and what is not valid UTF-8", "{\"href\":\"a\\u0000b\",\"failure_message\":\"caf\xe9 \\ud800\"}", trivia.Event{Href: "ab", Failure: "caf\uFFFD \uFFFD"}},
		{"names one level down", `{"data":{"campaign_id":1},"content":"{\"campaign_id\":1}","headers":[{"campaign_id":1}]}`, trivia.Event{}},

		{"null", `null`, trivia.Event{}},
		{"an array", `[{"campaign_id":1}]`, trivia.Event{}},
		{"JSON inside a string", `"{\"campaign_id\":1}"`, trivia.Event{}},
		{"a number", `17`, trivia.Event{}},
		{"nothing in it", ` { } `, trivia.Event{}},

		{"the failure of a device", `{"recipients":[{"device_id":"a"},7,{"failure_message":" "},{"failure_message":"x","failure_message":"gone"},{"failure_message":"later"}]}`, trivia.Event{Failure: "gone"}},
		{"the failure of the message before that of a device", `{"failure_message":"all","recipients":[{"failure_message":"gone"}]}`, trivia.Event{Failure: "all"}},
		{"no failure of any device", `{"failure_message":"","recipients":[ ]}`, trivia.Event{}},
		{"devices of other kinds", `{"recipients":[null,true,-1.5e3,"}",[["failure_message"]],{"a":[{"failure_message":"deep"}]}]}`, trivia.Event{}},
		{"devices that are no list", `{"recipients":{"failure_message":"gone"}}`, trivia.Event{}},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			if diff := cmp.Diff(tt.want, decodeData(t, "push", tt.data)); diff != "" {
				t.Errorf("data %s (-want +got):\n%s", tt.data, diff)
			}
		})
	}
}

func TestDecodeEventCutsLongWords(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("🎉", 3000)
	cut := func(n int) string { return strings.Repeat("🎉", n-1) + "…" }
	got := decodeData(t, "push", `{"delivery_id":"`+long+`","campaign_id":"`+long+`","href":"`+long+`","tracked_response":"`+long+`",
		"failure_message":"`+long+`","identifiers":{"cio_id":"`+long+`","email":"`+long+`@"}}`)
	want := trivia.Event{
		DeliveryID: cut(255), Campaign: cut(255), CioID: cut(255), Email: cut(255),
		Href: cut(2048), Failure: cut(2048), Response: cut(512),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("long words (-want +got):\n%s", diff)
	}

	fitting := strings.Repeat("🎉", 255)
	if got := decodeData(t, "push", `{"campaign_id":"`+fitting+`"}`).Campaign; got != fitting {
		t.Errorf("a word that fits became %q", got)
	}
}

// To push for somebody else is the worst that could happen.
func TestDecodeEventFindsThePerson(t *testing.T) {
	t.Parallel()

	most := strings.Repeat("é", 250)
	tests := []struct {
		name, object, data      string
		person, customer, email string
	}{
		{"by the company's own identifier", "email", `{"identifiers":{"id":"u","cio_id":"c","email":"a@b"},"customer_id":"v"}`, "u", "u", "a@b"},
		{"a workspace that has only ids", "sms", `{"identifiers":{"id":"u"}}`, "u", "u", ""},
		{"any script, any sign", "sms", `{"identifiers":{"id":"p\/3?x=1 Zo\u00eb \ud83c\udf89+@&#%"}}`, "p/3?x=1 Zoë 🎉+@&#%", "p/3?x=1 Zoë 🎉+@&#%", ""},
		{"white space around it, and letters in parts", "sms", `{"identifiers":{"id":"\u00a0Zoe\u0308\r\n"}}`, "Zoë", "Zoë", ""},
		{"a character that cannot be seen is kept", "sms", `{"identifiers":{"id":"u\u200b1"}}`, "u\u200b1", "u\u200b1", ""},
		{"a number with a fraction is nobody", "sms", `{"identifiers":{"id":1234.0,"cio_id":"c"}}`, "cio_c", "", ""},
		{"minus nothing is nobody", "sms", `{"identifiers":{"id":-0,"cio_id":"c"}}`, "cio_c", "", ""},
		{"a number", "sms", `{"identifiers":{"id":9007199254740993}}`, "9007199254740993", "9007199254740993", ""},
		{"as long as it may be", "sms", `{"identifiers":{"id":"` + most + `"}}`, most, most, ""},

		{"by Customer.io's identifier", "email", `{"identifiers":{"id":null,"cio_id":"c","email":"a@b"},"customer_id":""}`, "cio_c", "", "a@b"},
		{"a blank id", "email", `{"identifiers":{"id":" \u00a0","cio_id":"c"}}`, "cio_c", "", ""},
		{"Customer.io's identifier before the deprecated one", "sms", `{"identifiers":{"cio_id":"c"},"customer_id":"v"}`, "cio_c", "v", ""},
		{"a blank one, and the deprecated one", "sms", `{"identifiers":{"id":"","cio_id":" "},"customer_id":"v"}`, "v", "v", ""},
		{"the deprecated one alone", "sms", `{"customer_id":4711}`, "4711", "4711", ""},
		{"identifiers of another kind", "sms", `{"identifiers":["u"],"customer_id":"v"}`, "v", "v", ""},
		{"identifiers as text", "sms", `{"identifiers":"{\"id\":\"u\"}","customer_id":"v"}`, "v", "v", ""},
		{"the last of several identifiers", "sms", `{"identifiers":{"id":"u"},"identifiers":{"id":"w","id":"x"}}`, "x", "x", ""},
		{"the last of them is null", "sms", `{"identifiers":{"id":"u"},"identifiers":null}`, "", "", ""},

		{"by the email", "sms", `{"identifiers":{"id":null,"email":"a+b@c.example"},"customer_id":null}`, "a+b@c.example", "", "a+b@c.example"},
		{"by the address of an event about a person", "customer", `{"email_address":"a@b","identifiers":{"id":null}}`, "a@b", "", "a@b"},
		{"the email before that address", "customer", `{"email_address":"x@y","identifiers":{"email":"a@b"}}`, "a@b", "", "a@b"},
		{"by the recipient", "email", `{"recipient":"a@b"}`, "a@b", "", "a@b"},
		{"the address before the recipient", "email", `{"recipient":"x@y","email_address":"a@b","identifiers":{"email":" "}}`, "a@b", "", "a@b"},
		{"a recipient with escapes", "email", `{"recipient":"a\u0040b"}`, "a@b", "", "a@b"},
		{"a recipient who is none of ours", "in_app", `{"recipient":"a@b"}`, "", "", ""},
		{"a recipient that is no address", "email", `{"recipient":"player-1"}`, "", "", ""},
		{"an email that could be an identifier", "email", `{"identifiers":{"email":"player-1"}}`, "", "", "player-1"},
		{"an email that is a number", "email", `{"identifiers":{"email":17}}`, "", "", "17"},
		{"several recipients", "email", `{"recipient":"a@b, c@d"}`, "", "", "a@b, c@d"},
		{"an address with a name", "email", `{"recipient":"Ada <a@b>"}`, "", "", "Ada <a@b>"},

		{"a NUL", "sms", `{"identifiers":{"id":"u\u0000","cio_id":"c"}}`, "cio_c", "", ""},
		{"half a surrogate pair", "sms", `{"identifiers":{"id":"u\ud800"},"customer_id":"v"}`, "v", "v", ""},
		{"what is not valid UTF-8", "sms", "{\"identifiers\":{\"id\":\"u\xff\",\"cio_id\":\"c\xff\",\"email\":\"a@b\"}}", "a@b", "", "a@b"},
		{"a number that was rounded", "sms", `{"identifiers":{"id":1e3},"customer_id":"v"}`, "v", "v", ""},
		{"too long", "sms", `{"identifiers":{"id":"` + most + `x"},"customer_id":"v"}`, "v", "v", ""},
		{"an email that would have to be mended", "email", `{"identifiers":{"email":"a@b\u0000"},"recipient":"c@d"}`, "c@d", "", "a@b"},
		{"nothing that can be kept", "sms", `{"identifiers":{"id":{},"cio_id":[],"email":null},"customer_id":true}`, "", "", ""},
		{"nobody", "sms", `{}`, "", "", ""},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got := decodeData(t, tt.object, tt.data)
			if got.Person != tt.person || got.CustomerID != tt.customer || got.Email != tt.email {
				t.Errorf("data %s: person %q, customer %q, email %q, want %q, %q, %q",
					tt.data, got.Person, got.CustomerID, got.Email, tt.person, tt.customer, tt.email)
			}
		})
	}
}
