package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/parquet-go/parquet-go"

	"trivia/internal/pgtest"
	"trivia/internal/store"
)

// manyWins is enough for an export to be caught in the middle.
const manyWins = 200_000

// withManyWins returns the URL of a database that has them.
func withManyWins(t *testing.T) string {
	t.Helper()

	url := pgtest.Schema(t)
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(context.Background()) }()
	if _, err := db.Exec(t.Context(), `
		WITH added AS (INSERT INTO users (user_id) SELECT 'user-' || n FROM generate_series(1, 200) AS n RETURNING user_id)
		SELECT count(*) FROM added`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), fmt.Sprintf(`
		INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key, won_at)
		SELECT 'user-' || n %% 200 + 1, 'trivia-' || n / 200, 'mug', 'key-' || n, now() - n * '1 ms'::interval
		FROM generate_series(0, %d) AS n`, manyWins-1)); err != nil {
		t.Fatal(err)
	}

	return url
}

// triviactl is the program as a process of its own.
func triviactl(t *testing.T, url string, args ...string) *exec.Cmd {
	t.Helper()

	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Args[0] = name // the test binary goes by that
	cmd.Env = []string{"DATABASE_URL=" + url, "USER=ann", "TZ=UTC", "GOCOVERDIR=" + t.TempDir()}

	return cmd
}

func TestAnExportThatIsInterruptedLeavesNoHalfFile(t *testing.T) {
	t.Parallel()

	url, dir := withManyWins(t), t.TempDir()
	for _, format := range []string{"csv", "ndjson", "parquet"} {
		file := filepath.Join(dir, "wins."+format)
		if err := os.WriteFile(file, []byte("of yesterday"), 0o600); err != nil {
			t.Fatal(err)
		}

		var said bytes.Buffer
		cmd := triviactl(t, url, "export", "wins", "-o", file)
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		poll := time.NewTicker(time.Millisecond)
		for deadline := time.Now().Add(time.Minute); ; <-poll.C {
			if _, err := os.Stat(file + ".part"); err == nil || time.Now().After(deadline) {
				break
			}
		}
		poll.Stop()
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it fails
		if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.HasPrefix(said.String(), "triviactl: interrupted\n") {
			t.Errorf("%s: exit code %d, said %q", format, code, said.String())
		}
		text, err := os.ReadFile(file)
		if _, part := os.Stat(file + ".part"); err != nil || string(text) != "of yesterday" || !os.IsNotExist(part) {
			t.Errorf("%s: the file has %d bytes, %v; the part %v", format, len(text), err, part)
		}

		out, err := triviactl(t, url, "export", "wins", "-o", file).Output()
		if want := fmt.Sprintf("%d wins written to %s\n", manyWins, file); err != nil || string(out) != want {
			t.Errorf("run again: %q, %v; want %q", out, err, want)
		}
	}

	for _, format := range []string{"csv", "ndjson"} {
		text, err := os.ReadFile(filepath.Join(dir, "wins."+format))
		want := map[string]int{"csv": manyWins + 1, "ndjson": manyWins}[format]
		if n := bytes.Count(text, []byte("\n")); err != nil || n != want {
			t.Errorf("wins.%s has %d lines, %v; want %d", format, n, err, want)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "wins.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(text), int64(len(text)))
	if err != nil || file.NumRows() != manyWins {
		t.Errorf("wins.parquet has %d rows, %v; want %d", file.NumRows(), err, manyWins)
	}
}

func TestAnExportNeedsTheSameMemoryHoweverManyRowsThereAre(t *testing.T) {
	t.Parallel()

	url := withManyWins(t)
	// How much more all rows may take than half of them: the garbage collector's
	// slack. Either are more than a row group of Parquet, which is held as a whole.
	for format, most := range map[string]int{"csv": 4, "ndjson": 4, "parquet": 32} {
		half := heapOfExport(t, url, format, "--since", "100s")
		all := heapOfExport(t, url, format)
		if all > half+most {
			t.Errorf("%s: %d MiB for %d rows, and %d MiB for half of them", format, all, manyWins, half)
		}
	}
}

// heapOfExport returns how many MiB an export has had on its heap at most. The
// system's own figure would not do: it begins with that of whoever started it.
func heapOfExport(t *testing.T, url, format string, filter ...string) (most int) {
	t.Helper()

	cmd := triviactl(t, url, append([]string{"export", "wins", "-o", filepath.Join(t.TempDir(), "wins."+format)}, filter...)...)
	cmd.Env = append(cmd.Environ(), "GOGC=10", "GODEBUG=gctrace=1") // gc 7 @0.2s 1%: … ms cpu, 4->4->2 MB, …
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	cycles := regexp.MustCompile(`(?m)^gc .* (\d+)->\d+->\d+ MB`).FindAllSubmatch(said, -1)
	if len(cycles) == 0 {
		t.Fatalf("it says nothing of its heap: %s", said)
	}
	for _, cycle := range cycles {
		n, err := strconv.Atoi(string(cycle[1]))
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, n)
	}
	t.Logf("%s %v: at most %d MiB", format, filter, most)

	return most
}
