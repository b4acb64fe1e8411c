package main

import (
	"context"
	"fmt"
)

// ruleRows are about functions grant_prize as teams write them, or as they
// break. Each is there for a while; then comes the one that was there before.
func ruleRows() []row {
	rule := func(name, what, body string) row {
		return row{name: "a rule " + name, what: what, do: func(ctx context.Context, s *stage) error { return underRule(ctx, s, body) }}
	}

	return []row{
		rule("raises", "grant_prize raises an error for every third user", `
			IF right(user_id, 1) IN ('1', '4', '7') THEN RAISE EXCEPTION 'no such prize today'; END IF;
			INSERT INTO prizes (user_id, trivia_id, item) VALUES (grant_prize.user_id, grant_prize.trivia_id, grant_prize.item);`),
		rule("hangs", "grant_prize sleeps for half a minute", `PERFORM pg_sleep(30);`),
		rule("leaks", "grant_prize changes search_path, role, durability and time limits, and takes an advisory lock", `
			INSERT INTO prizes (user_id, trivia_id, item) VALUES (grant_prize.user_id, grant_prize.trivia_id, grant_prize.item);
			PERFORM set_config('search_path', 'pg_catalog', false);
			PERFORM set_config('synchronous_commit', 'off', false);
			PERFORM set_config('statement_timeout', '1', false);
			PERFORM set_config('default_transaction_read_only', 'on', false);
			PERFORM pg_advisory_lock(4711);
			SET SESSION ROLE pg_read_all_data;`),
		rule("ends its backend", "grant_prize terminates the connection that it runs on", `PERFORM pg_terminate_backend(pg_backend_pid());`),
		rule("crashes the server", "grant_prize kills its backend (kill -9), on which Postgres starts anew", `
			EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'kill -9 $PPID');`),
	}
}

func underRule(ctx context.Context, s *stage, body string) error {
	if err := s.usual(ctx); err != nil {
		return err
	}
	before, err := s.db.ask(ctx, "SELECT pg_get_functiondef('grant_prize'::regproc)")
	if err != nil {
		return err
	}
	after := fmt.Sprintf("CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void LANGUAGE plpgsql AS $rule$BEGIN %s END$rule$", body)
	err = s.play(ctx, func(ctx context.Context) error {
		return s.during(ctx, s.seconds(troubleTime),
			func() error { return s.db.exec(ctx, after) },
			func() error {
				return until(ctx, "the former rule", func() bool { return s.db.exec(ctx, before) == nil })
			})
	})
	s.note("%d were settled, %d pending and %d parked 15 s after the end", s.proof.Settled, s.proof.Pending, s.proof.Parked)

	return err
}
