package receiver

import (
	"log/slog"
	"net/http"
	"time"
)

// NewServer returns an HTTP server for handler that no slow or silent client
// can hold up. The sender's own time-out is 4 s; what takes longer than that
// to arrive has nobody waiting for its answer.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 2 * time.Second,
		ReadTimeout:       4 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       2 * time.Minute, // senders keep connections; to close one under a request costs an hour
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
