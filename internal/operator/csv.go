package operator

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"trivia/internal/trivia"
)

// userColumn is the header of the column that names users.
const userColumn = "user_id"

// maxRecord bounds the bytes of one row. Without a bound a forgotten closing
// quote would read the rest of the file into memory.
const maxRecord = 1 << 20

// maxHeader is how far the first line is looked into for what separates its
// columns.
const maxHeader = 4096

// userRows reads users out of CSV: with a header that has a column user_id,
// or with one column and no header. Blank lines are skipped.
type userRows struct {
	source *bounded
	buffer *bufio.Reader
	csv    *csv.Reader // nil before the first row
	column int         // of the users
	width  int         // columns of the first row
	kept   []string    // a first row that was no header
	line   int         // where the last row began
}

func newUserRows(r io.Reader) *userRows {
	source := &bounded{from: r, left: maxRecord}

	return &userRows{source: source, buffer: bufio.NewReaderSize(source, maxHeader)}
}

// next returns the next user, or what is wrong with its row. After an error,
// io.EOF included, there is no next.
func (u *userRows) next() (trivia.UserID, *BadRow, error) {
	record, err := u.read()
	if bad, ok := errors.AsType[*csv.ParseError](err); ok {
		u.line = bad.StartLine

		return "", &BadRow{u.line, problem(bad)}, nil
	}
	if errors.Is(err, errTooLong) {
		return "", nil, fmt.Errorf("the row behind line %d does not end within %d bytes; is a quote missing?", u.line, maxRecord)
	}
	if err != nil {
		return "", nil, err
	}

	switch {
	case len(record) <= u.column:
		problem := fmt.Sprintf("row has %s, %s is column %d", countColumns(len(record)), userColumn, u.column+1)

		return "", &BadRow{u.line, problem}, nil
	case u.width == 1 && len(record) > 1:
		return "", &BadRow{u.line, fmt.Sprintf("row has %s, the first row has 1", countColumns(len(record)))}, nil
	}
	id, err := trivia.ParseUserID(strings.Clone(record[u.column])) // the reader uses its memory again
	if err != nil {
		return "", &BadRow{u.line, err.Error()}, nil //nolint:nilerr // a bad row is no failure to read
	}

	return id, nil, nil
}

func countColumns(n int) string {
	if n == 1 {
		return "1 column"
	}

	return fmt.Sprintf("%d columns", n)
}

// problem is a parser's complaint without the line, which is told beside it.
func problem(bad *csv.ParseError) string {
	if errors.Is(bad.Err, csv.ErrBareQuote) {
		return "a quote stands inside a field that does not begin with one"
	}
	if errors.Is(bad.Err, csv.ErrQuote) {
		return "a quoted field does not end where the column does"
	}

	return bad.Err.Error()
}

func (u *userRows) read() ([]string, error) {
	if u.csv == nil {
		if err := u.open(); err != nil {
			return nil, err
		}
	}
	if u.kept != nil {
		record := u.kept
		u.kept = nil

		return record, nil
	}

	u.source.left = maxRecord
	record, err := u.csv.Read()
	if err == nil {
		u.line, _ = u.csv.FieldPos(0)
	}

	return record, err
}

// open reads the first row, and learns from it which column names the user.
func (u *userRows) open() error {
	if mark, err := u.buffer.Peek(3); err == nil && string(mark) == "\uFEFF" {
		_, _ = u.buffer.Discard(len(mark)) // it is in the buffer
	}
	u.csv = csv.NewReader(u.buffer)
	u.csv.Comma = u.comma()
	u.csv.FieldsPerRecord = -1
	u.csv.ReuseRecord = true

	first, err := u.csv.Read()
	if bad, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Errorf("line %d, which should name the columns: %s", bad.StartLine, problem(bad))
	}
	if err != nil {
		return err
	}
	u.line, _ = u.csv.FieldPos(0)
	u.width = len(first)
	u.column = slices.IndexFunc(first, func(name string) bool {
		return strings.EqualFold(strings.TrimSpace(name), userColumn)
	})
	switch {
	case u.column >= 0: // a header
	case u.width == 1:
		u.column = 0
		u.kept = slices.Clone(first)
	default:
		return fmt.Errorf("%w: the first line has %q", ErrNoColumn, first)
	}

	return nil
}

// comma returns what separates columns: a comma, unless the first line is a
// header by a semicolon or a tab, as some spreadsheets write it.
func (u *userRows) comma() rune {
	head, _ := u.buffer.Peek(maxHeader) // what there is of it
	line, _, _ := strings.Cut(string(head), "\n")
	for _, comma := range []rune{';', '\t'} {
		for name := range strings.SplitSeq(line, string(comma)) {
			if name = strings.Trim(name, " \"\r"); strings.EqualFold(name, userColumn) && strings.ContainsRune(line, comma) {
				return comma
			}
		}
	}

	return ','
}

var errTooLong = errors.New("too long")

// bounded refuses to read on once left bytes were read.
type bounded struct {
	from io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.from.Read(p)
	b.left -= n

	return n, err
}
