package operator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"trivia/internal/config"
	"trivia/internal/store"
)

// A Health is how something is found.
type Health string

// The healths.
const (
	Healthy Health = "ok"
	Odd     Health = "warning"
	Broken  Health = "failed"
	Skipped Health = "skipped" // it could not be looked at, or nobody asked for it
)

// A Finding is what a check came to.
type Finding struct {
	Check  string
	Health Health
	Says   string
	Mend   string // what to do about it; empty if there is nothing to do
}

// A Checkup says what is examined.
type Checkup struct {
	Settings   config.Hook       // as trivia-hook would read them here
	Complaints config.Complaints // about them

	Database   *store.DSN // nil: there is none, because of NoDatabase
	NoDatabase error
	Embedded   bool // the database is the private Postgres in Settings.DataDir

	URL, AdminURL string // of the hook's listeners, without a path
	Probe         bool   // also send an event that is kept
	Agent         string // User-Agent of requests
	Now           func() time.Time
}

// checkTime is how long each check may take.
const checkTime = 5 * time.Second

// An examination is a [Checkup] under way.
type examination struct {
	Checkup
	store *store.Store // nil if there is no database
	op    *Operator
}

// A check looks at one thing, and may find several.
type check func(context.Context) []Finding

// Examine looks at everything that trivia-hook needs, whatever it finds on the
// way. Nothing changes by it, but for a few refused requests in the hook's log
// and metrics, and what Probe leaves.
func Examine(ctx context.Context, c Checkup) []Finding {
	e := &examination{Checkup: c}
	connected := inTime(ctx, e.connect)
	if e.store != nil {
		defer e.store.Close()
	}
	schema, usable := e.schema(ctx)

	withTables := func(name string, look check) check {
		if usable {
			return look
		}

		return func(context.Context) []Finding {
			return []Finding{{name, Skipped, "the database has not the tables that it is about", ""}}
		}
	}
	checks := []check{
		e.clock, e.keys, withTables("key uses", e.keyUses),
		e.listener, e.signatures, e.probe, withTables("source list", e.sourceList), e.customerIO,
		withTables("stream", e.stream), withTables("backlog", e.backlog), withTables("pushes", e.pushes),
		withTables("warehouse", e.warehouse), e.disk,
	}
	found := make([][]Finding, len(checks))
	var all sync.WaitGroup
	for i, look := range checks {
		all.Go(func() { found[i] = inTime(ctx, look) })
	}
	all.Wait()

	findings := append(e.settings(), connected...)
	findings = append(findings, schema...)
	for _, f := range found {
		findings = append(findings, f...)
	}

	return findings
}

func inTime(ctx context.Context, look check) []Finding {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()

	return look(ctx)
}

func one(name string, health Health, says, mend string) []Finding {
	return []Finding{{name, health, says, mend}}
}

// settings also names what is allowed and easily overlooked.
func (e *examination) settings() []Finding {
	const name = "settings"

	var found []Finding
	for _, c := range e.Complaints {
		found = append(found, Finding{name, Broken, c.String(), "set " + c.Name + ", and restart trivia-hook"})
	}
	if len(found) == 0 {
		found = append(found, Finding{name, Healthy, fmt.Sprintf("all %d can be used", len(config.Table())), ""})
	}
	if e.Settings.Observe {
		found = append(found, Finding{
			name, Odd, "sources are only observed: a caller from anywhere is let in if its signature holds",
			"set " + config.SourceMode + "=enforce when the list is right",
		})
	}
	if e.Settings.Tolerance > 0 {
		found = append(found, Finding{
			name, Odd, fmt.Sprintf("signed requests are refused when their timestamp is further than %s from our clock: each holds back all behind it for an hour", e.Settings.Tolerance),
			"unset " + config.SignatureTolerance + ": who sends a recorded request again gains nothing by it",
		})
	}

	return found
}

// connect opens the database.
func (e *examination) connect(ctx context.Context) []Finding {
	const name = "database"
	if e.Database == nil {
		return one(name, Broken, e.NoDatabase.Error(), "start one with trivia-hook --embedded, or set "+config.DatabaseURL)
	}

	begun := e.Now()
	db, err := e.Database.Open(ctx)
	if err != nil {
		return one(name, Broken, short(ctx, err), "does Postgres run, and may this machine and role connect? see "+config.DatabaseURL)
	}
	version, _, err := db.Vitals(ctx)
	if err != nil {
		db.Close()

		return one(name, Broken, short(ctx, err), "see the log of Postgres")
	}
	e.store, e.op = db, New(db, "doctor")
	where := "Postgres"
	if e.Embedded {
		where = "the embedded Postgres of " + e.Settings.DataDir
	}

	return one(name, Healthy, fmt.Sprintf("%s, version %s, answers after %s", where, version, e.Now().Sub(begun).Round(time.Millisecond)), "")
}

// schema also reports whether our tables are there.
func (e *examination) schema(ctx context.Context) (found []Finding, usable bool) {
	const name = "schema"
	if e.store == nil {
		return one(name, Skipped, noDatabase, ""), false
	}

	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	schema, err := e.store.Schema(ctx)
	if err != nil {
		return one(name, Broken, short(ctx, err), ""), false
	}
	switch {
	case schema.Newer():
		return one(name, Odd, fmt.Sprintf("version is %d, newer than the %d that this release brings: it works, and knows nothing of what is new", schema.Version, schema.Latest),
			"use the release that migrated the database, or a later one"), true
	case schema.Check() != nil:
		return one(name, Broken, fmt.Sprintf("version is %d, and %d is needed", schema.Version, schema.Latest), "triviactl migrate"), false
	}

	return one(name, Healthy, fmt.Sprintf("version %d, the latest", schema.Version), ""), true
}

const noDatabase = "there is no database to ask"

// short is an error that a check ran into; one that took too long is called so.
func short(ctx context.Context, err error) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %s: %v", checkTime, err)
	}

	return err.Error()
}
