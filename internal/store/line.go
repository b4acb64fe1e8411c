package store

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A line is the network connection below one of ours. Until it is known that
// the server itself is at the other end, no request to cancel is sent beside
// it. Behind a pooler such a request may hit another client's statement, and
// there are versions of PgBouncer that it ends (1.18: "bad client state").
// The driver sends one for every connection that it gives up.
type line struct {
	net.Conn

	direct atomic.Bool
}

// aside is where requests to cancel go that must not be sent.
type aside struct{ net.Addr }

// Network implements [net.Addr].
func (aside) Network() string { return "aside" }

// RemoteAddr implements [net.Conn]. The driver asks for it only to send a
// request to cancel there.
func (l *line) RemoteAddr() net.Addr {
	addr := l.Conn.RemoteAddr()
	if l.direct.Load() {
		return addr
	}

	return aside{addr}
}

var errAside = errors.New("no request to cancel is sent through a pooler")

// dialLines makes dial return lines.
func dialLines(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if network == (aside{}).Network() {
			return nil, errAside
		}
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}

		return &line{Conn: conn}, nil
	}
}

const whoAmI = `SELECT pg_backend_pid(), session_user, current_setting('role'), ` + ourPath + `, ` + onDisk

// meet finds out whether conn is the server's own, and as whom it knows us. A
// pooler has told us a number for the process that is not the server's.
func meet(ctx context.Context, conn *pgx.Conn) (direct bool, err error) {
	var pid uint32
	s := sessionOf(conn.PgConn())
	// Unnamed: whether names will do is not known yet.
	err = conn.QueryRow(ctx, whoAmI, pgx.QueryExecModeExec).Scan(&pid, &s.user, &s.role, &s.path, &s.onDisk)
	if err != nil {
		return false, err
	}
	if pid != conn.PgConn().PID() {
		return false, nil
	}

	lower := conn.PgConn().Conn()
	if encrypted, ok := lower.(*tls.Conn); ok {
		lower = encrypted.NetConn()
	}
	if l, ok := lower.(*line); ok {
		l.direct.Store(true)
	}

	return true, nil
}
