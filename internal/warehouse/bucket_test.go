package warehouse_test

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/config"
	"trivia/internal/warehouse"
)

// An attic is object storage on this machine: of S3's protocol it speaks what
// the client asks for here.
type attic struct {
	mu      sync.Mutex
	objects map[string][]byte
	puts    int
	deny    bool
}

func newAttic(t *testing.T) (*attic, string) {
	t.Helper()

	a := &attic{objects: map[string][]byte{}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)

	return a, server.URL
}

func (a *attic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()

	name, in := strings.CutPrefix(r.URL.Path, "/lake/")
	switch query := r.URL.Query(); {
	case a.deny || !strings.Contains(r.Header.Get("Authorization"), "Credential=minio-user/"):
		a.refuse(w, http.StatusForbidden, "AccessDenied")
	case query.Has("location"):
		_, _ = io.WriteString(w, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>`)
	case query.Get("list-type") == "2":
		a.list(w, query.Get("prefix"))
	case !in:
		a.refuse(w, http.StatusNotFound, "NoSuchBucket")
	case r.Method == http.MethodPut:
		text, err := dechunked(r)
		if err != nil {
			a.refuse(w, http.StatusBadRequest, err.Error())
			return
		}
		a.puts++
		a.objects[name] = text
		w.Header().Set("ETag", `"1"`)
	case r.Method == http.MethodDelete:
		delete(a.objects, name)
		w.WriteHeader(http.StatusNoContent)
	default:
		text, ok := a.objects[name]
		if !ok {
			a.refuse(w, http.StatusNotFound, "NoSuchKey")
			return
		}
		w.Header().Set("ETag", `"1"`)
		http.ServeContent(w, r, "", time.Unix(1777896000, 0), bytes.NewReader(text))
	}
}

func (a *attic) refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<Error><Code>%s</Code><Message>no</Message></Error>`, code)
}

func (a *attic) list(w http.ResponseWriter, prefix string) {
	type object struct {
		Key          string
		LastModified string
		Size         int
	}
	var result struct {
		XMLName     xml.Name `xml:"ListBucketResult"`
		IsTruncated bool
		Contents    []object
	}
	for _, name := range slices.Sorted(maps.Keys(a.objects)) {
		if strings.HasPrefix(name, prefix) {
			result.Contents = append(result.Contents, object{name, "2026-05-04T12:00:00.000Z", len(a.objects[name])})
		}
	}
	text, _ := xml.Marshal(result)
	_, _ = w.Write(text)
}

// dechunked reads a body, which may come in signed pieces.
func dechunked(r *http.Request) ([]byte, error) {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return io.ReadAll(r.Body)
	}
	var (
		in   = bufio.NewReader(r.Body)
		text bytes.Buffer
	)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		word, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseInt(word, 16, 64)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return text.Bytes(), nil
		}
		if _, err := io.CopyN(&text, in, n); err != nil {
			return nil, err
		}
		if _, err := in.Discard(2); err != nil {
			return nil, err
		}
	}
}

// download brings what is in the attic into a directory.
func (a *attic) download(t *testing.T, prefix string) (dir string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()

	dir = t.TempDir()
	for name, text := range a.objects {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			t.Errorf("%s is not below %s", name, prefix)
			continue
		}
		at := filepath.Join(dir, rest)
		if err := os.MkdirAll(filepath.Dir(at), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}

	return dir
}

func openBucket(t *testing.T, place string) warehouse.Sink {
	t.Helper()

	u, err := url.Parse(place)
	if err != nil {
		t.Fatal(err)
	}
	sink, err := warehouse.Open(t.Context(), config.Warehouse{Kind: config.FilesWarehouse, Bucket: u, Format: "parquet"})
	if err != nil {
		t.Fatal(err)
	}

	return sink
}

// It is not parallel: the client finds its credentials in the environment.
func TestFilesMayBeInObjectStorage(t *testing.T) {
	t.Setenv("MINIO_ACCESS_KEY", "minio-user")
	t.Setenv("MINIO_SECRET_KEY", "swordfish")
	a, endpoint := newAttic(t)
	b, place := newBench(t), "s3://lake/trivia/prod?endpoint="+url.QueryEscape(endpoint)
	sink := openBucket(t, place)
	if sink.Name() != "files:s3://lake/trivia/prod" {
		t.Errorf("it is called %s", sink.Name())
	}
	if done, err := sink.(warehouse.Initer).Init(t.Context()); err != nil || len(done) != 1 {
		t.Errorf("Init = %q, %v", done, err)
	}

	b.exec(t, writeEvents, "2026-05-04 23:59:00Z", 1, 100, "e")
	b.wins(t, 3)
	b.send(t, b.stage(t, sink))
	dir := a.download(t, "trivia/prod/")
	wantIDs(t, "customerio_events", inParquet(t, dir, "customerio_events"), numbered("e%d", 1, 100))
	wantIDs(t, "trivia_wins", inParquet(t, dir, "trivia_wins"), numbered("w%d/capitals", 1, 3))

	got, err := sink.(warehouse.Counter).CountDays(t.Context(), warehouse.Events, time.Unix(0, 0), time.Now())
	if diff := cmp.Diff(map[string]int{"2026-05-04": 59, "2026-05-05": 41}, got); diff != "" || err != nil {
		t.Errorf("CountDays, %v (-want +got):\n%s", err, diff)
	}

	// A crash at any point.
	for n := range 12 {
		b.events(t, 1000+10*n, 1009+10*n)
		b.settle(t)
		b.endLeases(t)
		first := openBucket(t, place)
		warehouse.CrashAfter(first, n)
		b.trySend(t, b.stage(t, first))
		b.endLeases(t)
		b.send(t, b.stage(t, openBucket(t, place)))
	}
	want := slices.Sorted(slices.Values(append(numbered("e%d", 1, 100), numbered("e%d", 1000, 1119)...)))
	wantIDs(t, "after crashes", inParquet(t, a.download(t, "trivia/prod/"), "customerio_events"), want)

	// It says what it was doing, and why not.
	a.mu.Lock()
	a.deny = true
	a.mu.Unlock()
	b.events(t, 2000, 2000)
	b.settle(t)
	b.endLeases(t)
	b.trySend(t, b.stage(t, openBucket(t, place)))
	said := b.rows(t, `SELECT error FROM warehouse_positions WHERE what = 'customerio_events'`)[0]
	if !strings.Contains(said, "s3://lake/trivia/prod/.unfinished/customerio_events.") || !strings.Contains(said, "no") {
		t.Errorf("the error is %q", said)
	}
}
