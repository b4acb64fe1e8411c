package main

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"golang.org/x/term"
)

// patience is how long a screen may take to show what it should.
const patience = 2 * time.Minute

// A typed is triviactl on a pseudo-terminal of its own, and who types there.
type typed struct {
	t         *testing.T
	cmd       *exec.Cmd
	mine, its *os.File // the two ends of the terminal
	before    *term.State
	exited    chan struct{} // closed when the process is gone

	mu      sync.Mutex // guards what is below
	screens vt10x.Terminal
	all     []byte        // everything that was written
	changed chan struct{} // closed, and made anew, with every change
}

// A terminal is what triviactl is started on.
type terminal struct {
	program    string // empty: triviactl
	cols, rows int    // zero: 80×24
	env        []string
}

// startScreens runs triviactl tui on the database at url.
func startScreens(t *testing.T, url string, args ...string) *typed {
	t.Helper()

	return terminal{}.start(t, url, append([]string{"tui"}, args...)...)
}

// start runs triviactl there. It is killed with the test if it still runs.
func (at terminal) start(t *testing.T, url string, args ...string) *typed {
	t.Helper()

	if at.cols == 0 {
		at.cols, at.rows = 80, 24
	}
	mine, its, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = mine.Close(), its.Close() })
	before, err := term.GetState(int(its.Fd()))
	if err != nil {
		t.Fatal(err)
	}

	hangUps()
	cmd := triviactl(t, url, args...)
	cmd.Args[0] = cmp.Or(at.program, name)
	cmd.Env = append(append(cmd.Env, "TERM=xterm-256color"), at.env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = its, its, its
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true} // ctrl+c and hanging up reach it

	s := &typed{t: t, cmd: cmd, mine: mine, its: its, before: before, exited: make(chan struct{}), changed: make(chan struct{})}
	s.screens = vt10x.New(vt10x.WithSize(at.cols, at.rows), vt10x.WithWriter(mine))
	s.resize(at.cols, at.rows)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go s.read()
	go func() {
		_ = cmd.Wait() // tests look at the exit code
		close(s.exited)
	}()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the screen at last:\n%s", s.screen())
		}
		_ = cmd.Process.Kill() // it may be gone
		<-s.exited
		s.mu.Lock()
		defer s.mu.Unlock()
		if at := bytes.Index(s.all, []byte("DATA RACE")); at >= 0 {
			t.Errorf("triviactl raced:\n%s", s.all[at:])
		}
	})

	return s
}

// hangUps lets SIGHUP end what is started from here, also where this process was
// told to ignore it, as by nohup: what is caught is not passed on as ignored.
var hangUps = sync.OnceFunc(func() { signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) })

// read takes what triviactl writes, as a terminal would.
func (s *typed) read() {
	var rest []byte // the beginning of a character
	for buf := make([]byte, 1<<14); ; {
		n, err := s.mine.Read(buf)
		if err != nil {
			return // it is closed
		}
		s.mu.Lock()
		s.all = append(s.all, buf[:n]...)
		rest = append(rest, buf[:n]...)
		whole := len(rest)
		for i := 1; i < min(utf8.UTFMax, len(rest)+1); i++ {
			if b := rest[len(rest)-i:]; utf8.RuneStart(b[0]) && !utf8.FullRune(b) {
				whole = len(rest) - i
			}
		}
		_, _ = s.screens.Write(rest[:whole])
		rest = append([]byte(nil), rest[whole:]...)
		close(s.changed)
		s.changed = make(chan struct{})
		s.mu.Unlock()
	}
}

// screen is what is to be seen now.
func (s *typed) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()

	lines := strings.Split(s.screens.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}

	return strings.Join(lines, "\n")
}

// written is everything that was written so far, escape codes and all.
func (s *typed) written() string {
	s.mu.Lock()
	defer s.mu.Unlock()

	return string(s.all)
}

// waitFor waits until all of texts are to be seen at once.
func (s *typed) waitFor(texts ...string) {
	s.t.Helper()

	s.until("shows "+strings.Join(texts, " and "), func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}

		return true
	})
}

// waitForNo waits until text is no longer to be seen.
func (s *typed) waitForNo(text string) {
	s.t.Helper()

	s.until("shows no "+text, func(screen string) bool { return !strings.Contains(screen, text) })
}

// until waits until what is to be seen is as it should be.
func (s *typed) until(what string, ok func(screen string) bool) {
	s.t.Helper()

	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for exited := s.exited; ; {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if ok(s.screen()) {
			return
		}
		select {
		case <-changed:
		case <-exited:
			exited = nil // what it wrote last may not be read yet
			timeout.Reset(patience / 10)
		case <-timeout.C:
			s.t.Fatalf("the screen never %s", what)
		}
	}
}

// press types keys: names as bubbletea has them, or text. After esc, wait for
// what it does: a key that comes at once makes it alt.
func (s *typed) press(keys ...string) {
	s.t.Helper()

	for _, k := range keys {
		if code, ok := keyCodes()[k]; ok {
			k = code
		}
		if _, err := s.mine.WriteString(k); err != nil {
			s.t.Fatal(err)
		}
	}
}

func keyCodes() map[string]string {
	codes := map[string]string{
		"enter": "\r", "esc": "\x1b", "tab": "\t", "shift+tab": "\x1b[Z", "space": " ", "backspace": "\x7f",
		"up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
		"home": "\x1b[H", "end": "\x1b[F", "pgup": "\x1b[5~", "pgdown": "\x1b[6~",
	}
	for c := byte('a'); c <= 'z'; c++ {
		codes["ctrl+"+string(c)] = string(c - 'a' + 1)
	}

	return codes
}

// resize makes the terminal another size.
func (s *typed) resize(cols, rows int) {
	s.t.Helper()

	s.mu.Lock()
	s.screens.Resize(cols, rows)
	s.mu.Unlock()
	if err := pty.Setsize(s.mine, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)}); err != nil {
		s.t.Fatal(err)
	}
}

var clipboard = regexp.MustCompile(`\x1b\]52;c;([A-Za-z0-9+/=]*)(\x07|\x1b\\)`)

// copied is what was copied last.
func (s *typed) copied() string {
	s.t.Helper()

	all := clipboard.FindAllStringSubmatch(s.written(), -1)
	if len(all) == 0 {
		return ""
	}
	text, err := base64.StdEncoding.DecodeString(all[len(all)-1][1])
	if err != nil {
		s.t.Fatal(err)
	}

	return string(text)
}

// waitExit waits until triviactl is gone, and wants the terminal as it was.
func (s *typed) waitExit(code int) {
	s.t.Helper()

	select {
	case <-s.exited:
	case <-time.After(patience):
		s.t.Fatal("triviactl goes on")
	}
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, want %d", got, code)
	}
	s.restored()
}

// restored waits until all that was written last is read, and compares.
func (s *typed) restored() {
	s.t.Helper()

	const asked = vt10x.ModeAltScreen | vt10x.ModeHide | vt10x.ModeMouseMask | vt10x.ModeMouseSgr
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); {
		s.mu.Lock()
		mode, changed := s.screens.Mode(), s.changed
		s.mu.Unlock()
		if mode&asked == 0 {
			err = nil

			break
		}
		err = errors.New("it is left on the alternate screen, without cursor, or with the mouse")
		select {
		case <-changed:
		case <-time.After(time.Second):
		}
	}
	if err != nil {
		s.t.Error(err)
	}
	if now, err := term.GetState(int(s.its.Fd())); err != nil || *now != *s.before {
		s.t.Errorf("the terminal is left in another state: %+v, %v; it was %+v", now, err, s.before)
	}
	if all := []byte(s.written()); bytes.LastIndex(all, []byte("\x1b[?2004h")) > bytes.LastIndex(all, []byte("\x1b[?2004l")) {
		s.t.Error("pasting is left bracketed")
	}
}
