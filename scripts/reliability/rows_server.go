package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// troubleTime is how long a trouble lasts; the sender takes it for as many
// hours as it is of its hour of 30 seconds.
const troubleTime = 6

func serverRows() []row {
	return []row{
		{name: "read-only server", what: "default_transaction_read_only for 6 s, also for the connections that are there", do: readOnly},
		{name: "full disk", what: "the database's file system (160 MiB) is full for 6 s", do: fullDisk},
		{name: "connection limit", what: "the hook's role may have no connection for 6 s, and those it has are ended", do: func(ctx context.Context, s *stage) error {
			return asRole(ctx, s, "ALTER ROLE hook CONNECTION LIMIT 0;"+endConnections, "ALTER ROLE hook CONNECTION LIMIT -1")
		}},
		{name: "role without rights", what: "the hook's role may not insert deliveries for 6 s", do: func(ctx context.Context, s *stage) error {
			return asRole(ctx, s, "REVOKE INSERT ON deliveries FROM hook", "GRANT INSERT ON deliveries TO hook")
		}},
		{name: "next schema", what: "the schema of the next release comes (a column more in three tables, an index, a higher version) under two running hooks behind HAProxy; one of them is started anew on it", do: nextSchema},
	}
}

const endConnections = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'hook'"

func readOnly(ctx context.Context, s *stage) error {
	if err := s.usual(ctx); err != nil {
		return err
	}

	return s.play(ctx, func(ctx context.Context) error {
		return s.during(ctx, s.seconds(troubleTime),
			func() error { return s.db.set(ctx, "default_transaction_read_only", "on") },
			func() error {
				if err := s.db.exec(ctx, "SET default_transaction_read_only = off"); err != nil {
					return err
				}

				return s.db.set(ctx, "default_transaction_read_only", "off")
			})
	})
}

func fullDisk(ctx context.Context, s *stage) error {
	disk := s.path("db")
	if err := os.Mkdir(disk, 0o755); err != nil {
		return err
	}
	mount := exec.CommandContext(ctx, "mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", disk)
	if said, err := mount.CombinedOutput(); err != nil {
		return fmt.Errorf("mount a small file system, which wants root: %w: %s", err, said)
	}
	s.later(func() { _ = exec.Command("umount", "-l", disk).Run() }) //nolint:noctx // whatever happens
	if err := s.usual(ctx); err != nil {
		return err
	}

	return s.play(ctx, func(ctx context.Context) error {
		filler := filepath.Join(disk, "filler")

		return s.during(ctx, s.seconds(troubleTime),
			func() error { return fill(filler) }, func() error { return os.Remove(filler) })
	})
}

// fill writes a file until nothing fits any more.
func fill(file string) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	for size := 1 << 20; size > 0; size /= 2 {
		piece := make([]byte, size)
		for {
			if _, err := out.Write(piece); err != nil {
				break
			}
		}
	}

	return nil
}

// asRole lets the hook be an ordinary role, and does something to it for a while.
func asRole(ctx context.Context, s *stage, do, undo string) error {
	if err := s.withDatabase(ctx); err != nil {
		return err
	}
	if err := s.db.exec(ctx, `CREATE ROLE hook LOGIN;
		GRANT USAGE ON SCHEMA public TO hook;
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO hook;
		GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO hook;
		GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO hook`); err != nil {
		return err
	}
	s.env["DATABASE_URL"] = s.db.url("hook")
	if _, err := s.start(ctx, nil); err != nil {
		return err
	}

	return s.play(ctx, func(ctx context.Context) error {
		return s.during(ctx, s.seconds(troubleTime),
			func() error { return s.db.exec(ctx, do) }, func() error { return s.db.exec(ctx, undo) })
	})
}

func nextSchema(ctx context.Context, s *stage) error {
	if err := s.usual(ctx); err != nil {
		return err
	}
	second, err := port(ctx)
	if err != nil {
		return err
	}
	other := map[string]string{"TRIVIA_LISTEN": fmt.Sprintf("127.0.0.1:%d", second)}
	s.env["TRIVIA_TRUSTED_PROXIES"] = "127.0.0.1"
	h, err := s.start(ctx, other)
	if err != nil {
		return err
	}
	if err := s.haproxy(ctx, s.at); err != nil {
		return err
	}
	s.note("the second hook has work of its own: what is pending, pushes, sweeps")

	return s.play(ctx, func(ctx context.Context) error {
		if err := s.db.exec(ctx, `
			ALTER TABLE deliveries ADD COLUMN next_release text;
			ALTER TABLE trivia_wins ADD COLUMN next_release text DEFAULT 'x';
			ALTER TABLE events ADD COLUMN next_release text;
			CREATE INDEX next_release ON deliveries (next_release);
			UPDATE trivia_schema_version SET version = version + 1`); err != nil {
			return err
		}
		pause(ctx, s.seconds(4))
		if h.gone() || s.hooks[0].gone() {
			return errors.New("a running hook has ended")
		}
		if err := h.end(os.Interrupt); err != nil {
			return err
		}
		if _, err := s.start(ctx, other); err != nil {
			return fmt.Errorf("start a hook on a newer schema: %w", err)
		}
		pause(ctx, 2*time.Second)

		return nil
	})
}
