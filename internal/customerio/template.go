package customerio

import "strings"

// The two routes that Customer.io is told to call.
const (
	PathWin   = "/bet_service/cio/trivia_win" // campaign actions
	PathEvent = "/webhooks/customerio"        // reporting webhooks
)

// ActionBody is the body of the campaign action, as it is pasted into
// Customer.io. The json filter quotes a value and escapes what is in it. A
// name that does not exist renders without an error, as null or as nothing:
// either parks the delivery as malformed.
const ActionBody = `{"user_id": {{customer.id | json}}, "trivia_id": {{event.trivia_id | json}}, "item": {{event.item | json}}}`

// ActionSetup returns what to do in Customer.io so that a campaign sends wins
// to the hook that the outside reaches at base, such as https://hooks.example.com.
func ActionSetup(base string) string {
	return strings.NewReplacer(
		"WIN_URL", strings.TrimRight(base, "/")+PathWin,
		"EVENT_URL", strings.TrimRight(base, "/")+PathEvent,
		"BODY", ActionBody,
	).Replace(actionSetup)
}

const actionSetup = `In the campaign that the right answer triggers, add "Send and receive data":

Method   POST
URL      WIN_URL
Headers  Content-Type: application/json
Body     (paste it whole)

BODY

- customer.id is the person; event.… are properties of the event that triggers
  the campaign. Rename them to yours, and keep "| json": it quotes and escapes.
- Customer.io adds the headers X-CIO-Idempotency-Key, X-CIO-Timestamp and
  X-CIO-Signature by itself. Add none of them by hand.
- A new action is a Draft, and sends nothing: switch it on.
- Response tab: {{response.outcome}} can be saved as an attribute; it says
  awarded, already_won, unknown_user and so on.
- The action is signed with the workspace's key: Settings > API & webhook
  credentials > Webhook Signing Key. It goes into CUSTOMERIO_ACTION_SECRET.

In the in-app message, give the button of each answer the Action Name
trivia/TRIVIA_ID/ANSWER, as in trivia/capitals/paris: then answers are counted,
right ones and wrong ones.

For reporting webhooks (opened, clicked, bounced), add a webhook with the URL

  EVENT_URL

It is signed with a key of its own, shown on its page. That one goes into
CUSTOMERIO_WEBHOOK_SECRET.
`
