package tui

import (
	"strings"
)

// complete completes the word before the cursor as far as it is clear, and offers
// what it may become.
func (f *filterLine) complete() {
	text, pos := []rune(f.input.Value()), f.input.Position()
	before, after := string(text[:pos]), string(text[pos:])
	begin := strings.LastIndexAny(before, " \t") + 1
	word := before[begin:]

	f.mistake, f.offers = "", nil
	for _, offer := range f.candidates(strings.TrimSpace(before[:begin]), word) {
		if strings.HasPrefix(offer, word) {
			f.offers = append(f.offers, offer)
		}
	}
	if len(f.offers) == 0 {
		f.offers = []string{"nothing begins like that"}
		return
	}
	whole := commonPrefix(f.offers)
	if len(f.offers) == 1 && !strings.HasPrefix(after, " ") {
		whole += " "
	}
	if len(f.offers) == 1 {
		f.offers = nil
	}
	f.input.SetValue(before[:begin] + whole + after)
	f.input.SetCursor(len([]rune(before[:begin] + whole)))
}

// candidates are what a word may become: the values of the flag before it, or a
// flag, or a flag's value behind its "=".
func (f *filterLine) candidates(before, word string) (all []string) {
	if name, _, joined := strings.Cut(word, "="); joined {
		for _, value := range f.valuesOf(name) {
			all = append(all, name+"="+value)
		}

		return all
	}
	last := before[strings.LastIndexAny(before, " \t")+1:]
	if f.isFlag(last) {
		return f.valuesOf(last)
	}
	for _, flag := range f.flags {
		all = append(all, "--"+flag.Name)
	}

	return all
}

func (f *filterLine) isFlag(word string) bool {
	for _, flag := range f.flags {
		if "--"+flag.Name == word {
			return true
		}
	}

	return false
}

func (f *filterLine) valuesOf(word string) []string {
	for _, flag := range f.flags {
		if "--"+flag.Name == word {
			return flag.Values
		}
	}

	return nil
}

func commonPrefix(words []string) string {
	prefix := words[0]
	for _, word := range words[1:] {
		for !strings.HasPrefix(word, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}

	return prefix
}
