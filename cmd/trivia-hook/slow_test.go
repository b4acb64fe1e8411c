package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"trivia/internal/customerio"
)

// Clients that send a byte now and then, and never end, are cut off, and cost
// those beside them nothing.
func TestSlowClientsAreCutOffAndHoldNobodyUp(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	p := start(t, on(db.url))

	const each = 50
	kinds := []slow{
		{"silence", "", "", 0},
		{"header", "POST " + customerio.PathWin + " HTTP/1.1\r\nX-Slow: ", "x", 0},
		{"body", "POST " + customerio.PathWin + " HTTP/1.1\r\nHost: slow\r\nContent-Length: 1000\r\n\r\n", " ", http.StatusServiceUnavailable},
		{"chunks", "POST " + customerio.PathWin + " HTTP/1.1\r\nHost: slow\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", http.StatusServiceUnavailable},
	}
	faults := make(chan error, each*len(kinds))
	for _, kind := range kinds {
		for range each {
			c := newCaller(t, p.public, nthWin(0))
			go func() { faults <- kind.call(c) }()
		}
	}

	load := startLoad(t, p.public)
	for range each * len(kinds) {
		if err := <-faults; err != nil {
			t.Error(err)
		}
	}
	all := load.end()
	for _, s := range all {
		if !s.taken() {
			t.Errorf("beside slow clients win %s was answered %d, %v", s.key, s.status, s.err)
		}
	}
	db.checkPrizes(t, all)
	db.want(t, `SELECT count(*)::text FROM deliveries WHERE key NOT LIKE 'load-%'`, "0")

	refused := p.logged(t, "request refused")
	for _, r := range refused {
		if reason := r.text("reason"); reason != "unread_body" && reason != "unfinished_request" {
			t.Errorf("refused for %q, want unread_body, or unfinished_request of a header", reason)
		}
	}
	wait(t, "every refused request is logged", func() bool { return p.countLogged(t, "request refused") >= 2*each })
}

// A slow is a way of never coming to the end of a request.
type slow struct {
	name   string
	begin  string
	more   string // again and again
	status int    // what it is answered; 0 = the service just hangs up
}

// call sends until the service has had enough.
func (s slow) call(c *caller) error {
	if _, err := c.conn.Write([]byte(s.begin)); err != nil {
		return fmt.Errorf("slow %s: %w", s.name, err)
	}
	status := make(chan int, 1)
	go func() {
		resp, err := http.ReadResponse(c.reader, nil)
		if err != nil {
			status <- 0
			return
		}
		defer func() { _ = resp.Body.Close() }()
		status <- resp.StatusCode
	}()

	pace := time.NewTicker(100 * time.Millisecond)
	defer pace.Stop()
	for {
		select {
		case <-pace.C:
			_, _ = c.conn.Write([]byte(s.more)) // the answer tells whether anybody listens
		case got := <-status:
			if got != s.status {
				return fmt.Errorf("slow %s: status %d, want %d", s.name, got, s.status)
			}

			return nil
		}
	}
}
