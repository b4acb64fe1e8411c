package tui

import (
	"strings"
	"time"
)

// A filterFlag is a flag of a filter with its value.
type filterFlag struct{ name, value string }

// filterFlags reads a filter as it was typed: flags with their values behind them
// or after a =, and free words, which are the text that is looked for.
func filterFlags(words []string) (all []filterFlag) {
	var text []string
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "--":
			text = append(text, words[i+1:]...)
			i = len(words)
		case len(word) > 1 && word[0] == '-':
			name, value, joined := strings.Cut(strings.TrimLeft(word, "-"), "=")
			if !joined && i+1 < len(words) {
				i++
				value = words[i]
			}
			all = append(all, filterFlag{name, value})
		default:
			text = append(text, word)
		}
	}
	if len(text) > 0 {
		all = append(all, filterFlag{"text", strings.Join(text, " ")})
	}

	return all
}

// valueOf returns the value of a flag, or nothing.
func valueOf(filter []filterFlag, name string) string {
	for _, w := range filter {
		if w.name == name {
			return w.value
		}
	}

	return ""
}

// only returns the flags that are among names, and the first other one.
func only(filter []filterFlag, names ...string) (flags []string, other string) {
	known := map[string]bool{}
	for _, name := range names {
		known[name] = true
	}
	for _, w := range filter {
		switch {
		case known[w.name]:
			flags = append(flags, flagWord(w.name, w.value))
		case other == "":
			other = w.name
		}
	}

	return flags, other
}

// exactly writes a time so that it means the same whenever it is read.
func exactly(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z07:00") }

// bounded returns a filter whose set does not grow, and does not move on either:
// its times are instants, and it ends now if it had no end.
func bounded(filter []filterFlag, since, until, now time.Time) []filterFlag {
	if until.IsZero() {
		until = now
	}
	var all []filterFlag
	for _, w := range filter {
		if w.name != "since" && w.name != "until" {
			all = append(all, w)
		}
	}
	if !since.IsZero() {
		all = append(all, filterFlag{"since", exactly(since)})
	}

	return append(all, filterFlag{"until", exactly(until)})
}
