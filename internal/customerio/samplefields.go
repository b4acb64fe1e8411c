package customerio

import "time"

// A subject is what a made-up event is about.
type subject struct {
	object, metric  string
	user, email, id string
	at              time.Time
}

// addCampaign adds what every event has about a message of a campaign.
func (s subject) addCampaign(data map[string]any) {
	data["campaign_id"] = 21
	data["action_id"] = 340
	data["parent_action_id"] = 338
	data["journey_id"] = EventID(s.at.Add(-time.Hour), "journey", s.user)
	data["trigger_event_id"] = EventID(s.at.Add(-time.Hour), "trigger", s.user)
}

// value makes up the value of one of the fields that are documented.
func (s subject) value(field string) any {
	const (
		ours     = "+15550100100"
		question = "Which city is the capital of France?"
	)

	switch field {
	case "delivery_id":
		return "dgTQ" + EventID(s.at, "delivery", s.id)[6:]
	case "subject":
		return "Your Friday trivia round 🎯"
	case "email_address":
		return s.email
	case "recipient":
		return s.recipient()
	case "recipients":
		return []any{s.device()}
	case "content":
		return s.content(question)
	case "headers":
		return map[string]any{"X-Round": []any{"7"}}
	case "href":
		return "https://play.example.com/round/7?from=" + s.object + "&lang=en"
	case "link_id":
		return 4
	case "tracked_response":
		return "trivia/capitals/paris"
	case "failure_message":
		return s.failure()
	case "inbound_event_id":
		return EventID(s.at, "inbound", s.id)
	case "to":
		return ours
	}

	return false // the flags that say a machine did it
}

func (s subject) recipient() string {
	switch s.object {
	case "email":
		return s.email
	case "sms", "whatsapp":
		return "+15550100123"
	case "slack":
		return "#trivia"
	case "webhook":
		return "https://hooks.example.com/trivia"
	}

	return s.user
}

func (s subject) device() map[string]any {
	device := map[string]any{"device_id": "fcm-4f2a90c1", "device_platform": "android"}
	if s.metric == "bounced" || s.metric == "dropped" {
		device["failure_message"] = s.failure()
	}

	return device
}

func (s subject) failure() string {
	switch {
	case s.metric == "undeliverable":
		return "message limit reached"
	case s.object == "email":
		return "550 5.1.1 mailbox does not exist"
	case s.object == "push":
		return "the device token is no longer registered"
	case s.object == "webhook":
		return "500 Internal Server Error"
	}

	return "the message could not be delivered"
}

// content returns what was sent. In some events it is JSON, inside a string.
func (s subject) content(words string) string {
	switch {
	case s.metric == "cio_subscription_preferences_changed":
		return `{"topics":{"topic_1":true,"topic_4":false}}`
	case s.object == "push":
		return `{"message":{"notification":{"title":"Trivia","body":"` + words + `"}}}`
	case s.object == "webhook":
		return `{"text":"` + words + `"}`
	case s.object == "email", s.object == "in_app":
		return "<p>" + words + "</p>"
	}

	return words
}
