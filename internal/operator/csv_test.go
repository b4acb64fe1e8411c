package operator

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/trivia"
)

// readAll returns every row as a line of text.
func readAll(r io.Reader) (rows []string, err error) {
	for u := newUserRows(r); ; {
		id, bad, err := u.next()
		switch {
		case errors.Is(err, io.EOF):
			return rows, nil
		case err != nil:
			return rows, err
		case bad != nil:
			rows = append(rows, fmt.Sprintf("line %d: %s", bad.Line, bad.Problem))
		default:
			rows = append(rows, string(id))
		}
	}
}

func TestUsersAreReadFromWhatSpreadsheetsAndDatabasesWrite(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, text string
		want       []string
	}{
		{"one column without a header", "ann\nbob\n", []string{"ann", "bob"}},
		{"no newline at the end", "ann\nbob", []string{"ann", "bob"}},
		{"a header", "user_id\nann\n", []string{"ann"}},
		{"a header among others", "email,user_id,name\na@example.com,ann,Ann\n", []string{"ann"}},
		{"a header in capitals and quotes", "\"USER_ID\",\"x\"\n\"ann\",1\n", []string{"ann"}},
		{"a byte order mark", "\uFEFFuser_id\nann\n", []string{"ann"}},
		{"a byte order mark without a header", "\uFEFFann\n", []string{"ann"}},
		{"carriage returns", "user_id,x\r\nann,1\r\n\r\nbob,2\r\n", []string{"ann", "bob"}},
		{"semicolons", "name;user_id\nAnn;ann\n", []string{"ann"}},
		{"tabs", "user_id\tname\nann\tAnn\n", []string{"ann"}},
		{"blank lines", "\n\nann\n\n\nbob\n", []string{"ann", "bob"}},
		{"quoted fields", "user_id,x\n\"a\"\"nn\",\"two\nlines\"\n\"b,ob\",2\n", []string{`a"nn`, "b,ob"}},
		{"white space around an identifier is dropped", " ann \n\u00a0bob\n", []string{"ann", "bob"}},
		{"identifiers that look like numbers", "0017\n1e5\n", []string{"0017", "1e5"}},
		{"nothing", "", nil},
		{"only a header", "user_id\n", nil},

		{"an empty identifier", "user_id,x\n,1\nann,2\n", []string{"line 2: user_id is empty", "ann"}},
		{"too long", strings.Repeat("x", 65) + "\nann\n", []string{"line 1: user_id has 65 characters, at most 64 fit", "ann"}},
		{"64 characters of several bytes", strings.Repeat("ü", 64) + "\n", []string{strings.Repeat("ü", 64)}},
		{"a NUL", "a\x00b\nann\n", []string{"line 1: user_id contains a NUL character", "ann"}},
		{"no UTF-8", "a\xffb\nann\n", []string{"line 1: user_id is not valid UTF-8", "ann"}},
		{"a short row", "x,user_id\n1\n2,ann\n", []string{"line 2: row has 1 column, user_id is column 2", "ann"}},
		{"a second column out of nowhere", "ann\nbob,1\ncid\n", []string{"ann", "line 2: row has 2 columns, the first row has 1", "cid"}},
		{"a stray quote", "user_id,x\na\"b,1\nann,2\n", []string{"line 2: a quote stands inside a field that does not begin with one", "ann"}},
		{"text behind a quote", "user_id\n\"a\"b\nann\n", []string{"line 2: a quoted field does not end where the column does", "ann"}},
		{"lines are counted through quoted ones", "user_id,x\nann,\"1\n2\n3\"\n,4\n", []string{"ann", "line 5: user_id is empty"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			for _, r := range []io.Reader{strings.NewReader(tt.text), iotest.OneByteReader(strings.NewReader(tt.text))} {
				got, err := readAll(r)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("rows of %q (-want +got):\n%s", tt.text, diff)
				}
			}
		})
	}
}

func TestAFileThatCannotBeReadSaysWhy(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, text, want string }{
		{"columns, and none is user_id", "email,name\n", `no column is called user_id: the first line has ["email" "name"]`},
		{"a broken header", "user_id,\"x\"y\n", "line 1, which should name the columns: a quoted field does not end where the column does"},
		{
			"a quote that never ends", "user_id\nann\n\"" + strings.Repeat("x\n", maxRecord),
			"the row behind line 2 does not end within 1048576 bytes; is a quote missing?",
		},
		{
			"a line that never ends", "user_id\nann\n" + strings.Repeat("x", 2*maxRecord),
			"the row behind line 2 does not end within 1048576 bytes; is a quote missing?",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			if _, err := readAll(strings.NewReader(tt.text)); err == nil || err.Error() != tt.want {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

func FuzzUserRows(f *testing.F) {
	f.Add("user_id,x\nann,1\n")
	f.Add("\uFEFFann\r\n\"b\"\"ob\"\r\n")
	f.Add("a\"\n\"b\n,,\n")
	f.Add("x;user_id\n\";\n")

	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") + 1
		rows := 0
		for u := newUserRows(strings.NewReader(text)); ; rows++ {
			id, bad, err := u.next()
			if err != nil {
				break
			}
			if rows > lines {
				t.Fatalf("%q has more rows than lines", text)
			}
			if bad != nil {
				if bad.Line < 1 || bad.Line > lines || bad.Problem == "" {
					t.Errorf("%q: bad row %+v", text, *bad)
				}
				continue
			}
			if err := trivia.CheckUserID(id); err != nil {
				t.Errorf("%q: let %q pass: %v", text, id, err)
			}
		}
	})
}
