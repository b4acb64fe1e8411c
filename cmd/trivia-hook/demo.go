package main

import (
	"context"
	"fmt"
	"strings"

	"trivia/internal/config"
	"trivia/internal/store"
)

// What `make run` works with. The key signs nothing but a developer's own
// requests, so it may be printed.
const (
	demoUsers = 100
	demoKey   = "dev-signing-key"
)

// prepareDemo gives a database that has no users some to play with.
func prepareDemo(ctx context.Context, db *store.Store) error {
	names := make([]string, demoUsers)
	for i := range names {
		names[i] = fmt.Sprintf("demo-%d", i+1)
	}
	if err := db.SeedUsers(ctx, names); err != nil {
		return fmt.Errorf("prepare the demo: %w", err)
	}

	return nil
}

// printDemo prints lines that work as they are, typed where trivia-hook was
// started: they carry what the environment there said otherwise.
func printDemo(sur surroundings, set settings, public, private string) {
	ctl := "bin/triviactl"
	if sur.getenv(config.DataDir) != "" {
		ctl = config.DataDir + "=" + quoted(set.DataDir) + " " + ctl
	}
	send := ctl
	if set.ActionKeys[0].Reveal() == demoKey {
		send = config.WebhookSecret + "=" + demoKey + " " + ctl
	}
	scheme := "http"
	if set.pair != nil {
		scheme = "https"
	}
	url := ""
	if sur.getenv(config.Listen) != "" || set.pair != nil {
		url = " --url " + scheme + "://" + public
	}

	_, _ = fmt.Fprintf(sur.stdout, `
trivia-hook takes webhooks at %s://%s. Try next, in another terminal:

  %s send win --user demo-1 --trivia capitals --item mug%s
  %s wins list

Metrics are at http://%s/metrics. Ctrl-C stops the service and its Postgres.

`, scheme, public, send, url, ctl, private)
}

func quoted(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
