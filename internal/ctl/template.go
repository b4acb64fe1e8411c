package ctl

import (
	"net/url"
	"strings"

	"github.com/urfave/cli/v2"

	"trivia/internal/customerio"
)

func (s *session) templateCommand() *cli.Command {
	return &cli.Command{
		Name: "template", Category: setUp, Usage: "print what to paste into Customer.io's campaign action",
		Description: `Examples:
  triviactl template --url https://hooks.example.com
  triviactl template --body`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "url", Value: "https://YOUR-HOST", Usage: "let Customer.io call `URL`"},
			&cli.BoolFlag{Name: "body", Usage: "print the body and nothing else"},
		},
		Action: s.template,
	}
}

func (s *session) template(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	base, err := url.Parse(c.String("url"))
	if err != nil || base.Host == "" || strings.Trim(base.Path, "/") != "" {
		return usagef("as in https://hooks.example.com, without a path", "--url cannot be %q", c.String("url"))
	}
	if c.Bool("body") {
		s.print("%s\n", customerio.ActionBody)

		return nil
	}
	s.print("%s", customerio.ActionSetup(c.String("url")))

	return nil
}
