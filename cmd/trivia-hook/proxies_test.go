package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"trivia/internal/config"
	"trivia/internal/customerio"
)

// A proxy is one that teams put before trivia-hook, started with the very
// file that deploy/ has for it, but for its addresses.
type proxy struct {
	name, example string
	more          func(dir string) []string // lines behind the first that ends in {, for places it may write to
	args          func(file, dir string) []string
	reload        syscall.Signal
}

func fronts() []proxy {
	return []proxy{
		{
			name: "nginx", example: "nginx.conf.example", reload: syscall.SIGHUP,
			more: func(dir string) []string {
				var lines []string
				for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
					lines = append(lines, what+"_temp_path "+filepath.Join(dir, what)+";")
				}

				return lines
			},
			args: func(file, dir string) []string {
				return []string{
					"-c", file, "-p", dir, "-e", "stderr",
					"-g", "daemon off; pid " + filepath.Join(dir, "nginx.pid") + ";",
				}
			},
		},
		{
			name: "haproxy", example: "haproxy.cfg.example", reload: syscall.SIGUSR2,
			args: func(file, _ string) []string { return []string{"-W", "-db", "-f", file} },
		},
	}
}

// Wins come through while the proxy is reloaded again and again, and keeps
// connections to the service in between.
func TestProxiesKeepConnectionsWithoutLosingARequest(t *testing.T) {
	t.Parallel()

	for _, f := range fronts() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()

			db := newPostgres(t)
			p := start(t, on(db.url).with(env{config.TrustedProxies: "127.0.0.1"}))
			base, cmd := f.start(t, strings.TrimPrefix(p.public, "http://"))
			s := newSender(t, 4)

			n, lost := 0, 0
			for range 3 {
				for range 50 {
					n++
					a := s.win(base, win{key: fmt.Sprintf("p-%d", n), user: fmt.Sprintf("user-%d", n%users), trivia: fmt.Sprintf("trivia-%d", n), item: "mug"})
					switch {
					case a.err != nil:
						lost++ // between us and the proxy
					case a.status != http.StatusOK:
						t.Fatalf("win %d through %s was answered %+v", n, f.name, a)
					}
				}
				if err := cmd.Process.Signal(f.reload); err != nil {
					t.Fatal(err)
				}
			}
			if lost > 3 {
				t.Errorf("%d of %d requests had no answer", lost, n)
			}
			db.want(t, `SELECT count(DISTINCT caller)::text FROM deliveries`, "1")

			// It keeps few connections to us, and none of what a caller claims about itself.
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+customerio.PathWin, bytes.NewReader([]byte("{}")))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Forwarded-For", "203.0.113.9")
			req.Header.Set("Forwarded", "for=203.0.113.9")
			if a := s.do(req); a.status != http.StatusUnauthorized {
				t.Errorf("a caller that claims another address is answered %+v, want 401: the claim is dropped", a)
			}
		})
	}
}

// start starts a proxy before the service at host, and returns its base URL.
func (f proxy) start(t *testing.T, host string) (string, *exec.Cmd) {
	t.Helper()

	path, err := lookForTool(f.name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("../../deploy", f.example))
	if err != nil {
		t.Fatal(err)
	}
	port := freeAddress(t)
	conf := strings.NewReplacer(
		"listen 8000;", "listen "+port+";", "bind :8000", "bind "+port, "127.0.0.1:8080", host).Replace(string(text))
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil { // workers are nobody
		t.Fatal(err)
	}
	if f.more != nil {
		conf = strings.Replace(conf, "http {\n", "http {\n"+strings.Join(f.more(dir), "\n")+"\n", 1)
	}
	file := filepath.Join(dir, f.example)
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}

	said := &transcript{}
	cmd := exec.CommandContext(t.Context(), path, f.args(file, dir)...)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = longest
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", f.name, err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait() // stopped with the test's context
		if t.Failed() {
			t.Logf("%s has said:\n%s", f.name, said)
		}
	})
	base := "http://" + port
	wait(t, f.name+" answers", func() bool {
		resp, err := http.Get(base + "/healthz") //nolint:noctx // it is asked again
		if err != nil {
			return false
		}
		_ = resp.Body.Close()

		return resp.StatusCode == http.StatusOK
	})

	return base, cmd
}

// lookForTool finds a program that ordinary users have no path to.
func lookForTool(name string) (string, error) {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}

	return "", errors.New("the test needs " + name + ": install it (scripts/need-tools does, as root on Debian or Ubuntu)")
}

// freeAddress returns an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()

	listener, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()

	return listener.Addr().String()
}

// A proxy that speaks another dialect than ours is told apart in the log.
func TestDialectsOfProxiesAreRefusedByName(t *testing.T) {
	t.Parallel()

	p := start(t, on(newPostgres(t).url).with(env{config.TrustedProxies: "127.0.0.1", config.Sources: "192.0.2.1"}))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.public+customerio.PathWin, bytes.NewReader([]byte("{}")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Forwarded", "for=192.0.2.1")
	if a := newSender(t, 1).do(req); a.status != http.StatusForbidden {
		t.Errorf("Forwarded is answered %+v, want 403", a)
	}
	wait(t, "it is logged", func() bool { return len(p.logged(t, "request refused")) > 0 })
	lines := p.logged(t, "request refused")
	if len(lines) != 1 || lines[0].text("reason") != "forwarded_header" || !strings.Contains(lines[0].text("error"), "configure X-Forwarded-For") {
		t.Errorf("the log says %v, want that Forwarded is not understood", lines)
	}
}
