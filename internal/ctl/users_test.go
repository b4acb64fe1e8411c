package ctl

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/trivia"
)

func TestAddingUsersSaysWhatCameOfIt(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.want(t, []string{"users", "add", "ann", "--reason", "test", "bob", "bob", "--", "--cid"}, 0,
		"3 users added\n1 win waited for them; it is settled next\n", "")
	if diff := cmp.Diff([]trivia.UserID{"ann", "bob", "bob", "--cid"}, st.fake.added); diff != "" {
		t.Errorf("added (-want +got):\n%s", diff)
	}
	// Users may be called like commands and flags.
	st.call(t, "users", "add", "help", "h", "reason", "list", "--reason", "test")
	if diff := cmp.Diff([]trivia.UserID{"help", "h", "reason", "list"}, st.fake.added); diff != "" {
		t.Errorf("added (-want +got):\n%s", diff)
	}
	st.want(t, []string{"users", "add", "ann"}, 0, "0 users added, 1 there before\n1 win waited for them; it is settled next\n", "")
}

func TestImportingUsersNamesTheBadRows(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.fake.imported = operator.Imported{Rows: 30, Bad: 22, Kept: 8, New: 5, Due: 2}
	for i := range 22 {
		st.fake.bad = append(st.fake.bad, operator.BadRow{Line: i + 2, Problem: "user_id is \x1b[31mbad"})
	}
	st.Stdin = strings.NewReader("the text")
	code := st.call(t, "users", "import", "-", "--reason", "launch")
	if want := "30 rows: 8 good and in the database, 5 of those users new; 22 bad\n2 wins waited for them; they are settled next\n"; code != 1 || st.out.String() != want {
		t.Errorf("exit %d, %q, want 1, %q", code, st.out.String(), want)
	}
	said := strings.Split(st.err.String(), "\n")
	if len(said) != 23 || said[0] != "triviactl: standard input, line 2: user_id is ⟨U+001B⟩[31mbad" || said[20] != "triviactl: standard input: and 2 more bad rows" ||
		said[21] != "triviactl: hint: mend the bad rows and run it again: what is there already is skipped" {
		t.Errorf("said %q", said)
	}
	if st.fake.importedText != "the text" || st.fake.options.Source != "standard input" || st.fake.options.Reason != "launch" || st.fake.options.Strict {
		t.Errorf("imported %q with %+v", st.fake.importedText, st.fake.options)
	}

	st.fake.imported, st.fake.bad = operator.Imported{Rows: 2, Bad: 1}, st.fake.bad[:1]
	st.want(t, []string{"users", "import", "--strict", "-"}, 1, "2 rows: 0 good and in the database, 0 of those users new; 1 bad\n",
		"triviactl: standard input, line 2: user_id is ⟨U+001B⟩[31mbad\ntriviactl: standard input has bad rows; nothing was written\n")

	st.fake.imported, st.fake.bad = operator.Imported{Rows: 2, Kept: 2, New: 2}, nil
	st.want(t, []string{"users", "import", "-"}, 0, "2 rows: 2 good and in the database, 2 of those users new; 0 bad\n", "")
}

func TestAnImportThatBreaksSaysHowToGoOn(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.fake.imported, st.fake.err = operator.Imported{Rows: 9, Kept: 4}, errors.New("the disk is full")
	st.want(t, []string{"users", "import", "-"}, 1, "9 rows: 4 good and in the database, 0 of those users new; 0 bad\n",
		"triviactl: the disk is full\ntriviactl: hint: run it again: what is there already is skipped\n")
	st.fake.imported, st.fake.err = operator.Imported{}, operator.ErrNoColumn
	st.want(t, []string{"users", "import", "-"}, 1, "",
		"triviactl: no column is called user_id\ntriviactl: hint: name the column of the identifiers user_id\n")
	dir := t.TempDir()
	st.want(t, []string{"users", "import", dir}, 1, "", "triviactl: "+dir+" is a directory\n")
	st.want(t, []string{"users", "import", "/nowhere.csv"}, 1, "",
		"triviactl: open /nowhere.csv: no such file or directory\ntriviactl: hint: - reads standard input\n")
}

func TestABarIsDrawnOnlyForEyes(t *testing.T) {
	t.Parallel()

	file := filepath.Join(t.TempDir(), "users.csv")
	if err := os.WriteFile(file, []byte("ann\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, terminal := range []bool{true, false} {
		st := newStage(t)
		st.StderrTerminal = terminal
		st.fake.imported = operator.Imported{Rows: 1, Kept: 1, New: 1}
		if code := st.call(t, "users", "import", file); code != 0 {
			t.Errorf("exit %d", code)
		}
		if drawn := strings.Contains(st.err.String(), "\x1b["); drawn != terminal {
			t.Errorf("on a terminal %v: drawn %v, %q", terminal, drawn, st.err.String())
		}
	}
}

// endless is an input that never says anything.
type endless struct{ closed chan struct{} }

func (e endless) Read([]byte) (int, error) {
	<-e.closed

	return 0, errors.New("closed")
}

func TestCtrlCEndsTheWaitForInput(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	in := endless{make(chan struct{})}
	t.Cleanup(func() { close(in.closed) })
	st.Stdin, st.StdinTerminal = in, true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code := st.run(ctx, []string{"sign"}); code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	if got, want := st.err.String(), "triviactl: reading standard input; end with Ctrl-D\ntriviactl: interrupted\n"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}

func TestABodyThatNobodyWouldTakeIsNotRead(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.Stdin = bytes.NewReader(make([]byte, 11))
	if _, err := st.readInput(t.Context(), stdin, 10); err == nil || err.Error() != "standard input has more than 10 bytes" {
		t.Errorf("error = %v, want that it is too long", err)
	}
}
