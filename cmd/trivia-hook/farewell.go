package main

import (
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// A farewell ends the connections of a server without cutting anybody off. A
// request that is sent on a kept connection just when that is closed would be
// lost, and Customer.io would hold back all that follows for an hour. So who
// uses a connection is told, with an answer, that it was the last one there.
type farewell struct {
	leaving atomic.Bool
	open    atomic.Int64 // connections
}

// attend lets f see what becomes of s's connections.
func (f *farewell) attend(s *http.Server) {
	handler := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(farewellWriter{w, f}, r)
	})
	s.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			f.open.Add(1)
		case http.StateClosed, http.StateHijacked:
			f.open.Add(-1)
		case http.StateActive, http.StateIdle:
		}
	}
}

// begin tells everybody from now on that their answer is the last.
func (f *farewell) begin() { f.leaving.Store(true) }

// say waits until everybody has left, but no longer than most: who keeps a
// connection for later is not waited for.
func (f *farewell) say(most time.Duration) {
	f.begin()

	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	end := time.NewTimer(most)
	defer end.Stop()

	for f.open.Load() > 0 {
		select {
		case <-look.C:
		case <-end.C:
			return
		}
	}
}

// A farewellWriter adds the farewell to an answer when that begins: its request
// may have come long before.
type farewellWriter struct {
	http.ResponseWriter

	farewell *farewell
}

// WriteHeader implements [http.ResponseWriter].
func (w farewellWriter) WriteHeader(status int) {
	if w.farewell.leaving.Load() {
		w.Header().Set("Connection", "close")
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (w farewellWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
