package ctl

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"trivia/internal/customerio"
	"trivia/internal/tui"
)

func (s *session) pushAttributesCommand() *cli.Command {
	return &cli.Command{
		Name: "attributes", Usage: "set attributes of a person in Customer.io", ArgsUsage: "--user PERSON NAME=VALUE...",
		Description: `A value is a number or true or false if it looks like one in JSON, and text
otherwise. Text that looks like a number stands in quotes, as in JSON. The push
is sent by the service, in its turn; --wait shows what Customer.io answers. It
creates nobody: of a person whom Customer.io does not know nothing is set.

Examples:
  triviactl push attributes --user demo-1 plan=gold visits=7 vip=true --wait
  triviactl push attributes --user demo-1 'zip="01234"' 'name=Ann Lee'`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "user", Usage: "of `PERSON`, as Customer.io knows them"},
			&cli.BoolFlag{Name: "wait", Usage: "wait until it is sent, and show Customer.io's answer"},
			&cli.DurationFlag{Name: "timeout", Value: defaultWait, Usage: "let --wait wait no longer than `DURATION`"},
			dryRunFlag(),
			reasonFlag(),
		},
		Action: s.pushAttributes,
	}
}

func (s *session) pushAttributes(c *cli.Context) error {
	const like = "as in --user demo-1 plan=gold visits=7"
	called := c.Command.HelpName
	person := c.String("user")
	switch {
	case !c.IsSet("user"):
		return usagef(like, "%s wants --user", called)
	case c.NArg() == 0:
		return usagef(like, "%s wants NAME=VALUE...", called)
	case c.IsSet("timeout") && (!c.Bool("wait") || c.Duration("timeout") <= 0):
		return usagef("as in --wait --timeout 30s", "--timeout says how long --wait waits")
	}
	if err := customerio.CheckPerson(person); err != nil {
		return usagef("it is whom Customer.io's Track API is asked for", "--user cannot be %q: %w", person, err)
	}
	attributes, err := parseAttributes(c.Args().Slice())
	if err != nil {
		return err
	}

	if c.Bool("dry-run") {
		s.previewed = 1
		s.print("%s would be set for %s\n", plural(len(attributes), "attribute"), tui.Word(person))
		pretty, _ := json.MarshalIndent(attributes, "", "  ") // they were JSON
		s.body(pretty)

		return nil
	}

	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()
	id, err := do.PushAttributes(c.Context, person, attributes, s.Now(), c.String("reason"))
	if err != nil {
		return err
	}
	s.print("push %d\n", id)
	if !c.Bool("wait") {
		return nil
	}

	return s.waitForPush(c.Context, do, id, c.Duration("timeout"))
}

func parseAttributes(words []string) (map[string]any, error) {
	all := make(map[string]any, len(words))
	for _, word := range words {
		name, text, ok := strings.Cut(word, "=")
		if !ok {
			return nil, usagef("as in plan=gold", "%q is no NAME=VALUE", word)
		}
		if _, twice := all[name]; twice {
			return nil, usagef("give it once", "attribute %q is there twice", name)
		}
		value, err := parseAttribute(text)
		if err != nil {
			return nil, usagef(hintOf(err), "%s cannot be %s: %w", name, text, err)
		}
		if err := customerio.CheckAttribute(name, value); err != nil {
			return nil, usagef("Customer.io takes no other", "%w", err)
		}
		all[name] = value
	}
	if err := customerio.CheckAttributes(all); err != nil {
		return nil, usagef("push them in several calls", "%w", err)
	}

	return all, nil
}

// parseAttribute reads a value: a number, true or false if it looks like one
// in JSON, a quoted string, or the text as it is.
func parseAttribute(text string) (any, error) {
	quoted := func(text string) string {
		word, _ := json.Marshal(text) // text always marshals

		return "if it is meant as text, put it into quotes: " + shellQuoted(string(word))
	}

	var value any
	if text == "" || strings.TrimSpace(text) != text {
		return text, nil
	}
	decode := json.NewDecoder(strings.NewReader(text))
	decode.UseNumber()
	if !json.Valid([]byte(text)) || decode.Decode(&value) != nil {
		if text[0] == '"' {
			return nil, hinted{errors.New("it begins with a quote and is no string of JSON"), quoted(text)}
		}

		return text, nil
	}

	switch v := value.(type) {
	case nil:
		return nil, hinted{errors.New("an attribute cannot be null"), quoted(text)}
	case map[string]any:
		return nil, hinted{errors.New("an attribute cannot be an object"), quoted(text)}
	case []any:
		return nil, hinted{errors.New("an attribute cannot be an array"), quoted(text)}
	case json.Number:
		if !fitsNumber(v) {
			return nil, hinted{errors.New("a number so large would lose digits"), quoted(text)}
		}
	}

	return value, nil
}

// fitsNumber reports whether a number is the same to everybody who reads JSON.
func fitsNumber(n json.Number) bool {
	const most = 1 << 53 // from here on not every integer has a float64 of its own
	f, err := n.Float64()
	if err != nil || math.IsInf(f, 0) {
		return false
	}
	if strings.ContainsAny(n.String(), ".eE") {
		return true
	}
	i, err := strconv.ParseInt(n.String(), 10, 64)

	return err == nil && -most <= i && i <= most
}
