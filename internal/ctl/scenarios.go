package ctl

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"trivia/internal/config"
	"trivia/internal/customerio"
	"trivia/internal/signature"
	"trivia/internal/trivia"
)

// A scenario is trouble with a name, and what a hook makes of it.
type scenario struct {
	name  string
	about string
	want  string   // the answers
	or    []string // other answers that are as good
	kept  int      // deliveries that are in the database afterwards
	won   int      // wins of the scenario's user and trivia, each with its prize

	user     bool // it needs a user who is there
	stranger bool // the one who may win is not
	hint     string
	play     func(context.Context, *scene) (seen string)
}

func (sc scenario) expected() string {
	return strings.Join(append([]string{sc.want}, sc.or...), " or ")
}

const (
	stormCopies = 50
	// slowest is longer than any hook waits for a body: Customer.io itself hangs
	// up after 4 s.
	slowest = 8 * time.Second
)

// scenarios returns all of them, as a hook with these settings answers.
func scenarios(set config.Ctl) []scenario {
	return slices.Concat(repeatScenarios(), forgedScenarios(set), oddScenarios(set))
}

// repeatScenarios are about who wins, and how often.
func repeatScenarios() []scenario {
	return []scenario{
		{
			name: "duplicate-storm", about: "one delivery, 50 times at once", want: "1 awarded, 49 duplicate",
			kept: 1, won: 1, user: true,
			play: func(ctx context.Context, at *scene) string { return at.storm(ctx, at.key(), at.win("mug")) },
		},
		{
			name: "prize-conflict", about: "a second win of the same trivia, with another prize", want: "awarded, prize_conflict",
			kept: 2, won: 1, user: true,
			play: func(ctx context.Context, at *scene) string {
				return at.each(ctx, crafted{body: at.win("mug")}, crafted{body: at.win("car")})
			},
		},
		{
			name: "key-conflict", about: "the same key with another prize", want: "awarded, prize_conflict",
			kept: 2, won: 1, user: true,
			play: func(ctx context.Context, at *scene) string {
				key := at.key()

				return at.each(ctx, crafted{key: key, body: at.win("mug")}, crafted{key: key, body: at.win("car")})
			},
		},
		{
			name: "reordered", about: "two deliveries of one win, the older one last", want: "awarded, already_won",
			kept: 2, won: 1, user: true,
			play: func(ctx context.Context, at *scene) string {
				return at.each(ctx, crafted{body: at.win("mug")}, crafted{body: at.win("mug"), ago: time.Minute})
			},
		},
	}
}

const refused = "401"

// forgedScenarios are signed as nobody should sign.
func forgedScenarios(set config.Ctl) []scenario {
	stale := scenario{
		name: "stale", about: "a recorded request, a day old", want: refused, user: true,
		hint: "is " + config.SignatureTolerance + " the hook's?",
		play: func(ctx context.Context, at *scene) string {
			return at.each(ctx, crafted{body: at.win("mug"), ago: max(24*time.Hour, 2*set.Tolerance)})
		},
	}
	if set.Tolerance == 0 { // any timestamp is taken
		stale.want, stale.kept, stale.won = string(trivia.Awarded), 1, 1
	}

	return []scenario{
		stale,
		{
			name: "wrong-key", about: "signed with a key that nobody knows", want: refused, user: true,
			play: func(ctx context.Context, at *scene) string {
				key, err := signature.NewKey(newKey())
				if err != nil {
					return err.Error()
				}

				return at.each(ctx, crafted{body: at.win("mug"), signer: &key})
			},
		},
		{
			name: "body-only-signature", about: "the body is signed, the timestamp is not", want: refused, user: true,
			play: func(ctx context.Context, at *scene) string {
				body := at.win("mug")

				return at.each(ctx, crafted{body: body, signature: signature.SignBodyAlone(at.wins.signer, body)})
			},
		},
		{
			name: "re-serialised", about: "the same JSON, spaced otherwise than what was signed", want: refused, user: true,
			play: func(ctx context.Context, at *scene) string {
				body := at.win("mug")
				var spaced bytes.Buffer
				_ = json.Indent(&spaced, body, "", "  ") // it is JSON

				return at.each(ctx, crafted{body: spaced.Bytes(), signed: body})
			},
		},
	}
}

// oddScenarios are signed well, and odd in other ways.
func oddScenarios(set config.Ctl) []scenario {
	unknown := scenario{
		name: "unknown-user", about: "a win of a user who is not there", want: string(trivia.UnknownUser),
		kept: 1, stranger: true, hint: "is " + config.UnknownUsers + " the hook's?",
		play: func(ctx context.Context, at *scene) string {
			return at.each(ctx, crafted{body: winBody(trivia.Win{User: at.stranger(), Trivia: at.trivia, Item: "mug"})})
		},
	}
	if set.CreateUsers {
		unknown.want, unknown.won = string(trivia.Awarded), 1
	}

	return []scenario{
		{
			name: "oversize", about: "a body of one byte too many", want: "413", user: true,
			hint: "is " + config.MaxBody + " the hook's?",
			play: func(ctx context.Context, at *scene) string {
				return at.each(ctx, crafted{body: padded(at.win("mug"), at.maxBody+1), ask: true})
			},
		},
		{
			name: "slow-body", about: "a body that takes half a minute", want: "503", or: []string{"closed"}, user: true,
			play: func(ctx context.Context, at *scene) string { return at.slow(ctx, padded(at.win("mug"), 120)) },
		},
		{
			name: "malformed-set", about: "bodies that nobody can use, each signed well", want: "10 malformed", kept: 10,
			play: func(ctx context.Context, at *scene) string { return at.tally(ctx, malformed(at.user)) },
		},
		unknown,
		{
			name: "unknown-route", about: "a path that is no route", want: "404", user: true,
			play: func(ctx context.Context, at *scene) string {
				return at.each(ctx, crafted{body: at.win("mug"), path: customerio.PathWin + "_too"})
			},
		},
		{
			name: "wrong-method", about: "PUT instead of POST", want: "405", user: true,
			play: func(ctx context.Context, at *scene) string {
				return at.each(ctx, crafted{body: at.win("mug"), method: http.MethodPut})
			},
		},
		{
			name: "unknown-event", about: "an event that nobody documents", want: string(trivia.Recorded), kept: 1,
			play: func(ctx context.Context, at *scene) string {
				sample, _ := customerio.SampleOf("hologram", "waved")
				key := at.key()

				return at.each(ctx, crafted{key: key, body: encoded(sample.Event(key, string(at.user), at.Now())), event: true})
			},
		},
	}
}

// padded makes a body longer, and leaves it as good as it was.
func padded(body []byte, size int64) []byte {
	return append(body, bytes.Repeat([]byte(" "), max(0, int(size)-len(body)))...)
}

// malformed returns wins that cannot be used.
func malformed(user trivia.UserID) [][]byte {
	name := string(encoded(user))

	return [][]byte{
		nil,
		[]byte(`not JSON`),
		[]byte(`{"user_id":` + name),
		[]byte(`[]`),
		[]byte(`{}`),
		[]byte(`{"user_id":` + name + `,"trivia_id":"","item":"mug"}`),
		[]byte(`{"user_id":` + name + `,"trivia_id":"t"}`),
		[]byte(`{"user_id":` + name + `,"trivia_id":"` + strings.Repeat("t", 65) + `","item":"mug"}`),
		[]byte(`{"user_id":` + name + `,"trivia_id":"t\u0000","item":"mug"}`),
		[]byte(`{"user_id":` + name + `,"trivia_id":"t` + "\xff" + `","item":"mug"}`),
	}
}
