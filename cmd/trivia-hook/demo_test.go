package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"trivia/internal/config"
	"trivia/internal/pgtest"
)

// What `make run` starts prints what to try next. It is typed into a shell
// here, as it is printed.
func TestTheLinesOfTheDemoWorkAsPrinted(t *testing.T) {
	t.Parallel()

	home := build(t)
	dir := filepath.Join(pgtest.Dir(t), "it's here") // as awkward as a directory may be
	asMakeRun := env{
		config.DataDir: dir, config.Listen: "127.0.0.1:0", config.AdminListen: "127.0.0.1:0",
		config.WebhookSecret: demoKey, config.Sources: "loopback",
	}
	p := launchFile(t, filepath.Join(home, "bin", "trivia-hook"), home, asMakeRun, "--embedded", "--demo")
	p.waitReady(t)
	wait(t, "the lines to try are printed", func() bool { return strings.Contains(p.stdout.String(), "/metrics") })

	lines := indented(p.stdout)
	if len(lines) != 2 {
		t.Fatalf("%d lines to try, want 2:\n%s", len(lines), p.stdout)
	}
	for i, want := range []string{"awarded", "demo-1 "} {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", lines[i])
		cmd.Dir, cmd.Env = home, []string{"PATH=/usr/bin:/bin"}
		said, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(said), want) {
			t.Errorf("%s: %v, want %q in\n%s", lines[i], err, want, said)
		}
	}

	db := find(t, dir)
	db.want(t, `SELECT count(*) || min(user_id) || max(user_id) FROM users WHERE user_id ~ '^demo-[1-9][0-9]*$'`, "100demo-1demo-99")
	db.want(t, `SELECT user_id || ' ' || trivia_id || ' ' || item FROM prizes`, "demo-1 capitals mug")

	// The next time there are users, and nobody is put beside them.
	db.exec(t, `DELETE FROM users WHERE user_id <> 'demo-1'`)
	p.signal(t, syscall.SIGTERM)
	p.exit(t)
	launchFile(t, filepath.Join(home, "bin", "trivia-hook"), home, asMakeRun, "--embedded", "--demo").waitReady(t)
	db.want(t, `SELECT user_id FROM users`, "demo-1")
}

// indented returns the lines that stand out from the text.
func indented(text *transcript) []string {
	var found []string
	for _, line := range text.lines() {
		if command, ok := strings.CutPrefix(line, "  "); ok {
			found = append(found, command)
		}
	}

	return found
}

// Whoever has set something else is told to set it for the other program, too,
// but for secrets.
func TestTheLinesOfTheDemoShowNoSecret(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	p := start(t, on(db.url), "--demo")
	wait(t, "the lines to try are printed", func() bool { return strings.Contains(p.stdout.String(), "/metrics") })
	if got := indented(p.stdout); len(got) != 2 {
		t.Errorf("lines to try: %q, want 2", got)
	}
	db.want(t, `SELECT count(*)::text FROM users WHERE user_id LIKE 'demo-%'`, "0")
}
