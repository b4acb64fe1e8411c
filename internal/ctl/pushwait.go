package ctl

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

// waitForPush waits until a push is sent or parked, and says how.
func (s *session) waitForPush(ctx context.Context, do verbs, id int64, wait time.Duration) error {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()

	p, err := pushed(waiting, do, id)
	switch {
	case err == nil:
		return s.pushEnded(p.PushRow)
	case !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
		return err
	case p.ID == 0:
		return fmt.Errorf("push %d was written, and the database did not answer within %s", id, wait)
	}

	return s.notPushed(p, wait)
}

// pushed looks at a push until it no longer waits for the service. It returns
// what it saw last.
func pushed(ctx context.Context, do verbs, id int64) (last operator.PushStory, err error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()

	for {
		p, err := do.ShowPush(ctx, id)
		if err != nil {
			return last, err
		}
		if p.State != trivia.PushPending {
			return p, nil
		}
		last = p
		select {
		case <-ctx.Done():
			return last, ctx.Err()
		case <-tick.C:
		}
	}
}

// pushEnded says what came of a push that is no longer pending.
func (s *session) pushEnded(p store.PushRow) error {
	words := string(p.State)
	if p.Status != 0 {
		words += fmt.Sprintf(": Customer.io answered %d", p.Status)
	}
	if p.Reason != "" {
		words += ": " + p.Reason
	}
	s.print("%s\n", tui.Clean(words))

	switch p.State {
	case trivia.PushParked:
		if p.Status == http.StatusUnauthorized {
			return hinted{errQuiet, "it is sent by itself once Customer.io takes the credentials: triviactl push check"}
		}

		return hinted{errQuiet, fmt.Sprintf("mend what it says, then: triviactl push retry %d", p.ID)}
	case trivia.PushHeld:
		if p.Reason == trivia.HeldForCredentials {
			return hinted{errQuiet, noSender}
		}

		return hinted{errQuiet, fmt.Sprintf("triviactl push release %d lets it be sent", p.ID)}
	case trivia.PushSent, trivia.PushPending:
	}

	return nil
}

const noSender = "what sends is a trivia-hook with CUSTOMERIO_SITE_ID and CUSTOMERIO_TRACK_API_KEY; is one running?"

// notPushed says why nothing may have been sent yet.
func (s *session) notPushed(p operator.PushStory, wait time.Duration) error {
	err := fmt.Errorf("push %d is still pending after %s", p.ID, wait)
	hint := noSender
	switch {
	case p.Attempts > 0:
		err = fmt.Errorf("%w: tried %s", err, pluralOf(p.Attempts, "time", "times"))
		if p.Reason != "" {
			err = fmt.Errorf("%w, last: %s", err, tui.Clean(p.Reason))
		}
		hint = fmt.Sprintf("it is tried again by itself; look at it with: triviactl push show %d", p.ID)
	case p.Known.LeasedUntil.After(s.Now()):
		hint = fmt.Sprintf("the person is in hand or at rest until %s; look at it with: triviactl push show %d",
			s.longText(p.Known.LeasedUntil), p.ID)
	}

	return hinted{err, hint}
}
