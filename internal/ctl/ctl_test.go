package ctl

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/pgembed"
	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

var update = flag.Bool("update", false, "write the golden files anew")

// noon is when every test takes place.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// A stage is a session whose surroundings are all in memory.
type stage struct {
	*session

	env      map[string]string
	out, err bytes.Buffer
	fake     *fake
}

func newStage(t *testing.T) *stage {
	t.Helper()

	st := &stage{fake: &fake{}, env: map[string]string{
		"CUSTOMERIO_WEBHOOK_SECRET": "event-key", "CUSTOMERIO_ACTION_SECRET": "action-key,older-key", "TRIVIA_DATA_DIR": "/data",
		"USER": "ann",
	}}
	st.session = newSession(Env{
		Getenv: func(name string) string { return st.env[name] },
		Stdin:  strings.NewReader(""), Stdout: &st.out, Stderr: &st.err,
		Width: 80, Host: "desk", Now: func() time.Time { return noon },
	})
	st.find = func(string) (string, error) { return "", pgembed.ErrNotRunning }
	st.open = func(context.Context) (verbs, func(), error) { return st.fake, func() {}, nil }

	return st
}

// call runs triviactl, and returns its exit code.
func (st *stage) call(t *testing.T, args ...string) int {
	t.Helper()
	st.out.Reset()
	st.err.Reset()

	return st.run(t.Context(), args)
}

// want checks all that a call shows.
func (st *stage) want(t *testing.T, args []string, code int, out, err string) {
	t.Helper()
	got := st.call(t, args...)
	if got != code {
		t.Errorf("triviactl %q exits with %d, want %d", args, got, code)
	}
	if diff := cmp.Diff(out, st.out.String()); diff != "" {
		t.Errorf("triviactl %q on stdout (-want +got):\n%s", args, diff)
	}
	if diff := cmp.Diff(err, st.err.String()); diff != "" {
		t.Errorf("triviactl %q on stderr (-want +got):\n%s", args, diff)
	}
}

// golden compares text with a file, or writes the file.
func golden(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}

		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (-want +got; go test -update writes it anew):\n%s", file, diff)
	}
}

// A fake is a database that has what a test puts into it, and remembers what
// it was asked for.
type fake struct {
	tui.Readers
	eventFake
	pushFake
	explainFake
	auditFake
	triviaFake
	pruneFake
	trialFake
	warehouseFake

	fakeSources
	replayFake
	exportFake
	keyFake

	wins       []store.WinRow
	deliveries []store.DeliveryRow
	users      []store.UserRow
	story      operator.WinStory
	imported   operator.Imported
	bad        []operator.BadRow
	err        error

	winFilter      store.WinFilter
	deliveryFilter store.DeliveryFilter
	page           store.Page
	added          []trivia.UserID
	importedText   string
	options        operator.Import
	found          func(kind trivia.Kind, key string, body []byte) (store.DeliveryRow, error)
}

func pageOf[T any](all []T, page store.Page, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for i, row := range all {
			if page.Limit > 0 && i == page.Limit {
				return
			}
			if !yield(row, nil) {
				return
			}
		}
		if err != nil {
			var none T
			yield(none, err)
		}
	}
}

func (f *fake) ListWins(_ context.Context, filter store.WinFilter, page store.Page) iter.Seq2[store.WinRow, error] {
	f.winFilter, f.page = filter, page

	return pageOf(f.wins, page, f.err)
}

func (f *fake) ListDeliveries(
	_ context.Context, filter store.DeliveryFilter, page store.Page,
) iter.Seq2[store.DeliveryRow, error] {
	f.deliveryFilter, f.page = filter, page

	return pageOf(f.deliveries, page, f.err)
}

func (f *fake) ListUsers(_ context.Context, _ store.UserFilter, page store.Page) iter.Seq2[store.UserRow, error] {
	f.page = page

	return pageOf(f.users, page, f.err)
}

func (f *fake) ShowWin(context.Context, trivia.UserID, trivia.ID) (operator.WinStory, error) {
	return f.story, f.err
}

func (f *fake) ShowDelivery(context.Context, string) ([]store.DeliveryRow, error) {
	return append([]store.DeliveryRow(nil), f.deliveries...), f.err
}

func (f *fake) FindDelivery(_ context.Context, kind trivia.Kind, key string, body []byte) (store.DeliveryRow, error) {
	return f.found(kind, key, body)
}

func (f *fake) AddUsers(_ context.Context, ids []trivia.UserID, _ string) (store.Addition, error) {
	f.added = ids

	return store.Addition{New: len(ids) - 1, Due: 1}, f.err
}

func (f *fake) ImportUsers(_ context.Context, r io.Reader, opts operator.Import) (operator.Imported, error) {
	text, _ := io.ReadAll(r)
	f.importedText, f.options = string(text), opts
	for _, row := range f.bad {
		opts.Bad(row)
	}
	opts.Progress(f.imported)

	return f.imported, f.err
}

func TestErrorsGetTheirExitCode(t *testing.T) {
	t.Parallel()

	missing := errors.Join(operator.ErrNotFound)
	tests := []struct {
		name string
		err  error
		code int
		said string
	}{
		{"nothing", nil, 0, ""},
		{"a failure", errors.New("no space left"), 1, "triviactl: no space left\n"},
		{"two lines", errors.New("one\ntwo"), 1, "triviactl: one\ntriviactl: two\n"},
		{"wrong words", usagef("try this", "no %d", 7), 2, "triviactl: usage: no 7\ntriviactl: hint: try this\n"},
		{"no such thing", missing, 3, "triviactl: not found\n"},
		{"no such thing, with a hint", hintMissing(missing, "look there"), 3, "triviactl: not found\ntriviactl: hint: look there\n"},
		{"all was said", hinted{errQuiet, "mend it"}, 1, "triviactl: hint: mend it\n"},
		{
			"a cursor of another listing", store.ErrCursor, 2,
			"triviactl: not a cursor of this listing\ntriviactl: hint: --after takes what an earlier call of the same listing has printed\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			st := newStage(t)
			if got := st.report(t.Context(), tt.err); got != tt.code || st.err.String() != tt.said {
				t.Errorf("report = %d, %q, want %d, %q", got, st.err.String(), tt.code, tt.said)
			}
		})
	}
}

func TestAnInterruptedCallSaysSo(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := st.report(ctx, hinted{context.Canceled, "run it again"}); got != 1 {
		t.Errorf("report = %d, want 1", got)
	}
	if got, want := st.err.String(), "triviactl: interrupted\ntriviactl: hint: run it again\n"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}

func TestTheActorIsWhoeverSatDown(t *testing.T) {
	t.Parallel()

	tests := []struct {
		env  map[string]string
		host string
		want string
	}{
		{map[string]string{"USER": "ann"}, "desk", "ann@desk"},
		{map[string]string{"USER": "root", "SUDO_USER": "ann"}, "desk", "ann@desk"},
		{map[string]string{"LOGNAME": "ann"}, "", "ann"},
		{nil, "pod-7", "unknown@pod-7"},
	}
	for _, tt := range tests {
		st := newStage(t)
		st.env, st.Host = tt.env, tt.host
		if got := st.actor(); got != tt.want {
			t.Errorf("actor() with %v on %q = %q, want %q", tt.env, tt.host, got, tt.want)
		}
	}
}

func TestWithoutADatabaseItSaysWhatToStart(t *testing.T) {
	t.Parallel()

	const start = "triviactl: hint: start one with: make run, or trivia-hook --embedded; or set DATABASE_URL\n"
	open := func(st *stage) *stage { st.open = st.openStore; return st }

	st := open(newStage(t))
	st.want(t, []string{"wins", "list"}, 1, "", "triviactl: DATABASE_URL is not set, and no embedded Postgres runs in /data\n"+start)
	st.want(t, []string{"migrate"}, 1, "", "triviactl: DATABASE_URL is not set, and no embedded Postgres runs in /data\n"+start)

	st = open(newStage(t))
	st.find = func(string) (string, error) { return "", errors.New("this user may not enter") }
	st.want(t, []string{"wins", "list"}, 1, "",
		"triviactl: DATABASE_URL is not set: this user may not enter\ntriviactl: hint: set DATABASE_URL\n")

	st = open(newStage(t))
	st.env["DATABASE_URL"] = "http://nonsense"
	st.env["TRIVIA_LISTEN"] = "nonsense"
	if code := st.call(t, "wins", "list"); code != 2 || strings.Count(st.err.String(), "\n") != 3 {
		t.Errorf("with two wrong settings: exit %d, said %q, want 2 and both", code, st.err.String())
	}
}

func (f *fake) CountParked(context.Context) (int64, error) { return 0, f.err }

func (f *fake) CountWinsOf(context.Context, []trivia.ID) (map[trivia.ID]int64, error) {
	return nil, f.err
}

func (f *fake) Overview(context.Context) (store.Overview, error) { return store.Overview{}, f.err }

func (f *fake) Minutes(_ context.Context, _, _ time.Time) ([]store.Minute, error) { return nil, f.err }
