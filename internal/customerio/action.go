package customerio

import (
	"bytes"
	"unicode/utf8"

	"trivia/internal/trivia"
)

// DecodeAction reads the body of a campaign action: a JSON object with
// user_id, trivia_id and item. Names are matched to the letter, the last of
// several equal ones counts, and others are ignored, so that a campaign may
// send more than we use. A whole number is taken for an identifier as it is
// written. Words are cleaned, see [trivia.Clean]. The error is a
// [trivia.Unusable], and a win without error passes its Check.
func DecodeAction(body []byte) (trivia.Win, error) {
	if !utf8.Valid(body) {
		return trivia.Win{}, trivia.Unusablef("body is not valid UTF-8, at byte %d", firstBad(body))
	}
	if err := checkObject(body); err != nil {
		return trivia.Win{}, err
	}

	var user, id, item []byte
	for name, value := range members(body) {
		switch string(name) {
		case "user_id":
			user = value
		case "trivia_id":
			id = value
		case "item":
			item = value
		}
	}

	return win(user, id, item)
}

func win(user, id, item []byte) (trivia.Win, error) {
	userID, err := identifier("user_id", user)
	if err != nil {
		return trivia.Win{}, err
	}
	triviaID, err := identifier("trivia_id", id)
	if err != nil {
		return trivia.Win{}, err
	}
	prize, err := text("item", item)
	if err != nil {
		return trivia.Win{}, err
	}

	return trivia.ParseWin(userID, triviaID, prize)
}

// identifier returns the text of a value that may also be written as a number,
// as workspaces with numeric ids do.
func identifier(name string, raw []byte) (string, error) {
	if len(raw) == 0 || !isNumber(raw) {
		return text(name, raw)
	}
	// Only a whole number is an identifier: what else a program makes of one is
	// another spelling of it, and would be another person.
	switch {
	case bytes.ContainsAny(raw, "eE"):
		return "", trivia.Unusablef("%s is a number with an exponent, which may have lost digits", name)
	case bytes.ContainsRune(raw, '.'):
		return "", trivia.Unusablef("%s is a number with a fraction, want a whole one or text", name)
	case string(raw) == "-0":
		return "", trivia.Unusablef("%s is -0, which is no identifier", name)
	}

	return string(raw), nil
}

// text returns the text of a value; raw is empty if there is none.
func text(name string, raw []byte) (string, error) {
	switch {
	case len(raw) == 0:
		return "", trivia.Unusablef("%s is missing", name)
	case raw[0] != '"':
		return "", trivia.Unusablef("%s is %s, want text", name, kindOf(raw))
	case !exact(raw):
		// Read on, it would make one identifier out of several.
		return "", trivia.Unusablef("%s contains half a surrogate pair, which is no character", name)
	}

	return unquote(raw), nil
}

// firstBad returns which byte of body, counted from 1, is not valid UTF-8.
func firstBad(body []byte) int {
	at := 0
	for at < len(body) {
		r, size := utf8.DecodeRune(body[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}

	return at + 1
}
