// Picture takes the pictures of triviactl tui that the README shows: it opens
// the demo in tmux, goes where the pictures are, and draws what is seen there.
//
//	make picture
//	bin/picture [-bin bin] [-out docs]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	columns = 120
	lines   = 36

	// most is how long anything may take to be seen, and again how often it is
	// looked for.
	most  = 2 * time.Minute
	again = 200 * time.Millisecond
)

// A shot is a picture, and the way from the one before to it.
type shot struct {
	name string
	way  []step
}

// A step is what is pressed, as tmux calls the keys, what is seen then, and how
// long one goes on looking.
type step struct {
	keys  []string
	until string
	stay  time.Duration
}

var shots = []shot{
	{"tui-overview", []step{{until: "in this minute", stay: 10 * time.Second}}},
	{"tui-parked", []step{
		{keys: []string{"!"}, until: "--state parked"},
		{keys: []string{"Down", "Down", "Down"}, until: "4 of"},
	}},
	{"tui-delivery", []step{
		{keys: []string{"1"}, until: "WAITING"},
		{keys: []string{"Down", "Down", "Enter"}, until: "--outcome prize_conflict"},
		{keys: []string{"Enter"}, until: "verdict"},
	}},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	set := flag.NewFlagSet("picture", flag.ContinueOnError)
	bin := set.String("bin", "bin", "where demo, trivia-hook and triviactl are")
	out := set.String("out", "docs", "where the pictures go")
	if err := set.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}

	p := pane{server: fmt.Sprint("trivia-picture-", os.Getpid())}
	demo := fmt.Sprintf("env -u NO_COLOR %s -bin %s", quoted(filepath.Join(*bin, "demo")), quoted(*bin))
	if _, err := p.tmux(ctx, "new-session", "-d", "-x", fmt.Sprint(columns), "-y", fmt.Sprint(lines), demo); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.leave(context.WithoutCancel(ctx))) }()

	for _, s := range shots {
		for _, step := range s.way {
			if err := p.press(ctx, step.keys...); err != nil {
				return err
			}
			if err := p.see(ctx, step.until); err != nil {
				return err
			}
			time.Sleep(step.stay)
		}
		seen, err := p.tmux(ctx, "capture-pane", "-ep")
		if err != nil {
			return err
		}
		file := filepath.Join(*out, s.name+".svg")
		if err := os.WriteFile(file, []byte(draw(read(seen), columns)), 0o644); err != nil {
			return err
		}
		fmt.Println(file)
	}

	return nil
}

func quoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// A pane is the screen of a tmux server of its own.
type pane struct{ server string }

func (p pane) tmux(ctx context.Context, words ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "tmux", append([]string{"-L", p.server, "-f", "/dev/null"}, words...)...)
	said, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("tmux %s: %w: %s", words[0], err, said)
	}

	return string(said), nil
}

// press types keys. Each is given the time to be understood as one of its own.
func (p pane) press(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if _, err := p.tmux(ctx, "send-keys", key); err != nil {
			return err
		}
		time.Sleep(again)
	}

	return nil
}

// see waits until a text is seen.
func (p pane) see(ctx context.Context, text string) error {
	seen := ""
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(again) {
		var err error
		if seen, err = p.tmux(ctx, "capture-pane", "-p"); err != nil {
			return err
		}
		if strings.Contains(seen, text) {
			return nil
		}
	}

	return fmt.Errorf("%q was not to be seen; this was:\n%s", text, seen)
}

// leave quits the demo as a person does, and waits until it has ended: the
// server ends with it.
func (p pane) leave(ctx context.Context) error {
	there := func(words ...string) bool {
		_, err := p.tmux(ctx, words...)
		return err == nil
	}
	open := there("send-keys", "q")
	for end := time.Now().Add(most); open && time.Now().Before(end); time.Sleep(again) {
		open = there("capture-pane", "-p")
	}
	if !open {
		return nil
	}
	_, err := p.tmux(ctx, "kill-server")

	return errors.Join(errors.New("the demo did not end"), err)
}
