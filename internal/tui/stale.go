package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"trivia/internal/store"
)

// A staleness is since when the database does not answer.
type staleness struct {
	good  time.Time // when the last question was asked that it answered
	first time.Time // when the first was asked that it did not; zero if it answers
	err   error
}

// note takes what came of one question, asked at at. Whoever gave up, and what is
// not there, are no faults; nor is one question that takes too long while later
// ones are answered: the screen that asked it says so.
func (s *staleness) note(at time.Time, err error) {
	switch {
	case err == nil, errors.Is(err, store.ErrNotFound):
		if at.After(s.good) {
			s.good = at
		}
		s.first, s.err = time.Time{}, nil
	case errors.Is(err, context.Canceled), s.good.After(at):
	default:
		if s.first.IsZero() {
			s.first = at
		}
		s.err = err
	}
}

// since is when what is seen was true for the last time.
func (s *staleness) since() time.Time {
	if s.good.IsZero() {
		return s.first
	}

	return s.good
}

// text says it, or nothing while the database answers.
func (s *staleness) text() string {
	if s.err == nil {
		return ""
	}

	return fmt.Sprintf("stale since %s (%s)", s.since().Format(time.TimeOnly), reasonOf(s.err))
}

// reasonOf says in few words why the database did not answer.
func reasonOf(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	text := strings.TrimSpace(err.Error())
	if i := strings.LastIndexAny(text, "\n"); i >= 0 {
		text = text[i+1:] // of several hosts, the last
	}
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}

	return Clean(text)
}
