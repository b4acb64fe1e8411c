package main

import (
	"context"
	"log/slog"
	"time"

	"trivia/internal/diag"
	"trivia/internal/store"
)

// schemaLook is how often it is looked whether another release has migrated the
// database.
const schemaLook = 30 * time.Second

// A schemaWatch says when the database is newer than this program. That is no
// fault: migrations only add. But somebody should know.
type schemaWatch struct {
	ask     func(context.Context) (store.Schema, error)
	metrics *diag.Metrics
	log     *slog.Logger

	said int // the version that was last spoken of; 0: none
}

// Step looks once. It is a [drain.Step]; a database that does not answer is not
// its concern.
func (w *schemaWatch) Step(ctx context.Context) (int, error) {
	schema, err := w.ask(ctx)
	if err != nil {
		return 0, nil //nolint:nilerr // readiness says so
	}
	w.metrics.Schema(schema.Version, schema.Newer())
	if schema.Version == w.said {
		return 0, nil
	}
	if schema.Newer() {
		w.log.WarnContext(ctx, "the database schema is newer than this program: it works on, and knows nothing of what is new",
			slog.Int("version", schema.Version), slog.Int("known", schema.Latest))
	} else if w.said > schema.Latest {
		w.log.InfoContext(ctx, "the database schema is no longer newer than this program", slog.Int("version", schema.Version))
	}
	w.said = schema.Version

	return 0, nil
}
