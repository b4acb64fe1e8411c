package main

import (
	"os"
	"testing"
	"time"

	"trivia/internal/pgtest"
	"trivia/internal/waiting"
)

// asProgram makes the test binary be trivia-hook: the same main, built with
// the same flags, race detector included.
const asProgram = "TRIVIA_HOOK_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		go leaveWithParent()
		main()
	}
	defer removeBuilt()
	pgtest.Main(m)
}

// leaveWithParent ends a program whose test was killed.
func leaveWithParent() {
	parent := os.Getppid()
	for range time.Tick(time.Second) {
		if os.Getppid() != parent {
			os.Exit(exitFailed)
		}
	}
}

// Waiting.
const (
	longest = 2 * time.Minute // for what happens at once on an idle machine
	patient = 4 * time.Second // after which Customer.io hangs up
)

// wait returns when done says so.
func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	waiting.For(t, what, done)
}
