package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/tern/v2/migrate"

	"trivia/sql/migrations"
)

// ErrNotMigrated says that the database lacks tables that this program needs.
var ErrNotMigrated = errors.New("the database schema is not up to date; run: triviactl migrate")

// A Schema says how far a database is migrated.
type Schema struct {
	Version int // 0 for a database that was never migrated
	Latest  int // what this program brings
	Names   []string
}

// Check returns nil if the program can work on s. It can work on a newer one:
// migrations only add, so that the release before works on while the next one
// is rolled out.
func (s Schema) Check() error {
	if s.Version < s.Latest {
		return fmt.Errorf("schema version is %d, %d is needed: %w", s.Version, s.Latest, ErrNotMigrated)
	}

	return nil
}

// Newer reports whether a later release has migrated the database.
func (s Schema) Newer() bool { return s.Version > s.Latest }

// versionTable stands in the schema that search_path names first, like all
// the tables that it counts.
const versionTable = "trivia_schema_version"

// Migrate is [DSN.Migrate] of the database at text, as [ParseDSN] reads it.
func Migrate(ctx context.Context, text string) (Schema, error) {
	d, err := ParseDSN(text, DSNOptions{})
	if err != nil {
		return Schema{}, fmt.Errorf("migrate: %w", err)
	}

	return d.Migrate(ctx)
}

// Migrate brings the database up to the latest schema and returns what it was
// before. A newer one is left as it is. It is safe to call from several
// processes at once: they wait for each other.
func (d *DSN) Migrate(ctx context.Context) (Schema, error) {
	conn, err := d.connect(ctx)
	if err != nil {
		return Schema{}, fmt.Errorf("migrate: connect to the database: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()

	before, err := schemaOf(ctx, conn)
	if err != nil {
		return before, err
	}
	if before.Newer() {
		return before, nil
	}

	m, err := migrator(ctx, conn)
	if err != nil {
		return before, err
	}
	if err := m.Migrate(ctx); err != nil {
		return before, explain(err)
	}

	return before, nil
}

// explain gives a migration's refusal the hint that the database sent along.
func explain(err error) error {
	failed, ok := errors.AsType[migrate.MigrationPgError](err)
	if !ok || failed.PgError == nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if failed.Hint == "" {
		return fmt.Errorf("migrate %s: %w", failed.MigrationName, failed.PgError)
	}

	return fmt.Errorf("migrate %s: %w\n%s", failed.MigrationName, failed.PgError, failed.Hint)
}

func migrator(ctx context.Context, conn *pgx.Conn) (*migrate.Migrator, error) {
	var schema *string
	if err := conn.QueryRow(ctx, `SELECT current_schema()`).Scan(&schema); err != nil {
		return nil, fmt.Errorf("migrate: find the schema: %w", err)
	}
	if schema == nil {
		return nil, errors.New("migrate: search_path names no schema that exists; create it first")
	}

	table := pgx.Identifier{*schema, versionTable}.Sanitize()
	m, err := migrate.NewMigrator(ctx, conn, table)
	if err != nil {
		return nil, fmt.Errorf("migrate: prepare %s: %w", table, err)
	}
	if err := m.LoadMigrations(migrations.FS); err != nil {
		return nil, fmt.Errorf("migrate: read the migrations: %w", err)
	}

	return m, nil
}

const findSchemaVersion = `SELECT to_regclass('` + versionTable + `') IS NOT NULL`

// schemaOf reads the version without creating anything, so that it works for
// a role that may only read.
func schemaOf(ctx context.Context, db querier) (Schema, error) {
	names, err := migrate.FindMigrations(migrations.FS)
	if err != nil {
		return Schema{}, fmt.Errorf("read the migrations: %w", err)
	}
	s := Schema{Latest: len(names), Names: names}

	var there bool
	if err := db.QueryRow(ctx, findSchemaVersion).Scan(&there); err != nil {
		return s, fmt.Errorf("read the schema version: %w", err)
	}
	if !there {
		return s, nil
	}
	if err := db.QueryRow(ctx, `SELECT version FROM `+versionTable).Scan(&s.Version); err != nil {
		return s, fmt.Errorf("read the schema version: %w", err)
	}

	return s, nil
}
