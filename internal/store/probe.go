package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"trivia/internal/trivia"
)

// writeAhead commits something that waits for the disk, and for a standby if
// the server was told so, and leaves no row.
const writeAhead = `SELECT pg_logical_emit_message(true, 'trivia', 'can deliveries be kept?') IS NULL`

// Probe returns nil if deliveries can be kept: it goes the way of Keep, on the
// same connections, with a delivery that it takes back, and lets the server
// write ahead. If it is not thorough, the statement keeps none at all: that
// shows all but a full disk, and writes nothing.
func (in *Intake) Probe(ctx context.Context, thorough bool) error {
	b := newBatch(nil)
	if thorough {
		key := "readiness " + rand.Text()
		b = newBatch([]Arrival{{
			Kind: trivia.KindEvent, Key: key, SHA256: sha256.Sum256([]byte(key)), Body: []byte(key),
			Unusable: "a hook asks whether deliveries can be kept", At: time.Now(), //nolint:forbidigo // it is taken back
		}})
	}
	err := in.run(ctx, func(q *pgx.Batch) {
		if thorough {
			q.Queue(`BEGIN`)
			b.queueKeep(q, b.firsts, settledLater)
			q.Queue(`ROLLBACK`)
			return
		}
		q.Queue(keepDeliveries, newColumns(0).args()...)
	})
	if err == nil && thorough {
		err = in.run(ctx, func(q *pgx.Batch) { q.Queue(writeAhead) })
		if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && strings.HasPrefix(refusal.Code, "42") {
			err = nil // not everybody may do that
		}
	}
	if err != nil {
		return fmt.Errorf("deliveries cannot be kept: %w", plainly(err))
	}

	return nil
}
