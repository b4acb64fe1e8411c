package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Verbs are what is measured, one a line: the words behind triviactl. What
// stands in braces is looked up in the database. A verb that begins with * reads
// more than a page of rows, and may take longer than a second.
const verbs = `
wins list
wins list --limit 1000
wins list --since 60d --until 59d
wins list --user {user}
wins list --trivia trivia-7
wins list --trivia trivia-7 --since 80d --until 79d
wins list --item car
wins list --item nothing
wins list --key {winkey}
wins list --after {wincursor}
wins show {user} {trivia}

deliveries list
deliveries list --limit 1000
deliveries list --since 60d --until 59d
deliveries list --kind win
deliveries list --kind event --until 45d
deliveries list --user {user}
deliveries list --user {user} --trivia {trivia}
deliveries list --trivia trivia-7
deliveries list --trivia trivia-7 --until 45d
deliveries list --item mug
deliveries list --item nothing
deliveries list --key {winkey}
deliveries list --state done
deliveries list --state pending
deliveries list --state parked
deliveries list --state parked --until 45d
deliveries list --state parked --trivia trivia-7
deliveries list --state parked --kind event
deliveries list --outcome awarded
deliveries list --outcome already_won --until 45d
deliveries list --outcome prize_conflict
deliveries list --outcome key_conflict
deliveries list --outcome unknown_user
deliveries list --outcome unknown_user --since 2h
deliveries list --outcome unknown_user --trivia trivia-7 --until 45d
deliveries list --outcome trivia_closed
deliveries list --outcome malformed --kind event
deliveries list --outcome recorded --until 45d
deliveries list --text 99999 --limit 5
* deliveries list --text nowhere
deliveries show {winkey}

users list
users list --user {user}

events list
events list --limit 1000
events list --since 60d --until 59d
events list --user {user}
events list --object email
events list --object sms --until 45d
events list --object pigeon
events list --metric bounced
events list --metric bounced --until 45d
events list --object in_app --metric clicked
events list --campaign 7
events list --campaign 7 --metric bounced
events list --user {user} --metric opened
events show {event}
events stats
events stats --user {user}
* events stats --campaign 7 --since 90d
* events stats --since 90d

responses list
responses list --since 60d --until 59d
responses list --user {answerer}
responses list --trivia trivia-7
responses list --trivia trivia-7 --until 45d

push list
push list --since 60d --until 59d
push list --user {user}
push list --state pending
push list --state held
push list --state parked
push list --state sent
push list --kind suppress
push list --cause operator
push list --kind event --user {user}
push show {push}

sources list
`

// named are the questions whose answers stand in braces.
var named = map[string]string{
	"user":     `SELECT user_id FROM trivia_wins ORDER BY won_at DESC LIMIT 1`,
	"trivia":   `SELECT trivia_id FROM trivia_wins ORDER BY won_at DESC LIMIT 1`,
	"winkey":   `SELECT delivery_key FROM trivia_wins WHERE won_at < now() - interval '45 days' ORDER BY won_at DESC LIMIT 1`,
	"event":    `SELECT event_id FROM events WHERE received_at < now() - interval '45 days' ORDER BY received_at DESC LIMIT 1`,
	"push":     `SELECT (max(id) / 2)::text FROM pushes`,
	"answerer": `SELECT user_id FROM responses ORDER BY answered_at DESC LIMIT 1`,
	"wincursor": `
		SELECT rtrim(translate(encode(convert_to(json_build_array('wins', to_char(won_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), user_id, trivia_id)::text, 'UTF8'), 'base64'), E'+/\n', '-_'), '=')
		FROM trivia_wins WHERE won_at < now() - interval '45 days' ORDER BY won_at DESC LIMIT 1`,
}

// A verb is one line.
type verb struct {
	words string
	args  []string
	whole bool // reads more than a page
}

// lookUp returns the verbs that begin with only, ready to be run.
func lookUp(ctx context.Context, url, only string) ([]verb, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	var names []string
	for name, question := range named {
		var answer string
		if err := conn.QueryRow(ctx, question).Scan(&answer); err != nil {
			return nil, fmt.Errorf("look up a %s: %w", name, err)
		}
		names = append(names, "{"+name+"}", answer)
	}
	fill := strings.NewReplacer(names...)

	var all []verb
	for line := range strings.Lines(verbs) {
		words, whole := strings.CutPrefix(strings.TrimSpace(line), "* ")
		if words != "" && strings.HasPrefix(words, only) {
			all = append(all, verb{words, strings.Fields(fill.Replace(words)), whole})
		}
	}

	return all, nil
}
