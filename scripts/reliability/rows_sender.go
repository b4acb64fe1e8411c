package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

func senderRows() []row {
	all := []row{
		{name: "key rotation", what: "the sender signs with a new key, three times: the new one is added beside the old (SIGHUP), used, and the old one removed", do: rotation},
		{name: "new address", what: "the sender calls from an address that Customer.io has listed only after the hook's last look", do: newAddress},
	}
	for _, skew := range []time.Duration{-24 * time.Hour, -10 * time.Minute, 10 * time.Minute, 24 * time.Hour} {
		name := "behind"
		if skew > 0 {
			name = "ahead"
		}
		all = append(all, row{
			name: fmt.Sprintf("clock %s %s", skew.Abs(), name), what: "the stamps of the sender are " + skew.Abs().String() + " " + name,
			do: func(ctx context.Context, s *stage) error {
				s.load.Skew = skew

				return s.steadily(ctx, 5)
			},
		})
	}

	return append(all, row{
		name: "5 MiB events", what: "every event has 5 MiB, one a second; wins as usual", limit: 400,
		do: func(ctx context.Context, s *stage) error {
			s.load.EventRate, s.load.WinRate, s.load.Pad = 1, 0.5, 5<<20

			return s.steadily(ctx, 15)
		},
	})
}

// steadily lets the sender send for a while.
func (s *stage) steadily(ctx context.Context, seconds int) error {
	if err := s.usual(ctx); err != nil {
		return err
	}

	return s.play(ctx, func(ctx context.Context) error {
		pause(ctx, s.seconds(seconds))

		return nil
	})
}

func rotation(ctx context.Context, s *stage) error {
	if err := s.withDatabase(ctx); err != nil {
		return err
	}
	file := s.path("settings.env")
	write := func(keys string) error {
		return os.WriteFile(file, []byte("CUSTOMERIO_WEBHOOK_SECRET="+keys+"\n"), 0o600)
	}
	if err := write(signingKey); err != nil {
		return err
	}
	delete(s.env, "CUSTOMERIO_WEBHOOK_SECRET")
	s.env["TRIVIA_ENV_FILE"] = file
	h, err := s.start(ctx, nil)
	if err != nil {
		return err
	}

	return s.play(ctx, func(ctx context.Context) error {
		old := signingKey
		return s.repeat(ctx, 3, func(i int) error {
			fresh := fmt.Sprintf("%s-rotated-%d", signingKey, i)
			for _, step := range []func() error{
				func() error { return write(fresh + "," + old) },
				func() error { s.signWith(fresh); return nil },
				func() error { return write(fresh) },
			} {
				if err := step(); err != nil {
					return err
				}
				h.signal(syscall.SIGHUP)
				pause(ctx, 1500*time.Millisecond)
			}
			old = fresh

			return nil
		})
	})
}

// newAddress lets the hook ask a vendor of ours for the addresses, which knows
// another one from the second time on.
func newAddress(ctx context.Context, s *stage) error {
	var (
		config net.ListenConfig
		moved  atomic.Bool
		asked  atomic.Int64
	)
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	vendor := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		list := []string{"127.0.0.1"}
		if moved.Load() {
			list = append(list, "127.0.0.3")
		}
		_ = json.NewEncoder(w).Encode(map[string][]string{"ip_addresses": list})
	})}
	go func() { _ = vendor.Serve(listener) }()
	s.later(func() { _ = vendor.Close() })

	if err := s.withDatabase(ctx); err != nil {
		return err
	}
	s.env["TRIVIA_SOURCES"], s.env["CUSTOMERIO_APP_URL"] = "customerio", "http://"+listener.Addr().String()
	s.env["CUSTOMERIO_TRACK_URL"] = s.env["CUSTOMERIO_APP_URL"]
	if _, err := s.start(ctx, nil); err != nil {
		return err
	}
	if err := until(ctx, "the hook to ask for the addresses", func() bool { return asked.Load() > 0 }); err != nil {
		return err
	}
	pause(ctx, time.Second)
	moved.Store(true)
	s.load.From = "127.0.0.3"
	err = s.play(ctx, func(ctx context.Context) error {
		pause(ctx, s.seconds(8))

		return nil
	})
	s.note("the hook asked %d times", asked.Load())

	return err
}
