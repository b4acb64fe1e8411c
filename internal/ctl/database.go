package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"trivia/internal/config"
	"trivia/internal/operator"
	"trivia/internal/pgembed"
	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

// connectTimeout is how long a database has to answer.
const connectTimeout = 10 * time.Second

// verbs are what commands do with a database; an [operator.Operator] has them.
type verbs interface {
	ListWins(context.Context, store.WinFilter, store.Page) iter.Seq2[store.WinRow, error]
	ShowWin(context.Context, trivia.UserID, trivia.ID) (operator.WinStory, error)
	ListDeliveries(context.Context, store.DeliveryFilter, store.Page) iter.Seq2[store.DeliveryRow, error]
	ShowDelivery(ctx context.Context, key string) ([]store.DeliveryRow, error)
	FindDelivery(ctx context.Context, kind trivia.Kind, key string, body []byte) (store.DeliveryRow, error)
	ListUsers(context.Context, store.UserFilter, store.Page) iter.Seq2[store.UserRow, error]
	AddUsers(ctx context.Context, ids []trivia.UserID, reason string) (store.Addition, error)
	ImportUsers(context.Context, io.Reader, operator.Import) (operator.Imported, error)
	Sources(ctx context.Context, region string) (store.SourceList, error)
	RefreshSources(context.Context, operator.Refresh) (operator.Refreshed, error)
	eventVerbs
	pushVerbs
	replayVerbs
	explainVerbs
	auditVerbs
	triviaVerbs
	prizeVerbs
	pruneVerbs
	exportVerbs
	keyVerbs
	trialVerbs
	tui.Verbs
	warehouseVerbs
}

// noDatabaseError says that there is none to work on. One that fails is another
// matter.
type noDatabaseError string

func (n noDatabaseError) Error() string { return string(n) }

func newSession(env Env) *session {
	s := &session{Env: env, find: pgembed.Find, examine: operator.Examine}
	s.open = s.openStore

	return s
}

// settings reads the environment. All complaints are told at once.
func (s *session) settings() (config.Ctl, error) {
	set, err := config.CtlFrom(s.Getenv)
	if err != nil {
		return config.Ctl{}, fmt.Errorf("%w: settings cannot be used\n%w", errUsage, err)
	}

	return set, nil
}

// dsnOf reads the setting that names the database.
func dsnOf(url, command config.Secret) (*store.DSN, error) {
	return store.ParseDSN(url.Reveal(), store.DSNOptions{PasswordCommand: command.Reveal()})
}

// database returns the database to work on.
func (s *session) database() (*store.DSN, error) {
	set, err := s.settings()
	if err != nil {
		return nil, err
	}
	if !set.DatabaseURL.IsZero() {
		dsn, err := dsnOf(set.DatabaseURL, set.PasswordCommand)
		if err != nil {
			return nil, fmt.Errorf("%w: settings cannot be used\n%s: %w", errUsage, config.DatabaseURL, err)
		}

		return dsn, nil
	}

	const start = "start one with: make run, or trivia-hook --embedded; or set " + config.DatabaseURL
	if set.DataDir == "" {
		return nil, hinted{noDatabaseError(config.DatabaseURL + " is not set, and there is no data directory to look into"), start}
	}
	url, err := s.find(set.DataDir)
	if errors.Is(err, pgembed.ErrNotRunning) {
		return nil, hinted{noDatabaseError(config.DatabaseURL + " is not set, and no embedded Postgres runs in " + set.DataDir), start}
	}
	if err != nil {
		return nil, hinted{fmt.Errorf("%s is not set: %w", config.DatabaseURL, err), "set " + config.DatabaseURL}
	}
	s.say("using the embedded Postgres of %s", set.DataDir)

	return store.ParseDSN(url, store.DSNOptions{})
}

// openStore opens the database for an operator. The caller calls the returned
// function when done.
func (s *session) openStore(ctx context.Context) (verbs, func(), error) {
	db, err := s.connect(ctx)
	if err != nil {
		return nil, nil, err
	}

	return operator.New(db, s.actor()), db.Close, nil
}

// connect opens the database, which has all tables that it should have.
func (s *session) connect(ctx context.Context) (*store.Store, error) {
	dsn, err := s.database()
	if err != nil {
		return nil, err
	}

	connect, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	db, err := dsn.Open(connect)
	if err != nil {
		return nil, err
	}
	schema, err := db.Schema(connect)
	if err == nil {
		err = schema.Check()
	}
	if err != nil {
		db.Close()

		return nil, err
	}
	if schema.Newer() {
		s.say("the database's schema, version %d, is newer than this triviactl, which knows %d: it works, and knows nothing of what is new",
			schema.Version, schema.Latest)
	}

	return db, nil
}
