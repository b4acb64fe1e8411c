package ctl

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/lipgloss"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// An explainFake is the part of a [fake] that explains.
type explainFake struct {
	explanation operator.Explanation
	explainErr  error

	explained []string
}

func (f *explainFake) Explain(_ context.Context, user trivia.UserID, id trivia.ID) (operator.Explanation, error) {
	f.explained = []string{string(user), string(id)}

	return f.explanation, f.explainErr
}

func (f *explainFake) ExplainKey(_ context.Context, key string) (operator.Explanation, error) {
	f.explained = []string{key}

	return f.explanation, f.explainErr
}

// wonChain is a chain of which every part is there, and long.
func wonChain() operator.Chain {
	at := noon.Add(-2 * time.Hour)
	c := operator.Chain{Verdict: "has won mug, and the prize was revoked"}
	c.User, c.UserThere, c.Won = "Zoë 漢字", true, true
	c.Trivia = store.TriviaRow{ID: "capitals of the world", ClosedAt: noon.Add(-time.Hour)}
	c.Win = store.WinRow{Win: trivia.Win{User: c.User, Trivia: c.Trivia.ID, Item: "mug"}, Key: "01H8XGJWBWBAQ4", At: at}
	c.Prize = store.Prize{Item: "mug", At: at, RevokedAt: noon.Add(-time.Minute), RevokedReason: "won with a script that answered every trivia of the season"}
	c.Why = []string{"1 delivery came for another item: the first one counts"}
	c.Ends = []store.OutcomeCount{
		{Outcome: trivia.AlreadyWon, State: trivia.StateDone, Count: 7},
		{Outcome: trivia.Awarded, State: trivia.StateDone, Count: 1},
		{Outcome: trivia.PrizeConflict, State: trivia.StateParked, Count: 1},
	}
	delivery := func(key string, outcome trivia.Outcome, age time.Duration) store.DeliveryRow {
		return store.DeliveryRow{
			Key: key, Kind: trivia.KindWin, Win: c.Win.Win, State: trivia.StateDone, Outcome: outcome, Seen: 1,
			ReceivedAt: noon.Add(-age), LastSeenAt: noon.Add(-time.Hour), SettledAt: noon.Add(-age), Caller: "2001:db8:85a3:8d3:1319:8a2e:370:7348",
			SignedBy: "ab12cd34", Stamp: fmt.Sprint(noon.Add(-age - 2*time.Second).Unix()), SHA256: []byte{0xab},
		}
	}
	first := delivery("01H8XGJWBWBAQ4", trivia.Awarded, 2*time.Hour)
	first.Seen = 3
	odd := delivery(strings.Repeat("long-key-", 20), trivia.PrizeConflict, time.Hour)
	odd.State, odd.Reason = trivia.StateParked, "the user has won mug with this trivia already"
	c.Deliveries = store.Cut[store.DeliveryRow]{Rows: []store.DeliveryRow{
		first, odd, delivery("k3", trivia.AlreadyWon, time.Minute), delivery("k4", trivia.AlreadyWon, time.Minute),
	}, All: 9}
	c.Answers = store.Cut[store.ResponseRow]{Rows: []store.ResponseRow{
		{User: c.User, Trivia: c.Trivia.ID, EventID: "e-1", Answer: "Paris", Right: true, At: at},
	}, All: 1}
	c.Pushes = store.Cut[store.PushRow]{Rows: somePushes(), All: 4}
	c.Deeds = store.Cut[store.DeedRow]{Rows: someDeeds(), All: 1200}

	return c
}

func someDeeds() []store.DeedRow {
	return []store.DeedRow{
		{
			ID: "6f0e1b5e-6a9c-4f0e-9d5a-2b1c3d4e5f60", At: noon.Add(-time.Minute), Actor: "ann@desk", Verb: "prizes revoke", Target: "Zoë 漢字",
			Reason: "won with a script that answered every trivia of the season", Detail: json.RawMessage(`{"item": "mug", "trivia": "capitals of the world"}`),
		},
		{
			ID: "6f0e1b5e-6a9c-4f0e-9d5a-2b1c3d4e5f61", At: noon.Add(-time.Hour), Actor: "bob@desk", Verb: "trivia close", Target: "capitals of the world",
			Detail: json.RawMessage(`{"trivia": "capitals of the world"}`),
		},
		{
			ID: "6f0e1b5e-6a9c-4f0e-9d5a-2b1c3d4e5f62", At: noon.Add(-40 * 24 * time.Hour), Actor: "\x1b[31mred", Verb: "users add", Target: "1 user",
			Detail: json.RawMessage(`{}`),
		},
	}
}

func TestAnExplanationFitsOneScreen(t *testing.T) {
	t.Parallel()

	showAll(t, "explain-show", []string{"explain", "Zoë 漢字", "capitals of the world"},
		func(f *fake) { f.explanation = operator.Explanation{Chains: []operator.Chain{wonChain()}} })

	st := newStage(t)
	st.StdoutTerminal = true
	st.fake.explanation = operator.Explanation{Chains: []operator.Chain{wonChain()}}
	st.call(t, "explain", "u", "t")
	lines := strings.Split(strings.TrimSuffix(st.out.String(), "\n"), "\n")
	if len(lines) > 45 {
		t.Errorf("an explanation of which every part is long has %d lines, want about 40", len(lines))
	}
	for _, l := range lines {
		if w := lipgloss.Width(l); w > 80 {
			t.Errorf("%d cells wide: %s", w, l)
		}
	}
}

func TestAKeyIsExplainedWithAllItStandsFor(t *testing.T) {
	t.Parallel()

	lost := operator.Chain{Verdict: "has not won", Why: []string{
		"there is no such user: triviactl users add makes one, and awards what waits", "1 delivery pending: the user was not there, and it is tried again for about an hour",
	}}
	lost.User, lost.Trivia.ID = "nobody", "capitals"
	lost.Ends = []store.OutcomeCount{{Outcome: trivia.UnknownUser, State: trivia.StatePending, Count: 1}}
	waits := store.DeliveryRow{
		Key: "k", Kind: trivia.KindWin, Win: trivia.Win{User: "nobody", Trivia: "capitals", Item: "mug"}, State: trivia.StatePending, Outcome: trivia.UnknownUser,
		Reason: "no such user", Seen: 1, ReceivedAt: noon.Add(-time.Minute), Caller: "35.188.196.183", SignedBy: "ab12cd34", Attempts: 3, DueAt: noon.Add(time.Minute),
	}
	lost.Deliveries = store.Cut[store.DeliveryRow]{Rows: []store.DeliveryRow{waits}, All: 1}
	odd := waits
	odd.Win, odd.State, odd.Outcome, odd.Reason, odd.DueAt = trivia.Win{}, trivia.StateParked, trivia.Malformed, "item is empty", time.Time{}
	event := odd
	event.Kind, event.State, event.Outcome, event.Reason = trivia.KindEvent, trivia.StateDone, trivia.Recorded, ""

	showAll(t, "explain-key-show", []string{"explain", "k"}, func(f *fake) {
		f.explanation = operator.Explanation{
			Key: "k", Deliveries: []store.DeliveryRow{waits, odd, event}, Chains: []operator.Chain{lost},
			Events: []operator.EventStory{{EventRow: someEvents()[0], Pushes: somePushes()[:1]}},
		}
	})
}

func TestWhatIsExplainedIsChosenByTheNumberOfWords(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.call(t, "explain", "--", "-k")
	if got := fmt.Sprint(st.fake.explained); got != "[-k]" {
		t.Errorf("asked for %s, want the key", got)
	}
	st.call(t, "explain", "--", "-u", "-t")
	if got := fmt.Sprint(st.fake.explained); got != "[-u -t]" {
		t.Errorf("asked for %s, want the user and the trivia", got)
	}

	st.fake.explainErr = fmt.Errorf("there is no user: %w", operator.ErrNotFound)
	st.want(t, []string{"explain", "ann lee", "t"}, 3, "",
		"triviactl: there is no user: not found\ntriviactl: hint: what came at all: triviactl deliveries list --user='ann lee'\n")
}
