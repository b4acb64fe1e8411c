package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// A vendor plays Customer.io: it takes what it is told, and refuses some of it.
type vendor struct {
	url    string
	server *http.Server
	done   chan error
}

func startVendor() (*vendor, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed with the server
	if err != nil {
		return nil, err
	}
	v := &vendor{
		url:    "http://" + listener.Addr().String(),
		server: &http.Server{Handler: http.HandlerFunc(answer), ReadHeaderTimeout: time.Second},
		done:   make(chan error, 1),
	}
	go func() { v.done <- v.server.Serve(listener) }()

	return v, nil
}

func (v *vendor) stop() {
	_ = v.server.Close()
	if err := <-v.done; !errors.Is(err, http.ErrServerClosed) {
		panic(err) // it was just closed
	}
}

// answer takes what it is told, but of people whose name ends in 77.
func answer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	if person := strings.TrimSuffix(r.URL.Path, "/events"); strings.HasSuffix(person, "77") {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"meta":{"error":"the profile was merged into another one"}}`)

		return
	}
	_, _ = io.WriteString(w, `{}`)
}
