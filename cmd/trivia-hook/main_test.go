package main

import (
	"os"
	"testing"
	"time"

	"trivia/internal/pgtest"
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
	longest = time.Minute           // for what happens at once on an idle machine
	pollGap = 10 * time.Millisecond // between two looks
	promise = 2 * time.Second       // in which every request is answered
	patient = 4 * time.Second       // after which Customer.io hangs up; the rest of it is for a busy machine
)

// wait returns when done says so, and fails the test if that takes longest.
func wait(t *testing.T, what string, done func() bool) {
	t.Helper()

	poll := time.NewTicker(pollGap)
	defer poll.Stop()
	deadline := time.NewTimer(longest)
	defer deadline.Stop()

	for !done() {
		select {
		case <-poll.C:
		case <-deadline.C:
			t.Fatalf("waited %v for: %s", longest, what)
		}
	}
}
