package customerio

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// A Sample is a kind of event that can be made up for a test.
type Sample struct {
	Object, Metric string

	fields []string // of its data, beside those that every event about a message has
}

// documented are the events that the vendor documents, with the fields that
// each of them has or may have. An event about a person, which has an
// email_address, tells of no message unless it says so.
const documented = `
customer subscribed    email_address
customer unsubscribed  email_address
customer cio_subscription_preferences_changed  email_address content

email drafted        subject recipient
email attempted      failure_message
email sent           content headers subject recipient
email delivered      subject recipient
email opened         subject recipient proxied prefetched synthetic
email clicked        subject recipient href link_id machine
email converted      subject recipient
email unsubscribed   subject recipient
email unsubscribed   email_address
email subscribed     email_address
email cio_subscription_preferences_changed  email_address content delivery_id
email bounced        subject recipient failure_message
email dropped        subject recipient failure_message
email spammed        subject recipient
email failed         subject recipient failure_message
email undeliverable  subject recipient failure_message

push drafted
push attempted      failure_message
push sent           content recipients
push delivered      recipients
push opened         recipients
push clicked        recipients href link_id
push converted      recipients
push bounced        recipients
push dropped        recipients
push failed         failure_message
push undeliverable  failure_message

in_app drafted
in_app attempted      failure_message
in_app sent           content recipient
in_app opened
in_app clicked        recipient tracked_response href link_id
in_app converted      recipient
in_app failed         failure_message
in_app undeliverable  failure_message
in_app subscribed     email_address
in_app unsubscribed   email_address
in_app cio_subscription_preferences_changed  email_address content delivery_id

sms drafted
sms attempted      failure_message
sms sent           content recipient
sms delivered      recipient
sms clicked        recipient href link_id
sms converted      recipient
sms bounced        recipient failure_message
sms failed         failure_message
sms undeliverable  failure_message
sms replied        recipient inbound_event_id to

slack drafted
slack attempted      failure_message
slack sent           content recipient
slack clicked        recipient href link_id
slack failed         failure_message
slack undeliverable  failure_message

webhook drafted
webhook attempted      failure_message
webhook sent           content recipient
webhook clicked        recipient href link_id
webhook failed         failure_message
webhook undeliverable  failure_message

whatsapp drafted
whatsapp attempted      failure_message
whatsapp sent           content recipient
whatsapp delivered      recipient
whatsapp opened         recipient
whatsapp clicked        recipient href link_id
whatsapp converted      recipient
whatsapp bounced        recipient failure_message
whatsapp dropped        recipient failure_message
whatsapp failed         failure_message
whatsapp undeliverable  failure_message
whatsapp replied        recipient inbound_event_id to
`

// Samples returns one of every kind that the vendor documents. An email's
// unsubscribed has two shapes, and is there twice.
func Samples() []Sample {
	var all []Sample
	for line := range strings.Lines(documented) {
		if words := strings.Fields(line); len(words) > 0 {
			all = append(all, Sample{words[0], words[1], words[2:]})
		}
	}

	return all
}

// SampleOf returns the sample of a kind, the more usual one of two. One that
// nobody documents is possible, and has only what all events have.
func SampleOf(object, metric string) (sample Sample, documented bool) {
	all := Samples()
	i := slices.IndexFunc(all, func(s Sample) bool { return s.Object == object && s.Metric == metric })
	if i < 0 {
		return Sample{Object: object, Metric: metric}, false
	}

	return all[i], true
}

// Event makes up the event of that identifier, as it would happen to user at
// at: nested maps, ready to be encoded as JSON, that belong to the caller.
func (s Sample) Event(id, user string, at time.Time) map[string]any {
	sum := sha256.Sum256([]byte(user))
	cause := subject{object: s.Object, metric: s.Metric, user: user, email: addressOf(user), id: id, at: at}
	data := map[string]any{
		"customer_id": user,
		"identifiers": map[string]any{"id": user, "email": cause.email, "cio_id": "a1b2" + hex.EncodeToString(sum[:4])},
	}
	fields := s.fields
	if !slices.Contains(fields, "email_address") {
		fields = append([]string{"delivery_id"}, fields...)
	}
	for _, field := range fields {
		data[field] = cause.value(field)
		if field == "delivery_id" {
			cause.addCampaign(data)
		}
	}

	return map[string]any{
		"event_id": id, "object_type": s.Object, "metric": s.Metric, "timestamp": at.Unix(), "data": data,
	}
}

// addressOf makes up an address that belongs to nobody.
func addressOf(user string) string {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}
	if user == "" || len(user) > 64 || strings.ContainsFunc(user, odd) {
		return "somebody@example.com"
	}

	return user + "@example.com"
}
