package customerio

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"trivia/internal/trivia"
)

// DecodeAction reads the body of a campaign action: a JSON object with
// user_id, trivia_id and item. Other members are ignored, so that a campaign
// may send more than we use. A number is taken for an identifier as it is
// written. Its error is a [trivia.Unusable].
func DecodeAction(body []byte) (trivia.Win, error) {
	if !utf8.Valid(body) {
		return trivia.Win{}, trivia.Unusable("body is not valid UTF-8")
	}
	members, err := object(body)
	if err != nil {
		return trivia.Win{}, err
	}

	user, err := identifier(members, "user_id")
	if err != nil {
		return trivia.Win{}, err
	}
	id, err := identifier(members, "trivia_id")
	if err != nil {
		return trivia.Win{}, err
	}
	item, err := text(members, "item")
	if err != nil {
		return trivia.Win{}, err
	}

	win := trivia.Win{User: trivia.UserID(user), Trivia: trivia.ID(id), Item: trivia.Item(item)}

	return win, win.Check()
}

// object splits a JSON object into its members. Names are matched to the
// letter, and the last of several equal ones counts.
func object(body []byte) (map[string]json.RawMessage, error) {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) == 0 {
		return nil, trivia.Unusable("body is empty")
	}
	if trimmed[0] != '{' && json.Valid(body) {
		return nil, trivia.Unusablef("body is %s, want an object", kindOf(trimmed))
	}

	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, notJSON(err)
	}

	return members, nil
}

func notJSON(err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return trivia.Unusablef("body is not JSON: %v, at byte %d", syntax, syntax.Offset)
	}

	return trivia.Unusablef("body is not JSON: %v", err)
}

// identifier returns the text of a member that may also be written as a
// number, as workspaces with numeric ids do.
func identifier(members map[string]json.RawMessage, name string) (string, error) {
	raw, ok := members[name]
	if !ok || !isNumber(raw) {
		return text(members, name)
	}
	// An exponent means that some program has rounded the number.
	if bytes.ContainsAny(raw, "eE") {
		return "", trivia.Unusablef("%s is a number with an exponent, which may have lost digits", name)
	}

	return string(raw), nil
}

func text(members map[string]json.RawMessage, name string) (string, error) {
	raw, ok := members[name]
	if !ok {
		return "", trivia.Unusablef("%s is missing", name)
	}
	if raw[0] != '"' {
		return "", trivia.Unusablef("%s is %s, want text", name, kindOf(raw))
	}

	var word string
	if err := json.Unmarshal(raw, &word); err != nil {
		return "", notJSON(err)
	}
	// The decoder puts U+FFFD in the place of what is no character, which
	// would make one identifier out of several.
	if strings.ContainsRune(word, utf8.RuneError) && !bytes.ContainsRune(raw, utf8.RuneError) {
		return "", trivia.Unusablef("%s contains half a surrogate pair", name)
	}

	return word, nil
}

func isNumber(raw []byte) bool {
	return raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9'
}

// kindOf names the kind of a valid JSON value by its first byte.
func kindOf(raw []byte) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "text"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}

	return "a number"
}
