package customerio

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"trivia/internal/trivia"
)

// RepairAction returns a copy of the body of a campaign action in which the
// words of with that are not empty stand instead of the body's own, and what
// the copy says. All else of the body stays as it is written; a body that is no
// JSON object counts as an empty one. The error is a [trivia.Unusable]: why the
// copy could not be used either.
func RepairAction(body []byte, with trivia.Win) ([]byte, trivia.Win, error) {
	if !utf8.Valid(body) || checkObject(body) != nil {
		body = []byte("{}")
	}
	end := bytes.LastIndexByte(body, '}')
	repaired := bytes.Clone(bytes.TrimRight(body[:end], space))
	gap := !bytes.HasSuffix(repaired, []byte("{"))

	// The last of several equal names counts.
	for _, member := range []struct{ name, word string }{
		{"user_id", string(with.User)}, {"trivia_id", string(with.Trivia)}, {"item", string(with.Item)},
	} {
		if member.word == "" {
			continue
		}
		if gap {
			repaired = append(repaired, ',')
		}
		gap = true
		value, err := json.Marshal(member.word)
		if err != nil {
			return nil, trivia.Win{}, trivia.Unusablef("%s: %v", member.name, err)
		}
		repaired = append(append(repaired, `"`+member.name+`":`...), value...)
	}
	repaired = append(repaired, body[end:]...)

	win, err := DecodeAction(repaired)

	return repaired, win, err
}
