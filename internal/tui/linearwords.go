package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// deliveryWords say what a delivery is and what came of it.
func deliveryWords(d store.DeliveryRow) string {
	what := string(d.Kind)
	if d.Win != (trivia.Win{}) {
		what = fmt.Sprintf("%s of %s by %s, %s", d.Kind, d.Win.Trivia, d.Win.User, d.Win.Item)
	}

	became := "not settled yet"
	if d.Outcome != trivia.Unsettled {
		became = string(d.Outcome)
	}
	switch d.State {
	case trivia.StateParked:
		became = "PARKED as " + became
	case trivia.StatePending:
		if d.Outcome != trivia.Unsettled {
			became += ", tried again later"
		}
	case trivia.StateDone:
	}
	if d.Reason != "" {
		became += " (" + d.Reason + ")"
	}

	return fmt.Sprintf("%s: %s; key %s", what, became, d.Key)
}

// judge says what is wrong with the stream as a whole, when that changes. That it
// gets no answer is said of the arrivals.
func (l *linear) judge(ctx context.Context) {
	now, arrivals, wins, err := l.paces(ctx)
	if err != nil {
		return
	}
	found := judge(now, arrivals, wins, operator.JudgeRoutes(now.Streams, l.hook(ctx), l.desk.QuietAfter))
	var kinds []string
	for _, f := range found {
		kinds = append(kinds, kindOf(f))
	}
	if is := strings.Join(kinds, " "); is != l.wrong {
		l.wrong = is
		for _, f := range found {
			l.say(now.Now, f.text)
		}
	}
}

// hook asks the private listener, and returns nil if it does not answer. One that
// did not is left alone for a while, since all else waits for it.
func (l *linear) hook(ctx context.Context) *operator.Hook {
	if l.desk.AskHook == nil || l.desk.Now().Before(l.askAgain) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, hookTime)
	defer cancel()

	hook, err := l.desk.AskHook(ctx)
	if err != nil {
		l.askAgain = l.desk.Now().Add(hookRest)
		return nil
	}

	return &hook
}

// kindOf is what a finding begins with: words in capitals if something is wrong.
func kindOf(f finding) string {
	var kind []string
	for word := range strings.FieldsSeq(f.text) {
		if strings.ToUpper(word) != word {
			break
		}
		kind = append(kind, word)
	}

	return strings.Join(kind, " ")
}

// paces asks how things stand, and how they went.
func (l *linear) paces(ctx context.Context) (now store.Overview, arrivals, wins pace, err error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()

	if now, err = l.desk.Do.Overview(ctx); err != nil {
		return now, arrivals, wins, err
	}
	count := func(from, until time.Time) error {
		minutes, err := l.desk.Do.Minutes(ctx, from, until)
		l.minutes.add(minutes, now.Now)

		return err
	}
	if err := count(l.minutes.live(now.Now)); err != nil {
		return now, arrivals, wins, err
	}
	if from, until, ok := l.minutes.older(now.Now); ok {
		begin := l.desk.Now()
		if err := count(from, until); err != nil {
			return now, arrivals, wins, err
		}
		l.minutes.paced(l.desk.Now().Sub(begin))
	}

	return now, paceOf(l.minutes.values(now.Now, arrivalsOf)), paceOf(l.minutes.values(now.Now, winsOf)), nil
}
