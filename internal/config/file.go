package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// withFile returns getenv with what the file of TRIVIA_ENV_FILE says in front
// of it: the file wins, so that a service that is told to read it again obeys
// it although the environment that it was started with has not changed.
func withFile(getenv func(string) string) (func(string) string, Complaints) {
	var complaints Complaints

	name := strings.TrimSpace(getenv(EnvFile))
	if name == "" {
		return getenv, nil
	}
	text, err := os.ReadFile(name) //nolint:gosec // who starts the program names the file
	if err != nil {
		// The cause alone: the name is said already.
		if failed, ok := errors.AsType[*fs.PathError](err); ok {
			err = failed.Err
		}
		complaints.Add(EnvFile, fmt.Sprintf("found %s, which cannot be read (%v), expected a file of NAME=VALUE lines", quote(name), err))

		return getenv, complaints
	}

	said, complaints := parseFile(string(text))

	return func(name string) string {
		if value, ok := said[name]; ok {
			return value
		}

		return getenv(name)
	}, complaints
}

// parseFile reads lines of NAME=VALUE. Blank ones and those that begin with #
// or ; are comments, and quotes around a whole value are not part of it, as
// with systemd's EnvironmentFile. What other programs read is left to them. No
// complaint shows a value.
func parseFile(text string) (said map[string]string, complaints Complaints) {
	complain := func(number int, found, expected string) {
		complaints.Add(EnvFile, fmt.Sprintf("found %s in line %d, expected %s", found, number, expected))
	}

	said = map[string]string{}
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\uFEFF")) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}

		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		_, twice := said[name]
		switch {
		case !ok || !isName(name):
			complain(number, "text (not shown) that is no NAME=VALUE", "one setting a line, and # before a comment")
		case name == EnvFile:
			complain(number, EnvFile, "it in the environment only")
		case twice:
			complain(number, name+" for the second time", "it once; several keys stand behind each other, with commas between")
		case ours(name) && rank(name) == len(Table()):
			complain(number, name+", which is no setting", "one of those that trivia-hook --help lists")
		default:
			said[name] = unquoted(strings.TrimSpace(value))
		}
	}

	return said, complaints
}

func isName(name string) bool {
	odd := func(c rune) bool {
		return c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9')
	}

	return name != "" && !strings.ContainsFunc(name, odd)
}

// ours reports whether a name is for us to know, so that a slip in it is seen.
func ours(name string) bool {
	return strings.HasPrefix(name, "TRIVIA_") || strings.HasPrefix(name, "CUSTOMERIO_")
}

func unquoted(value string) string {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		return value[1 : n-1]
	}

	return value
}

// A Snapshot remembers what the settings say, without their values.
type Snapshot struct {
	sums map[string][sha256.Size]byte
}

// SnapshotOf takes a snapshot of all settings as they are now.
func SnapshotOf(getenv func(string) string) Snapshot {
	getenv, _ = withFile(getenv)

	s := Snapshot{sums: map[string][sha256.Size]byte{}}
	for _, setting := range Table() {
		s.sums[setting.Name] = sha256.Sum256([]byte(strings.TrimSpace(getenv(setting.Name))))
	}

	return s
}

// Changed returns the names of the settings that say something else in other,
// in the order of [Table].
func (s Snapshot) Changed(other Snapshot) []string {
	var names []string
	for _, setting := range Table() {
		if s.sums[setting.Name] != other.sums[setting.Name] {
			names = append(names, setting.Name)
		}
	}

	return names
}

// Reloadable reports whether trivia-hook takes a setting's new value into use
// when it is told to (SIGHUP), without a restart.
func Reloadable(name string) bool {
	return slices.Contains([]string{WebhookSecret, ActionSecret, Sources, TrustedProxies}, name)
}
