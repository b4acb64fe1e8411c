package pgembed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// A state tells other processes where a cluster listens.
type state struct {
	SocketDir string `json:"socket_dir"`
	Port      string `json:"port"`
	Version   string `json:"version"`
	PID       int    `json:"pid"`
	Owner     int    `json:"owner"`
}

// write puts st where Find looks, whole or not at all.
func (st state) write(p place) error {
	text, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}

	half := p.state() + ".new"
	if err := os.WriteFile(half, append(text, '\n'), 0o644); err != nil { //nolint:gosec // other users may find the cluster; the socket decides who enters
		return fmt.Errorf("write state: %w", err)
	}
	if err := os.Rename(half, p.state()); err != nil {
		return fmt.Errorf("write state: %w", err)
	}

	return nil
}

// Find returns the URL of the cluster that runs in dir, whoever owns it. It is
// an [ErrNotRunning] if none answers there.
func Find(dir string) (string, error) {
	p, err := newPlace(dir)
	if err != nil {
		return "", err
	}

	text, err := os.ReadFile(p.state())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", notRunning(p)
	case errors.Is(err, fs.ErrPermission):
		return "", fmt.Errorf("look for embedded Postgres in %s: this user may not enter: %w", p.dir, err)
	case err != nil:
		return "", fmt.Errorf("look for embedded Postgres in %s: %w", p.dir, err)
	}

	var st state
	if err := json.Unmarshal(text, &st); err != nil {
		return "", fmt.Errorf("look for embedded Postgres: read %s: %w", p.state(), err)
	}
	s := socket{dir: st.SocketDir, port: st.Port}
	switch err := s.ping(context.Background()); {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), // stale
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF): // it dies this moment
		return "", notRunning(p)
	case errors.Is(err, fs.ErrPermission):
		return "", fmt.Errorf("embedded Postgres runs in %s, but only the user who started it, or root, may connect: %w", p.dir, err)
	case err != nil:
		return "", fmt.Errorf("embedded Postgres of %s does not answer: %w", p.dir, err)
	}

	return s.url(), nil
}

func notRunning(p place) error {
	return fmt.Errorf("%w in %s: start it with `trivia-hook --embedded` and the same TRIVIA_DATA_DIR", ErrNotRunning, p.dir)
}
