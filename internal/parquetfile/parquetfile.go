// Package parquetfile writes records of one kind into Parquet files, and reads
// them. What the columns are called and how they are written say the tags of a
// record's fields.
package parquetfile

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// A row group is held in memory until it is written: as many rows as a reader
// likes to take at once, and fewer where rows are long.
const (
	groupRows  = 1 << 16
	groupBytes = 32 << 20
	rowsAtOnce = 256
)

// Options say how a file is written. The zero value will do.
type Options struct {
	CreatedBy string   // the program
	Long      []string // columns of whose values no file says the least and the greatest: that helps nobody to find one
	Fast      bool     // compress less, for half the time
}

// A Writer writes records of the kind R.
type Writer[R any] struct {
	out     *parquet.GenericWriter[R]
	waiting []R
	rows    int
	bytes   int
}

// NewWriter returns a writer of a file.
func NewWriter[R any](w io.Writer, opts Options) *Writer[R] {
	// zstd halves what snappy leaves, and costs less than reading the rows.
	var codec compress.Codec = &parquet.Zstd
	if opts.Fast {
		codec = &fast
	}
	options := []parquet.WriterOption{parquet.Compression(codec), parquet.CreatedBy(opts.CreatedBy, "", "")}
	for _, column := range opts.Long {
		options = append(options, parquet.SkipPageBounds(column), parquet.SkipPageStatistics(column))
	}

	return &Writer[R]{out: parquet.NewGenericWriter[R](w, options...), waiting: make([]R, 0, rowsAtOnce)}
}

// Add writes a record that is about so many bytes long. It may stay in memory
// until [Writer.End].
func (w *Writer[R]) Add(record R, bytes int) error {
	w.waiting = append(w.waiting, record)
	w.rows++
	w.bytes += bytes
	if len(w.waiting) < rowsAtOnce && w.bytes < groupBytes {
		return nil
	}

	return w.write()
}

func (w *Writer[R]) write() error {
	if _, err := w.out.Write(w.waiting); err != nil {
		return fmt.Errorf("write parquet: %w", err)
	}
	clear(w.waiting) // long texts are not held longer than they must be
	w.waiting = w.waiting[:0]
	if w.rows < groupRows && w.bytes < groupBytes {
		return nil
	}

	w.rows, w.bytes = 0, 0
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("write parquet: %w", err)
	}

	return nil
}

// End writes the rest, without which nobody can read the file.
func (w *Writer[R]) End() error {
	if err := w.write(); err != nil {
		return err
	}
	if err := w.out.Close(); err != nil {
		return fmt.Errorf("write parquet: %w", err)
	}

	return nil
}

// Read reads the columns that R has of a file of so many bytes, record by
// record, until yield returns an error, which it returns. What a record refers
// to lasts until yield returns.
func Read[R any](file io.ReaderAt, size int64, yield func(*R) error) (err error) {
	defer func() {
		// The library believes what a file says of itself.
		if broken := recover(); broken != nil {
			err = fmt.Errorf("read parquet: the file is broken: %v", broken)
		}
	}()

	f, err := parquet.OpenFile(file, size)
	if err != nil {
		return fmt.Errorf("read parquet: %w", err)
	}
	in := parquet.NewGenericReader[R](f)
	defer func() { _ = in.Close() }()

	records := make([]R, rowsAtOnce)
	for {
		clear(records) // of a null, nothing is read
		n, err := in.Read(records)
		for i := range records[:n] {
			if err := yield(&records[i]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read parquet: %w", err)
		case n == 0:
			return errors.New("read parquet: a row group has fewer rows than it says")
		}
	}
}
