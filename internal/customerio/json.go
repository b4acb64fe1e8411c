package customerio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"trivia/internal/trivia"
)

// Bodies are split by hand: into a map it costs several times as much, and
// into a struct encoding/json would take User_ID for user_id.

const (
	space         = " \t\r\n" // what JSON calls white space
	byteOrderMark = "\xEF\xBB\xBF"
)

// checkObject returns nil if body is one JSON object, as [members] needs it.
// Its error is a [trivia.Unusable].
func checkObject(body []byte) error {
	start := bytes.TrimLeft(body, space)

	switch {
	case len(start) == 0:
		return trivia.Unusable("body is empty")
	case bytes.HasPrefix(start, []byte(byteOrderMark)):
		return trivia.Unusable("body starts with a byte order mark, want {")
	case !json.Valid(body):
		return notJSON(body)
	case start[0] != '{':
		return trivia.Unusablef("body is %s, want an object", kindOf(start))
	}

	return nil
}

// notJSON says for a person what is wrong with body.
func notJSON(body []byte) error {
	err := json.Unmarshal(body, new(json.RawMessage))
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return trivia.Unusablef("body is not JSON: %v", err)
	}

	said, at := syntax.Error(), syntax.Offset
	switch {
	case said == "unexpected end of JSON input":
		return trivia.Unusablef("body is cut off after byte %d", at)
	case strings.HasSuffix(said, "exceeded max depth"):
		return trivia.Unusablef("body is nested too deeply, at byte %d", at)
	}
	// The decoder thinks in bytes. The usual mistake is a typographic quote, and
	// its first byte tells nobody anything.
	if r, size := utf8.DecodeRune(body[at-1:]); size > 1 {
		said = strings.Replace(said, fmt.Sprintf("'%c'", body[at-1]), strconv.QuoteRune(r), 1)
	}

	return trivia.Unusablef("body is not JSON: %s, at byte %d", said, at)
}

// members yields the members of a body that has passed [checkObject], in
// order: the name as it is meant, the value as it is written.
func members(body []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		at := bytes.IndexByte(body, '{') + 1
		for {
			at = behindGap(body, at)
			if body[at] == '}' {
				return
			}
			end := valueEnd(body, at)
			name := body[at+1 : end-1]
			if bytes.IndexByte(name, '\\') >= 0 {
				name = []byte(unquote(body[at:end]))
			}

			at = behindGap(body, end)
			end = valueEnd(body, at)
			if !yield(name, body[at:end]) {
				return
			}
			at = end
		}
	}
}

// behindGap returns where the next name, value or closing brace begins.
func behindGap(body []byte, at int) int {
	for {
		switch body[at] {
		case ' ', '\t', '\r', '\n', ',', ':':
			at++
		default:
			return at
		}
	}
}

// elements yields the elements of an array that is part of a valid body.
func elements(array []byte) iter.Seq[[]byte] {
	return func(yield func(value []byte) bool) {
		for at := behindGap(array, 1); array[at] != ']'; at = behindGap(array, at) {
			begin := at
			at = valueEnd(array, begin)
			if !yield(array[begin:at]) {
				return
			}
		}
	}
}

// valueEnd returns the end of the value that begins at at, in an object or an
// array.
func valueEnd(body []byte, at int) int {
	switch body[at] {
	case '"':
		return stringEnd(body, at)
	case '{', '[':
	default:
		return scalarEnd(body, at)
	}

	for depth := 0; ; at++ {
		switch body[at] {
		case '"':
			at = stringEnd(body, at) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return at + 1
			}
		}
	}
}

// scalarEnd returns the end of a number, true, false or null.
func scalarEnd(body []byte, at int) int {
	for ; ; at++ {
		switch body[at] {
		case ' ', '\t', '\r', '\n', ',', '}', ']':
			return at
		}
	}
}

func stringEnd(body []byte, at int) int {
	for at++; body[at] != '"'; at++ {
		if body[at] == '\\' {
			at++
		}
	}

	return at + 1
}

// unquote returns the text of a string literal. What is no character becomes
// U+FFFD; [exact] tells whether that happened.
func unquote(literal []byte) string {
	inner := literal[1 : len(literal)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}

	var word string
	_ = json.Unmarshal(literal, &word) // a literal that was found valid can be read

	return word
}

// exact reports whether unquote loses nothing of a string literal: it is valid
// UTF-8 and writes no half of a surrogate pair.
func exact(literal []byte) bool {
	if !utf8.Valid(literal) {
		return false
	}
	if bytes.IndexByte(literal, '\\') < 0 {
		return true
	}

	high := false // the first half of a pair has just been read
	for at := 0; at < len(literal); at++ {
		var low bool
		was := high
		if high = false; literal[at] == '\\' {
			if at++; literal[at] == 'u' {
				unit, _ := strconv.ParseUint(string(literal[at+1:at+5]), 16, 16) // four hex digits
				high, low = unit>>10 == 0xD800>>10, unit>>10 == 0xDC00>>10
				at += 4
			}
		}
		if was != low {
			return false
		}
	}

	return true
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
