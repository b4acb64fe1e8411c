package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"trivia/internal/config"
)

// Doors are the two listeners, and who else holds them: systemd, which lets
// callers wait while one service ends and the next one starts; or the service
// that is being replaced.
type doors struct {
	public, private *door
	log             *slog.Logger

	before *predecessor // who had them; nil: nobody
	once   sync.Once    // for before to be told
}

// openDoors opens the listeners, or takes over those that there are.
func openDoors(ctx context.Context, set settings, opts flags, log *slog.Logger) (*doors, error) {
	d := &doors{log: log}
	given, err := activation.ListenersWithNames()
	if err != nil {
		return nil, fmt.Errorf("take the listeners of systemd: %w", err)
	}
	if len(given) > 0 {
		return d, d.fromSystemd(ctx, set, given)
	}
	if opts.takeover {
		if d.before, err = awaitPredecessor(ctx, set.Listen); err != nil {
			return nil, fmt.Errorf("take the listeners of the running trivia-hook over: %w", err)
		}
	}
	if d.before != nil {
		d.public, d.private = newDoor(d.before.public, false), newDoor(d.before.private, false)
		d.public.holdUp()
		d.private.holdUp()
		log.InfoContext(ctx, "taking the listeners of a running trivia-hook over, when ready", slog.Int("pid", d.before.pid))
		go d.watch()

		return d, nil
	}
	if d.public, err = openDoor(ctx, set.Listen); err != nil {
		return nil, fmt.Errorf("open the public listener: %w", err)
	}
	if d.private, err = openDoor(ctx, set.AdminListen); err != nil {
		_ = d.public.Close()
		return nil, fmt.Errorf("open the private listener: %w", err)
	}

	return d, nil
}

// One that has itself just taken over offers the listeners when the one before
// it has ended.
const (
	predecessorTime  = 15 * time.Second
	predecessorAgain = 50 * time.Millisecond
)

// awaitPredecessor returns the trivia-hook that listens on addr; nil if nobody
// listens there.
func awaitPredecessor(ctx context.Context, addr string) (*predecessor, error) {
	ctx, cancel := context.WithTimeout(ctx, predecessorTime)
	defer cancel()
	again := time.NewTicker(predecessorAgain)
	defer again.Stop()

	for {
		p, err := findPredecessor(ctx, addr)
		if p != nil || err != nil {
			return p, err
		}
		l, err := listen(ctx, addr)
		if err == nil {
			return nil, l.Close()
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, nil //nolint:nilnil // whoever opens it says so
		}
		select {
		case <-ctx.Done():
			return nil, nil //nolint:nilnil // somebody else listens there, who hands nothing over
		case <-again.C:
		}
	}
}

func openDoor(ctx context.Context, addr string) (*door, error) {
	l, err := listen(ctx, addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w; to replace a trivia-hook that runs there: trivia-hook --takeover", err)
	}
	if err != nil {
		return nil, err
	}

	return newDoor(l, false), nil
}

// fromSystemd uses the sockets of trivia-hook.socket, by their names (public
// and private), or the only one without a name as the public one.
func (d *doors) fromSystemd(ctx context.Context, set settings, given map[string][]net.Listener) error {
	named := func(name string) net.Listener {
		if all := given[name]; len(all) == 1 {
			return all[0]
		}

		return nil
	}
	public, private := named("public"), named("private")
	if public == nil && len(given) == 1 {
		for _, all := range given {
			if len(all) == 1 {
				public = all[0]
			}
		}
	}
	if public == nil {
		return errors.New("take the listeners of systemd: want one socket, or FileDescriptorName=public and =private")
	}
	d.public = newDoor(public, true)
	if private != nil {
		d.private = newDoor(private, true)
		return nil
	}

	var err error
	if d.private, err = openDoor(ctx, set.AdminListen); err != nil {
		return fmt.Errorf("open the private listener (%s): %w", config.AdminListen, err)
	}

	return nil
}

// taken tells whoever had the listeners before that they are ours now.
func (d *doors) taken() {
	if d.before == nil {
		return
	}
	d.once.Do(func() {
		d.before.taken()
		d.public.letIn()
		d.private.letIn()
	})
}

// watch takes over from a predecessor that ends without having been told to.
func (d *doors) watch() {
	<-d.before.gone
	d.taken()
}

// waitGone returns when the predecessor has ended, if there was one.
func (d *doors) waitGone(ctx context.Context) {
	if d.before == nil {
		return
	}
	select {
	case <-d.before.gone:
	case <-ctx.Done():
	}
}

// close closes both.
func (d *doors) close() {
	_ = d.public.Close()
	_ = d.private.Close()
	if d.before != nil {
		_ = d.before.conn.Close()
	}
}
