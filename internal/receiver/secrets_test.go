package receiver_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"trivia/internal/customerio"
	"trivia/internal/signature"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

func TestTheLogTellsNoSecrets(t *testing.T) {
	t.Parallel()

	const marker = "a-word-of-the-body"
	body := fmt.Sprintf(`{"user_id":"u1","trivia_id":%q,"item":"mug"}`, marker)
	fail := func(context.Context, []store.Arrival) ([]store.Receipt, error) { return nil, errRule }
	var (
		e    = newEdge(t, setup{})
		down = newEdge(t, setup{inbox: &inbox{take: fail, keep: fail}})
		odd  = newEdge(t, setup{inbox: &inbox{take: func(_ context.Context, all []store.Arrival) ([]store.Receipt, error) {
			return []store.Receipt{{State: trivia.StateParked, Outcome: trivia.Malformed, Reason: all[0].Unusable}}, nil
		}}})
	)
	forged := signed(customerio.PathWin, body)
	forged.Header.Set(signature.HeaderSignature, signature.Sign(keyOf(eventKey), stampOf(noon), []byte(body)))
	short := signed(customerio.PathWin, body)
	short.ContentLength++
	requests := []*http.Request{
		signed(customerio.PathWin, body), signed(customerio.PathEvent, body), forged, short,
		signed(customerio.PathWin, body[1:]), signed(customerio.PathWin, body+"x"),
		signed(customerio.PathWin, strings.ReplaceAll(body, marker, strings.Repeat(marker, 99))),
		signed(customerio.PathWin, strings.ReplaceAll(body, "item", marker)),
		signed(customerio.PathEvent, `{"metric":["`+marker+`"]}`),
	}

	for _, r := range requests {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range []*edge{e, down, odd} {
			again := r.Clone(t.Context())
			again.Body = io.NopCloser(strings.NewReader(string(text)))
			e.send(again)
		}
	}

	for name, e := range map[string]*edge{"fine": e, "down": down, "odd": odd} {
		if len(e.log.lines()) == 0 {
			t.Errorf("%s: nothing was logged, so nothing was tried", name)
		}
		for _, r := range requests {
			for _, secret := range []string{actionKey, newKey, eventKey, marker, r.Header.Get(signature.HeaderSignature)} {
				if lines := e.log.lines(secret); len(lines) != 0 {
					t.Errorf("%s: the log holds %q: %s", name, secret, lines[0])
				}
			}
		}
	}
}
