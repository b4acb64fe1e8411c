package ctl

import (
	"math/rand/v2"
	"strconv"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/operator"
	"trivia/internal/simulate"
	"trivia/internal/trivia"
)

// A benchWork says what is sent: which delivery the n-th request carries, and
// its body. The same request is always the same, whoever sends it.
type benchWork struct {
	operator.Trial

	duplicates float64 // of all requests, 0 to 1: repeats of an earlier delivery
	seed       uint64
	begun      time.Time
	kinds      []customerio.Sample // of events, by their share in 100
}

// repeatsWithin is how far back a repeat reaches. Whoever repeats does so soon.
const repeatsWithin = 1000

func newBenchWork(trial operator.Trial, duplicates float64, seed uint64, begun time.Time) *benchWork {
	return &benchWork{Trial: trial, duplicates: duplicates, seed: seed, begun: begun, kinds: simulate.Mix()}
}

// delivery returns the number of the delivery that the n-th request carries:
// its own, or that of an earlier one.
func (w *benchWork) delivery(n int) int {
	if !w.repeats(n) {
		return n
	}
	earlier := n - 1 - int(w.chance(n, 2)*float64(min(n, repeatsWithin)))
	for w.repeats(earlier) {
		earlier--
	}

	return earlier
}

// repeats reports whether the n-th request is a repeat; the first is none.
func (w *benchWork) repeats(n int) bool { return n > 0 && w.chance(n, 1) < w.duplicates }

// chance returns a number from 0 to 1 that is always the same for n and salt.
func (w *benchWork) chance(n int, salt uint64) float64 {
	source := rand.New(rand.NewPCG(w.seed^salt<<56, uint64(n))) //nolint:gosec // a load needs no secrets

	return source.Float64()
}

// payload returns the body of a delivery.
func (w *benchWork) payload(delivery int) []byte {
	user, id := w.User(delivery%w.Users), w.Trivia(delivery/w.Users%w.Trivias)
	if w.Kind == trivia.KindWin {
		return winBody(trivia.Win{User: user, Trivia: id, Item: "mug"})
	}

	sample := w.kinds[int(w.chance(delivery, 3)*float64(len(w.kinds)))]
	event := sample.Event(w.Key(delivery), string(user), w.begun)
	data, _ := event["data"].(map[string]any)
	data["campaign_id"] = 20 + delivery%20
	if _, ok := data["tracked_response"]; ok {
		data["tracked_response"] = "trivia/" + string(id) + "/answer-" + strconv.Itoa(delivery%4)
	}

	return encoded(event)
}
