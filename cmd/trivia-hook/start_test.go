package main

import (
	"bytes"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/config"
	"trivia/internal/pgtest"
)

func TestWords(t *testing.T) {
	t.Parallel()

	tests := []struct {
		args   []string
		code   int
		stdout string // something of it
		stderr string // all of it
	}{
		{[]string{"--help"}, exitDone, "Usage: trivia-hook [--embedded] [--demo] [--takeover]", ""},
		{[]string{"-h"}, exitDone, "Usage: trivia-hook [--embedded] [--demo] [--takeover]", ""},
		{[]string{"--version"}, exitDone, "trivia-hook ", ""},
		{[]string{"--embed"}, exitConfig, "", "flag provided but not defined: -embed"},
		{[]string{"--demo=perhaps"}, exitConfig, "", `invalid boolean value "perhaps" for -demo: parse error`},
		{[]string{"start"}, exitConfig, "", `usage: want flags only, got ["start"]`},
		{[]string{"--embedded", "--", "--demo"}, exitConfig, "", `usage: want flags only, got ["--demo"]`},
		{[]string{"--version", "please"}, exitConfig, "", `usage: want flags only, got ["please"]`},
	}

	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			t.Parallel()

			p := launch(t, nil, tt.args...)
			if code := p.exit(t); code != tt.code {
				t.Errorf("exit code = %d, want %d", code, tt.code)
			}
			if got := p.stdout.String(); !strings.Contains(got, tt.stdout) || (tt.stdout == "") != (got == "") {
				t.Errorf("stdout = %q, want %q", got, tt.stdout)
			}
			want := ""
			if tt.stderr != "" {
				want = "trivia-hook: " + tt.stderr + "\ntrivia-hook: hint: trivia-hook --help lists the flags\n"
			}
			if got := p.stderr.String(); got != want {
				t.Errorf("stderr = %q, want %q", got, want)
			}
		})
	}
}

func TestHelpListsEverySetting(t *testing.T) {
	t.Parallel()

	p := launch(t, nil, "--help")
	p.exit(t)
	for _, s := range config.Table() {
		if !strings.Contains(p.stdout.String(), "  "+s.Name+" (default: "+s.Default+")\n") {
			t.Errorf("--help does not list %s", s.Name)
		}
	}
}

func TestWrongSettingsAreNamedAllAtOnce(t *testing.T) {
	t.Parallel()

	p := launch(t, env{
		config.DatabaseURL: "mysql://root:" + password + "@db", config.Listen: "8080", config.AdminListen: "nowhere",
		config.WebhookSecret: eventKey + ",", config.ActionSecret: ",," + actionKey,
		config.SiteID: "site", config.Region: "moon", config.TrackURL: "https://u:" + password + "@track",
		config.Sources: "loopback,elsewhere", config.SourceMode: "sleep", config.TrustedProxies: "any",
		config.UnknownUsers: "ask", config.SignatureTolerance: "soon", config.MaxBody: "big", config.Environment: "two words",
	})
	if code := p.exit(t); code != exitConfig {
		t.Errorf("exit code = %d, want %d", code, exitConfig)
	}

	var named []string
	for _, line := range p.stderr.lines() {
		name, problem, ok := strings.Cut(strings.TrimPrefix(line, "trivia-hook: "), ": found ")
		if !ok || !strings.Contains(problem, ", expected ") {
			t.Errorf("line %q, want NAME: found …, expected …", line)
		}
		named = append(named, name)
	}
	want := []string{
		config.DatabaseURL, config.Listen, config.AdminListen, config.WebhookSecret, config.ActionSecret,
		config.TrackAPIKey, config.Region, config.TrackURL, config.Sources, config.SourceMode, config.TrustedProxies,
		config.UnknownUsers, config.SignatureTolerance, config.MaxBody, config.Environment,
	}
	if diff := cmp.Diff(want, named); diff != "" {
		t.Errorf("complaints about (-want +got):\n%s\n%s", diff, p.stderr)
	}
}

func TestNothingStartsOnADatabaseThatIsNotMigrated(t *testing.T) {
	t.Parallel()

	failsWith(t, on(pgtest.Schema(t)), "run: triviactl migrate")
}

func TestAPortThatIsTakenIsNamed(t *testing.T) {
	t.Parallel()

	taken, dir := take(t), filepath.Join(t.TempDir(), "data")
	failsWith(t, embeddedIn(dir).with(env{config.Listen: taken}),
		"open the public listener: listen tcp "+taken+": bind: address already in use", "--embedded")
	failsWith(t, embeddedIn(dir).with(env{config.AdminListen: taken}),
		"open the private listener: listen tcp "+taken+": bind: address already in use", "--embedded")
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a database was made for nothing: %v", err)
	}
}

// failsWith fails unless trivia-hook ends with 1 and says why in its last line.
func failsWith(t *testing.T, e env, want string, args ...string) {
	t.Helper()

	p := launch(t, e, args...)
	if code := p.exit(t); code != exitFailed {
		t.Errorf("exit code = %d, want %d", code, exitFailed)
	}
	log := p.records(t)
	if len(log) == 0 || log[0].text("on_bounce") == "" || !strings.Contains(log[len(log)-1].text("error"), want) {
		t.Errorf("log = %v, want the policy first, and %q last", log, want)
	}
}

// take listens on an address until the test ends.
func take(t *testing.T) string {
	t.Helper()

	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })

	return listener.Addr().String()
}

func TestOnATerminalTheLogIsForPeople(t *testing.T) {
	t.Parallel()

	e := on("postgres://nowhere").with(env{config.Listen: take(t)})
	var stderr bytes.Buffer
	code := run(t.Context(), surroundings{
		getenv: func(name string) string { return e[name] }, stdout: &stderr, stderr: &stderr, terminal: true, now: time.Now,
	})
	if got := stderr.String(); code != exitFailed || !strings.Contains(got, "level=ERROR msg=stopped error=") {
		t.Errorf("run() = %d, %q; want %d and a line of text", code, got, exitFailed)
	}
}
