package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const restarts = 20

func restartRows() []row {
	return []row{
		{name: "restart by shell", what: "a successor starts on the same port, then the former one is asked to stop (SIGTERM), at 200 requests/s", do: restartByShell},
		{name: "restart by socket", what: "the listening socket is held by another, as systemd does, and the hook is stopped and started anew", do: restartBySocket},
		{name: "restart behind nginx", what: "as by shell, behind nginx with the example of deploy/", do: func(ctx context.Context, s *stage) error {
			return restartBehind(ctx, s, s.nginx)
		}},
		{name: "restart behind HAProxy", what: "as by shell, behind HAProxy with the example of deploy/", do: func(ctx context.Context, s *stage) error {
			return restartBehind(ctx, s, s.haproxy)
		}},
	}
}

func restartByShell(ctx context.Context, s *stage) error {
	s.load.EventRate, s.load.WinRate, s.load.Streams = 60, 140, 3
	if err := s.withDatabase(ctx); err != nil {
		return err
	}
	h, err := s.start(ctx, nil)
	if err != nil {
		return err
	}

	return s.play(ctx, func(ctx context.Context) error { return s.handOver(ctx, h) })
}

// handOver replaces a hook by a successor on the same port, again and again.
func (s *stage) handOver(ctx context.Context, h *process) error {
	return s.repeat(ctx, restarts, func(int) error {
		next, err := s.launch(nil, func(cmd *exec.Cmd) { cmd.Args = append(cmd.Args, "--takeover") })
		if err == nil {
			err = s.ready(ctx, next)
		}
		if err != nil {
			return fmt.Errorf("start the successor: %w", err)
		}
		before := h
		h = next

		return until(ctx, "the end of the one that was replaced", before.gone)
	})
}

func restartBySocket(ctx context.Context, s *stage) error {
	if err := s.withDatabase(ctx); err != nil {
		return err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", s.at)
	if err != nil {
		return err
	}
	s.later(func() { _ = listener.Close() })
	tcp, _ := listener.(*net.TCPListener)
	socket, err := tcp.File()
	if err != nil {
		return err
	}
	s.later(func() { _ = socket.Close() })

	activate := func() (*process, error) {
		h, err := s.launch(map[string]string{"LISTEN_FDS": "1", "LISTEN_FDNAMES": "trivia-hook.socket"}, func(cmd *exec.Cmd) {
			// The variable names the process that is to have it.
			hook := cmd.Path
			cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `LISTEN_PID=$$ exec "$0"`, hook}
			cmd.ExtraFiles = []*os.File{socket}
		})
		if err != nil {
			return nil, err
		}

		return h, s.ready(ctx, h)
	}
	h, err := activate()
	if err != nil {
		return err
	}

	return s.play(ctx, func(ctx context.Context) error {
		return s.repeat(ctx, restarts, func(int) (err error) {
			if err := h.end(syscall.SIGTERM); err != nil {
				return err
			}
			h, err = activate()

			return err
		})
	})
}

// restartBehind is restartByShell behind a proxy.
func restartBehind(ctx context.Context, s *stage, proxy func(ctx context.Context, hook string) error) error {
	if err := s.withDatabase(ctx); err != nil {
		return err
	}
	s.env["TRIVIA_TRUSTED_PROXIES"] = "127.0.0.1"
	h, err := s.start(ctx, nil)
	if err != nil {
		return err
	}
	if err := proxy(ctx, s.at); err != nil {
		return err
	}

	return s.play(ctx, func(ctx context.Context) error { return s.handOver(ctx, h) })
}

// nginx puts nginx before the hook at an address, and the sender before it.
func (s *stage) nginx(ctx context.Context, hook string) error {
	return s.proxy(ctx, "nginx.conf.example", hook, func(file, dir string) (*exec.Cmd, error) {
		for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			if err := replace(file, "http {\n", "http {\n    "+what+"_temp_path "+filepath.Join(dir, what)+";\n"); err != nil {
				return nil, err
			}
		}

		return exec.Command("nginx", "-c", file, "-p", dir, "-e", "stderr", //nolint:noctx // it is ended gently
			"-g", "daemon off; pid "+filepath.Join(dir, "nginx.pid")+";"), nil
	})
}

// haproxy is nginx for HAProxy.
func (s *stage) haproxy(ctx context.Context, hook string) error {
	return s.proxy(ctx, "haproxy.cfg.example", hook, func(file, _ string) (*exec.Cmd, error) {
		return exec.Command("haproxy", "-db", "-f", file), nil //nolint:noctx // it is ended gently
	})
}

// proxy starts one with its example of deploy/, but for the addresses.
func (s *stage) proxy(ctx context.Context, example, hook string, command func(file, dir string) (*exec.Cmd, error)) error {
	text, err := os.ReadFile(filepath.Join("deploy", example))
	if err != nil {
		return fmt.Errorf("%w; run it from the top of the tree", err)
	}
	front, err := port(ctx)
	if err != nil {
		return err
	}
	dir := s.path(example + ".d")
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o777); err != nil { // nginx' workers are somebody else
		return err
	}
	file := filepath.Join(dir, "proxy.conf")
	at := fmt.Sprintf("127.0.0.1:%d", front)
	named := strings.NewReplacer("127.0.0.1:8080", hook, "listen 8000;", "listen "+at+";", "bind :8000", "bind "+at).Replace(string(text))
	if err := os.WriteFile(file, []byte(named), 0o644); err != nil {
		return err
	}
	cmd, err := command(file, dir)
	if err != nil {
		return err
	}
	p, err := launch(cmd, filepath.Join(dir, "proxy.log"))
	if err != nil {
		return fmt.Errorf("%w; it is in the system's package of that name", err)
	}
	s.later(func() { _ = p.end(syscall.SIGTERM) })
	s.at = at

	return until(ctx, example, func() bool { return p.gone() || answers(at) })
}

func replace(file, old, with string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}

	return os.WriteFile(file, []byte(strings.Replace(string(text), old, with, 1)), 0o644)
}

// answers reports whether anybody listens at an address.
func answers(at string) bool {
	conn, err := net.DialTimeout("tcp", at, time.Second) //nolint:noctx // it is short
	if err != nil {
		return false
	}

	return conn.Close() == nil
}
