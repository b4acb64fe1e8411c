package tui

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// partingTime is how long who leaves waits for what is under way: it is brought
// to an end as by Ctrl-C, and says how to go on.
const partingTime = 10 * time.Second

// A parting knows the acts under way. What they say after the screens are gone is
// written below them.
type parting struct {
	mu    sync.Mutex
	left  bool // the screens are gone
	lines []string
	acts  map[int]chan struct{} // closed when it has ended
	n     int
}

// carryOut runs a command that changes something.
func (d *Desk) carryOut(ctx context.Context, width int, words []string, progress func(string)) (said string, code int) {
	end, ok := d.parting.begin()
	if !ok {
		return "the screens were left before it began", 1
	}
	defer func() { end(d.CommandLine.Line(words...), said) }()

	return d.CommandLine.Run(ctx, width, words, progress)
}

// begin takes note of an act, unless the screens are gone. Its end is told to what
// it returns.
func (p *parting) begin() (end func(line, said string), ok bool) {
	if p == nil { // nobody leaves
		return func(string, string) {}, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left {
		return nil, false
	}
	p.n++
	n, ended := p.n, make(chan struct{})
	if p.acts == nil {
		p.acts = map[int]chan struct{}{}
	}
	p.acts[n] = ended

	return func(line, said string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.acts, n)
		if p.left {
			p.lines = append(p.lines, "$ "+Clean(line), strings.TrimRight(said, "\n"))
		}
		close(ended)
	}, true
}

// leave waits for the acts under way, until ctx ends, and writes what they said.
func (p *parting) leave(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, partingTime)
	defer cancel()

	p.mu.Lock()
	p.left = true
	under := make([]chan struct{}, 0, len(p.acts))
	for _, ended := range p.acts {
		under = append(under, ended)
	}
	p.mu.Unlock()
	if len(under) == 0 {
		return nil
	}

	if _, err := io.WriteString(out, "stopping what is under way…\n"); err != nil {
		return fmt.Errorf("say what is stopped: %w", err)
	}
	for _, ended := range under {
		select {
		case <-ended:
		case <-ctx.Done():
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	text := strings.Join(p.lines, "\n")
	if len(p.acts) > 0 {
		text += "\nit does not end: what came of it is in the audit log"
	}
	if _, err := fmt.Fprintln(out, strings.TrimPrefix(text, "\n")); err != nil {
		return fmt.Errorf("say what was stopped: %w", err)
	}

	return nil
}
