package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"trivia/internal/config"
	"trivia/internal/diag"
	"trivia/internal/pgtest"
	"trivia/internal/store"
)

func TestANewerSchemaIsServedAndSaid(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	db.exec(t, `UPDATE trivia_schema_version SET version = 99`)
	p := start(t, on(db.url))
	wait(t, "it says that the schema is newer", func() bool {
		lines := p.logged(t, "the database schema is newer than this program: it works on, and knows nothing of what is new")

		return len(lines) == 1 && lines[0]["version"] == 99.0
	})
	if _, metrics := get(t, p.private+"/metrics"); !strings.Contains(metrics, "\ntrivia_schema_newer 1\n") || !strings.Contains(metrics, "\ntrivia_schema_version 99\n") {
		t.Error("the metrics do not say that the schema is newer")
	}
}

func TestAChangeOfTheSchemaIsSaidOnce(t *testing.T) {
	t.Parallel()

	var (
		out    bytes.Buffer
		schema store.Schema
		failed error
	)
	w := &schemaWatch{
		ask:     func(context.Context) (store.Schema, error) { return schema, failed },
		metrics: diag.New(), log: slog.New(slog.NewTextHandler(&out, nil)),
	}
	for _, version := range []int{9, 9, 10, 10, 0, 10, 11, 9, 9} {
		schema, failed = store.Schema{Version: version, Latest: 9}, nil
		if version == 0 {
			failed = errors.New("away")
		}
		if n, err := w.Step(t.Context()); n != 0 || err != nil {
			t.Errorf("Step = %d, %v", n, err)
		}
	}
	if got := strings.Count(out.String(), "level=WARN"); got != 2 || !strings.Contains(out.String(), "version=11 known=9") {
		t.Errorf("%d warnings, want one for 10 and one for 11:\n%s", got, &out)
	}
	if got := strings.Count(out.String(), "level=INFO"); got != 1 {
		t.Errorf("%d times all clear, want once:\n%s", got, &out)
	}
}

func TestADatabaseURLThatCannotBeUsedIsAWrongSetting(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct{ url, want string }{
		{"postgres://trivia:" + password + "@db/trivia?sslmode=verify-full&sslrootcert=/nowhere.pem", "sslrootcert or PGSSLROOTCERT names cannot be read: /nowhere.pem: no such file"},
		{"postgres://trivia:50%" + password + "@db/trivia", "are written as %25"},
		{pgtest.Schema(t) + "&pool_max_conns=3", "pool_max_conns must be a whole number of at least 8"},
	} {
		p := launch(t, on(tt.url))
		if code := p.exit(t); code != exitConfig {
			t.Errorf("exit code = %d, want %d", code, exitConfig)
		}
		if lines := p.stderr.lines(); len(lines) != 1 || !strings.Contains(lines[0], config.DatabaseURL+": ") || !strings.Contains(lines[0], tt.want) {
			t.Errorf("it says %q, want %q", lines, tt.want)
		}
	}
}
