package pgembed

import (
	"errors"
	"fmt"
	"path/filepath"
)

// A place is the directory of one cluster, absolute, and what lies in it.
type place struct{ dir string }

func newPlace(dir string) (place, error) {
	if dir == "" {
		return place{}, errors.New("no data directory given")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return place{}, fmt.Errorf("resolve data directory %s: %w", dir, err)
	}

	return place{abs}, nil
}

func (p place) data() string  { return filepath.Join(p.dir, "postgres") }
func (p place) fresh() string { return filepath.Join(p.dir, "postgres.new") } // data that is not complete yet
func (p place) lock() string  { return filepath.Join(p.dir, "postgres.lock") }
func (p place) state() string { return filepath.Join(p.dir, "postgres.json") } // for Find
func (p place) log() string   { return filepath.Join(p.dir, "postgres.log") }
