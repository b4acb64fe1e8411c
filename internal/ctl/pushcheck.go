package ctl

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"trivia/internal/config"
	"trivia/internal/customerio"
	"trivia/internal/tui"
)

func (s *session) pushCheckCommand() *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "ask Customer.io whether credentials and region are right",
		Description: `Exit code 1 if they are not, or Customer.io cannot be reached. Nothing changes.

Examples:
  triviactl push check
  CUSTOMERIO_REGION=eu triviactl push check`,
		Action: s.pushCheck,
	}
}

func (s *session) pushCheck(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	set, err := s.settings()
	if err != nil {
		return err
	}
	var unset []string
	if set.SiteID == "" {
		unset = append(unset, config.SiteID)
	}
	if set.TrackAPIKey.IsZero() {
		unset = append(unset, config.TrackAPIKey)
	}
	if len(unset) > 0 {
		return usagef("both are in Customer.io: Settings, API credentials, Track API keys",
			"no credentials: %s not set", strings.Join(unset, " and "))
	}

	account, err := customerio.NewClient(customerio.ClientOptions{
		URL: set.TrackURL, SiteID: set.SiteID, APIKey: set.TrackAPIKey, Now: s.Now,
	}).Account(c.Context)
	if err != nil {
		return refusedAccount(set, err)
	}

	s.card(
		line{"asked", []any{set.TrackURL}}, line{"environment", []any{account.Environment}},
		line{"region", []any{account.Region}}, line{"its url", []any{account.URL}},
	)
	if account.Region != set.Region {
		return hinted{
			fmt.Errorf("the account is in region %s, and %s is %s", tui.Clean(account.Region), config.Region, set.Region),
			"set " + config.Region + "=" + shellWord(account.Region) + " for trivia-hook, too",
		}
	}
	s.print("credentials and region are right\n")

	return nil
}

// refusedAccount says what to look at when Customer.io does not say who we are.
func refusedAccount(set config.Ctl, err error) error {
	call, ok := errors.AsType[*customerio.CallError](err)
	switch {
	case customerio.Unauthorized(err):
		other := map[string]string{"us": "eu", "eu": "us"}[set.Region]

		return hinted{err, fmt.Sprintf("compare %s and %s with Customer.io; if they are right, the account may be in the other region: %s=%s",
			config.SiteID, config.TrackAPIKey, config.Region, other)}
	case ok && call.Status == 0:
		return hinted{err, "can this machine reach " + set.TrackURL + "? " + config.TrackURL + " names another address"}
	case ok && customerio.Passing(err):
		return hinted{err, "ask again in a moment; " + set.TrackURL + " is what was asked"}
	}

	return hinted{err, "is " + set.TrackURL + " the Track API? " + config.TrackURL + " names another address"}
}
