package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"trivia/internal/customerio"
	"trivia/internal/signature"
	"trivia/internal/trivia"
)

// plain is what one would write first, and what trivia-hook is measured
// against: the same checks, the same tables, and one transaction for each win or
// one insert for each event, which is answered when it is committed.
type plain struct {
	pool     *pgxpool.Pool
	verifier signature.Verifier
	barest   bool // keep nothing of an event but one row
}

// servePlain serves until ctx ends.
func servePlain(ctx context.Context, url, addr string, key signature.Key, conns int, barest bool) error {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return err
	}
	cfg.MaxConns = int32(conns)
	cfg.MinConns = cfg.MaxConns
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer pool.Close()

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	p := plain{pool, signature.Verifier{Keys: []signature.Key{key}, Tolerance: 5 * time.Minute}, barest}
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}

	return nil
}

func (p plain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	stamp := r.Header.Get(signature.HeaderTimestamp)
	if _, err := p.verifier.Verify(time.Now(), stamp, body, r.Header.Get(signature.HeaderSignature)); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	outcome := "awarded"
	var key string
	if r.URL.Path == customerio.PathEvent {
		outcome = "recorded"
		key, err = p.takeEvent(r.Context(), body)
	} else {
		key, err = p.takeWin(r.Context(), r.Header.Get(customerio.HeaderIdempotencyKey), body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"status":"accepted","outcome":%q,"key":%q}`+"\n", outcome, key)
}

func (p plain) takeWin(ctx context.Context, name string, body []byte) (key string, err error) {
	win, err := customerio.DecodeAction(body)
	if err != nil {
		return "", err
	}
	key = customerio.Key(sha256.Sum256(body), name)

	return key, p.award(ctx, key, body, win)
}

// plainSchema is what only the barest version needs: its events carry their
// body.
const plainSchema = `ALTER TABLE events ADD COLUMN body bytea`

const (
	plainColumns = `
		event_id, object_type, metric, occurred_at, received_at,
		person, customer_id, email, cio_id,
		delivery_id, campaign_id, broadcast_id, newsletter_id, action_id, transactional_id, template_id,
		link_id, href, tracked_response, failure_message,
		machine, prefetched, proxied, synthetic`

	plainValues = `
		$1, $2, $3, $4, now(),
		nullif($6, ''), nullif($7, ''), nullif($8, ''), nullif($9, ''), nullif($10, ''), nullif($11, ''), nullif($12, ''),
		nullif($13, ''), nullif($14, ''), nullif($15, ''), nullif($16, ''), nullif($17, ''), nullif($18, ''), nullif($19, ''),
		nullif($20, ''), $21, $22, $23, $24::boolean`

	// What trivia-hook keeps of an event: its bytes, and what people ask by.
	plainEvent = `
		WITH kept AS (
			INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at, settled_at)
			VALUES ($1, 'event', $5, $25, 'done', 'recorded', now(), now(), now())
			ON CONFLICT (key, kind, rival) DO NOTHING
			RETURNING key)
		INSERT INTO events (` + plainColumns + `)
		SELECT ` + plainValues + ` FROM kept
		ON CONFLICT (event_id) DO NOTHING`

	// The least that could be kept: one row.
	barestEvent = `
		INSERT INTO events (body, ` + plainColumns + `)
		VALUES ($5, ` + plainValues + `)
		ON CONFLICT (event_id) DO NOTHING`
)

// takeEvent does with one insert nearly what trivia-hook does: it writes down
// neither answers nor what is owed to Customer.io.
func (p plain) takeEvent(ctx context.Context, body []byte) (key string, err error) {
	id, ev, err := customerio.DecodeEvent(body)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	key = customerio.Key(sum, id)
	args := []any{
		key, ev.ObjectType, ev.Metric, ev.At, body,
		ev.Person, ev.CustomerID, ev.Email, ev.CioID,
		ev.DeliveryID, ev.Campaign, ev.Broadcast, ev.Newsletter, ev.Action, ev.Transactional, ev.Template,
		ev.Link, ev.Href, ev.Response, ev.Failure, ev.Machine, ev.Prefetched, ev.Proxied, ev.Synthetic,
	}
	if p.barest {
		_, err = p.pool.Exec(ctx, barestEvent, args...)
	} else {
		_, err = p.pool.Exec(ctx, plainEvent, append(args, sum[:])...)
	}

	return key, err
}

const (
	plainDelivery = `
		INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, user_id, trivia_id, item,
			received_at, last_seen_at, settled_at)
		VALUES ($1, 'win', $2, $3, 'done', 'awarded', $4, $5, $6, now(), now(), now())
		ON CONFLICT (key, kind, rival) DO NOTHING`
	plainWin = `
		INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id, trivia_id) DO NOTHING`
	plainPrize = `SELECT grant_prize($1, $2, $3)`
	plainPush  = `
		INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state, reason)
		VALUES ($1, 'event', 'win', $2, now(), 'held', 'no credentials')`
)

func (p plain) award(ctx context.Context, key string, body []byte, win trivia.Win) error {
	sum := sha256.Sum256(body)

	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, plainDelivery, key, body, sum[:], win.User, win.Trivia, win.Item)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		tag, err = tx.Exec(ctx, plainWin, win.User, win.Trivia, win.Item, key)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if _, err = tx.Exec(ctx, plainPrize, win.User, win.Item, win.Trivia); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, plainPush, win.User, win.Trivia)

		return err
	})
}
