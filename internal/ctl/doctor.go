package ctl

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"trivia/internal/config"
	"trivia/internal/operator"
	"trivia/internal/signature"
	"trivia/internal/source"
	"trivia/internal/store"
	"trivia/internal/tui"
)

func (s *session) doctorCommand() *cli.Command {
	return &cli.Command{
		Name: "doctor", Category: mend, Usage: "look at all that trivia-hook needs, and say what to mend",
		Description: `Looks at the settings of this environment, the database, clocks, signing keys,
the hook's two listeners, Customer.io's addresses and credentials, and at what
waits. Each check takes five seconds at most, and all of them run. Exit code 1
if any failed.

Nothing changes by it. Whether the hook knows the signing keys is found out
with requests that are too old and refused: they show in its log and metrics.
Only the event that --probe sends is kept, as delivery and event of object
doctor: it shows that keeping works, too.

A route is quiet, flowing, draining (late, and less and less), falling behind,
blocked (refused, so that nothing is kept) or unreachable. How long nothing may
come is TRIVIA_QUIET_AFTER or --quiet-after; without either, what is longer than
the pauses of the week before is a warning.

Examples:
  triviactl doctor
  triviactl doctor --url https://hooks.example.com --probe
  triviactl doctor --quiet-after 2h
  triviactl doctor --output json | jq '.[] | select(.state == "failed")'`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "url", Usage: "trivia-hook is at `URL` (default: on this machine)"},
			&cli.StringFlag{Name: "admin-url", Usage: "its private listener is at `URL` (default: likewise)"},
			&cli.DurationFlag{Name: "quiet-after", Usage: "fail after `DURATION` without anything", DefaultText: "as set"},
			&cli.BoolFlag{Name: "probe", Usage: "also send a signed event, which stays"},
			outputFlag(cardFormats()),
		},
		Action: s.doctor,
	}
}

func (s *session) doctor(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	format, err := oneOf(c, "output", cardFormats())
	if err != nil {
		return err
	}
	what := s.checkup()
	what.Probe = c.Bool("probe")
	if after := c.Duration("quiet-after"); c.IsSet("quiet-after") {
		if after < 0 {
			return usagef("as in 30m or 24h; 0 goes by what was usual", "--quiet-after cannot be %q", after)
		}
		what.Settings.QuietAfter = after
	}
	for _, at := range []struct {
		flag, listen string
		into         *string
	}{{"url", what.Settings.Listen, &what.URL}, {"admin-url", what.Settings.AdminListen, &what.AdminURL}} {
		if *at.into, err = baseURL(at.flag, c.String(at.flag), at.listen); err != nil {
			return err
		}
	}

	findings := s.examine(c.Context, what)
	if err := c.Err(); err != nil {
		return err
	}
	if format == formatJSON {
		s.print("%s\n", jsonArray(findingFields(), findings))
	} else {
		s.tellFindings(findings)
	}
	if slices.ContainsFunc(findings, func(f operator.Finding) bool { return f.Health == operator.Broken }) {
		return errQuiet
	}

	return nil
}

// checkup reads the settings as trivia-hook would. Whatever is wrong with them
// is a finding.
func (s *session) checkup() operator.Checkup {
	set, _ := config.HookFrom(s.Getenv, false)
	embedded := set.DatabaseURL.IsZero()
	set, complaints := config.HookFrom(s.Getenv, embedded)
	var err error
	if _, err = source.Parse(set.Sources); err != nil {
		complaints.Add(config.Sources, err.Error())
	}
	if _, err = source.ParseProxies(set.TrustedProxies); err != nil {
		complaints.Add(config.TrustedProxies, err.Error())
	}
	for _, ring := range []struct {
		setting string
		secrets []config.Secret
	}{{config.WebhookSecret, set.EventKeys}, {config.ActionSecret, set.ActionKeys}} {
		for _, secret := range ring.secrets {
			if _, err := signature.NewKey(secret.Reveal()); err != nil {
				complaints.Add(ring.setting, err.Error())
			}
		}
	}

	what := operator.Checkup{
		Settings: set, Complaints: complaints, Embedded: embedded,
		Agent: name + "/" + version(), Now: s.Now,
	}
	if !embedded {
		if what.Database, err = dsnOf(set.DatabaseURL, set.PasswordCommand); err != nil {
			what.NoDatabase = errors.New(config.DatabaseURL + " cannot be used")
		}
		if err != nil && !complaints.About(config.DatabaseURL) {
			what.Complaints.Add(config.DatabaseURL, err.Error())
		}

		return what
	}
	if set.DataDir == "" {
		what.NoDatabase = errors.New(config.DatabaseURL + " is not set, and there is no data directory to look into")
		return what
	}
	url, err := s.find(set.DataDir)
	if err == nil {
		what.Database, err = store.ParseDSN(url, store.DSNOptions{})
	}
	if err != nil {
		what.NoDatabase = fmt.Errorf("%s is not set: %w", config.DatabaseURL, err)
	}

	return what
}

// baseURL returns where a listener is: given, or on this machine, or nothing if
// that is not known either.
func baseURL(flag, given, listen string) (string, error) {
	switch {
	case given == "" && listen == "":
		return "", nil
	case given == "":
		return "http://" + reachable(listen), nil
	}

	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return "", usagef("as in http://127.0.0.1:8080, without a path", "--%s cannot be %q", flag, given)
	}

	return u.Scheme + "://" + u.Host, nil
}

// signs stand beside the words, for whoever sees no colours.
var signs = map[operator.Health]string{
	operator.Healthy: "✓", operator.Odd: "!", operator.Broken: "✗", operator.Skipped: "-",
}

var tones = map[operator.Health]tui.Tone{
	operator.Healthy: tui.Good, operator.Odd: tui.Waiting, operator.Broken: tui.Bad, operator.Skipped: tui.Plain,
}

// tellFindings writes them for people, and how many there are of each kind.
func (s *session) tellFindings(findings []operator.Finding) {
	width := 0
	for _, f := range findings {
		width = max(width, len(f.Check))
	}

	count := map[operator.Health]int{}
	for _, f := range findings {
		count[f.Health]++
		word := fmt.Sprintf("%s %-7s", signs[f.Health], f.Health)
		s.print("%s  %-*s  %s\n", tui.Paint(word, tones[f.Health], s.colorful(s.StdoutTerminal)), width, f.Check, oneLine(f.Says))
		if f.Mend != "" {
			s.print("%-*s  mend: %s\n", width+len("! warning  "), "", oneLine(f.Mend))
		}
	}

	var words []string
	for _, health := range []operator.Health{operator.Healthy, operator.Odd, operator.Broken, operator.Skipped} {
		if n := count[health]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, health))
		}
	}
	s.print("\n%s\n", strings.Join(words, ", "))
}

// oneLine is a text that may come from anybody, on one line.
func oneLine(text string) string { return tui.Clean(strings.Join(strings.Fields(text), " ")) }

func findingFields() []field[operator.Finding] {
	type row = operator.Finding

	return []field[row]{
		{name: "check", value: func(f row) any { return f.Check }},
		{name: "state", value: func(f row) any { return f.Health }},
		{name: "reason", value: func(f row) any { return f.Says }},
		{name: "mend", value: func(f row) any { return orNil(f.Mend) }},
	}
}
