package simulate

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/trivia"
)

// A work says what the deliveries of a run are: the same seed makes the same
// ones, whoever sends them and in which order.
type work struct {
	name           string
	seed           uint64
	users, trivias int
	pad            string
	begun          time.Time
	every          time.Duration // between two events
	kinds          []customerio.Sample
}

func newWork(o Options) *work {
	w := &work{
		name: o.Name(), seed: o.Seed, users: o.Users, trivias: o.Trivias, pad: strings.Repeat("x", max(o.Pad, 0)),
		begun: o.Begun, kinds: Mix(),
	}
	if o.EventRate > 0 {
		w.every = time.Duration(float64(time.Second) / o.EventRate)
	}

	return w
}

// Mix returns what a campaign reports, in a hundred events. What makes a hook
// suppress or unsubscribe somebody at Customer.io is left out.
func Mix() (kinds []customerio.Sample) {
	for _, kind := range []struct {
		share          int
		object, metric string
	}{
		{27, "email", "sent"},
		{26, "email", "delivered"},
		{18, "email", "opened"},
		{5, "email", "clicked"},
		{8, "in_app", "sent"},
		{7, "in_app", "opened"},
		{6, "in_app", "clicked"},
		{3, "sms", "delivered"},
	} {
		sample, _ := customerio.SampleOf(kind.object, kind.metric)
		for range kind.share {
			kinds = append(kinds, sample)
		}
	}

	return kinds
}

// What decides one thing must not decide another.
const (
	saltKind       = 1 << 40
	saltConnection = 2 << 40
	saltBackoff    = 3 << 40
)

// chance returns a number from 0 to 1 that is always the same for what it is about.
func (w *work) chance(kind trivia.Kind, n int, salt uint64) float64 {
	if kind == trivia.KindEvent {
		salt |= 1 << 63
	}
	source := rand.New(rand.NewPCG(w.seed^salt, uint64(n))) //nolint:gosec // a simulation needs no secrets

	return source.Float64()
}

// WinTrial and EventTrial name what a run writes: the keys are this with the
// number of the delivery behind it, the users and trivias with -u and -t.
func (o Options) WinTrial() string { return o.Name() + "-w" }

// EventTrial is the one of the events, see [Options.WinTrial].
func (o Options) EventTrial() string { return o.Name() + "-e" }

func (w *work) key(kind trivia.Kind, n int) string {
	letter := "-w-"
	if kind == trivia.KindEvent {
		letter = "-e-"
	}

	return w.name + letter + strconv.Itoa(n)
}

func (w *work) user(n int) string { return w.name + "-w-u" + strconv.Itoa(n%w.users) }

func (w *work) trivia(n int) string { return w.name + "-w-t" + strconv.Itoa(n/w.users%w.trivias) }

// body returns what the n-th delivery says.
func (w *work) body(kind trivia.Kind, n int) []byte {
	if kind == trivia.KindWin {
		return encoded(struct {
			User   string `json:"user_id"`
			Trivia string `json:"trivia_id"`
			Item   string `json:"item"`
			Pad    string `json:"padding,omitempty"`
		}{w.user(n), w.trivia(n), "mug", w.pad})
	}

	sample := w.kinds[int(w.chance(kind, n, saltKind)*float64(len(w.kinds)))]
	event := sample.Event(w.key(kind, n), w.user(n), w.begun.Add(time.Duration(n)*w.every))
	data, _ := event["data"].(map[string]any)
	data["campaign_id"] = 20 + n%20
	if _, ok := data["tracked_response"]; ok {
		data["tracked_response"] = "trivia/" + w.trivia(n) + "/answer-" + strconv.Itoa(n%4)
	}
	if w.pad != "" {
		data["padding"] = w.pad
	}

	return encoded(event)
}

// encoded returns value as JSON, which Customer.io does not escape for HTML
// either. The values of this package always encode.
func encoded(value any) []byte {
	var text bytes.Buffer
	encode := json.NewEncoder(&text)
	encode.SetEscapeHTML(false)
	_ = encode.Encode(value)

	return bytes.TrimRight(text.Bytes(), "\n")
}
