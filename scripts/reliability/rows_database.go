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
)

const often = 10

func databaseRows() []row {
	return []row{
		{name: "database absent", what: "nobody answers where the database should be when the hook starts, for 20 s, which looks like 40 minutes to the sender", do: absent},
		{name: "Postgres killed", what: "kill -9 of the server, and started anew", do: func(ctx context.Context, s *stage) error {
			return outages(ctx, s, func() error { s.db.kill(); return nil }, 0)
		}},
		{name: "Postgres restarted", what: "a fast restart of the server", do: func(ctx context.Context, s *stage) error {
			return outages(ctx, s, func() error { return s.db.stop() }, 0)
		}},
		{name: "Postgres stopped", what: "stopped for 1.5 s, which looks like 45 seconds to the sender, and started", do: func(ctx context.Context, s *stage) error {
			return outages(ctx, s, func() error { return s.db.stop() }, 1500*time.Millisecond)
		}},
		{name: "failover", what: "the primary is killed (kill -9), its synchronous standby promoted, the former primary made anew as standby of the new one", do: failover},
		{name: "standby away", what: "the synchronous standby is stopped for 8 s, then the primary is lost and the standby promoted: what was acknowledged must be on it", do: standbyAway},
	}
}

func absent(ctx context.Context, s *stage) error {
	if err := s.withDatabase(ctx); err != nil {
		return err
	}
	if err := s.db.stop(); err != nil {
		return err
	}
	h, err := s.launch(nil, nil)
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := until(ctx, "the public listener", func() bool { return h.gone() || answers(s.at) }); err != nil || h.gone() {
		return fmt.Errorf("the hook does not listen without a database: %s", h.last())
	}
	s.note("the public listener answered %d ms after the start", time.Since(begun).Milliseconds())

	return s.play(ctx, func(ctx context.Context) error {
		pause(ctx, s.seconds(20))
		if err := s.db.start(ctx); err != nil {
			return err
		}

		return s.ready(ctx, h)
	})
}

// longHour is how long the sender's hour takes where the database is away again
// and again: with the usual one, most of an hour would be an outage, and what
// the sender gives up would say nothing about the hook.
const longHour = 2 * time.Minute

// outages ends the server and starts it anew, again and again, and leaves it in
// peace for as long as it was away.
func outages(ctx context.Context, s *stage, end func() error, away time.Duration) error {
	s.load.Hour = longHour
	if err := s.usual(ctx); err != nil {
		return err
	}

	return s.play(ctx, func(ctx context.Context) error {
		return s.repeat(ctx, often, func(int) error {
			begun := time.Now()
			if err := end(); err != nil {
				return err
			}
			pause(ctx, away)
			if err := s.db.start(ctx); err != nil {
				return err
			}
			pause(ctx, max(time.Second, time.Since(begun)))

			return nil
		})
	})
}

// withStandby starts a primary and its synchronous standby, and a hook that
// knows both.
func (s *stage) withStandby(ctx context.Context) (standby *cluster, err error) {
	if err := s.withDatabase(ctx); err != nil {
		return nil, err
	}
	if standby, err = s.db.standby(ctx, s.path("standby")); err != nil {
		return nil, err
	}
	s.endLater(standby)
	if err := s.synchronous(ctx); err != nil {
		return nil, err
	}
	s.env["DATABASE_URL"] = fmt.Sprintf(
		"postgres://postgres@127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable&target_session_attrs=read-write&connect_timeout=2",
		s.db.port, standby.port)
	_, err = s.start(ctx, nil)

	return standby, err
}

// synchronous lets the primary wait for its standby.
func (s *stage) synchronous(ctx context.Context) error {
	if err := s.db.set(ctx, "synchronous_standby_names", "*"); err != nil {
		return err
	}

	return until(ctx, "the standby to be synchronous", func() bool {
		got, err := s.db.ask(ctx, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")

		return err == nil && got == "1"
	})
}

func failover(ctx context.Context, s *stage) error {
	s.load.Hour = longHour
	standby, err := s.withStandby(ctx)
	if err != nil {
		return err
	}

	return s.play(ctx, func(ctx context.Context) error {
		return s.repeat(ctx, often, func(int) error {
			begun := time.Now()
			s.db.kill()
			if err := standby.promote(ctx); err != nil {
				return err
			}
			s.db, standby = standby, s.db
			// It would wait for a standby that is not there yet.
			if err := s.db.set(ctx, "synchronous_standby_names", ""); err != nil {
				return err
			}
			if err := standby.follow(ctx, s.db); err != nil {
				return err
			}
			if err := s.synchronous(ctx); err != nil {
				return err
			}
			pause(ctx, max(time.Second, time.Since(begun)/2))

			return nil
		})
	})
}

func standbyAway(ctx context.Context, s *stage) error {
	standby, err := s.withStandby(ctx)
	if err != nil {
		return err
	}

	return s.play(ctx, func(ctx context.Context) error {
		if err := standby.stop(); err != nil {
			return err
		}
		pause(ctx, s.seconds(8))
		s.db.kill()
		if err := standby.start(ctx); err != nil {
			return err
		}
		if err := standby.promote(ctx); err != nil {
			return err
		}
		s.db = standby
		if err := s.db.set(ctx, "synchronous_standby_names", ""); err != nil {
			return err
		}
		pause(ctx, 3*time.Second)

		return nil
	})
}

func poolerRows() (all []row) {
	for _, mode := range []string{"session", "transaction"} {
		all = append(all, row{
			name: "PgBouncer, " + mode, what: "PgBouncer in " + mode + " mode between hook and database, restarted halfway",
			do: func(ctx context.Context, s *stage) error { return behindPooler(ctx, s, mode) },
		})
	}

	return all
}

func behindPooler(ctx context.Context, s *stage, mode string) error {
	if err := s.withDatabase(ctx); err != nil {
		return err
	}
	at, err := port(ctx)
	if err != nil {
		return err
	}
	dir := s.path("pgbouncer")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	file := filepath.Join(dir, "pgbouncer.ini")
	// auth_type any takes whoever the database's line names.
	text := fmt.Sprintf("[databases]\npostgres = user=postgres host=127.0.0.1 port=%d\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\n"+
		"auth_type = any\npool_mode = %s\ndefault_pool_size = 20\nmax_client_conn = 100\n", s.db.port, at, mode)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	open := func() (*process, error) {
		cmd := exec.Command("pgbouncer", file) //nolint:noctx // it is ended gently
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: unprivileged()}
		p, err := launch(cmd, s.path("pgbouncer.log"))
		if err != nil {
			return nil, fmt.Errorf("%w; it is in the system's package pgbouncer", err)
		}

		return p, until(ctx, "PgBouncer", func() bool { return p.gone() || answers("127.0.0.1:"+strconv.Itoa(at)) })
	}
	pooler, err := open()
	if err != nil {
		return err
	}
	s.later(func() { _ = pooler.end(syscall.SIGINT) })
	s.env["DATABASE_URL"] = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", at)
	if _, err := s.start(ctx, nil); err != nil {
		return err
	}

	return s.play(ctx, func(ctx context.Context) (err error) {
		pause(ctx, s.seconds(6))
		if err := pooler.end(syscall.SIGTERM); err != nil {
			return err
		}
		if pooler, err = open(); err != nil {
			return err
		}
		pause(ctx, s.seconds(6))

		return nil
	})
}
