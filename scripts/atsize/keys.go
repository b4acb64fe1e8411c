package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// soon is how long a key may take until the screen shows that it was pressed.
const soon = 50 * time.Millisecond

// measureKeys types into triviactl tui on a terminal of its own, and prints how
// long it takes from each key to the screen that shows it.
func measureKeys(ctx context.Context, opts options, url string) error {
	if opts.load > 0 {
		stop, err := startLoad(ctx, opts, url)
		if err != nil {
			return err
		}
		defer stop()
	}
	s, err := openScreens(ctx, opts, url)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.until(func(screen string) bool { return strings.Contains(screen, "[1 ") }); err != nil {
		return fmt.Errorf("open the screens: %w", err)
	}

	rows := regexp.MustCompile(`(?m)^\s*([\d,]+) of `)
	cursor := func(screen string) string {
		if at := rows.FindStringSubmatch(screen); at != nil {
			return at[1]
		}

		return ""
	}
	top := func(screen string) string { return strings.SplitN(screen, "\n", 2)[0] }
	fmt.Println("| page | key | times | median | p95 | most |\n|---|---|--:|--:|--:|--:|")
	var slow []string
	for _, page := range []struct{ key, name string }{{"2", "Wins"}, {"3", "Deliveries"}, {"5", "Events"}, {"6", "Pushes"}} {
		s.write(page.key)
		if err := s.until(func(screen string) bool { return strings.Contains(screen, "["+page.key) && cursor(screen) != "" }); err != nil {
			return fmt.Errorf("open %s: %w", page.name, err)
		}
		for _, typed := range []struct {
			name string
			keys []string
			sees func(string) string
		}{
			{"down, up", []string{"j", "j", "j", "j", "k", "k", "k", "k"}, cursor},
			{"a page down, up", []string{"\x1b[6~", "\x1b[6~", "\x1b[5~"}, cursor},
			{"further pages down", []string{"\x1b[6~"}, cursor},
			{"to the top, down", []string{"g", "j", "j"}, cursor},
			{"next page, back", []string{"\t", "\x1b[Z"}, top},
			{"help, back", []string{"?", "\x1b"}, func(screen string) string { return fmt.Sprint(strings.Contains(screen, " › help")) }},
		} {
			took, err := s.typeAll(typed.keys, opts.rounds, typed.sees)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", page.name, typed.name, err)
			}
			slices.Sort(took)
			ms := func(at float64) float64 { return float64(took[int(at*float64(len(took)-1))].Microseconds()) / 1000 }
			fmt.Printf("| %s | %s | %d | %.1f ms | %.1f ms | %.1f ms |\n", page.name, typed.name, len(took), ms(0.5), ms(0.95), ms(1))
			if took[int(0.95*float64(len(took)-1))] > soon {
				slow = append(slow, page.name+", "+typed.name)
			}
		}
	}
	if len(slow) > 0 {
		return fmt.Errorf("took longer than %v: %s", soon, strings.Join(slow, "; "))
	}

	return nil
}

// Screens are triviactl tui on a terminal.
type screens struct {
	cmd  *exec.Cmd
	mine *os.File

	mu      sync.Mutex
	term    vt10x.Terminal
	changed chan struct{}
}

func openScreens(ctx context.Context, opts options, url string) (*screens, error) {
	cmd := exec.CommandContext(ctx, opts.ctl, "tui", "--read-only")
	cmd.Env = append(os.Environ(), "DATABASE_URL="+url, "TERM=xterm-256color")
	const cols, rows = 120, 40
	mine, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: cols, Rows: rows})
	if err != nil {
		return nil, err
	}
	s := &screens{cmd: cmd, mine: mine, changed: make(chan struct{})}
	s.term = vt10x.New(vt10x.WithSize(cols, rows), vt10x.WithWriter(mine))
	go func() {
		for buf := make([]byte, 1<<16); ; {
			n, err := mine.Read(buf)
			if err != nil {
				return
			}
			s.mu.Lock()
			_, _ = s.term.Write(buf[:n]) // a character that is cut in two is not looked for
			close(s.changed)
			s.changed = make(chan struct{})
			s.mu.Unlock()
		}
	}()

	return s, nil
}

func (s *screens) close() {
	s.write("\x03")
	_ = s.cmd.Wait()
	_ = s.mine.Close()
}

func (s *screens) write(keys string) { _, _ = s.mine.WriteString(keys) }

// until waits for what is to be seen.
func (s *screens) until(ok func(screen string) bool) error {
	timeout := time.After(time.Minute)
	for {
		s.mu.Lock()
		screen, changed := s.term.String(), s.changed
		s.mu.Unlock()
		if ok(screen) {
			return nil
		}
		select {
		case <-changed:
		case <-timeout:
			return errors.New("the screen never shows it:\n" + screen)
		}
	}
}

// typeAll types keys one after the other, and returns how long each took until
// what is seen of it was another.
func (s *screens) typeAll(keys []string, rounds int, sees func(string) string) (took []time.Duration, err error) {
	for range rounds {
		for _, key := range keys {
			before := ""
			if err := s.until(func(screen string) bool { before = sees(screen); return !atEdge(screen) }); err != nil {
				return took, fmt.Errorf("before key %q: %w", key, err)
			}
			begin := time.Now()
			s.write(key)
			if err := s.until(func(screen string) bool { return sees(screen) != before }); err != nil {
				return took, fmt.Errorf("key %q: %w", key, err)
			}
			took = append(took, time.Since(begin))
		}
	}

	return took, nil
}

var edge = regexp.MustCompile(`(?m)^\s*([\d,]+) of the ([\d,]+) loaded, more`)

// atEdge reports whether the cursor is on the last row that is there yet.
func atEdge(screen string) bool {
	at := edge.FindStringSubmatch(screen)

	return at != nil && at[1] == at[2]
}
