package ctl

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
)

// assignments are the values of --set, in order. The library's own list of
// values would split them at commas.
type assignments struct{ all []string }

// Set implements [cli.Generic].
func (a *assignments) Set(value string) error {
	a.all = append(a.all, value)

	return nil
}

// String implements [cli.Generic].
func (a *assignments) String() string { return strings.Join(a.all, " ") }

// assign does what PATH=VALUE says to an object, and returns the path. What
// lies on the way to the path and is not there yet is made.
func assign(object map[string]any, assignment string) ([]string, error) {
	const like = "as in --set data.href=https://a.example"

	name, text, ok := strings.Cut(assignment, "=")
	path := strings.Split(name, ".")
	if !ok {
		return nil, usagef(like, "--set wants PATH=VALUE, got %q", assignment)
	}
	for _, word := range path {
		if strings.TrimSpace(word) == "" {
			return nil, usagef(like, "--set %s: the path %q has a name that is empty", assignment, name)
		}
	}
	envelope := []string{"event_id", "object_type", "object_type_type", "metric", "timestamp", "data"}
	if !slices.Contains(envelope, path[0]) {
		return nil, usagef(didYouMean(path[0], envelope, "a field of its data: --set data."+assignment),
			"--set %s: an event has no %s beside its data", assignment, path[0])
	}

	at := object
	for i, word := range path[:len(path)-1] {
		next, ok := at[word].(map[string]any)
		if !ok && at[word] != nil {
			whole := strings.Join(path[:i+1], ".")

			return nil, usagef("set all of it: --set '"+whole+"={…}'", "--set %s: %s is no object", assignment, whole)
		}
		if !ok {
			next = map[string]any{}
			at[word] = next
		}
		at = next
	}
	at[path[len(path)-1]] = jsonOrText(text)

	return path, nil
}

// jsonOrText reads a value as JSON, its numbers as they are written, or takes
// it for text.
func jsonOrText(text string) any {
	decode := json.NewDecoder(strings.NewReader(text))
	decode.UseNumber()
	var value any
	if decode.Decode(&value) != nil {
		return text
	}
	if _, err := decode.Token(); !errors.Is(err, io.EOF) {
		return text
	}

	return value
}
