package tui

import (
	"errors"
	"slices"
	"strings"
)

// textFlag is the flag that words of no flag are the value of.
const textFlag = "text"

// splitWords splits a line into words, as a shell would: quotes and backslashes keep
// spaces.
func splitWords(line string) (words []string, err error) {
	var (
		word   strings.Builder
		within rune // a quote
		begun  bool
	)
	runes := []rune(line)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case r == '\\' && within != '\'' && i+1 < len(runes):
			i++
			word.WriteRune(runes[i])
			begun = true
		case within != 0 && r == within:
			within = 0
		case within != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			within, begun = r, true
		case r == ' ' || r == '\t':
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if within != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if begun {
		words = append(words, word.String())
	}

	return words, nil
}

// joinWords writes words as splitWords reads them.
func joinWords(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = quoteWord(word)
	}

	return strings.Join(quoted, " ")
}

func quoteWord(word string) string {
	if word != "" && !strings.ContainsAny(word, " \t'\"\\") {
		return word
	}

	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// filterWords reads a line as flags of the command line. All that belongs to no
// flag is text that is looked for, as one piece.
func filterWords(line string, flags []Flag) ([]string, error) {
	words, err := splitWords(line)
	if err != nil {
		return nil, err
	}

	var found, text []string
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		name, isFlag := strings.CutPrefix(word, "--")
		switch {
		case word == "--":
			text = append(text, words...)
			words = nil
		case !isFlag:
			text = append(text, word)
		case slices.ContainsFunc(flags, func(f Flag) bool { return f.Name == name }) && len(words) > 0:
			found = append(found, word, words[0])
			words = words[1:]
		default:
			found = append(found, word)
		}
	}
	if piece := strings.Join(text, " "); strings.HasPrefix(piece, "-") {
		found = append(found, "--"+textFlag+"="+piece)
	} else if piece != "" {
		found = append(found, "--"+textFlag, piece)
	}

	return found, nil
}
