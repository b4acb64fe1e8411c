package config

import (
	"cmp"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// The bounds of TRIVIA_MAX_BODY: one batch of bodies of that size has to fit
// into memory.
const maxMaxBody = 64 << 20

// A reader reads settings one by one and collects what is wrong with them. A
// wrong one reads as its zero value.
type reader struct {
	getenv     func(string) string
	complaints Complaints
	unquoted   []string // settings that had quotes around them, or around a part of them
}

// newReader returns a reader of the environment, and of the file that it names.
func newReader(getenv func(string) string) *reader {
	getenv, complaints := withFile(getenv)

	return &reader{getenv: getenv, complaints: complaints}
}

func (r *reader) complain(name, found, expected string) {
	r.complaints.Add(name, "found "+found+", expected "+expected)
}

// quote shows a value that is no secret.
func quote(value string) string {
	const most = 60
	if runes := []rune(value); len(runes) > most {
		value = string(runes[:most]) + "…"
	}

	return strconv.Quote(value)
}

// text reads a setting that may be anything, without space around it, and
// without quotes: nobody means them, and some who read files of settings, such
// as docker --env-file, leave them in.
func (r *reader) text(name string) string {
	return r.unquote(name, strings.TrimSpace(r.getenv(name)))
}

// unquote removes quotes around a value, unless there are more of them inside.
func (r *reader) unquote(name, value string) string {
	inner := unquoted(value)
	if inner == value || strings.Contains(inner, value[:1]) {
		return value
	}
	if !slices.Contains(r.unquoted, name) {
		r.unquoted = append(r.unquoted, name)
	}

	return strings.TrimSpace(inner)
}

// databaseURL checks no more than the form, since only the driver knows all
// of it. The value holds a password, so no complaint shows it.
func (r *reader) databaseURL() Secret {
	value := r.text(DatabaseURL)
	if value != "" && !isURL(value) && !isKeywords(value) {
		r.complain(DatabaseURL, "a value (not shown) that is no Postgres URL", "postgres://user@host/database")
	}

	return NewSecret(value)
}

// isURL does not ask net/url, which knows no URLs with several hosts.
func isURL(value string) bool {
	scheme, rest, _ := strings.Cut(value, "://")

	return (scheme == "postgres" || scheme == "postgresql") && rest != ""
}

// isKeywords reports whether value begins as host=… does.
func isKeywords(value string) bool {
	keyword, _, found := strings.Cut(value, "=")
	odd := func(c rune) bool { return c != '_' && (c < 'a' || c > 'z') }

	return found && keyword != "" && !strings.ContainsFunc(strings.TrimSpace(keyword), odd)
}

func (r *reader) dataDir(p place) string {
	value := r.text(DataDir)
	if value == "" {
		return dataDir(r.getenv, p)
	}

	dir, err := filepath.Abs(value)
	if err != nil {
		r.complain(DataDir, quote(value), "an absolute directory")
	}

	return dir
}

// parts splits a list at its commas. An empty part is more likely a slip than
// meant, so it is reported.
func parts(value string) (words []string, ok bool) {
	if value == "" {
		return nil, true
	}

	ok = true
	for word := range strings.SplitSeq(value, ",") {
		word = strings.TrimSpace(word)
		if word == "" {
			ok = false

			continue
		}
		words = append(words, word)
	}

	return words, ok
}

func (r *reader) keys(name string) []Secret {
	words, ok := parts(r.text(name))
	if !ok {
		r.complain(name, "an empty key (values not shown)", "keys with one comma between two")
	}

	var keys []Secret
	for _, word := range words {
		keys = append(keys, NewSecret(r.unquote(name, word)))
	}

	return keys
}

func (r *reader) list(name, otherwise string) []string {
	value := cmp.Or(r.text(name), otherwise)
	words, ok := parts(value)
	if !ok {
		r.complain(name, "an empty part in "+quote(value), "words with one comma between two")
	}

	return words
}

// oneOf reads one of a few words, the first of which is the default.
func (r *reader) oneOf(name string, words ...string) string {
	value := cmp.Or(r.text(name), words[0])
	for _, word := range words {
		if value == word {
			return word
		}
	}
	r.complain(name, quote(value), strings.Join(words, " or "))

	return ""
}

func (r *reader) word(name, otherwise string) string {
	const most = 32

	value := cmp.Or(r.text(name), otherwise)
	odd := func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '.' && c != '-' && c != '_'
	}
	if len([]rune(value)) > most || strings.ContainsFunc(value, odd) {
		r.complain(name, quote(value), fmt.Sprintf("one word of at most %d letters, such as production", most))

		return ""
	}

	return value
}

func (r *reader) duration(name, otherwise string) time.Duration {
	value := cmp.Or(r.text(name), otherwise)
	d, err := time.ParseDuration(value)
	// Timestamps are whole seconds: a shorter window would refuse everything.
	if err != nil || d != 0 && d < time.Second {
		r.complain(name, quote(value), "a duration of at least 1s, such as 90s or 5m, or 0 for any")

		return 0
	}

	return d
}

// longestDelay is more than any balancer takes to notice something.
const longestDelay = 10 * time.Minute

// delay reads how long something is put off.
func (r *reader) delay(name, otherwise string) time.Duration {
	value := cmp.Or(r.text(name), otherwise)
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 || d > longestDelay {
		r.complain(name, quote(value), "a duration of at most 10m, such as 5s or 30s, or 0 for none")

		return 0
	}

	return d
}

// interval reads how often something is done.
func (r *reader) interval(name, otherwise string) time.Duration {
	value := cmp.Or(r.text(name), otherwise)
	d, err := time.ParseDuration(value)
	if err != nil || d != 0 && d < time.Minute {
		r.complain(name, quote(value), "a duration of at least 1m, such as 15m or 1h, or 0 for never")

		return 0
	}

	return d
}

func (r *reader) size(name, otherwise string) int64 {
	value := cmp.Or(r.text(name), otherwise)
	n, ok := parseSize(value)
	if !ok || n < 1 || n > maxMaxBody {
		r.complain(name, quote(value), "a size from 1 to 64MiB, such as 1MiB, 512KiB or 1048576")

		return 0
	}

	return n
}

// parseSize reads a whole number of bytes, KiB or MiB.
func parseSize(value string) (n int64, ok bool) {
	unit := int64(1)
	if digits, ok := strings.CutSuffix(value, "KiB"); ok {
		value, unit = digits, 1<<10
	} else if digits, ok := strings.CutSuffix(value, "MiB"); ok {
		value, unit = digits, 1<<20
	}

	count, err := strconv.ParseUint(value, 10, 31) // no sign, and no overflow below

	return int64(count) * unit, err == nil
}

func (r *reader) pushes() Pushes {
	// The first word is the default.
	return Pushes{
		OnBounce:      r.oneOf(OnBounce, defaultOnBounce, "unsubscribe", "attributes", "nothing"),
		OnSpam:        r.oneOf(OnSpam, defaultOnSpam, "unsubscribe", "attributes", "nothing"),
		OnUnsubscribe: r.oneOf(OnUnsubscribe, defaultOnUnsubscribe, "suppress", "attributes", "nothing"),
		OnEngagement:  r.oneOf(OnEngagement, defaultOnEngagement, "nothing"),
		OnWin:         r.oneOf(OnWin, defaultOnWin, "nothing"),
		Rate:          r.count(PushRate, defaultPushRate),
	}
}

func (r *reader) count(name, otherwise string) int {
	const most = 10_000

	value := cmp.Or(r.text(name), otherwise)
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > most {
		r.complain(name, quote(value), fmt.Sprintf("a whole number from 1 to %d", most))

		return 0
	}

	return n
}

// hosts reads where Customer.io is called.
func (r *reader) hosts(region string) (track, app string) {
	track, app = "https://track.customer.io", "https://api.customer.io"
	if region == "eu" {
		track, app = "https://track-eu.customer.io", "https://api-eu.customer.io"
	}

	return r.url(TrackURL, track), r.url(AppURL, app)
}

func (r *reader) url(name, otherwise string) string {
	const expected = "http:// or https:// with a host, and no user, query or fragment"

	value := cmp.Or(r.text(name), otherwise)
	u, err := url.Parse(value)
	switch {
	case strings.ContainsAny(value, "@?"): // these may hold a password
		r.complain(name, "a user or a query (not shown)", expected)
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "",
		strings.Contains(value, "#"):
		r.complain(name, quote(value), expected)
	default:
		return strings.TrimRight(value, "/")
	}

	return ""
}
