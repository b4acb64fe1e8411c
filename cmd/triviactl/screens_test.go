package main

import (
	"testing"

	"trivia/internal/pgtest"
	"trivia/internal/store"
)

// migrated returns the URL of a database that has all tables and nothing else.
func migrated(t *testing.T) string {
	t.Helper()

	url := pgtest.Schema(t)
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}

	return url
}

func TestTheScreensOpenAndLeaveTheTerminalAsItWas(t *testing.T) {
	t.Parallel()

	s := startScreens(t, migrated(t))
	s.waitFor("1 Overview")
	s.press("3")
	s.waitFor("[3 Deliveries]")
	s.press("q")
	s.waitExit(0)
}
