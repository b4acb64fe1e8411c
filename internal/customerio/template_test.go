package customerio_test

import (
	"strings"
	"testing"

	"trivia/internal/customerio"
	"trivia/internal/trivia"
)

func TestTheBodyToPasteIsOneThatWeCanDecode(t *testing.T) {
	t.Parallel()

	body := strings.NewReplacer(
		"{{customer.id | json}}", `"ann"`,
		"{{event.trivia_id | json}}", `"capitals"`,
		"{{event.item | json}}", `"a \"big\" hat"`,
	).Replace(customerio.ActionBody)

	got, err := customerio.DecodeAction([]byte(body))
	if want := (trivia.Win{User: "ann", Trivia: "capitals", Item: `a "big" hat`}); err != nil || got != want {
		t.Errorf("DecodeAction(%s) = %+v, %v, want %+v", body, got, err, want)
	}
}

func TestTheSetupFitsAScreenAndNamesBothRoutes(t *testing.T) {
	t.Parallel()

	setup := customerio.ActionSetup("https://hooks.example.com/")
	for _, want := range []string{
		"https://hooks.example.com/bet_service/cio/trivia_win\n", "https://hooks.example.com/webhooks/customerio\n",
		customerio.ActionBody, "Draft", "Response tab", "X-CIO-Idempotency-Key",
	} {
		if !strings.Contains(setup, want) {
			t.Errorf("the setup does not say %q", want)
		}
	}
	for line := range strings.Lines(setup) {
		if len(line) > 81 && !strings.Contains(line, customerio.ActionBody) {
			t.Errorf("line is too long: %s", line)
		}
	}
}
