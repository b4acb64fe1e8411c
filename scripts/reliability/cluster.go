package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/pgembed"
)

// A cluster is a Postgres that is treated badly. It keeps its durability.
type cluster struct {
	dir, bin string
	port     int
	*process
}

// newCluster makes an empty one in dir, which is made too, and starts it.
func newCluster(ctx context.Context, dir string) (*cluster, error) {
	c, err := placeCluster(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := c.tool(ctx, "initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return nil, err
	}

	return c, c.start(ctx)
}

func placeCluster(ctx context.Context, dir string) (*cluster, error) {
	bin, err := pgembed.Binaries(ctx)
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, bin: bin}
	if c.port, err = port(ctx); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}

	return c, own(dir)
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

// command returns one of Postgres' programs, to run as whom it accepts.
func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...) //nolint:noctx // it is ended gently
	cmd.Dir = c.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=" + c.dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: unprivileged()}

	return cmd
}

func (c *cluster) tool(ctx context.Context, name string, args ...string) error {
	p, err := launch(c.command(name, args...), filepath.Join(c.dir, name+".log"))
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		p.signal(syscall.SIGKILL)
		<-p.done

		return ctx.Err()
	case <-p.done:
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w: %s", name, p.err, p.last())
	}

	return nil
}

// start starts the server, and returns when it answers. After a kill, what is
// left of the former one may hold the data for a moment.
func (c *cluster) start(ctx context.Context) error {
	return until(ctx, "Postgres", func() bool {
		if c.process == nil || c.gone() {
			cmd := c.command("postgres", "-D", c.data(), "-p", strconv.Itoa(c.port),
				"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=60",
				"-c", "shared_buffers=32MB", "-c", "hot_standby=on", "-c", "wal_keep_size=64MB")
			p, err := launch(cmd, filepath.Join(c.dir, "postgres.log"))
			if err != nil {
				return false
			}
			c.process = p
		}

		return c.exec(ctx, "SELECT") == nil
	})
}

// kill is what the power supply does.
func (c *cluster) kill() {
	c.signal(syscall.SIGKILL)
	<-c.done
}

// stop disconnects everybody and ends the server.
func (c *cluster) stop() error { return c.end(syscall.SIGINT) }

func (c *cluster) url(role string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/postgres?sslmode=disable", role, c.port)
}

// exec runs statements as the superuser.
func (c *cluster) exec(ctx context.Context, sql string) error {
	_, err := c.ask(ctx, sql)

	return err
}

// ask is exec, and returns the first value of the last row.
func (c *cluster) ask(ctx context.Context, sql string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.url("postgres"))
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	results, err := conn.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil {
		return "", fmt.Errorf("%s: %w", sql, err)
	}
	value := ""
	for _, r := range results {
		for _, row := range r.Rows {
			if len(row) > 0 {
				value = string(row[0])
			}
		}
	}

	return value, nil
}

// set changes a setting of the running server.
func (c *cluster) set(ctx context.Context, name, value string) error {
	// ALTER SYSTEM does not go with anything else.
	if err := c.exec(ctx, "ALTER SYSTEM SET "+name+" = '"+value+"'"); err != nil {
		return err
	}

	return c.exec(ctx, "SELECT pg_reload_conf()")
}

// standby makes a copy of the cluster in dir that follows it, and starts it.
func (c *cluster) standby(ctx context.Context, dir string) (*cluster, error) {
	s, err := placeCluster(ctx, dir)
	if err != nil {
		return nil, err
	}

	return s, s.follow(ctx, c)
}

// follow makes s anew as a standby of c.
func (c *cluster) follow(ctx context.Context, primary *cluster) error {
	if err := os.RemoveAll(c.data()); err != nil {
		return err
	}
	err := c.tool(ctx, "pg_basebackup", "-h", "127.0.0.1", "-p", strconv.Itoa(primary.port), "-U", "postgres",
		"-D", c.data(), "-R", "-c", "fast", "--no-sync", "-X", "stream")
	if err != nil {
		return err
	}

	return c.start(ctx)
}

// promote makes a standby the primary.
func (c *cluster) promote(ctx context.Context) error {
	if err := c.exec(ctx, "SELECT pg_promote(true, 30)"); err != nil {
		return err
	}

	return until(ctx, "the standby to take writes", func() bool {
		got, err := c.ask(ctx, "SELECT pg_is_in_recovery()")

		return err == nil && got == "f"
	})
}
