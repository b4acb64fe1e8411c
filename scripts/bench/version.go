package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/pgembed"
	"trivia/internal/signature"
	"trivia/internal/store"
)

// A version is one of the two programs.
type version struct {
	name  string
	start func(ctx context.Context, opts options, url string) (*program, error)
}

// versionsOf returns the two that are measured, the one to compare with first.
func versionsOf(opts options) []version {
	hook := version{"trivia-hook", func(ctx context.Context, opts options, url string) (*program, error) {
		return startHook(ctx, opts, url, "TRIVIA_WAREHOUSE=off")
	}}
	if !opts.copying {
		return []version{{"plain", startPlain}, hook}
	}

	return []version{hook, {copying, startCopying}}
}

const copying = "copying"

// startCopying is startHook with a warehouse of files, which are removed when
// the program ends.
func startCopying(ctx context.Context, opts options, url string) (*program, error) {
	dir, err := os.MkdirTemp("", "trivia-bench-files-")
	if err != nil {
		return nil, err
	}
	p, err := startHook(ctx, opts, url, "TRIVIA_WAREHOUSE=files:"+dir, "TRIVIA_WAREHOUSE_EVERY=1s")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	p.dir = dir

	return p, nil
}

// A program is a version, running.
type program struct {
	*exec.Cmd

	addr string
	dir  string // of what it has written; removed when it ends
}

func (p *program) stop() error {
	_ = p.Process.Signal(syscall.SIGTERM)
	err := p.Wait()
	if p.dir == "" {
		return err
	}

	return errors.Join(err, os.RemoveAll(p.dir))
}

// measure runs one load against a fresh database and proves that what was
// accepted is there.
func (v version) measure(
	ctx context.Context, opts options, key signature.Key, cluster *pgembed.Cluster, kind workload, conns int,
) (r report, err error) {
	db, err := newDatabase(ctx, cluster.URL(), opts.users)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, db.drop(context.WithoutCancel(ctx))) }()

	if v.name == "plain" {
		if err := db.exec(ctx, db.url, plainSchema); err != nil {
			return r, err
		}
	}
	p, err := v.start(ctx, opts, db.url)
	if err != nil {
		return r, err
	}
	l := load{
		addr: p.addr, conns: conns, warm: 2 * time.Second, measured: time.Duration(opts.seconds) * time.Second,
		requests: kind.requests(key, opts.requests, opts.users),
	}
	var cpu [2]usage
	gauges := 0
	var copied [2]int
	r.tally, err = l.run(ctx, func() {
		cpu[gauges] = usage{cpuOf(p.Process.Pid), cpuOf(cluster.PID()), ownCPU()}
		if v.name == copying {
			copied[gauges] = db.copied(ctx)
		}
		gauges++
	})
	r.copied = copied[1] - copied[0]
	r.memory = peakMemory(p.Process.Pid)
	r.cpu = cpu[1].minus(cpu[0])
	if err == nil && v.name != "plain" {
		err = db.settled(ctx)
	}
	if stopErr := p.stop(); err == nil && stopErr != nil && v.name != "plain" {
		err = fmt.Errorf("stop: %w", stopErr)
	}
	if err != nil {
		return r, err
	}

	name := v.name
	if name == copying {
		name = "trivia-hook"
	}

	return r, db.prove(ctx, kind, name, r.accepted)
}

// A database is one of its own on the cluster.
type database struct {
	name, url, cluster string
}

func newDatabase(ctx context.Context, cluster string, users int) (database, error) {
	db := database{name: fmt.Sprintf("bench_%d", time.Now().UnixNano()), cluster: cluster}
	if err := db.exec(ctx, cluster, "CREATE DATABASE "+db.name); err != nil {
		return db, err
	}
	u, err := url.Parse(cluster)
	if err != nil {
		return db, err
	}
	u.Path = "/" + db.name
	db.url = u.String()
	if _, err := store.Migrate(ctx, db.url); err != nil {
		return db, err
	}
	for _, sql := range []string{
		fmt.Sprintf("INSERT INTO users (user_id) SELECT 'user-' || n FROM generate_series(0, %d) AS n", users-1),
		"VACUUM ANALYZE", "CHECKPOINT",
	} {
		if err := db.exec(ctx, db.url, sql); err != nil {
			return db, err
		}
	}
	time.Sleep(settleDown)

	return db, nil
}

func (db database) exec(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, sql)

	return err
}

// copied returns how many rows were handed to the warehouse; 0 if that cannot be
// told.
func (db database) copied(ctx context.Context) (n int) {
	conn, err := pgx.Connect(ctx, db.url)
	if err != nil {
		return 0
	}
	defer func() { _ = conn.Close(ctx) }()
	_ = conn.QueryRow(ctx, `SELECT coalesce(sum(sent), 0) FROM warehouse_positions`).Scan(&n)

	return n
}

func (db database) drop(ctx context.Context) error {
	return db.exec(ctx, db.cluster, "DROP DATABASE "+db.name+" WITH (FORCE)")
}

// How long a hook has to settle what intake could only keep, as while the disk
// stood still.
const (
	settleWithin = 30 * time.Second
	askAgain     = 100 * time.Millisecond
)

// settled waits until nothing is pending: what was kept and not yet settled when
// the load ended is accepted, too.
func (db database) settled(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, db.url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()

	for end := time.Now().Add(settleWithin); ; time.Sleep(askAgain) {
		var pending int
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM deliveries WHERE state = 'pending'").Scan(&pending); err != nil {
			return err
		}
		if pending == 0 {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%d deliveries are still pending after %v", pending, settleWithin)
		}
	}
}

// prove fails if less is there than was accepted while it was measured.
func (db database) prove(ctx context.Context, kind workload, version string, accepted int) error {
	conn, err := pgx.Connect(ctx, db.url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()

	rows, err := conn.Query(ctx, kind.proof[version])
	if err != nil {
		return err
	}
	counts, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return err
	}
	for _, n := range counts {
		if n < accepted || n != counts[0] {
			return fmt.Errorf("%d accepted, but counted %v by: %s", accepted, counts, kind.proof[version])
		}
	}

	return nil
}

func startPlain(ctx context.Context, opts options, url string) (*program, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	const addr = "127.0.0.1:18099"
	cmd := exec.CommandContext(ctx, self, "-plain", addr, "-url", url, "-plain-conns", fmt.Sprint(opts.plainConns), fmt.Sprintf("-barest=%t", opts.barest))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for range 200 {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			return &program{Cmd: cmd, addr: addr}, conn.Close()
		}
		time.Sleep(25 * time.Millisecond)
	}

	return nil, errors.New("does not listen")
}

func startHook(ctx context.Context, opts options, url string, env ...string) (*program, error) {
	cmd := exec.CommandContext(ctx, opts.hook)
	cmd.Env = append(os.Environ(),
		"DATABASE_URL="+url, "CUSTOMERIO_WEBHOOK_SECRET="+secret, "TRIVIA_SOURCES=loopback",
		"TRIVIA_LISTEN=127.0.0.1:0", "TRIVIA_ADMIN_LISTEN=127.0.0.1:0")
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}

	log := bufio.NewScanner(out)
	var said strings.Builder
	for log.Scan() {
		var line struct{ Msg, Public string }
		_ = json.Unmarshal(log.Bytes(), &line)
		if line.Msg == "ready" {
			go complain(log)
			return &program{Cmd: cmd, addr: line.Public}, nil
		}
		_, _ = fmt.Fprintln(&said, log.Text())
	}

	return nil, fmt.Errorf("does not start: %s", said.String())
}

// complain shows the errors that a program logs.
func complain(log *bufio.Scanner) {
	for log.Scan() {
		if strings.Contains(log.Text(), `"level":"ERROR"`) {
			_, _ = fmt.Fprintln(os.Stderr, log.Text())
		}
	}
}
