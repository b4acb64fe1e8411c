package config

import (
	"testing"
	"time"
)

// from returns a getenv of pairs.
func from(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

var somebody = place{goos: "linux", euid: 1000}

func TestTheDefaultsAreThoseOfTheTable(t *testing.T) {
	t.Parallel()

	env := map[string]string{DatabaseURL: "postgres://db/trivia", WebhookSecret: "a key", "HOME": "/home/u"}
	h, complaints := hookFrom(from(env), false, somebody)
	if err := complaints.Err(); err != nil {
		t.Fatalf("hookFrom: %v", err)
	}

	checks := []struct {
		name      string
		got, want any
	}{
		{DatabaseURL, h.DatabaseURL.Reveal(), "postgres://db/trivia"},
		{DataDir, h.DataDir, "/home/u/.local/share/trivia"},
		{Listen, h.Listen, "127.0.0.1:8080"},
		{AdminListen, h.AdminListen, "127.0.0.1:9090"},
		{WebhookSecret, len(h.EventKeys), 1},
		{WebhookSecret, h.EventKeys[0].Reveal(), "a key"},
		{ActionSecret, h.ActionKeys[0].Reveal(), "a key"},
		{SiteID, h.SiteID, ""},
		{TrackAPIKey, h.TrackAPIKey.IsZero(), true},
		{Region, h.Region, "us"},
		{TrackURL, h.TrackURL, "https://track.customer.io"},
		{AppURL, h.AppURL, "https://api.customer.io"},
		{Sources, len(h.Sources), 1},
		{Sources, h.Sources[0], "customerio"},
		{SourceMode, h.Observe, false},
		{TrustedProxies, len(h.TrustedProxies), 0},
		{UnknownUsers, h.CreateUsers, false},
		{SignatureTolerance, h.Tolerance, 5 * time.Minute},
		{MaxBody, h.MaxBody, int64(1 << 20)},
		{Environment, h.Environment, "development"},
	}
	for _, c := range checks {
		if c.got != c.want {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
}
