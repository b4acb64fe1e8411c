package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/operator"
	"trivia/internal/signature"
	"trivia/internal/simulate"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// signingKey signs nothing but what is sent here.
const signingKey = "reliability-signing-key"

// A result is what a row came to.
type result struct {
	row    row
	report *simulate.Report
	proof  operator.TrialProof // of both kinds together
	proved bool
	audit  string // what the audit found; empty: nothing
	peak   int64  // of the hook's memory, in bytes
	times  string // how often it was done
	notes  []string
	err    error
	took   time.Duration
}

// A stage is where a row is played: a database, one or more hooks, and the sender.
type stage struct {
	result
	options

	dir   string
	db    *cluster          // the one that is asked in the end
	env   map[string]string // of the hooks
	at    string            // host:port that the sender calls
	mu    sync.Mutex
	hooks []*process // all that were ever started
	rest  []func()   // ends everything else, last first
	watch chan struct{}
	load  simulate.Options
	keys  string // that the sender signs with, at the moment
}

func newStage(ctx context.Context, opts options) (*stage, error) {
	dir, err := os.MkdirTemp("", "trivia-reliability-")
	if err != nil {
		return nil, err
	}
	public, err := port(ctx)
	if err != nil {
		return nil, err
	}
	s := &stage{options: opts, dir: dir, at: "127.0.0.1:" + strconv.Itoa(public), watch: make(chan struct{}), keys: signingKey}
	s.env = map[string]string{
		"TRIVIA_LISTEN": s.at, "TRIVIA_ADMIN_LISTEN": "127.0.0.1:0", "TRIVIA_SOURCES": "loopback", "TRIVIA_ENV": "reliability",
		"CUSTOMERIO_WEBHOOK_SECRET": signingKey, "TRIVIA_WAREHOUSE": "off", "PATH": os.Getenv("PATH"), "HOME": dir,
	}
	s.load = simulate.Options{
		Seed: rand.Uint64() >> 33, Events: -1, Wins: -1, EventRate: 20, WinRate: 60, NewConnections: 0.5,
		Hour: 30 * time.Second, Users: 3000, Agent: "reliability",
	}
	go s.measure()

	return s, os.Chmod(dir, 0o755) // Postgres is another user
}

// measure keeps the most memory that any hook has had.
func (s *stage) measure() {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.watch:
			return
		case <-tick.C:
		}
		s.mu.Lock()
		for _, h := range s.hooks {
			if !h.gone() {
				s.peak = max(s.peak, h.peak())
			}
		}
		s.mu.Unlock()
	}
}

// end ends all that was started.
func (s *stage) end() {
	close(s.watch)
	for _, h := range s.hooks {
		if !h.gone() {
			_ = h.end(syscall.SIGTERM)
		}
	}
	for _, end := range slices.Backward(s.rest) {
		end()
	}
}

// tidy is end, and removes what is left.
func (s *stage) tidy() {
	s.end()
	_ = os.RemoveAll(s.dir)
}

// later does something when the row is over.
func (s *stage) later(do func()) { s.rest = append(s.rest, do) }

func (s *stage) endLater(c *cluster) {
	s.later(func() {
		if c.process != nil && !c.gone() {
			_ = c.end(syscall.SIGQUIT)
		}
	})
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

// withDatabase starts a migrated database with the users of the run in it.
func (s *stage) withDatabase(ctx context.Context) (err error) {
	if s.db, err = newCluster(ctx, s.path("db")); err != nil {
		return err
	}
	s.endLater(s.db)
	s.env["DATABASE_URL"] = s.db.url("postgres")

	return s.fill(ctx)
}

func (s *stage) fill(ctx context.Context) error {
	if _, err := store.Migrate(ctx, s.db.url("postgres")); err != nil {
		return err
	}

	return s.db.exec(ctx, fmt.Sprintf(
		"INSERT INTO users (user_id) SELECT '%s-u' || n FROM generate_series(0, %d) AS n", s.load.WinTrial(), s.load.Users-1))
}

// start starts a hook, with what more says beside the stage's settings, and
// waits until it takes deliveries.
func (s *stage) start(ctx context.Context, more map[string]string) (*process, error) {
	h, err := s.launch(more, nil)
	if err != nil {
		return nil, err
	}

	return h, s.ready(ctx, h)
}

func (s *stage) launch(more map[string]string, change func(*exec.Cmd)) (*process, error) {
	cmd := exec.Command(filepath.Join(s.bin, "trivia-hook")) //nolint:noctx // it is ended gently
	env := maps.Clone(s.env)
	maps.Copy(env, more)
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Dir = s.dir
	if change != nil {
		change(cmd)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h, err := launch(cmd, s.path("hook-"+strconv.Itoa(len(s.hooks)+1)+".log"))
	if err == nil {
		s.hooks = append(s.hooks, h)
	}

	return h, err
}

// ready waits until a hook says that it is.
func (s *stage) ready(ctx context.Context, h *process) error {
	if err := until(ctx, "trivia-hook", func() bool { return h.gone() || h.says(`"msg":"ready"`) }); err != nil {
		return fmt.Errorf("%w: %s", err, h.last())
	}
	if h.gone() {
		return fmt.Errorf("trivia-hook has ended: %w: %s", h.err, h.last())
	}

	return nil
}

// patience is how long the sender may need for what is left when all is well
// again. One that was told to wait an hour shall not wait it out for each event.
const patience = time.Minute

// play lets the sender deliver while something is done, and for a moment before
// and after, then waits until everything is through, and asks the database.
func (s *stage) play(ctx context.Context, do func(ctx context.Context) error) error {
	over := make(chan struct{})
	played := make(chan error, 1)
	playing, giveUp := context.WithCancel(ctx)
	defer giveUp()
	go func() {
		report, err := simulate.Run(playing, s.sender(over))
		s.report = report
		played <- err
	}()

	pause(ctx, time.Second)
	done := do(ctx)
	pause(ctx, time.Second)
	close(over)
	late := time.AfterFunc(patience, giveUp)
	defer late.Stop()
	if err := <-played; err != nil {
		return errors.Join(done, err)
	}

	return errors.Join(done, s.prove(context.WithoutCancel(ctx)))
}

func (s *stage) sender(over <-chan struct{}) simulate.Options {
	o := s.load
	o.EventURL, o.WinURL = "http://"+s.at+customerio.PathEvent, "http://"+s.at+customerio.PathWin
	o.Now, o.Until = time.Now, over
	o.Keys = func(trivia.Kind) signature.Key {
		s.mu.Lock()
		defer s.mu.Unlock()
		key, _ := signature.NewKey(s.keys) // it is one

		return key
	}

	return o
}

// signWith lets the sender sign with another key from now on.
func (s *stage) signWith(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = key
}

// settleTime is how long what is pending may take to be settled. What is not by
// then is told; it is neither lost nor double.
const settleTime = 15 * time.Second

// prove asks the database what has become of what was acknowledged.
func (s *stage) prove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	opened, err := store.Open(ctx, s.db.url("postgres"))
	if err != nil {
		return fmt.Errorf("prove: %w", err)
	}
	defer opened.Close()
	ask := operator.New(opened, "reliability")
	for _, trial := range []operator.Trial{
		{Name: s.load.WinTrial(), Kind: trivia.KindWin, Users: s.load.Users, Trivias: simulate.DefaultTrivias},
		{Name: s.load.EventTrial(), Kind: trivia.KindEvent},
	} {
		for end := time.Now().Add(settleTime); time.Now().Before(end); pause(ctx, 200*time.Millisecond) {
			if n, err := ask.PendingTrial(ctx, trial); err == nil && n == 0 {
				break
			}
		}
		p, err := ask.ProveTrial(ctx, trial, s.report.Acknowledged(trial.Kind), func(int) {})
		if err != nil {
			return fmt.Errorf("prove: %w", err)
		}
		s.add(p)
	}
	s.proved = true

	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "triviactl"), "audit")
	cmd.Env = []string{"DATABASE_URL=" + s.db.url("postgres"), "HOME=" + s.dir, "CUSTOMERIO_WEBHOOK_SECRET=" + signingKey}
	if said, err := cmd.CombinedOutput(); err != nil {
		s.audit = strings.TrimSpace(string(said))
	}

	return nil
}

func (s *stage) add(p operator.TrialProof) {
	s.proof.Rows += p.Rows
	s.proof.Pending += p.Pending
	s.proof.Parked += p.Parked
	s.proof.Settled += p.Settled
	s.proof.Lost += p.Lost
	s.proof.Wins += p.Wins
	s.proof.Prizes += p.Prizes
	s.proof.Double += p.Double
}

// note adds something that the page tells of the row.
func (s *stage) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// repeat does something n times, or twice if the run is brief.
func (s *stage) repeat(ctx context.Context, n int, do func(i int) error) error {
	if s.brief {
		n = min(n, 2)
	}
	done := 0
	var err error
	for i := range n {
		if ctx.Err() != nil {
			err = fmt.Errorf("ended after %d of %d: %w", i, n, ctx.Err())

			break
		}
		if err = do(i); err != nil {
			break
		}
		done++
	}
	s.times = fmt.Sprintf("×%d", done)

	return err
}

// seconds is a time that is shorter where the run is brief.
func (s *stage) seconds(n int) time.Duration {
	if s.brief {
		n = min(n, 2)
	}

	return time.Duration(n) * time.Second
}
