package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"trivia/internal/customerio"
	"trivia/internal/signature"
)

func strangerRows() []row {
	return []row{
		{name: "unsigned flood", what: "64 connections of strangers send unsigned bodies of 2 KiB, as fast as they are answered", do: func(ctx context.Context, s *stage) error {
			return flood(ctx, s, 2<<10, func(http.Header, []byte) {})
		}},
		{name: "wrongly signed flood", what: "64 connections of strangers send bodies of 64 KiB that another key has signed", do: func(ctx context.Context, s *stage) error {
			key, err := signature.NewKey("somebody-elses-signing-key")
			if err != nil {
				return err
			}

			return flood(ctx, s, 64<<10, func(h http.Header, body []byte) {
				stamp := strconv.FormatInt(time.Now().Unix(), 10)
				h.Set(signature.HeaderTimestamp, stamp)
				h.Set(signature.HeaderSignature, signature.Sign(key, stamp, body))
			})
		}},
		{name: "silent clients", what: "2,000 connections announce 8 MiB each and send nothing", limit: 150, do: func(ctx context.Context, s *stage) error {
			return crowd(ctx, s, func(conn net.Conn) { _, _ = io.WriteString(conn, head(8<<20)) }, 0)
		}},
		{name: "slow clients", what: "2,000 connections send a byte of their body each second", limit: 150, do: func(ctx context.Context, s *stage) error {
			return crowd(ctx, s, func(conn net.Conn) { _, _ = io.WriteString(conn, head(1<<10)) }, time.Second)
		}},
	}
}

// flood lets strangers send while the sender does.
func flood(ctx context.Context, s *stage, size int, sign func(http.Header, []byte)) error {
	if err := s.usual(ctx); err != nil {
		return err
	}
	var (
		body             = bytes.Repeat([]byte("x"), size)
		answered, failed atomic.Int64
	)
	err := s.play(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, s.seconds(8))
		defer cancel()
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 10 * time.Second}
		defer client.CloseIdleConnections()
		var group errgroup.Group
		for range 64 {
			group.Go(func() error {
				for ctx.Err() == nil {
					req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.at+customerio.PathWin, bytes.NewReader(body))
					if err != nil {
						return err
					}
					sign(req.Header, body)
					resp, err := client.Do(req)
					if err != nil {
						failed.Add(1)

						continue
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
					answered.Add(1)
					if resp.StatusCode/100 == 2 {
						return fmt.Errorf("a stranger was answered with %d", resp.StatusCode)
					}
				}

				return nil
			})
		}

		return group.Wait()
	})
	s.note("%d requests of strangers were answered, %d were not", answered.Load(), failed.Load())

	return err
}

func head(length int) string {
	return "POST " + customerio.PathWin + " HTTP/1.1\r\nHost: hook\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(length) + "\r\n\r\n"
}

const crowdSize = 2000

// crowd opens many connections, and lets each send a byte in every interval, if any.
func crowd(ctx context.Context, s *stage, greet func(net.Conn), every time.Duration) error {
	if err := s.usual(ctx); err != nil {
		return err
	}

	return s.play(ctx, func(ctx context.Context) error {
		var (
			dialer  net.Dialer
			conns   []net.Conn
			refused int
		)
		for range crowdSize {
			conn, err := dialer.DialContext(ctx, "tcp", s.at)
			if err != nil {
				refused++

				continue
			}
			greet(conn)
			conns = append(conns, conn)
		}
		s.note("%d of %d were let in", len(conns), crowdSize)
		if every <= 0 {
			pause(ctx, s.seconds(8))
		} else {
			for end := time.Now().Add(s.seconds(8)); time.Now().Before(end) && pause(ctx, every); {
				for _, conn := range conns {
					_, _ = conn.Write([]byte("x")) // it may have been closed
				}
			}
		}
		for _, conn := range conns {
			_ = conn.Close()
		}
		if refused > 0 {
			return fmt.Errorf("%d connections were refused", refused)
		}

		return nil
	})
}
