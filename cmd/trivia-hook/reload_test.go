package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"trivia/internal/config"
)

const nextKey = "next-" + hidden

// file writes a file of settings anew.
func (e env) file(t *testing.T, name string) {
	t.Helper()

	var text strings.Builder
	for setting, value := range e {
		text.WriteString(setting + "=" + value + "\n")
	}
	if err := os.WriteFile(name, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// hangUp asks p to reload, and waits until it has said how often it did.
func (p *program) hangUp(t *testing.T, message string, times int) []record {
	t.Helper()

	p.signal(t, syscall.SIGHUP)
	wait(t, message, func() bool { return len(p.logged(t, message)) >= times })

	return p.logged(t, message)
}

const (
	reloaded    = "settings were reloaded"
	notReloaded = "the settings cannot be reloaded: all stay as they are"
)

// A key is rotated as the README says, while wins come: first the new one is
// added, then senders change over, then the old one goes.
func TestAKeyIsRotatedUnderLoadAndNoRequestIsDropped(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	name := filepath.Join(t.TempDir(), "trivia.env")
	e := env{config.WebhookSecret: eventKey, config.ActionSecret: actionKey}
	e.file(t, name)
	// As under systemd, the environment holds what the file said at the start.
	p := start(t, on(db.url).with(env{config.EnvFile: name}))
	old := startLoad(t, p.public)
	old.await(t, "wins are awarded", sent.taken)

	e.with(env{config.ActionSecret: nextKey + "," + actionKey}).file(t, name)
	lines := p.hangUp(t, reloaded, 1)
	if got, want := lines[0]["action_keys"], keyOf(t, nextKey).Fingerprint(); !mentions(got, "came", want) {
		t.Errorf("the log says of the action's keys %v, want that %s came", got, want)
	}

	next := startLoadFrom(t, p.public, 50_000, nextKey) // wins of its own
	next.await(t, "wins signed with the new key are awarded", sent.taken)
	old.await(t, "wins signed with the old key are, too", sent.taken)
	all := old.end()

	e.with(env{config.ActionSecret: nextKey}).file(t, name)
	lines = p.hangUp(t, reloaded, 2)
	if got, want := lines[1]["action_keys"], keyOf(t, actionKey).Fingerprint(); !mentions(got, "went", want) {
		t.Errorf("the log says of the action's keys %v, want that %s went", got, want)
	}
	if a := newSender(t, 1).win(p.public, nthWin(9000)); a.status != http.StatusUnauthorized {
		t.Errorf("signed with the old key: %d, %v; want 401", a.status, a.err)
	}
	next.await(t, "wins signed with the new key are awarded", sent.taken)
	all = append(all, next.end()...)

	for _, s := range all {
		if !s.taken() {
			t.Errorf("win %s was answered %d, %v; want 200", s.key, s.status, s.err)
		}
	}
	p.signal(t, syscall.SIGTERM)
	if code := p.exit(t); code != exitDone {
		t.Errorf("exit code = %d, want %d", code, exitDone)
	}
	db.checkPrizes(t, all)

	// What matched was counted to the last one.
	db.want(t, `
		SELECT kind || ' ' || fingerprint || ' ' || (uses = (
			SELECT sum(seen) FROM deliveries AS d WHERE d.signed_by = k.fingerprint)) FROM key_uses AS k ORDER BY first_used`,
		"win "+keyOf(t, actionKey).Fingerprint()+" true", "win "+keyOf(t, nextKey).Fingerprint()+" true")
}

// mentions reports whether a group of the log has word in one of its lists.
func mentions(group any, list, word string) bool {
	lists, _ := group.(map[string]any)
	words, _ := lists[list].([]any)
	for _, w := range words {
		if w == word {
			return true
		}
	}

	return false
}

func TestAReloadThatIsWrongChangesNothing(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	name := filepath.Join(t.TempDir(), "trivia.env")
	e := env{config.ActionSecret: actionKey, config.Sources: "loopback"}
	e.file(t, name)
	p := start(t, on(db.url).with(env{config.EnvFile: name}))
	if a := newSender(t, 1).win(p.public, nthWin(1)); !awarded(sent{answer: a}) {
		t.Fatalf("before: %+v, want it awarded", a)
	}

	env{config.ActionSecret: nextKey, config.Sources: "elsewhere", config.MaxBody: "big", "TRIVIA_SORCES": "any"}.file(t, name)
	lines := p.hangUp(t, notReloaded, 3)
	var names []string
	for _, l := range lines {
		names = append(names, l.text("setting"))
	}
	if got, want := strings.Join(names, " "), "TRIVIA_SOURCES TRIVIA_MAX_BODY TRIVIA_ENV_FILE"; got != want {
		t.Errorf("complaints about %q, want %q", got, want)
	}
	if a := newSender(t, 1).win(p.public, nthWin(2)); !awarded(sent{answer: a}) {
		t.Errorf("after a reload that is wrong: %+v, want it awarded", a)
	}

	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	p.hangUp(t, notReloaded, 4)
	if a := newSender(t, 1).win(p.public, nthWin(3)); !awarded(sent{answer: a}) {
		t.Errorf("after a reload without a file: %+v, want it awarded", a)
	}
	if got := p.logged(t, reloaded); len(got) != 0 {
		t.Errorf("the log says that settings were reloaded: %v", got)
	}
}

func TestSourcesAndProxiesAreReloadedAndTheRestIsNamed(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	name := filepath.Join(t.TempDir(), "trivia.env")
	e := env{config.Sources: "loopback"}
	e.file(t, name)
	p := start(t, on(db.url).with(env{config.EnvFile: name}))
	s := newSender(t, 1)
	from := func(n int, address string) int {
		w := nthWin(n)
		return s.post(p.public+"/bet_service/cio/trivia_win", s.action, w.body(), http.Header{"X-Forwarded-For": {address}}).status
	}

	e.with(env{config.Sources: "192.0.2.7", config.TrustedProxies: "loopback", config.MaxBody: "2MiB"}).file(t, name)
	p.hangUp(t, reloaded, 1)
	if got := from(1, "192.0.2.7"); got != http.StatusOK {
		t.Errorf("a listed caller behind a trusted proxy: %d, want 200", got)
	}
	if got := from(2, "192.0.2.8"); got != http.StatusForbidden {
		t.Errorf("a foreign caller behind a trusted proxy: %d, want 403", got)
	}
	restart := p.logged(t, "a setting has changed that is not reloaded: restart to use it")
	if len(restart) != 1 || restart[0].text("setting") != config.MaxBody {
		t.Errorf("needs a restart: %v, want %s alone", restart, config.MaxBody)
	}

	e.with(env{config.Sources: "loopback,customerio", config.AppURL: "http://127.0.0.1:1"}).file(t, name)
	p.hangUp(t, reloaded, 2)
	if got := from(3, "192.0.2.8"); got != http.StatusOK {
		t.Errorf("loopback, when no proxy is trusted any more: %d, want 200", got)
	}
	if got := p.logged(t, "callers are let in by Customer.io's addresses"); len(got) != 1 {
		t.Errorf("the log says %v of Customer.io's addresses, want one line", got)
	}
}

func TestAClosedTerminalIsNoReload(t *testing.T) {
	t.Parallel()

	var log bytes.Buffer
	hangups := make(chan os.Signal, 1)
	hangups <- syscall.SIGHUP
	r := &reloader{log: slog.New(slog.NewTextHandler(&log, nil))}
	err := r.run(t.Context(), surroundings{hangups: hangups, terminalGone: func() bool { return true }})
	if !errors.Is(err, errHungUp) || log.Len() > 0 {
		t.Errorf("run = %v, log %q; want that it ends", err, &log)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.run(ctx, surroundings{}); err != nil {
		t.Errorf("run = %v, want that it ends with its context", err)
	}
}
