package ctl

import (
	"encoding/json"
	"math"
	"testing"

	"trivia/internal/customerio"
	"trivia/internal/operator"
	"trivia/internal/trivia"
)

func newWork(kind trivia.Kind, duplicates float64) *benchWork {
	return newBenchWork(operator.Trial{Name: "bench-x", Kind: kind, Users: 10, Trivias: 3}, duplicates, 7, noon)
}

func TestRepeatsAreOfEarlierDeliveriesAndAsManyAsAsked(t *testing.T) {
	t.Parallel()

	const n = 20_000
	for _, share := range []float64{0, 0.05, 0.9} {
		w := newWork(trivia.KindWin, share)
		own := map[int]bool{}
		repeats := 0
		for i := range n {
			delivery := w.delivery(i)
			switch {
			case delivery == i:
				own[i] = true
			case !own[delivery] || delivery > i || i-delivery > 2*repeatsWithin:
				t.Fatalf("request %d repeats %d, want an earlier delivery", i, delivery)
			default:
				repeats++
			}
		}
		if got := float64(repeats) / n; math.Abs(got-share) > 0.02 {
			t.Errorf("%.3f of all are repeats, want %.2f", got, share)
		}
	}
}

func TestEveryUserWinsEveryTriviaBeforeAnythingIsWonAgain(t *testing.T) {
	t.Parallel()

	w := newWork(trivia.KindWin, 0)
	seen := map[trivia.Win]int{}
	for i := range 60 {
		win, err := customerio.DecodeAction(w.payload(i))
		if err != nil {
			t.Fatal(err)
		}
		seen[win]++
	}
	if len(seen) != 30 {
		t.Errorf("60 deliveries are of %d wins, want 30", len(seen))
	}
	if got, want := string(w.payload(12)), `{"user_id":"bench-x-u2","trivia_id":"bench-x-t1","item":"mug"}`; got != want {
		t.Errorf("a win is %s, want %s", got, want)
	}
}

func TestEventsAreThoseOfACampaign(t *testing.T) {
	t.Parallel()

	w := newWork(trivia.KindEvent, 0)
	kinds := map[string]int{}
	for i := range 2000 {
		body := w.payload(i)
		id, event, err := customerio.DecodeEvent(body)
		if err != nil || id != w.Key(i) {
			t.Fatalf("event %d is %q, %v: %s", i, id, err, body)
		}
		kinds[event.ObjectType+" "+event.Metric]++
		if event.Metric == "clicked" && event.ObjectType == "in_app" && event.Response == "" {
			t.Fatalf("a click answers nothing: %s", body)
		}
		if string(body) != string(w.payload(i)) {
			t.Fatalf("event %d is another one the second time", i)
		}
		var whole struct {
			Data struct {
				Campaign int `json:"campaign_id"`
			}
		}
		if err := json.Unmarshal(body, &whole); err != nil || whole.Data.Campaign != 20+i%20 {
			t.Fatalf("event %d is of campaign %d, %v", i, whole.Data.Campaign, err)
		}
	}
	if len(kinds) != 8 || kinds["email sent"] < 400 {
		t.Errorf("the events are %v, want all of the mix", kinds)
	}
}
