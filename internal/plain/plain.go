// Package plain makes text that strangers chose fit to be shown: in a log, on a
// page, on a terminal.
package plain

import (
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

// hidden reports whether r is not to be shown as it is. It also holds for the
// backslash, so that what stands for another character is told from itself,
// and for bytes that are no UTF-8, which read as U+FFFD.
func hidden(r rune) bool {
	switch {
	case r == '\\', r == utf8.RuneError:
		return true
	case r < utf8.RuneSelf:
		return r < ' ' || r == 0x7f
	case r == '\u2800', r == '\u034f': // a blank of braille; a joiner without width
		return true
	}

	return !unicode.IsPrint(r) || unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}
