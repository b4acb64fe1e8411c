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
// against: the same checks, the same tables, and one transaction for each
// request, which is answered when it is committed.
type plain struct {
	pool     *pgxpool.Pool
	verifier signature.Verifier
}

// servePlain serves until ctx ends.
func servePlain(ctx context.Context, url, addr string, key signature.Key, conns int) error {
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
	p := plain{pool, signature.Verifier{Keys: []signature.Key{key}, Tolerance: 5 * time.Minute}}
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
	win, err := customerio.DecodeAction(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusOK)
		return
	}
	key := customerio.Key(sha256.Sum256(body), r.Header.Get(customerio.HeaderIdempotencyKey))
	if err := p.award(r.Context(), key, body, win); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"status":"accepted","outcome":"awarded","key":%q}`+"\n", key)
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
		_, err = tx.Exec(ctx, plainPrize, win.User, win.Item, win.Trivia)

		return err
	})
}
