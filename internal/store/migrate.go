package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
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
// processes at once, and through a pooler: they wait for each other.
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

	list, err := listMigrations(ctx)
	if err != nil {
		return before, err
	}
	for _, m := range list[before.Version:] {
		if err := runMigration(ctx, conn, m); err != nil {
			return before, explain(m.Name, err)
		}
	}

	return before, nil
}

func listMigrations(ctx context.Context) ([]*migrate.Migration, error) {
	// Without a connection it reads files only.
	m, err := migrate.NewMigrator(ctx, nil, versionTable)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	if err := m.LoadMigrations(migrations.FS); err != nil {
		return nil, fmt.Errorf("migrate: read the migrations: %w", err)
	}

	return m.Migrations, nil
}

// migrationLock is the number of the lock that tern takes for a session, which
// releases before this one do. Held by a transaction it keeps them out as well,
// and goes through a pooler.
const migrationLock = 9628173550095224

// What a database or role may be set to does not hold for a migration, which
// takes its time and waits for whoever is in its way.
const migrationNeeds = `
	SET LOCAL statement_timeout = 0;
	SET LOCAL lock_timeout = 0;
	SET LOCAL idle_in_transaction_session_timeout = 0;
	SET LOCAL standard_conforming_strings = on`

// runMigration runs one migration in one transaction, unless another process
// has done so meanwhile.
func runMigration(ctx context.Context, conn *pgx.Conn, m *migrate.Migration) error {
	options := pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}

	return confirmed(conn, pgx.BeginTxFunc(ctx, conn, options, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, migrationNeeds); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
			return err
		}
		table, version, err := versionIn(ctx, tx)
		if err != nil || version >= int(m.Sequence) {
			return err
		}
		if _, err := tx.Exec(ctx, m.UpSQL); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE `+table+` SET version = $1`, m.Sequence)

		return err
	}))
}

// versionIn returns the table that counts migrations, and what it says. It is
// made if it is not there.
func versionIn(ctx context.Context, tx pgx.Tx) (table string, version int, err error) {
	var (
		schema *string
		there  bool
	)
	if err := tx.QueryRow(ctx, `SELECT current_schema(), to_regclass('`+versionTable+`') IS NOT NULL`).Scan(&schema, &there); err != nil {
		return "", 0, fmt.Errorf("find the schema: %w", err)
	}
	if schema == nil {
		return "", 0, errors.New("search_path names no schema that exists; create it first")
	}
	if there {
		err = tx.QueryRow(ctx, `SELECT version FROM `+versionTable).Scan(&version)

		return versionTable, version, err
	}

	table = pgx.Identifier{*schema, versionTable}.Sanitize()
	_, err = tx.Exec(ctx, `CREATE TABLE `+table+` (version int4 NOT NULL); INSERT INTO `+table+` (version) VALUES (0)`)

	return table, 0, err
}

// explain gives a migration's refusal the hint that the database sent along.
func explain(name string, err error) error {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || refused.Hint == "" {
		return fmt.Errorf("migrate %s: %w", name, err)
	}

	return fmt.Errorf("migrate %s: %w\n%s", name, err, refused.Hint)
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
