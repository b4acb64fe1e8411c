package ctl

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"trivia/internal/store"
)

// exportFake counts and hands out bodies.
type exportFake struct {
	tally int64
	full  []store.DeliveryRow
}

func (f *exportFake) ListDeliveriesWithBodies(
	_ context.Context, _ store.DeliveryFilter, page store.Page,
) iter.Seq2[store.DeliveryRow, error] {
	return pageOf(f.full, page, nil)
}

func (f *exportFake) TallyWins(context.Context, store.WinFilter) (int64, error) { return f.tally, nil }

func (f *exportFake) TallyEvents(context.Context, store.EventFilter) (int64, error) {
	return f.tally, nil
}

func (f *exportFake) TallyDeliveries(context.Context, store.DeliveryFilter) (int64, error) {
	return f.tally, nil
}

// files returns what is in a directory, but for what begins with a dot.
func files(t *testing.T, dir string) []string {
	t.Helper()

	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}

	return names
}

func text(t *testing.T, file string) string {
	t.Helper()

	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}

	return string(got)
}

func TestExportsLookLikeTheirListings(t *testing.T) {
	t.Parallel()

	var all strings.Builder
	for _, words := range [][]string{
		{"export", "wins", "-o", "-"},
		{"export", "wins", "-o", "-", "--format", "ndjson"},
		{"export", "events", "--out", "-", "--format=ndjson"},
		{"export", "deliveries", "--bodies", "-o", "-"},
		{"export", "deliveries", "--bodies", "-o", "-", "--format", "ndjson"},
	} {
		st := newStage(t)
		st.fake.wins, st.fake.deliveries, st.fake.events = someWins(), someDeliveries(), someEvents()
		st.fake.full = someDeliveries()
		if code := st.call(t, words...); code != 0 {
			t.Errorf("triviactl %q exits with %d: %s", words, code, st.err.String())
		}
		all.WriteString("--- " + strings.Join(words, " ") + "\n" + st.out.String() + st.err.String())
	}
	golden(t, "export", all.String())
}

func TestAnExportAppearsWhole(t *testing.T) {
	t.Parallel()

	for _, name := range []string{"wins.csv", "wins.ndjson", "wins.jsonl", "wins.parquet", "wins", "WINS.PARQUET"} {
		st, dir := newStage(t), t.TempDir()
		st.fake.wins = someWins()
		file := filepath.Join(dir, name)
		st.want(t, []string{"export", "wins", "-o", file}, 0, "3 wins written to "+file+"\n", "")
		if diff := cmp.Diff([]string{name}, files(t, dir)); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		begin := map[string]string{".csv": "won_at,", "": "won_at,", ".ndjson": "{", ".jsonl": "{", ".parquet": "PAR1"}
		if got := text(t, file); !strings.HasPrefix(got, begin[strings.ToLower(filepath.Ext(name))]) {
			t.Errorf("%s begins with %.20q", name, got)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want it to be the owner's alone", name, info.Mode(), err)
		}
	}
}

func TestParquetColumnsAreCalledAsThoseOfTheListings(t *testing.T) {
	t.Parallel()

	names := func(header string) string { return strings.TrimSuffix(header, "\n") }
	for _, words := range [][]string{{"wins"}, {"events"}, {"deliveries"}, {"deliveries", "--bodies"}} {
		st, file := newStage(t), filepath.Join(t.TempDir(), "rows.parquet")
		if code := st.call(t, append(append([]string{"export"}, words...), "-o", file)...); code != 0 {
			t.Fatalf("export %q exits with %d: %s", words, code, st.err.String())
		}
		content := text(t, file)
		f, err := parquet.OpenFile(strings.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		var columns []string
		for _, c := range f.Schema().Columns() {
			columns = append(columns, c[0])
		}

		st.call(t, append(append([]string{"export"}, words...), "-o", "-")...)
		want := strings.Replace(names(st.out.String()), "body_base64", "body", 1)
		if diff := cmp.Diff(strings.Split(want, ","), columns); diff != "" {
			t.Errorf("columns of %q (-csv +parquet):\n%s", words, diff)
		}
	}
}

func TestAnExportThatFailsLeavesWhatWasThere(t *testing.T) {
	t.Parallel()

	for _, format := range exportFormats() {
		st, dir := newStage(t), t.TempDir()
		file := filepath.Join(dir, "wins")
		if err := os.WriteFile(file, []byte("of yesterday"), 0o644); err != nil {
			t.Fatal(err)
		}
		st.fake.wins, st.fake.err = someWins(), errors.New("the connection broke")
		st.want(t, []string{"export", "wins", "-o", file, "--format", format}, 1, "",
			"triviactl: export wins after 3: the connection broke\n"+
				"triviactl: hint: nothing was written; what was called "+file+" before is as it was\n")
		if diff := cmp.Diff([]string{"wins"}, files(t, dir)); diff != "" || text(t, file) != "of yesterday" {
			t.Errorf("files (-want +got):\n%s, one with %q", diff, text(t, file))
		}
	}
}

func TestAnExportThatIsInterruptedLeavesNothing(t *testing.T) {
	t.Parallel()

	st, dir := newStage(t), t.TempDir()
	st.fake.wins = someWins()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code := st.run(ctx, []string{"export", "wins", "-o", filepath.Join(dir, "wins.csv")}); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if got := files(t, dir); len(got) != 0 || !strings.HasPrefix(st.err.String(), "triviactl: interrupted\n") {
		t.Errorf("files %q, said %q; want none, and that it was interrupted", got, st.err.String())
	}
}

func TestExportsGoToFilesOnly(t *testing.T) {
	t.Parallel()

	st, dir := newStage(t), t.TempDir()
	st.fake.wins = someWins()
	st.want(t, []string{"export", "wins", "-o", dir}, 2, "",
		"triviactl: usage: "+dir+" is no regular file\ntriviactl: hint: - writes to standard output\n")
	st.want(t, []string{"export", "wins", "-o", os.DevNull}, 2, "",
		"triviactl: usage: "+os.DevNull+" is no regular file\ntriviactl: hint: - writes to standard output\n")

	file := filepath.Join(dir, "wins.csv")
	if err := os.WriteFile(file+partEnd, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	st.want(t, []string{"export", "wins", "-o", file}, 1, "", "triviactl: "+file+".part is there already\n"+
		"triviactl: hint: another export writes it, or was killed and has left it: in that case, remove it\n")
	if code := st.call(t, "export", "wins", "-o", filepath.Join(dir, "missing", "wins.csv")); code != 1 {
		t.Errorf("in a directory that is missing: exit code %d, want 1", code)
	}

	link := filepath.Join(dir, "latest")
	if err := errors.Join(os.Remove(file+partEnd), os.WriteFile(file, nil, 0o600), os.Symlink("wins.csv", link)); err != nil {
		t.Fatal(err)
	}
	st.want(t, []string{"export", "wins", "-o", link}, 0, "3 wins written to "+link+"\n", "")
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 || text(t, file) == "" {
		t.Errorf("the link is %v, %v, and what it leads to has %q", info.Mode(), err, text(t, file))
	}
}

func TestAnExportShowsHowFarItIs(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.StderrTerminal = true
	st.fake.wins, st.fake.tally = someWins(), 3
	if code := st.call(t, "export", "wins", "-o", filepath.Join(t.TempDir(), "wins.csv")); code != 0 {
		t.Errorf("exit code %d: %s", code, st.err.String())
	}
	if !strings.Contains(st.err.String(), "\x1b[?25l") { // it is over before anything is drawn
		t.Errorf("on a terminal it says %q, want a progress bar", st.err.String())
	}
}
