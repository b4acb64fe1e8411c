package trivia

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Clean returns word as it is kept: without the white space around it (of any
// script, line ends too), and in Unicode's normal form C, so that one spelling
// is one word whatever keyboard or program wrote it. Case is kept, and so is
// everything inside. What is not valid UTF-8 is returned as it is: it names
// nobody, and mending it could make one word of two.
func Clean(word string) string {
	if isPlain(word) || !utf8.ValidString(word) {
		return word
	}

	return norm.NFC.String(strings.TrimSpace(word))
}

// isPlain reports whether there is nothing to clean or to refuse in word, as in
// nearly all of them: printable ASCII without a space at either end.
func isPlain(word string) bool {
	for i := range len(word) {
		if c := word[i]; c < ' ' || c > '~' {
			return false
		}
	}

	return word != "" && word[0] != ' ' && word[len(word)-1] != ' '
}

// ParseUserID returns the user that text names, cleaned, or an [Unusable].
func ParseUserID(text string) (UserID, error) {
	word, err := parse("user_id", text, MaxUserID)

	return UserID(word), err
}

// ParseID returns the trivia that text names, cleaned, or an [Unusable].
func ParseID(text string) (ID, error) {
	word, err := parse("trivia_id", text, MaxID)

	return ID(word), err
}

// ParseItem returns the item that text names, cleaned, or an [Unusable].
func ParseItem(text string) (Item, error) {
	word, err := parse("item", text, MaxItem)

	return Item(word), err
}

// ParseWin returns the win of three words, each cleaned, or an [Unusable] that
// names the first one that cannot be used.
func ParseWin(user, id, item string) (Win, error) {
	var (
		w   Win
		err error
	)
	if w.User, err = ParseUserID(user); err != nil {
		return Win{}, err
	}
	if w.Trivia, err = ParseID(id); err != nil {
		return Win{}, err
	}
	if w.Item, err = ParseItem(item); err != nil {
		return Win{}, err
	}

	return w, nil
}

func parse(name, text string, most int) (string, error) {
	word := Clean(text)
	if word == "" && text != "" {
		return "", Unusablef("%s is blank", name)
	}
	if err := check(name, word, most); err != nil {
		return "", err
	}

	return word, nil
}

// check returns nil if word can be kept as it is, and looks like no other one
// that hides something.
func check(name, word string, most int) error {
	if len(word) <= most && isPlain(word) {
		return nil
	}
	if err := checkText(name, word, most); err != nil {
		return err
	}
	for _, r := range word {
		if isInvisible(r) {
			return Unusablef("%s contains the invisible character %s", name, CodePoint(r))
		}
	}

	return nil
}

// checkText returns nil if word is text of at most so many characters.
func checkText(name, word string, most int) error {
	switch n := utf8.RuneCountInString(word); {
	case word == "":
		return Unusablef("%s is empty", name)
	case strings.TrimSpace(word) == "":
		return Unusablef("%s is blank", name)
	case !utf8.ValidString(word):
		return Unusablef("%s is not valid UTF-8", name)
	case strings.ContainsRune(word, 0):
		return Unusablef("%s contains a NUL character", name)
	case n > most:
		return Unusablef("%s has %d characters, at most %d fit", name, n, most)
	}

	return nil
}

// invisible are characters that are no format characters to Unicode and are
// drawn with no width all the same, or as nothing.
var invisible = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x034f, Hi: 0x034f, Stride: 1}, // combining grapheme joiner
		{Lo: 0x115f, Hi: 0x1160, Stride: 1}, // Hangul fillers
		{Lo: 0x17b4, Hi: 0x17b5, Stride: 1}, // Khmer inherent vowels
		{Lo: 0x3164, Hi: 0x3164, Stride: 1}, // Hangul filler
		{Lo: 0xffa0, Hi: 0xffa0, Stride: 1}, // halfwidth Hangul filler
	},
}

// isInvisible reports whether r can make two words of what looks like one: a
// format character (zero-width, bidi, tags …), or one that is drawn as nothing.
func isInvisible(r rune) bool {
	return r >= 0x80 && (unicode.Is(unicode.Cf, r) || unicode.Is(invisible, r) || unicode.Is(unicode.Variation_Selector, r))
}

// CodePoint names r as Unicode does, such as U+200B.
func CodePoint(r rune) string { return fmt.Sprintf("U+%04X", r) }
