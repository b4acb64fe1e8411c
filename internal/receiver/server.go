package receiver

import (
	"log/slog"
	"net/http"
	"time"
)

// IdleTime is how long a connection is kept on which nothing comes, unless a
// setting says otherwise. Whoever closes a connection while the other end sends
// on it cuts off a request, so the side that sends has to close first: Google's
// load balancers do after 600 s, others sooner.
const IdleTime = 650 * time.Second

// NewServer returns an HTTP server for handler that no slow or silent client
// can hold up. The sender's own time-out is 4 s; what takes longer than that
// to arrive has nobody waiting for its answer.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 2 * time.Second,
		ReadTimeout:       4 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       IdleTime,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
