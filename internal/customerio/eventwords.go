package customerio

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"trivia/internal/trivia"
)

// maxPersonKept is how many bytes of an identifier an index entry has room for.
// More than the vendor allows is kept, so that it can be seen why no push
// reached the person.
const maxPersonKept = 500

// A scribe writes the words of one event into one piece of memory, since an
// event has a dozen of them.
type scribe struct{ page strings.Builder }

// mostShared is how long a word may be to share its memory with others: none of them
// shall keep a long one alive.
const mostShared = 512

// expect prepares for the words of a body.
func (s *scribe) expect(length int) { s.page.Grow(min(length/2, 2*mostShared)) }

// keep returns text as a string.
func (s *scribe) keep(text []byte) string {
	if len(text) > mostShared {
		return string(text)
	}
	begin := s.page.Len()
	s.page.Write(text)

	return s.page.String()[begin:]
}

// word returns what [wordOf] makes of a value, in at most most characters.
func (s *scribe) word(raw []byte, most int) string {
	text := wordOf(raw)
	if len(text) > most {
		return clip(string(text), most)
	}

	return s.keep(text)
}

// firstWord returns the first word there is.
func (s *scribe) firstWord(most int, raws ...[]byte) string {
	for _, raw := range raws {
		if word := s.word(raw, most); word != "" {
			return word
		}
	}

	return ""
}

// identity returns what names an event. One that would not come out of its
// literal whole names it by the literal, or two events would become one.
func (s *scribe) identity(raw []byte) string {
	if len(raw) > 0 && raw[0] == '"' && !keepsAll(raw) {
		return string(raw)
	}

	return s.keep(wordOf(raw))
}

// wordOf returns the text of a string or a number, trimmed and without what
// Postgres cannot hold in a text, and nothing for everything else.
func wordOf(raw []byte) []byte {
	switch {
	case len(raw) == 0:
		return nil
	case isNumber(raw):
		return raw
	case raw[0] != '"':
		return nil
	}
	if text, ok := plain(raw); ok {
		return bytes.TrimSpace(text)
	}

	return bytes.TrimSpace(bytes.ReplaceAll([]byte(unquote(raw)), []byte{0}, nil))
}

// loose is wordOf as a string.
func loose(raw []byte) string { return string(wordOf(raw)) }

// whole returns the text of an identifier exactly as it is meant, or nil if
// there is none, or none that can be kept so.
func whole(raw []byte) []byte {
	text := raw
	switch {
	case len(raw) == 0:
		return nil
	case isNumber(raw):
		if bytes.ContainsAny(raw, "eE.") || string(raw) == "-0" { // some program has rounded it, or spelt it anew
			return nil
		}
	case raw[0] != '"', !keepsAll(raw):
		return nil
	default:
		text = textOf(raw)
	}
	text = cleaned(text)
	if len(text) > maxPersonKept || len(text) == 0 {
		return nil
	}

	return text
}

// cleaned is [trivia.Clean], without a copy where there is nothing to clean.
func cleaned(text []byte) []byte {
	for i, c := range text {
		if c > '~' || c < ' ' || c == ' ' && (i == 0 || i == len(text)-1) {
			return []byte(trivia.Clean(string(text)))
		}
	}

	return text
}

// mailbox is whole for an email address. A text that is none could be
// somebody's identifier, and a list names several people.
func mailbox(raw []byte) []byte {
	if len(raw) == 0 || raw[0] != '"' {
		return nil
	}
	address := whole(raw)
	if bytes.IndexByte(address, '@') < 0 || bytes.ContainsAny(address, space+",;<>") {
		return nil
	}

	return address
}

// keepsAll reports whether a string literal can be kept whole as a text.
func keepsAll(literal []byte) bool {
	return exact(literal) && (bytes.IndexByte(literal, '\\') < 0 || strings.IndexByte(unquote(literal), 0) < 0)
}

// textOf is unquote, without a copy where none is needed.
func textOf(literal []byte) []byte {
	if text, ok := plain(literal); ok {
		return text
	}

	return []byte(unquote(literal))
}

// plain returns the text of a string literal that is written as it is meant.
func plain(literal []byte) (text []byte, ok bool) {
	text = literal[1 : len(literal)-1]

	return text, bytes.IndexByte(text, '\\') < 0 && utf8.Valid(text)
}

// truth reads a flag, which some write as text or as a number.
func truth(raw []byte) bool {
	switch word := wordOf(raw); {
	case len(raw) == 0:
		return false
	case raw[0] == 't':
		return true
	default:
		return string(word) == "1" || bytes.EqualFold(word, []byte("true"))
	}
}

// clip cuts a text of more than most characters, and lets its last character
// say so.
func clip(text string, most int) string {
	if len(text) <= most || utf8.RuneCountInString(text) <= most {
		return text
	}

	n, end := 0, 0
	for end = range text {
		if n++; n == most {
			break
		}
	}

	return text[:end] + "…"
}

// seconds reads a Unix time, and returns the zero time for what cannot be one:
// most often milliseconds, which would lie beyond the year 9999.
func seconds(word []byte) time.Time {
	const lastSecond = 253402300799

	n, err := strconv.ParseFloat(string(word), 64)
	if err != nil || !(n >= 1 && n < lastSecond+1) {
		return time.Time{}
	}

	return time.Unix(int64(n), 0).UTC()
}
