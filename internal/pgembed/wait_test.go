package pgembed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"trivia/internal/pgembed"
	"trivia/internal/pgtest"
)

const notReady = "Postgres is not ready yet; it is waited for"

// A lineReader hands on the lines of a JSON log about which somebody waits.
type lineReader struct {
	lines chan map[string]any
}

func (r lineReader) Write(text []byte) (int, error) {
	for line := range bytes.Lines(text) {
		var fields map[string]any
		if json.Unmarshal(line, &fields) == nil && fields["msg"] == notReady {
			select {
			case r.lines <- fields:
			default: // the test has heard enough
			}
		}
	}

	return len(text), nil
}

// slowly returns options for a cluster in dir whose server first does what
// script says, and a log of how it is waited for. The cluster is there already.
func slowly(t *testing.T, dir, script string) (pgembed.Options, <-chan map[string]any) {
	t.Helper()

	stop(t, start(t, durable(dir)))
	bin := pgtest.Dir(t)
	wrap(t, bin, "postgres", script)
	wrap(t, bin, "initdb", "true\n")

	said := lineReader{make(chan map[string]any, 100)}
	o := pgembed.Options{Dir: dir, Durable: true, BinDir: bin, Log: slog.New(slog.NewJSONHandler(said, nil))}

	return pgembed.WithSayEvery(o, time.Millisecond), said.lines
}

// wrap makes a program in bin that does what script says and then is the real
// one, unless it is asked for its version.
func wrap(t *testing.T, bin, name, script string) {
	t.Helper()

	real, err := pgembed.Binaries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pgembed.WriteProgram(t, filepath.Join(bin, name), "#!/bin/sh\n"+
		"[ \"$1\" = --version ] || {\n"+script+"}\n"+
		"exec "+filepath.Join(real, name)+" \"$@\"\n")
}

// begin starts o's cluster in the background.
func begin(ctx context.Context, o pgembed.Options) <-chan started {
	result := make(chan started, 1)
	go func() {
		c, err := pgembed.Start(ctx, o)
		result <- started{c, err}
	}()

	return result
}

type started struct {
	cluster *pgembed.Cluster
	err     error
}

// awaitSaid returns when the log has said so often that the server is waited
// for, with words among what the server itself has said last.
func awaitSaid(t *testing.T, lines <-chan map[string]any, result <-chan started, words string, times int) {
	t.Helper()

	for heard := 0; heard < times; {
		select {
		case line := <-lines:
			said, _ := line["said"].(string)
			if strings.Contains(said, "\n") {
				t.Fatalf("%v quotes more than one line", line)
			}
			if _, ok := line["waited"].(float64); !ok || line["dir"] == "" {
				t.Fatalf("%v does not say how long and which one is waited for", line)
			}
			if strings.Contains(said, words) {
				heard++
			}
		case r := <-result:
			t.Fatalf("Start() = %v after %d lines about a server that is waited for", r.err, heard)
		}
	}
}

// A server that recovers is waited for however long it takes, and the log says
// that it is, and how far it is.
func TestASlowServerIsWaitedFor(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	recovered := filepath.Join(dir, "recovered")
	o, lines := slowly(t, dir, "echo 'LOG:  redo in progress, elapsed time: 7.00 s' >&2\n"+
		"while ! [ -e "+recovered+" ]; do sleep 0.01; done\n")
	result := begin(t.Context(), o)

	awaitSaid(t, lines, result, "redo in progress", 20)
	if err := os.WriteFile(recovered, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	r := <-result
	if r.err != nil {
		t.Fatalf("Start() = %v when the server has recovered", r.err)
	}
	keep(t, r.cluster.URL())
	stop(t, r.cluster)
}

// The last parts of a server that was killed may compute for a while longer:
// they are waited for, too, and no number of tries is the last one.
func TestTheRestOfAKilledServerIsWaitedFor(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	tries := filepath.Join(pgtest.Dir(t), "tries")
	if err := os.Mkdir(tries, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(tries, 0o777); err != nil { // the server is another user
		t.Fatal(err)
	}
	const many = 12
	script := "mktemp " + tries + "/XXXXXXXX >/dev/null\n" +
		"[ $(ls " + tries + " | wc -l) -le " + strconv.Itoa(many) + " ] && {\n" +
		"echo 'FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use' >&2; exit 1; }\n"
	o, _ := slowly(t, dir, script)

	c := start(t, o)
	entries, err := os.ReadDir(tries)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != many+1 {
		t.Errorf("the server was started %d times, want %d", len(entries), many+1)
	}
	keep(t, c.URL())
}

// Only a server that ends is an error.
func TestAServerThatEndsIsNotWaitedFor(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	broken := filepath.Join(dir, "broken")
	o, lines := slowly(t, dir, "echo 'LOG:  redo in progress, elapsed time: 7.00 s' >&2\n"+
		"while ! [ -e "+broken+" ]; do sleep 0.01; done\n"+
		"echo 'PANIC:  could not locate a valid checkpoint record' >&2; exit 1\n")
	result := begin(t.Context(), o)

	awaitSaid(t, lines, result, "redo in progress", 2)
	if err := os.WriteFile(broken, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	r := <-result
	wants(t, r.err, nil, "ended by itself", "could not locate a valid checkpoint record")
}

// Whoever waits can leave: Ctrl-C ends also a long recovery.
func TestWaitingForASlowServerEndsWithItsContext(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	o, lines := slowly(t, dir, "trap 'exit 0' INT QUIT\necho 'LOG:  redo in progress' >&2\nwhile :; do sleep 0.01; done\n")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	result := begin(ctx, o)

	awaitSaid(t, lines, result, "redo in progress", 1)
	cancel()
	r := <-result
	wants(t, r.err, context.Canceled)

	start(t, durable(dir)) // and leaves nothing behind that is in the way
}
