package tui

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// besideFrom is the width from which a body is drawn twice, side by side.
const besideFrom = 120

// A bodyForm is how a body is drawn.
type bodyForm int

// The forms of a body.
const (
	asJSON  bodyForm = iota // indented
	asBytes                 // as it came; in hex if it is no text
	asHex
	bodyForms
)

func (f bodyForm) String() string {
	return [...]string{"indented", "raw", "hex"}[f]
}

// A keptBody is a body, and what it is called where there are several.
type keptBody struct {
	name string
	body []byte
}

// bodyLines lays out bodies: where there is room, indented and as they came
// side by side, or the latter in hex.
func bodyLines(bodies []keptBody, form bodyForm, width int) (lines []string) {
	for i, b := range bodies {
		if i > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, folded(b.name, width)...)
		if width < besideFrom-gutter {
			lines = append(lines, b.lines(form, width)...)
			continue
		}
		right := asBytes
		if form == asHex {
			right = asHex
		}
		half := (width - 3) / 2
		lines = append(lines, sideBySide(b.lines(asJSON, half), b.lines(right, width-3-half), half)...)
	}

	return lines
}

// sideBySide puts two columns of lines next to each other.
func sideBySide(left, right []string, width int) []string {
	lines := make([]string, max(len(left), len(right)))
	for i := range lines {
		var l, r string
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		lines[i] = strings.TrimRight(l+strings.Repeat(" ", max(0, width-widthOf(l)))+" │ "+r, " ")
	}

	return lines
}

func (b keptBody) lines(form bodyForm, width int) []string {
	switch {
	case len(b.body) == 0:
		return []string{"(empty)"}
	case form == asJSON:
		return readable(b.body, width)
	case form == asHex || !isText(b.body):
		return hexLines(b.body, width)
	}

	return foldedLines(string(b.body), width)
}

// isText reports whether bytes can be read as they are.
func isText(body []byte) bool { return utf8.Valid(body) && !bytes.ContainsRune(body, 0) }

func foldedLines(text string, width int) (lines []string) {
	for line := range strings.Lines(text) {
		lines = append(lines, folded(strings.TrimRight(line, "\r\n"), width)...)
	}

	return lines
}

// readable writes JSON so that it can be read: nothing but space is changed.
func readable(body []byte, width int) []string {
	var pretty bytes.Buffer
	err := json.Indent(&pretty, body, "", "  ")
	switch {
	case err == nil && utf8.Valid(body):
		return foldedLines(pretty.String(), width)
	case err == nil:
		return append([]string{"JSON that is not UTF-8; odd bytes are shown as \ufffd", ""}, foldedLines(pretty.String(), width)...)
	}

	why := "no JSON: " + err.Error()
	if at, ok := errors.AsType[*json.SyntaxError](err); ok {
		why += fmt.Sprintf(" (byte %s)", thousands(int(at.Offset)))
	}
	lines := append(Wrap(why, width), "")
	if !isText(body) {
		return append(lines, hexLines(body, width)...)
	}

	return append(lines, foldedLines(string(body), width)...)
}

// hexLines dumps bytes: their place, their values, and what of them is ASCII.
func hexLines(body []byte, width int) []string {
	each := 16
	if width < len("00000000  ")+16*3+1+16 {
		each = 8
	}
	lines := make([]string, 0, len(body)/each+1)
	for at := 0; at < len(body); at += each {
		row := body[at:min(at+each, len(body))]
		var values, letters strings.Builder
		for i := range each {
			if i < len(row) {
				_, _ = fmt.Fprintf(&values, "%02x ", row[i])
				letters.WriteByte(printable(row[i]))
			} else {
				values.WriteString("   ")
			}
		}
		lines = append(lines, cut(fmt.Sprintf("%08x  %s %s", at, values.String(), letters.String()), width))
	}

	return lines
}

func printable(b byte) byte {
	if b < ' ' || b > '~' {
		return '.'
	}

	return b
}
