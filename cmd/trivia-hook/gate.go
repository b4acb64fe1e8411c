package main

import (
	"log/slog"
	"time"

	"trivia/internal/config"
	"trivia/internal/diag"
	"trivia/internal/receiver"
)

const (
	usualConns   = 4096 // of the public listener, unless a setting says otherwise
	privateConns = 64   // of the private one
	keptFiles    = 256  // open files that connections of strangers leave to the database and the private listener
	leastConns   = 16
)

// connectionsFor returns how many connections the public listener may have,
// where a process may have so many files open.
func connectionsFor(asked, files int) int {
	most := max(files-keptFiles, files/2, leastConns)
	if asked == 0 {
		return min(usualConns, most)
	}

	return min(asked, most)
}

// newGates returns what stands before the two listeners.
func newGates(set settings, cert *certificate, metrics *diag.Metrics, edge *receiver.Receiver, log *slog.Logger, now func() time.Time) (public, private *receiver.Gate) {
	files := openFiles()
	most := connectionsFor(set.MaxConns, files)
	if most < set.MaxConns {
		log.Warn("there may be fewer connections than the settings say: too few files may be open",
			slog.String("setting", config.MaxConnections), slog.Int("said", set.MaxConns), slog.Int("used", most), slog.Int("open_files", files))
	}
	public = receiver.NewGate(receiver.GateOptions{Most: most, Metrics: metrics, Log: log, Now: now, Turned: edge.Turned, TLS: cert.config()})
	private = receiver.NewGate(receiver.GateOptions{Most: privateConns, Metrics: metrics, Log: log, Now: now})
	metrics.Connections(public.Open, most)

	return public, private
}
