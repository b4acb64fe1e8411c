package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"trivia/internal/config"
)

// Every secret of these tests contains this word, so that one look tells
// whether any of them was printed.
const (
	hidden     = "swordfish"
	eventKey   = "event-" + hidden
	actionKey  = "action-" + hidden
	password   = "password-" + hidden
	bodySecret = "note-" + hidden // in every body: a whole body is never logged
)

// env is an environment, by name.
type env map[string]string

// with returns e with more in it.
func (e env) with(more env) env {
	all := env{}
	maps.Copy(all, e)
	maps.Copy(all, more)

	return all
}

// settings of a service that tests can call. Any free port will do.
func listening() env {
	return env{
		config.Listen: "127.0.0.1:0", config.AdminListen: "127.0.0.1:0", config.Sources: "loopback",
		config.WebhookSecret: eventKey, config.ActionSecret: actionKey,
	}
}

// on are the settings of a service on the database at url.
func on(url string) env { return listening().with(env{config.DatabaseURL: url}) }

// embeddedIn are the settings of a service with a private Postgres in dir.
func embeddedIn(dir string) env { return listening().with(env{config.DataDir: dir}) }

// A program is one run of trivia-hook.
type program struct {
	cmd             *exec.Cmd
	stdout, stderr  *transcript
	public, private string // base URLs, when it is ready

	ended chan struct{} // closed when it is gone
	err   error         // how it ended; read it after ended
}

// launch starts trivia-hook with nothing in its environment but e. It is gone
// when the test is, and must not have said what it should not.
func launch(t *testing.T, e env, args ...string) *program {
	t.Helper()

	return launchFile(t, os.Args[0], "", e.with(env{asProgram: "yes"}), args...)
}

// launchFile is launch for the program of path, in the working directory dir.
func launchFile(t *testing.T, path, dir string, e env, args ...string) *program {
	t.Helper()

	return launchWith(t, path, dir, e, nil, args...)
}

// launchWith is launchFile with open files, the first of which is number 3.
func launchWith(t *testing.T, path, dir string, e env, files []*os.File, args ...string) *program {
	t.Helper()

	p := &program{stdout: &transcript{}, stderr: &transcript{}, ended: make(chan struct{})}
	p.cmd = exec.CommandContext(t.Context(), path, args...)
	p.cmd.Dir, p.cmd.ExtraFiles = dir, files
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	p.cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"),
		"GORACE=atexit_sleep_ms=0",                                   // it would wait a second for late races
		"GOCOVERDIR=" + cmp.Or(os.Getenv("GOCOVERDIR"), t.TempDir()), // it would complain on stderr, under -cover
	}
	for name, value := range e {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	// After the test: ask it to stop, and kill it if it does not.
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = longest

	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start trivia-hook: %v", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		<-p.ended
		p.check(t)
	})

	return p
}

// start is launch, and waits until the service takes requests.
func start(t *testing.T, e env, args ...string) *program {
	t.Helper()

	p := launch(t, e, args...)
	p.waitReady(t)

	return p
}

func (p *program) waitReady(t *testing.T) {
	t.Helper()

	wait(t, "the service is ready", func() bool { return len(p.logged(t, "ready")) > 0 || p.gone() })
	lines := p.logged(t, "ready")
	if len(lines) == 0 {
		t.Fatalf("trivia-hook is not ready, but has ended: %v\n%s", p.err, p.stderr.end())
	}
	p.public, p.private = "http://"+lines[0].text("public"), "http://"+lines[0].text("private")
}

func (p *program) waitStopping(t *testing.T) {
	t.Helper()

	wait(t, "the service stops", func() bool {
		return len(p.logged(t, "stopping: requests in flight are answered first")) > 0
	})
}

func (p *program) gone() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// exit waits for the end of the program and returns its exit code, -1 if a
// signal has ended it.
func (p *program) exit(t *testing.T) int {
	t.Helper()

	select {
	case <-p.ended:
	case <-time.After(longest):
		p.signal(t, syscall.SIGQUIT) // and it says where it is
		<-p.ended
		t.Fatalf("trivia-hook still runs after %v\n%s", longest, p.stderr.end())
	}

	return p.cmd.ProcessState.ExitCode()
}

func (p *program) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()

	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatalf("send %v to trivia-hook: %v", sig, err)
	}
}

// kill is kill -9.
func (p *program) kill(t *testing.T) {
	t.Helper()

	p.signal(t, syscall.SIGKILL)
	p.exit(t)
}

// check complains about all that no run may ever print.
func (p *program) check(t *testing.T) {
	t.Helper()

	if t.Failed() {
		t.Logf("trivia-hook %q has said:\n%s", p.cmd.Args[1:], p.stderr.end())
	}
	said := p.stderr.String()
	for _, word := range []string{hidden, "DATA RACE", "panic", "goroutine "} {
		if strings.Contains(said, word) {
			t.Errorf("trivia-hook %q has said %q:\n%s", p.cmd.Args[1:], word, around(said, word))
		}
	}
	if strings.Contains(p.stdout.String(), hidden) {
		t.Errorf("trivia-hook %q has printed a secret:\n%s", p.cmd.Args[1:], p.stdout)
	}
}

// A record is one line of the log.
type record map[string]any

func (r record) text(name string) string {
	word, _ := r[name].(string)

	return word
}

// records returns the log so far. Every line of it must be JSON.
func (p *program) records(t *testing.T) []record {
	t.Helper()

	var all []record
	for _, line := range p.stderr.lines() {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("a line of the log is no JSON: %q in\n%s", line, p.stderr.end())
		}
		all = append(all, r)
	}

	return all
}

// logged returns the lines of the log with that message.
func (p *program) logged(t *testing.T, message string) []record {
	t.Helper()

	var found []record
	for _, r := range p.records(t) {
		if r.text("msg") == message {
			found = append(found, r)
		}
	}

	return found
}

// countLogged returns how often something was logged: in full, and in the
// lines that tell of a flood.
func (p *program) countLogged(t *testing.T, message string) int {
	t.Helper()

	n := len(p.logged(t, message))
	for _, r := range p.logged(t, "the same again") {
		if more, ok := r["more"].(float64); ok && r.text("what") == message {
			n += int(more)
		}
	}

	return n
}

// A transcript is what a program has written so far.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (tr *transcript) Write(text []byte) (int, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()

	return tr.text.Write(text)
}

// String returns all of it.
func (tr *transcript) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()

	return tr.text.String()
}

// lines returns the complete lines.
func (tr *transcript) lines() []string {
	lines := strings.Split(tr.String(), "\n")

	return lines[:len(lines)-1]
}

// end returns the last of it, for a failure's message.
func (tr *transcript) end() string {
	const most = 8000
	text := tr.String()

	return text[max(0, len(text)-most):]
}

// around returns what stands before and behind a word in a text.
func around(text, word string) string {
	const most = 4000
	at := strings.Index(text, word)

	return text[max(0, at-most):min(len(text), at+most)]
}
