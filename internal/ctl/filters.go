package ctl

import (
	"time"

	"github.com/urfave/cli/v2"
)

// sinceFlags limit a listing to a span of time.
func sinceFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "since", Usage: "from `TIME` on: 2h, yesterday, 2026-01-31, RFC 3339"},
		&cli.StringFlag{Name: "until", Usage: "before `TIME`"},
	}
}

// parseSpan reads what sinceFlags say. A zero time is no limit.
func parseSpan(c *cli.Context, now time.Time) (since, until time.Time, err error) {
	if since, err = timeFlag(c, "since", now); err != nil {
		return since, until, err
	}
	if until, err = timeFlag(c, "until", now); err != nil {
		return since, until, err
	}
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		return since, until, usagef("both count backwards from now: --since 2h --until 1h",
			"--since %s is not before --until %s", c.String("since"), c.String("until"))
	}

	return since, until, nil
}

func timeFlag(c *cli.Context, flag string, now time.Time) (time.Time, error) {
	text := c.String(flag)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := parseTime(text, now)
	if err != nil {
		return time.Time{}, usagef(err.Error(), "--%s cannot be %q", flag, text)
	}

	return t, nil
}

// wordsOf turns a closed set into the words that a flag takes.
func wordsOf[T ~string](set []T) []string {
	words := make([]string, len(set))
	for i, word := range set {
		words[i] = string(word)
	}

	return words
}

// orNil is for values that the database has none of.
func orNil[T ~string](value T) any {
	if value == "" {
		return nil
	}

	return string(value)
}
