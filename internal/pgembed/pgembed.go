// Package pgembed runs a private Postgres: it finds the binaries, makes a
// cluster on first use, starts it on a unix socket of its own, stops it
// cleanly, and recovers from a kill -9 of the server or of its owner. It never
// wipes data, and touches nothing outside its directory and its socket
// directory.
//
// It speaks to the server by signals and files only; a client library is the
// business of whoever uses [Cluster.URL].
package pgembed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Errors that callers branch on.
var (
	// ErrInUse means that another process owns the directory's cluster.
	ErrInUse = errors.New("data directory is in use")
	// ErrNotRunning means that no cluster of the directory answers.
	ErrNotRunning = errors.New("no embedded Postgres is running")
	// ErrNoBinaries means that this machine has no Postgres server that fits.
	ErrNoBinaries = errors.New("no Postgres server found")
	// ErrOtherMajor means that the data was made by a major version of Postgres
	// that this machine does not have.
	ErrOtherMajor = errors.New("data is of another major version of Postgres")
	// ErrDiskFull means that the disk has no room for what a start needs. Nothing
	// is damaged by it: the next start goes on when there is room.
	ErrDiskFull = errors.New("the disk is full")
)

// Database and Role are the names that every cluster is made with.
const (
	Database = "trivia"
	Role     = "postgres"
)

// renewEvery is how often a running server is compared with its binaries: a
// minor upgrade of the package under it breaks it at its next first use of an
// extension, of which PL/pgSQL is one.
const renewEvery = 5 * time.Second

// Options say where a private Postgres lives and how careful it is.
type Options struct {
	Dir      string       // required; made if it is missing, its data is kept in Dir/postgres
	Durable  bool         // false may lose everything at a crash of the machine: only for tests
	TCP      string       // a loopback host:port to listen on as well; "" = the unix socket only
	BinDir   string       // the server's binaries; "" = look for them, as Binaries does
	Template string       // a directory that keeps a copy of new data, to be quick the next time: only for tests; "" = none
	Log      *slog.Logger // nil = silent

	renewEvery time.Duration // 0 = renewEvery
	sayEvery   time.Duration // 0 = sayEvery
	pauseMost  time.Duration // 0 = pauseMost
}

// A Cluster is a running private Postgres. It has one owner in all of the
// machine: this process.
type Cluster struct {
	options Options
	place   place
	account account
	socket  socket
	lock    *lock
	output  *output
	log     *slog.Logger

	pid     atomic.Int64
	cleared bool               // no server but ours uses the data and the socket
	cancel  context.CancelFunc // asks supervise to stop the server
	hurry   chan struct{}      // closed when Stop may wait no longer
	once    sync.Once          // closes hurry
	done    chan struct{}      // closed when the server is gone and everything is released
	err     error              // how the server ended by itself; read it after done
	stopErr error              // why the server could not be stopped; read it after done
}

// Start starts the cluster of o.Dir, making it first if there is none, and
// returns when it answers. That may take long, since a server that was killed
// has to recover first: it is logged every now and then, and only ctx limits it.
// Once Start has returned, ctx no longer matters; [Cluster.Stop] ends the
// cluster, and so does the end of this process.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.renewEvery = cmp.Or(o.renewEvery, renewEvery)
	o.sayEvery = cmp.Or(o.sayEvery, sayEvery)
	o.pauseMost = cmp.Or(o.pauseMost, pauseMost)

	c := &Cluster{options: o, log: o.Log, hurry: make(chan struct{}), done: make(chan struct{})}
	s, err := c.open(ctx)
	if err != nil {
		c.release()

		return nil, fmt.Errorf("start embedded Postgres: %w", spaceless(err))
	}

	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	go c.supervise(running, s)

	return c, nil
}

// open does what Start has to do in this process's name, up to a server that
// answers. What it has taken is in c, also when it fails.
func (c *Cluster) open(ctx context.Context) (*server, error) {
	var err error
	if c.place, err = newPlace(c.options.Dir); err != nil {
		return nil, err
	}
	if c.account, err = chooseAccount(c.place.data()); err != nil {
		return nil, err
	}
	if err := c.account.makeDir(c.place.dir); err != nil {
		return nil, err
	}
	if c.lock, err = acquire(ctx, c.place); err != nil {
		return nil, err
	}
	if c.output, err = openOutput(c.place.log()); err != nil {
		return nil, err
	}
	defer c.sayProgress(ctx)()

	bin, err := c.binaries(ctx)
	if err != nil {
		return nil, err
	}
	if c.socket, err = newSocket(c.place, c.account, c.options.TCP); err != nil {
		return nil, err
	}
	for _, dir := range []string{c.place.dir, c.socket.dir} {
		if err := c.account.canRun(ctx, bin, dir); err != nil {
			return nil, err
		}
	}

	if err := c.initialise(ctx, bin); err != nil {
		return nil, err
	}

	return c.run(ctx, bin)
}

// supervise owns the server until it is gone.
func (c *Cluster) supervise(ctx context.Context, s *server) {
	defer close(c.done)
	defer c.release()
	defer c.cancel()

	renew := time.NewTicker(c.options.renewEvery)
	defer renew.Stop()

	for {
		select {
		case <-s.done:
			c.err = s.death(c.output)

			return
		case <-ctx.Done():
			c.stopErr = s.shutDown(c.log, c.hurry)

			return
		case <-renew.C:
			next, err := c.renew(ctx, s)
			if err != nil && ctx.Err() == nil {
				c.err = err
			}
			if err != nil {
				return
			}
			s = next
		}
	}
}

// release gives back all that open has taken.
func (c *Cluster) release() {
	if c.lock == nil {
		return
	}

	if c.cleared {
		_ = os.Remove(c.place.state())
		_ = c.socket.clear()
	}
	_ = os.Remove(c.socket.dir) // unless something is in it
	if c.output != nil {
		c.output.close()
	}
	c.lock.release()
}

// URL returns where the database answers, for pgx and psql alike.
func (c *Cluster) URL() string { return c.socket.url() }

// Dir returns the directory that the cluster was started with.
func (c *Cluster) Dir() string { return c.place.dir }

// PID returns the process id of the server.
func (c *Cluster) PID() int { return int(c.pid.Load()) }

// Done is closed when the server is gone, stopped or by itself; a new Start
// of the same directory works from then on.
func (c *Cluster) Done() <-chan struct{} { return c.done }

// Err returns nil while the server runs and after a Stop, and how the server
// ended if it ended by itself.
func (c *Cluster) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// Stop stops the server and returns when it is gone. Clients are disconnected
// and the data is written out. When ctx ends first, the server is killed
// instead: nothing committed is lost, and the next start takes longer. To stop
// a server that is gone already is no error.
func (c *Cluster) Stop(ctx context.Context) error {
	c.cancel()
	select {
	case <-c.done:
	case <-ctx.Done():
		c.once.Do(func() { close(c.hurry) })
		<-c.done
	}

	if c.stopErr != nil {
		return fmt.Errorf("stop embedded Postgres: %w", c.stopErr)
	}

	return nil
}
