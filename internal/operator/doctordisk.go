package operator

import (
	"context"
	"errors"
	"fmt"

	"trivia/internal/config"
)

// Of the space of a disk, what must be free.
const (
	oddFree    = 0.10
	brokenFree = 0.02
)

// errNoSpace says that this system does not tell.
var errNoSpace = errors.New("this system does not tell how much space is free")

// disk looks at the space that the private Postgres has left.
func (e *examination) disk(context.Context) []Finding {
	const name = "disk"
	if !e.Embedded {
		return one(name, Skipped, "the database is not the embedded Postgres: its disk is not looked at from here", "")
	}
	free, all, err := space(e.Settings.DataDir)
	switch {
	case errors.Is(err, errNoSpace):
		return one(name, Skipped, err.Error(), "")
	case err != nil:
		return one(name, Broken, err.Error(), "")
	}

	return []Finding{diskFinding(name, e.Settings.DataDir, free, all)}
}

func diskFinding(name, dir string, free, all uint64) Finding {
	part := 0.0
	if all > 0 {
		part = float64(free) / float64(all)
	}
	f := Finding{name, Healthy, fmt.Sprintf("%.1f GiB (%.0f %%) are free for %s", float64(free)/(1<<30), 100*part, dir), ""}
	switch {
	case part < brokenFree:
		f.Health = Broken
	case part < oddFree:
		f.Health = Odd
	default:
		return f
	}
	f.Mend = "make room, or move " + config.DataDir + " to a larger disk: a full one stops Postgres"

	return f
}
