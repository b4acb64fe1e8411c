package pgembed

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheLogIsBounded(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	path := filepath.Join(dir, "postgres.log")
	o, err := openOutput(path)
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()

	line := strings.Repeat("x", 1023) + "\n"
	for range 4 * outputMost / len(line) {
		if _, err := o.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}

	var total int64
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if most := int64(2 * (outputMost + len(line))); len(entries) != 2 || total > most {
		t.Errorf("the log is %d bytes in %d files, want two files of at most %d bytes", total, len(entries), most)
	}
}

func TestErrorsQuoteTheLastLines(t *testing.T) {
	t.Parallel()

	o, err := openOutput(filepath.Join(t.TempDir(), "postgres.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()

	for i := range 100 {
		_, _ = fmt.Fprintf(o, "line %d\nhalf of ", i)
	}
	want := "half of line 92\nhalf of line 93\nhalf of line 94\nhalf of line 95\nhalf of line 96\nhalf of line 97\nhalf of line 98\nhalf of line 99\nhalf of "
	if got := o.last(); got != want {
		t.Errorf("last() = %q, want %q", got, want)
	}
}
