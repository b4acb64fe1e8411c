package ctl

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"trivia/internal/config"
	"trivia/internal/operator"
	"trivia/internal/source"
	"trivia/internal/store"
)

func (s *session) sourcesCommand() *cli.Command {
	return &cli.Command{
		Name: "sources", Category: look, Usage: "from which addresses trivia-hook takes requests",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list every address and network of TRIVIA_SOURCES",
				Description: `The word customerio stands for what Customer.io last said, as the database has
it, and for what is built in where it has said nothing. SINCE is when that list
last changed. Works without a database, too.

Examples:
  triviactl sources list
  TRIVIA_SOURCES=customerio,10.0.0.0/8 triviactl sources list --output csv`,
				Flags:  []cli.Flag{outputFlag(formats())},
				Action: s.listSources,
			},
			{
				Name: "check", Usage: "say which rule lets an address in", ArgsUsage: "ADDRESS...",
				Description: `Says it for this environment's TRIVIA_SOURCES and TRIVIA_TRUSTED_PROXIES. Exit
code 1 if any of the addresses is not let in. Works without a database, too.

Examples:
  triviactl sources check 35.188.196.183
  triviactl sources check 10.0.0.7 2001:db8::1 --output json`,
				Flags:  []cli.Flag{outputFlag(formats())},
				Action: s.checkSources,
			},
			{
				Name: "refresh", Usage: "ask Customer.io now where it calls from",
				Description: `Stores what Customer.io says for CUSTOMERIO_REGION. Every trivia-hook on this
database uses it within a minute. An answer that fails or cannot be true changes
nothing. A running trivia-hook does this by itself at start and daily.

Examples:
  triviactl sources refresh --dry-run
  triviactl sources refresh --reason "wins are refused since noon"`,
				Flags: []cli.Flag{
					&cli.BoolFlag{Name: "dry-run", Usage: "only say what would change"},
					&cli.StringFlag{Name: "reason", Usage: "say `WHY` in the audit log"},
				},
				Action: s.refreshSources,
			},
		},
	}
}

// Callers are who may call by the settings, and what stands for Customer.io.
type callers struct {
	allowed, trusted source.List
	asked            bool             // customerio is one of the sources
	customerIO       store.SourceList // if asked
}

// callers reads the settings, and the database if it matters to them.
func (s *session) callers(ctx context.Context) (callers, error) {
	set, err := s.settings()
	if err != nil {
		return callers{}, err
	}

	var all callers
	if all.trusted, err = source.ParseProxies(set.TrustedProxies); err != nil {
		return all, badSetting(config.TrustedProxies, err)
	}
	if all.allowed, err = source.Parse(set.Sources); err != nil {
		return all, badSetting(config.Sources, err)
	}
	if all.asked = source.NamesCustomerIO(set.Sources); !all.asked {
		return all, nil
	}

	if all.customerIO, err = s.storedSources(ctx, set.Region); err != nil {
		return all, err
	}
	all.allowed, err = source.ParseWith(set.Sources, source.Published{
		Region: set.Region, Addresses: all.customerIO.Addresses,
	})
	if err != nil {
		return all, hinted{fmt.Errorf("the stored list of Customer.io's addresses: %w", err), "triviactl sources refresh stores another"}
	}

	return all, nil
}

func badSetting(setting string, err error) error {
	return fmt.Errorf("%w: settings cannot be used\n%s: %w", errUsage, setting, err)
}

// storedSources returns the list of a region, and the built-in one where there
// is no database. One that fails is an error: it might well know better.
func (s *session) storedSources(ctx context.Context, region string) (store.SourceList, error) {
	do, done, err := s.open(ctx)
	if none, ok := errors.AsType[noDatabaseError](err); ok {
		s.say("%s: going by the built-in list of Customer.io's addresses", none)

		return operator.BuiltInSources(region), nil
	}
	if err != nil {
		return store.SourceList{}, err
	}
	defer done()

	list, err := do.Sources(ctx, region)
	if err == nil && list.CheckedAt.IsZero() {
		s.say("Customer.io has not been asked yet (%s): going by the built-in list of its addresses", region)
	}

	return list, err
}

func (s *session) refreshSources(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	set, err := s.settings()
	if err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()
	if !source.NamesCustomerIO(set.Sources) {
		s.say("%s does not name customerio: trivia-hook will not use this list", config.Sources)
	}

	dry := c.Bool("dry-run")
	got, err := do.RefreshSources(c.Context, operator.Refresh{
		Region: set.Region, URL: set.AppURL, At: s.Now(), Reason: c.String("reason"), DryRun: dry,
	})
	if err != nil {
		return hinted{err, "the list is as it was"}
	}
	s.print("%s", refreshed(got, dry))

	return nil
}

// refreshed says what came of a refresh.
func refreshed(got operator.Refreshed, dry bool) string {
	var said strings.Builder
	for _, address := range got.Came {
		_, _ = fmt.Fprintf(&said, "+ %s\n", address)
	}
	for _, address := range got.Gone {
		_, _ = fmt.Fprintf(&said, "- %s\n", address)
	}

	verb := "stored"
	if dry {
		verb = "would be stored"
	}
	list := fmt.Sprintf("%s of region %s", countAddresses(len(got.List.Addresses)), got.List.Region)
	if len(got.Came)+len(got.Gone) == 0 {
		_, _ = fmt.Fprintf(&said, "nothing has changed: %s\n", list)
	} else {
		_, _ = fmt.Fprintf(&said, "%s %s: %d came, %d went\n", list, verb, len(got.Came), len(got.Gone))
	}

	return said.String()
}

func countAddresses(n int) string {
	if n == 1 {
		return "1 address"
	}

	return fmt.Sprintf("%d addresses", n)
}
