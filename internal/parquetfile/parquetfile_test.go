package parquetfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"trivia/internal/parquetfile"
)

type record struct {
	ID   string     `parquet:"id"`
	At   *time.Time `parquet:"at,optional,timestamp(microsecond)"`
	Word string     `parquet:"word,optional,dict"`
	Body string     `parquet:"body,optional"`
	Odd  bool       `parquet:"odd"`
}

func write(t *testing.T, opts parquetfile.Options, records []record, size int) []byte {
	t.Helper()

	var file bytes.Buffer
	w := parquetfile.NewWriter[record](&file, opts)
	for _, r := range records {
		if err := w.Add(r, size); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}

	return file.Bytes()
}

func records(n int) []record {
	at := time.Date(2026, 5, 4, 12, 0, 0, 123_456_000, time.UTC)
	all := make([]record, n)
	for i := range all {
		all[i] = record{ID: fmt.Sprint("id-", i), Odd: i%2 == 1}
		if i%3 > 0 {
			all[i].At, all[i].Word, all[i].Body = &at, fmt.Sprint("word-", i%5), strings.Repeat(fmt.Sprintf(`{"n":%d}`, i), 50)
		}
	}

	return all
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()

	for _, fast := range []bool{false, true} {
		for _, n := range []int{0, 1, 255, 256, 257, 3000} {
			want := records(n)
			file := write(t, parquetfile.Options{CreatedBy: "test", Long: []string{"body"}, Fast: fast}, want, 10)
			got := []record{}
			err := parquetfile.Read(bytes.NewReader(file), int64(len(file)), func(r *record) error {
				got = append(got, *r)

				return nil
			})
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%d records, fast %t: %v (-want +got):\n%s", n, fast, err, diff)
			}
		}
	}
}

func TestSomeColumnsCanBeRead(t *testing.T) {
	t.Parallel()

	type some struct {
		Odd bool   `parquet:"odd"`
		ID  string `parquet:"id"`
	}
	file := write(t, parquetfile.Options{}, records(700), 10)
	n, stop := 0, errors.New("enough")
	err := parquetfile.Read(bytes.NewReader(file), int64(len(file)), func(r *some) error {
		if r.ID != fmt.Sprint("id-", n) || r.Odd != (n%2 == 1) {
			t.Errorf("record %d is %+v", n, *r)
		}
		if n++; n == 600 {
			return stop
		}

		return nil
	})
	if !errors.Is(err, stop) || n != 600 {
		t.Errorf("Read = %v after %d records", err, n)
	}
}

func TestLongRecordsMakeSmallRowGroups(t *testing.T) {
	t.Parallel()

	file := write(t, parquetfile.Options{}, records(1000), 1<<20)
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f.RowGroups()); n < 30 || n > 40 {
		t.Errorf("1000 records of 1 MiB are in %d row groups, want about 32", n)
	}
}

func TestBrokenFilesAreErrors(t *testing.T) {
	t.Parallel()

	whole := write(t, parquetfile.Options{Fast: true}, records(500), 10)
	broken := map[string][]byte{"nothing": {}, "no file": []byte("PAR1PAR1"), "half of one": whole[:len(whole)/2]}
	for at := 4; at < len(whole)-8; at += 37 {
		file := bytes.Clone(whole)
		file[at] ^= 0xA5
		broken[fmt.Sprintf("byte %d is another", at)] = file
	}
	errs := 0
	for _, file := range broken {
		// Some columns are as good as before; it must not end the program.
		if err := parquetfile.Read(bytes.NewReader(file), int64(len(file)), func(*record) error { return nil }); err != nil {
			errs++
		}
	}
	if errs < len(broken)/2 {
		t.Errorf("of %d broken files %d were errors", len(broken), errs)
	}
}
