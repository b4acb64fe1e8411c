package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"trivia/internal/config"
)

// A toxic is a fault of a network, in the words of toxiproxy.
type toxic struct {
	name   string
	kind   string
	stream string // upstream is from us, downstream is to us
	attrs  map[string]int
}

// The faults that a network has. Milliseconds, bytes, and KB/s.
func toxics() []toxic {
	const up, down = "upstream", "downstream"

	return []toxic{
		{"answers are late", "latency", down, map[string]int{"latency": 100, "jitter": 100}},
		{"answers are too late", "latency", down, map[string]int{"latency": 3000}},
		{"questions are too late", "latency", up, map[string]int{"latency": 3000}},
		{"a thin line to it", "bandwidth", up, map[string]int{"rate": 1}},
		{"a thin line from it", "bandwidth", down, map[string]int{"rate": 1}},
		{"what is closed stays open", "slow_close", down, map[string]int{"delay": 5000}},
		{"it hears nothing", "timeout", up, map[string]int{"timeout": 0}},
		{"it says nothing", "timeout", down, map[string]int{"timeout": 0}},
		{"connections end after a while of nothing", "timeout", down, map[string]int{"timeout": 300}},
		{"connections are reset at once", "reset_peer", down, map[string]int{"timeout": 0}},
		{"connections are reset after a moment", "reset_peer", up, map[string]int{"timeout": 50}},
		{"in small pieces", "slicer", down, map[string]int{"average_size": 5, "size_variation": 3, "delay": 200}},
		{"in small pieces to it", "slicer", up, map[string]int{"average_size": 50, "size_variation": 30, "delay": 200}},
		{"cut in its first answer", "limit_data", down, map[string]int{"bytes": 20}},
		{"cut in the answer to a commit", "limit_data", down, map[string]int{"bytes": 2500}},
		{"cut in a question", "limit_data", up, map[string]int{"bytes": 2500}},
	}
}

// A line is a network between the service and somebody else.
type line struct{ proxy *toxiproxy.Proxy }

// lineTo returns a line to addr, which is host:port or the path of a socket.
func lineTo(t *testing.T, addr string) line {
	t.Helper()

	if filepath.IsAbs(addr) {
		addr = overTCP(t, addr)
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l := line{toxiproxy.NewProxy(server, "line", "127.0.0.1:0", addr)}
	if err := l.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.proxy.Stop)

	return l
}

// overTCP returns an address that leads to a socket.
func overTCP(t *testing.T, path string) string {
	t.Helper()

	var (
		listening net.ListenConfig
		dialer    net.Dialer
	)
	ears, err := listening.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ears.Close() })
	go func() {
		for {
			near, err := ears.Accept()
			if err != nil {
				return
			}
			far, err := dialer.DialContext(context.Background(), "unix", path)
			if err != nil {
				_ = near.Close()
				continue
			}
			for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
				go func() {
					_, _ = io.Copy(way[0], way[1])
					_ = near.Close()
					_ = far.Close()
				}()
			}
		}
	}()

	return ears.Addr().String()
}

func (l line) poison(t *testing.T, x toxic) (mend func()) {
	t.Helper()

	text, err := json.Marshal(map[string]any{"name": "fault", "type": x.kind, "stream": x.stream, "attributes": x.attrs})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(string(text))); err != nil {
		t.Fatal(err)
	}

	return func() {
		if err := l.proxy.Toxics.RemoveToxic(context.Background(), "fault"); err != nil {
			t.Fatal(err)
		}
	}
}

// through returns db as it is reached over a line.
func (db postgres) through(t *testing.T) (postgres, line) {
	t.Helper()

	u, err := url.Parse(db.url)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	l := lineTo(t, filepath.Join(query.Get("host"), ".s.PGSQL."+query.Get("port")))
	query.Del("host")
	query.Del("port")
	u.Host, u.RawQuery = l.proxy.Listen, strings.ReplaceAll(query.Encode(), "+", "%20")

	return postgres{u.String()}, l
}

func TestAFaultyNetworkToTheDatabaseLosesAndStallsNothing(t *testing.T) {
	t.Parallel()

	for _, x := range toxics() {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()

			db, api := newPostgres(t), newTrackAPI(t)
			far, line := db.through(t)
			p := start(t, on(far.url).with(api.telling()).with(env{config.OnBounce: "attributes"}))
			tr := startTraffic(t, p.public)
			tr.await(t, "deliveries are taken")
			mend := line.poison(t, x)
			tr.awaitAnswers(t)
			mend()
			tr.await(t, "deliveries are taken again")
			tr.checkKept(t, db)
			tr.checkNeverStalled(t)
			api.checkTold(t, db, tr)
			db.checkAudit(t)
		})
	}
}

func TestAFaultyNetworkToCustomerIOLosesAndHoldsUpNothing(t *testing.T) {
	t.Parallel()

	for _, x := range toxics() {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()

			db, api := newPostgres(t), newTrackAPI(t)
			line := lineTo(t, api.Listener.Addr().String())
			p := start(t, on(db.url).with(api.telling()).with(env{
				config.OnBounce: "attributes", config.TrackURL: "http://" + line.proxy.Listen,
			}))
			tr := startTraffic(t, p.public)
			tr.await(t, "deliveries are taken")
			mend := line.poison(t, x)
			tr.awaitAnswers(t)
			mend()
			tr.checkKept(t, db)
			tr.checkNeverStalled(t)
			tr.mu.Lock()
			for _, s := range tr.wins {
				if !s.taken() {
					t.Errorf("win %s was answered %d, %v, though only Customer.io is away", s.key, s.status, s.err)
				}
			}
			tr.mu.Unlock()
			api.checkTold(t, db, tr)
			db.checkAudit(t)
		})
	}
}

// awaitAnswers waits until some more requests are answered, whatever the answer.
func (tr *traffic) awaitAnswers(t *testing.T) {
	t.Helper()

	const enough = 6 * gentle
	answered := func() int {
		tr.mu.Lock()
		defer tr.mu.Unlock()

		return len(tr.wins) + len(tr.events)
	}
	mark := answered()
	wait(t, "requests are answered", func() bool { return answered() >= mark+enough })
}

// checkNeverStalled fails if an answer did not come while Customer.io waits for
// it, or was one after which Customer.io rests for an hour.
func (tr *traffic) checkNeverStalled(t *testing.T) {
	t.Helper()

	tr.mu.Lock()
	defer tr.mu.Unlock()
	check := func(what string, a answer) {
		switch {
		case errors.Is(a.err, os.ErrDeadlineExceeded), errors.Is(a.err, context.DeadlineExceeded):
			t.Errorf("%s was not answered within %v", what, patient)
		case a.err != nil:
			t.Errorf("%s was cut off: %v", what, a.err)
		case a.status != 200 && a.status != 503:
			t.Errorf("%s was answered %d, want 200 or 503", what, a.status)
		}
	}
	for _, s := range tr.wins {
		check("win "+s.key, s.answer)
	}
	for _, e := range tr.events {
		check(e.id, e.answer)
	}
}
