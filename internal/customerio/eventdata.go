package customerio

import (
	"bytes"

	"trivia/internal/trivia"
)

// eventData are the members of an event's data that are kept, as they are
// written.
type eventData struct {
	id, email, cioID []byte // in identifiers

	customerID, emailAddress, recipient, recipients []byte

	delivery, campaign, broadcast, newsletter, action, transactional, template []byte

	link, href, response, failure           []byte
	machine, prefetched, proxied, synthetic []byte
}

// read splits the data of an event.
func (d *eventData) read(data []byte) {
	var identifiers []byte
	for name, value := range members(data) {
		switch string(name) {
		case "identifiers":
			identifiers = value
		case "customer_id":
			d.customerID = value
		case "email_address":
			d.emailAddress = value
		case "recipient":
			d.recipient = value
		case "recipients":
			d.recipients = value
		case "delivery_id":
			d.delivery = value
		case "campaign_id":
			d.campaign = value
		case "broadcast_id":
			d.broadcast = value
		case "newsletter_id":
			d.newsletter = value
		case "action_id":
			d.action = value
		case "transactional_message_id":
			d.transactional = value
		case "template_id":
			d.template = value
		case "link_id":
			d.link = value
		case "href":
			d.href = value
		case "tracked_response":
			d.response = value
		case "failure_message":
			d.failure = value
		case "machine":
			d.machine = value
		case "prefetched":
			d.prefetched = value
		case "proxied":
			d.proxied = value
		case "synthetic":
			d.synthetic = value
		}
	}
	d.readIdentifiers(identifiers)
}

func (d *eventData) readIdentifiers(raw []byte) {
	if len(raw) == 0 || raw[0] != '{' {
		return
	}
	for name, value := range members(raw) {
		switch string(name) {
		case "id":
			d.id = value
		case "email":
			d.email = value
		case "cio_id":
			d.cioID = value
		}
	}
}

// fill puts all of d into ev, whose object type is known.
func (d *eventData) fill(ev *trivia.Event, words *scribe) {
	if ev.ObjectType != "email" || bytes.IndexByte(wordOf(d.recipient), '@') < 0 {
		d.recipient = nil // a telephone number, a device or a person of the app
	}

	ev.Person, ev.CustomerID = d.person(words)
	ev.Email = words.firstWord(maxName, d.email, d.emailAddress, d.recipient)
	ev.CioID = words.word(d.cioID, maxName)

	ev.DeliveryID = words.word(d.delivery, maxName)
	ev.Campaign = words.word(d.campaign, maxName)
	ev.Broadcast = words.word(d.broadcast, maxName)
	ev.Newsletter = words.word(d.newsletter, maxName)
	ev.Action = words.word(d.action, maxName)
	ev.Transactional = words.word(d.transactional, maxName)
	ev.Template = words.word(d.template, maxName)
	ev.Link = words.word(d.link, maxName)
	ev.Href = words.word(d.href, maxText)
	ev.Response = words.word(d.response, maxResponse)
	ev.Failure = words.firstWord(maxText, d.failure, d.recipientFailure())

	ev.Machine, ev.Prefetched = truth(d.machine), truth(d.prefetched)
	ev.Proxied, ev.Synthetic = truth(d.proxied), truth(d.synthetic)
}

// person returns by whom the Track API finds the person of an event, and the
// company's own identifier of the person.
//
// To push for somebody else is the worst that could happen. So an identifier
// is taken exactly as it is meant, or not at all, and then the next one is.
func (d *eventData) person(words *scribe) (person, customerID string) {
	if id := whole(d.id); id != nil {
		customerID = words.keep(id)

		return customerID, customerID
	}
	if id := whole(d.customerID); id != nil {
		customerID = words.keep(id)
	}
	if id := whole(d.cioID); id != nil {
		return "cio_" + string(id), customerID
	}
	if customerID != "" {
		return customerID, customerID
	}
	for _, raw := range [...][]byte{d.email, d.emailAddress, d.recipient} {
		if address := mailbox(raw); address != nil {
			return words.keep(address), ""
		}
	}

	return "", ""
}

// recipientFailure returns the first message that says, for one device of
// several, why a push failed.
func (d *eventData) recipientFailure() []byte {
	if len(d.recipients) == 0 || d.recipients[0] != '[' {
		return nil
	}
	for recipient := range elements(d.recipients) {
		if recipient[0] != '{' {
			continue
		}
		var failure []byte
		for name, value := range members(recipient) {
			if string(name) == "failure_message" {
				failure = value
			}
		}
		if len(wordOf(failure)) > 0 {
			return failure
		}
	}

	return nil
}
