package ctl

import (
	"github.com/urfave/cli/v2"

	"trivia/internal/trivia"
)

// identityHint says what may name somebody or something anew.
const identityHint = "a user or a trivia has 1 to 64 characters that can be seen; white space around them is dropped"

// userOf returns the user that word names, cleaned as in a win.
func userOf(word string) (trivia.UserID, error) {
	id, err := trivia.ParseUserID(word)
	if err != nil {
		return "", usagef(identityHint, "%q cannot name a user: %w", word, err)
	}

	return id, nil
}

// triviaOf returns the trivia that word names, likewise.
func triviaOf(word string) (trivia.ID, error) {
	id, err := trivia.ParseID(word)
	if err != nil {
		return "", usagef(identityHint, "%q cannot name a trivia: %w", word, err)
	}

	return id, nil
}

// winFilter returns the user, trivia and item that flags ask for, cleaned as in
// a win. What may no longer be kept, and once was, can still be asked for.
func winFilter(c *cli.Context) trivia.Win {
	return trivia.Win{
		User:   trivia.UserID(trivia.Clean(c.String("user"))),
		Trivia: trivia.ID(trivia.Clean(c.String("trivia"))),
		Item:   trivia.Item(trivia.Clean(c.String("item"))),
	}
}

// personFilter returns the person that the flag asks for, as Customer.io knows
// them, cleaned as in an event.
func personFilter(c *cli.Context) string { return trivia.Clean(c.String("user")) }
