package ctl

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"trivia/internal/store"
)

func (s *session) migrateCommand() *cli.Command {
	return &cli.Command{
		Name: "migrate", Category: setUp, Usage: "bring the database up to the latest schema",
		Description: `Safe to run at any time, from several places at once, and beside trivia-hook.
With --status nothing changes, and the exit code is 1 if something is missing.

Examples:
  DATABASE_URL=postgres://localhost/trivia triviactl migrate
  triviactl migrate --status`,
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "status", Usage: "only say how far the database is"}},
		Action: s.migrate,
	}
}

func (s *session) migrate(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	dsn, err := s.database()
	if err != nil {
		return err
	}
	if c.Bool("status") {
		return s.migrationStatus(c.Context, dsn)
	}

	before, err := dsn.Migrate(c.Context)
	if err != nil {
		return err
	}
	if before.Version >= before.Latest {
		s.upToDate(before)

		return nil
	}
	s.print("migrated from version %d to %d:\n", before.Version, before.Latest)
	s.migrations(before.Names[before.Version:])

	return nil
}

func (s *session) upToDate(schema store.Schema) {
	if schema.Newer() {
		s.print("version %d is newer than the %d that this release brings: there is nothing to do\n", schema.Version, schema.Latest)

		return
	}
	s.print("up to date at version %d\n", schema.Version)
}

func (s *session) migrations(names []string) {
	for _, name := range names {
		s.print("  %s\n", name)
	}
}

func (s *session) migrationStatus(ctx context.Context, dsn *store.DSN) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()

	db, err := dsn.Open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	schema, err := db.Schema(ctx)
	if err != nil {
		return err
	}

	if schema.Check() == nil {
		s.upToDate(schema)

		return nil
	}
	s.print("version %d of %d; missing:\n", schema.Version, schema.Latest)
	s.migrations(schema.Names[schema.Version:])

	return hinted{errors.New("the schema is not up to date"), "run: triviactl migrate"}
}
