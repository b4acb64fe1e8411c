package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
)

// stdin is how the name of a file says standard input.
const stdin = "-"

// inputName is what a person calls a file.
func inputName(file string) string {
	if file == stdin {
		return "standard input"
	}

	return file
}

// openInput opens a file, or standard input. size is -1 if nobody knows it.
func (s *session) openInput(ctx context.Context, file string) (r io.Reader, size int64, done func(), err error) {
	if file == stdin {
		if s.StdinTerminal {
			s.say("reading standard input; end with Ctrl-D")
		}

		return &patient{ctx: ctx, from: s.Stdin}, -1, func() {}, nil
	}

	f, err := os.Open(file) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, 0, nil, missingFile(err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory", file)
	}
	if err != nil {
		_ = f.Close()

		return nil, 0, nil, err
	}
	size = -1
	if info.Mode().IsRegular() {
		size = info.Size()
	}

	return f, size, func() { _ = f.Close() }, nil
}

// readInput reads all of a file, or of standard input, up to most bytes.
func (s *session) readInput(ctx context.Context, file string, most int64) ([]byte, error) {
	r, _, done, err := s.openInput(ctx, file)
	if err != nil {
		return nil, err
	}
	defer done()

	body, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", inputName(file), err)
	}
	if int64(len(body)) > most {
		return nil, fmt.Errorf("%s has more than %d bytes", inputName(file), most)
	}

	return body, nil
}

func missingFile(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return hinted{err, "- reads standard input"}
	}

	return err
}

// A patient reader stops waiting for input when its context ends.
type patient struct {
	ctx  context.Context // a Read has no other way to learn of it
	from io.Reader
}

type readResult struct {
	text []byte
	err  error
}

func (p *patient) Read(into []byte) (int, error) {
	got := make(chan readResult, 1)
	go func() { // ends with the process if nothing ever comes
		text := make([]byte, len(into))
		n, err := p.from.Read(text)
		got <- readResult{text[:n], err}
	}()

	select {
	case <-p.ctx.Done():
		return 0, context.Cause(p.ctx)
	case r := <-got:
		return copy(into, r.text), r.err
	}
}

// A counted reader tells how many bytes went through it.
type counted struct {
	from io.Reader
	n    atomic.Int64
}

func (c *counted) Read(into []byte) (int, error) {
	n, err := c.from.Read(into)
	c.n.Add(int64(n))

	return n, err
}
