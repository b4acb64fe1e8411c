package trivia_test

import (
	"testing"
	"time"

	"trivia/internal/trivia"
)

func TestRetryUnknownUser(t *testing.T) {
	t.Parallel()

	tests := []struct {
		age, wait time.Duration
		again     bool
	}{
		{-time.Minute, 5 * time.Second, true}, // another machine's clock is ahead
		{0, 5 * time.Second, true},
		{4 * time.Second, 5 * time.Second, true},
		{10 * time.Second, 10 * time.Second, true},
		{10 * time.Minute, 10 * time.Minute, true},
		{20 * time.Minute, 15 * time.Minute, true},
		{time.Hour - time.Nanosecond, 15 * time.Minute, true},
		{time.Hour, 0, false},
		{30 * 24 * time.Hour, 0, false},
	}

	for _, tt := range tests {
		if wait, again := trivia.RetryUnknownUser(tt.age); wait != tt.wait || again != tt.again {
			t.Errorf("RetryUnknownUser(%v) = %v, %t, want %v, %t", tt.age, wait, again, tt.wait, tt.again)
		}
	}
}

// A win whose user never comes is tried for about as long as Customer.io would
// try it, a dozen times and not hundreds.
func TestRetryUnknownUserAddsUpToAboutAnHour(t *testing.T) {
	t.Parallel()

	var age time.Duration
	tries := 0
	for {
		wait, again := trivia.RetryUnknownUser(age)
		if !again {
			break
		}
		age += wait
		tries++
	}

	if age < time.Hour || age > 75*time.Minute || tries < 8 || tries > 16 {
		t.Errorf("parked after %v and %d tries, want about an hour and a dozen", age, tries)
	}
}
