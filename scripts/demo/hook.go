package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"trivia/internal/pgembed"
)

const (
	// signingKey signs nothing but what the demo sends.
	signingKey = "demo-signing-key"

	startTime = time.Minute
	stopTime  = 30 * time.Second
)

// A hook is a trivia-hook that the demo has started.
type hook struct {
	*process

	bin, dir, log   string
	environ         []string
	public, private string // where it listens
	database        string
}

func startHook(ctx context.Context, opts options, dir, vendor string, environ []string) (*hook, error) {
	h := &hook{bin: opts.bin, dir: dir, log: filepath.Join(dir, "hook.log")}
	h.environ = append(ownEnvironment(environ),
		"TRIVIA_DATA_DIR="+filepath.Join(dir, "data"), "TRIVIA_ENV=demo", "TRIVIA_SOURCES=loopback",
		"CUSTOMERIO_WEBHOOK_SECRET="+signingKey, "CUSTOMERIO_SITE_ID=demo", "CUSTOMERIO_TRACK_API_KEY=demo",
		"CUSTOMERIO_TRACK_URL="+vendor, "CUSTOMERIO_APP_URL="+vendor)

	log, err := os.Create(h.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()                                               // the program has its own
	cmd := exec.Command(filepath.Join(h.bin, "trivia-hook"), "--embedded", "--demo") //nolint:noctx // it is ended gently
	cmd.Env = slices.Concat(h.environ, []string{"TRIVIA_LISTEN=127.0.0.1:0", "TRIVIA_ADMIN_LISTEN=127.0.0.1:0"})
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	if h.process, err = launch(cmd); err != nil {
		return nil, err
	}
	if err := h.waitReady(ctx); err != nil {
		err = h.explain(err)

		return nil, errors.Join(err, h.stop())
	}
	h.environ = append(h.environ, "TRIVIA_LISTEN="+h.public, "TRIVIA_ADMIN_LISTEN="+h.private)

	return h, nil
}

// waitReady waits until the log says where the hook listens.
func (h *hook) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()

	for h.public == "" {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-h.done:
			return errors.New("trivia-hook has ended")
		case <-again.C:
		}
		text, err := os.ReadFile(h.log)
		if err != nil {
			return err
		}
		for line := range bytes.Lines(text) {
			var said struct{ Msg, Public, Private string }
			if json.Unmarshal(line, &said) == nil && said.Msg == "ready" {
				h.public, h.private = said.Public, said.Private
			}
		}
	}

	var err error
	h.database, err = pgembed.Find(filepath.Join(h.dir, "data")) //nolint:contextcheck // it only reads a file

	return err
}

// explain adds what the hook said last, if it is that which has failed.
func (h *hook) explain(err error) error {
	select {
	case <-h.done:
	default:
		return err
	}
	file, openErr := os.Open(h.log)
	if openErr != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	var last []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if last = append(last, lines.Text()); len(last) > 5 {
			last = last[1:]
		}
	}

	return fmt.Errorf("%w; trivia-hook has ended, and said:\n%s", err, strings.Join(last, "\n"))
}

func (h *hook) stop() error { return h.end(stopTime) }

// ctl runs triviactl.
func (h *hook) ctl(ctx context.Context, words ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(h.bin, "triviactl"), words...)
	cmd.Env = h.environ
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("triviactl %s: %w: %s", strings.Join(words, " "), err, said)
	}

	return nil
}

// screens shows the screens until they are left.
func (h *hook) screens(ctx context.Context, term terminal) error {
	cmd := exec.Command(filepath.Join(h.bin, "triviactl"), "tui") //nolint:noctx // it is ended gently
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = h.environ, term.in, term.out, term.err
	p, err := launch(cmd)
	if err != nil {
		return err
	}
	select {
	case <-p.done:
	case <-h.done:
		_ = p.end(stopTime)

		return errors.New("there is nothing left to look at")
	case <-ctx.Done():
		return p.end(stopTime)
	}
	if p.err != nil {
		return fmt.Errorf("triviactl tui: %w", p.err)
	}

	return nil
}
