package store_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"trivia/internal/pgtest"
	"trivia/internal/store"
)

func TestOnlyADatabaseInUTF8IsTaken(t *testing.T) {
	t.Parallel()

	home := plotAt(t, pgtest.Database(t))
	for _, encoding := range []string{"SQL_ASCII", "LATIN1"} {
		t.Run(encoding, func(t *testing.T) {
			t.Parallel()

			name := "odd_" + strings.ToLower(encoding)
			admin := plotAt(t, home.url)
			admin.exec(t, `CREATE DATABASE `+name+` TEMPLATE template0 ENCODING '`+encoding+`' LC_COLLATE 'C' LC_CTYPE 'C'`)
			t.Cleanup(func() { _, _ = admin.db.Exec(context.Background(), `DROP DATABASE `+name+` WITH (FORCE)`) })
			at := changed(t, home.url, func(u *url.URL) { u.Path = "/" + name })

			_, migrating := store.Migrate(t.Context(), at)
			_, opening := store.Open(t.Context(), at)
			for _, err := range []error{migrating, opening} {
				if !errors.Is(err, store.ErrEncoding) || !strings.Contains(err.Error(), "it is "+encoding) || !strings.Contains(err.Error(), "ENCODING 'UTF8'") {
					t.Errorf("%v, want that the database is in %s, and the way out", err, encoding)
				}
			}
		})
	}
}

func TestEveryConnectionSpeaksUTF8(t *testing.T) {
	t.Parallel()

	p := newPlot(t)
	p.migrate(t)
	role := schemaOf(t, p) + "_latin"
	p.exec(t, `CREATE ROLE `+role+` SUPERUSER LOGIN; ALTER ROLE `+role+` SET client_encoding = 'LATIN1'`)
	at := withUser(t, p.url, role)
	for name, at := range map[string]string{"role": at, "URL": changed(t, at, func(u *url.URL) {
		u.RawQuery += "&client_encoding=LATIN1"
	})} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			user := "ユーザー-" + name
			p := plotAt(t, p.url)
			p.exec(t, `INSERT INTO users (user_id) VALUES ('`+user+`')`)
			got := bench{Intake: intakeAt(t, at, store.IntakeOptions{})}.take(t, win("k-"+name, user, "capitals", "éclair"))
			if got[0].Outcome != "awarded" {
				t.Errorf("Take = %+v, want an award", got)
			}
			p.want(t, `SELECT item FROM trivia_wins WHERE user_id = '`+user+`'`, "éclair")
			s, err := store.Open(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			if _, err := s.Schema(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
