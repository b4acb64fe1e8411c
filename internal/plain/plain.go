// Package plain makes text that strangers chose fit to be shown: in a log, on a
// page, on a terminal.
package plain

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Most is how many bytes of one such text are worth showing.
const Most = 200

// Text returns text with all that cannot be seen, or that could steer what
// shows it, written as Go writes it in a string (\n, \u202e, \xff), and no
// longer than [Most] bytes. What was cut off is counted behind an ellipsis.
func Text(text string) string {
	if len(text) <= Most && !strings.ContainsFunc(text, hidden) {
		return text
	}

	var out strings.Builder
	room := Most - len("…(+)") - len(strconv.Itoa(len(text)))
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		shown := text[i : i+size]
		if hidden(r) {
			quoted := strconv.QuoteToASCII(shown)
			shown = quoted[1 : len(quoted)-1]
		}
		if out.Len()+len(shown) > room && (out.Len()+len(shown) > Most || i+size < len(text)) {
			return out.String() + "…(+" + strconv.Itoa(len(text)-i) + ")"
		}
		out.WriteString(shown)
		i += size
	}

	return out.String()
}

// hidden reports whether r is not to be logged as it is: what is unseen, and
// the backslash, so that what stands for another character is told from itself.
func hidden(r rune) bool { return r == '\\' || unseen(r) }

// unseen reports whether r leaves nothing on a screen, or could steer it. It
// holds for bytes that are no UTF-8, too, which read as U+FFFD.
func unseen(r rune) bool {
	switch {
	case r == utf8.RuneError:
		return true
	case r < utf8.RuneSelf:
		return r < ' ' || r == 0x7f
	case r == '\u2800', r == '\u034f': // a blank of braille; a joiner without width
		return true
	}

	return !unicode.IsPrint(r) || unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// Named returns text with each character that cannot be seen, or that could
// steer what shows it, named as Unicode does, as in demo-1⟨U+200B⟩. Bytes that
// are no UTF-8 become U+FFFD. Unlike [Text] it cuts nothing, and leaves a
// backslash alone: it is for people who compare words, not for logs.
func Named(text string) string {
	if !strings.ContainsFunc(text, unseen) {
		return text
	}

	var out strings.Builder
	for _, r := range text { // a byte that is no UTF-8 reads as U+FFFD
		if r == utf8.RuneError || !unseen(r) {
			out.WriteRune(r)
			continue
		}
		name(&out, r)
	}

	return out.String()
}

// Word is [Named] for a word that names somebody or something: white space at
// its ends, where it looks like none, is named too.
func Word(word string) string {
	inner := strings.TrimSpace(word)
	if len(inner) == len(word) {
		return Named(word)
	}
	at := strings.Index(word, inner)

	var out strings.Builder
	for _, r := range word[:at] {
		name(&out, r)
	}
	out.WriteString(Named(inner))
	for _, r := range word[at+len(inner):] {
		name(&out, r)
	}

	return out.String()
}

func name(out *strings.Builder, r rune) { _, _ = fmt.Fprintf(out, "⟨U+%04X⟩", r) }

// IsSeen reports whether [Word] shows word as it is.
func IsSeen(word string) bool {
	return strings.TrimSpace(word) == word && !strings.ContainsFunc(word, unseen)
}

// Escaped returns text with what [Word] names, and each backslash, escaped as
// in a string of Go, C or bash: \u200b. The text must be valid UTF-8.
func Escaped(text string) string {
	inner := strings.TrimSpace(text)
	from := strings.Index(text, inner)

	var out strings.Builder
	for i, r := range text {
		switch atEnd := i < from || i >= from+len(inner); {
		case r == '\\':
			out.WriteString(`\\`)
		case !atEnd && !unseen(r):
			out.WriteRune(r)
		case r > 0xffff:
			_, _ = fmt.Fprintf(&out, `\U%08x`, r)
		default:
			_, _ = fmt.Fprintf(&out, `\u%04x`, r)
		}
	}

	return out.String()
}
