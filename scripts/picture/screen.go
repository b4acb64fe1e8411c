package main

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"
)

// A style is how a cell looks. Colours are those of the terminal's own sixteen;
// -1 is the usual one.
type style struct {
	fore, back           int
	bold, faint, reverse bool
}

// plain is how a terminal begins.
func plain() style { return style{fore: -1, back: -1} }

// A cell is one character of the screen.
type cell struct {
	text  string
	style style
}

// read understands what tmux says of a screen: text, and escape sequences for
// its colours. What a wide character covers is an empty cell.
func read(seen string) [][]cell {
	var rows [][]cell
	now := plain()
	for line := range strings.Lines(seen) {
		var row []cell
		line = strings.TrimSuffix(line, "\n")
		for line != "" {
			if codes, rest, ok := escape(line); ok {
				now = now.with(codes)
				line = rest

				continue
			}
			r, size := utf8.DecodeRuneInString(line)
			line = line[size:]
			row = append(row, cell{string(r), now})
			for range lipgloss.Width(string(r)) - 1 {
				row = append(row, cell{"", now})
			}
		}
		rows = append(rows, row)
	}

	return rows
}

// escape takes a sequence that chooses colours off the front of a line.
func escape(line string) (codes []int, rest string, ok bool) {
	text, ok := strings.CutPrefix(line, "\x1b[")
	if !ok {
		return nil, line, false
	}
	text, rest, ok = strings.Cut(text, "m")
	if !ok {
		return nil, line, false
	}
	for word := range strings.SplitSeq(text, ";") {
		n, _ := strconv.Atoi(word) // none is 0
		codes = append(codes, n)
	}

	return codes, rest, true
}

// with returns the style after a sequence.
func (s style) with(codes []int) style {
	for i := 0; i < len(codes); i++ {
		switch c := codes[i]; {
		case c == 0:
			s = plain()
		case c == 1:
			s.bold = true
		case c == 2:
			s.faint = true
		case c == 7:
			s.reverse = true
		case c == 22:
			s.bold, s.faint = false, false
		case c == 27:
			s.reverse = false
		case c == 39:
			s.fore = -1
		case c == 49:
			s.back = -1
		case 30 <= c && c <= 37:
			s.fore = c - 30
		case 40 <= c && c <= 47:
			s.back = c - 40
		case 90 <= c && c <= 97:
			s.fore = c - 90 + 8
		case 100 <= c && c <= 107:
			s.back = c - 100 + 8
		case (c == 38 || c == 48) && i+2 < len(codes) && codes[i+1] == 5:
			if c == 38 {
				s.fore = codes[i+2] % 16
			} else {
				s.back = codes[i+2] % 16
			}
			i += 2
		}
	}

	return s
}
