package migrations

import (
	"io/fs"
	"testing"
)

// A client in any encoding reads ASCII alike, psql on a laptop included.
func TestMigrationsAreASCII(t *testing.T) {
	t.Parallel()

	names, err := fs.Glob(FS, "*.sql")
	if err != nil || len(names) < 8 {
		t.Fatalf("there are %d migrations, %v", len(names), err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(FS, name)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range text {
			if c >= 0x80 || c < ' ' && c != '\n' && c != '\t' {
				t.Errorf("%s: byte %d is %#x, want ASCII", name, i, c)
				break
			}
		}
	}
}
