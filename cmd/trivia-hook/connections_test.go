package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"trivia/internal/config"
	"trivia/internal/customerio"
)

// Memory goes with what arrives, not with what is announced.
func TestAnnouncedBodiesCostNoMemory(t *testing.T) {
	t.Parallel()

	const many, most = 2000, 150 << 10 // KiB
	dir, db := build(t), newPostgres(t)
	p := launchFile(t, filepath.Join(dir, "bin", "trivia-hook"), dir, on(db.url).with(env{config.MaxBody: "8MiB", config.SignatureTolerance: "0"}))
	p.waitReady(t)

	head := "POST " + customerio.PathEvent + " HTTP/1.1\r\nHost: trivia\r\nContent-Length: 8388608\r\n\r\n"
	host, peak := strings.TrimPrefix(p.public, "http://"), 0
	for range many {
		conn := dial(t, host)
		if _, err := io.WriteString(conn, head); err != nil {
			t.Fatalf("announce a body: %v", err)
		}
	}
	// Each is answered 503 after a while; until then the service holds all of them.
	wait(t, "all of them were refused", func() bool {
		peak = max(peak, residentKiB(t, p.cmd.Process.Pid))
		return p.countLogged(t, "request refused") >= many
	})
	if peak > most {
		t.Errorf("the service takes %d MiB for %d announced bodies, want at most %d", peak>>10, many, most>>10)
	}
	t.Logf("%d MiB at most", peak>>10)
}

// residentKiB returns how much memory a process has.
func residentKiB(t *testing.T, pid int) int {
	t.Helper()

	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("no VmRSS in %s", text)
	}
	n, _ := strconv.Atoi(string(found[1]))

	return n
}

func dial(t *testing.T, host string) net.Conn {
	t.Helper()

	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })

	return conn
}

// As many connections as there may be: the one that has been idle for the
// longest makes room for a new one, and nobody else notices.
func TestTheOldestIdleConnectionMakesRoom(t *testing.T) {
	t.Parallel()

	const most = 16
	p := start(t, on(newPostgres(t).url).with(env{config.MaxConnections: strconv.Itoa(most)}))
	var callers []*caller
	for i := range most {
		c := newCaller(t, p.public, nthWin(i))
		if _, err := c.call(); err != nil {
			t.Fatalf("caller %d: %v", i, err)
		}
		callers = append(callers, c)
	}
	rest := callers[0].begin(t) // and is idle no longer

	late := newCaller(t, p.public, nthWin(most))
	if _, err := late.call(); err != nil {
		t.Fatalf("one more: %v", err)
	}
	if _, err := callers[1].reader.ReadByte(); err != io.EOF {
		t.Errorf("the oldest idle connection: %v, want that it is closed", err)
	}
	if _, err := callers[0].conn.Write(rest); err != nil {
		t.Fatal(err)
	}
	for i, c := range callers {
		var err error
		switch i {
		case 0:
			_, err = c.hear()
		case 1:
		default:
			_, err = c.call()
		}
		if err != nil {
			t.Errorf("caller %d beside it: %v", i, err)
		}
	}

	_, metrics := get(t, p.private+"/metrics")
	for _, want := range []string{"trivia_connections_open 16", "trivia_connections_most 16", "trivia_connections_shed_total 1"} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("/metrics does not say %s:\n%s", want, ours(metrics))
		}
	}
	if got := p.logged(t, "there are as many connections as may be: idle ones are closed for new ones"); len(got) != 1 {
		t.Errorf("%d lines about it, want one", len(got))
	}
}

// Where none is idle, whoever comes waits until a request has ended.
func TestNoConnectionInUseIsClosedForANewOne(t *testing.T) {
	t.Parallel()

	const most = 16
	p := start(t, on(newPostgres(t).url).with(env{config.MaxConnections: strconv.Itoa(most)}))
	type half struct {
		*caller
		rest []byte
	}
	var halves []half
	for i := range most {
		c := newCaller(t, p.public, nthWin(i))
		halves = append(halves, half{c, c.begin(t)})
	}
	answers := make(chan error, 1)
	late := newCaller(t, p.public, nthWin(most))
	go func() {
		_, err := late.call()
		answers <- err
	}()
	for i, h := range halves {
		if _, err := h.conn.Write(h.rest); err != nil {
			t.Fatal(err)
		}
		if _, err := h.hear(); err != nil {
			t.Errorf("half a request %d: %v", i, err)
		}
	}
	if err := <-answers; err != nil {
		t.Errorf("who came last: %v", err)
	}
}

// Strangers who open connections and say nothing keep nobody out, and leave
// the private listener and the database their descriptors.
func TestSilentStrangersKeepNobodyOut(t *testing.T) {
	t.Parallel()

	const most = 16
	p := start(t, on(newPostgres(t).url).with(env{config.MaxConnections: strconv.Itoa(most)}))
	for range 2 * most {
		dial(t, strings.TrimPrefix(p.public, "http://"))
	}
	if a := newSender(t, 1).win(p.public, nthWin(1)); a.err != nil || a.status != http.StatusOK {
		t.Errorf("a win among silent strangers was answered %+v, want 200", a)
	}
	if status, _ := get(t, p.private+"/healthz"); status != http.StatusOK {
		t.Errorf("the private listener answers %d", status)
	}
}

// Where few files may be open, connections are fewer still.
func TestConnectionsLeaveFilesToOthers(t *testing.T) {
	t.Parallel()

	tests := []struct{ asked, files, want int }{
		{0, 1 << 20, 4096}, {0, 1024, 768}, {0, 300, 150}, {0, 16, 16}, {100, 1024, 100}, {10_000, 1024, 768}, {10_000, 1 << 20, 10_000},
	}
	for _, tt := range tests {
		if got := connectionsFor(tt.asked, tt.files); got != tt.want {
			t.Errorf("connectionsFor(%d, %d) = %d, want %d", tt.asked, tt.files, got, tt.want)
		}
	}
}

// When files run out all the same, the log, the metrics and readiness say so,
// and when there are some again, all is well.
func TestAnAcceptThatFailsIsSaid(t *testing.T) {
	t.Parallel()

	p := start(t, on(newPostgres(t).url))
	kept := newCaller(t, p.public, nthWin(1))
	if _, err := kept.call(); err != nil {
		t.Fatal(err)
	}
	private := dial(t, strings.TrimPrefix(p.private, "http://"))
	_ = askOn(t, private, "/healthz")

	limitFiles(t, p.cmd.Process.Pid, "4") // fewer than are open
	dial(t, strings.TrimPrefix(p.public, "http://"))
	wait(t, "accept fails", func() bool { return len(p.logged(t, "connections cannot be accepted")) == 1 })
	if said := askOn(t, private, "/readyz"); !strings.Contains(said, "503") || !strings.Contains(said, "connections cannot be accepted for") {
		t.Errorf("/readyz says %s", said)
	}
	if said := askOn(t, private, "/metrics"); strings.Contains(said, "trivia_accept_errors_total 0\n") {
		t.Error("failed accepts are not counted")
	}

	limitFiles(t, p.cmd.Process.Pid, "1024")
	wait(t, "accept works", func() bool { return len(p.logged(t, "connections can be accepted again")) == 1 })
	if status, _ := get(t, p.public+"/readyz"); status != http.StatusOK {
		t.Errorf("/readyz = %d", status)
	}
}

// askOn gets a page on an open connection.
func askOn(t *testing.T, conn net.Conn, path string) string {
	t.Helper()

	if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: trivia\r\n\r\n"); err != nil {
		t.Fatalf("get %s: %v", path, err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("get %s: %v", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("get %s: %v", path, err)
	}

	return resp.Status + "\n" + string(text)
}

// limitFiles sets how many files a process may have open.
func limitFiles(t *testing.T, pid int, most string) {
	t.Helper()

	if said, err := exec.CommandContext(t.Context(), "prlimit", "--pid", strconv.Itoa(pid), "--nofile="+most+":").CombinedOutput(); err != nil {
		t.Fatalf("prlimit: %v\n%s", err, said)
	}
}
