package ctl

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/signature"
	"trivia/internal/trivia"
)

// defaultWait is how long --wait waits for the outcome.
const defaultWait = 10 * time.Second

// mostConcurrency keeps a slip of the finger from using up all ports.
const mostConcurrency = 1000

func (s *session) sendCommand() *cli.Command {
	return &cli.Command{
		Name: "send", Category: test, Usage: "send a signed win, an event, or any file, and show the answer",
		Subcommands: []*cli.Command{s.sendWinCommand(), s.sendEventCommand(), s.sendEventsCommand(), s.sendFileCommand(), s.sendScenarioCommand()},
	}
}

func (s *session) sendWinCommand() *cli.Command {
	return &cli.Command{
		Name: "win", Usage: "send a signed win", ArgsUsage: "--user USER --trivia TRIVIA --item ITEM",
		Description: `Exit code 1 if any answer is not 2xx.

Examples:
  triviactl send win --user demo-1 --trivia capitals --item mug --wait
  triviactl send win --user demo-2 --trivia capitals --item mug \
    --key same --repeat 1000 --concurrency 64`,
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "user", Usage: "let `USER` win"},
			&cli.StringFlag{Name: "trivia", Usage: "the trivia is `TRIVIA`"},
			&cli.StringFlag{Name: "item", Usage: "the prize is `ITEM`"},
			keyFlag(),
		}, repeatFlags("with --key, copies of one"), sendFlags()),
		Action: s.sendWin,
	}
}

func (s *session) sendFileCommand() *cli.Command {
	return &cli.Command{
		Name: "file", Usage: "sign and send a file as it is, byte for byte", ArgsUsage: "FILE|- --route win|event",
		Description: `The body may be anything, also one that cannot be used. The key of an event is
the event_id in its body. Exit code 1 if any answer is not 2xx.

Examples:
  triviactl send file broken.json --route win --wait
  triviactl deliveries show KEY --raw | triviactl send file - --route win`,
		Flags: slices.Concat(
			[]cli.Flag{routeFlag("send it to `ROUTE`: win, event"), keyFlag()}, repeatFlags("with --key, copies of one"), sendFlags(),
		),
		Action: s.sendFile,
	}
}

// sendFlags are those of every command that sends.
func sendFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "url", Usage: "send it to `URL` (default: the hook on this machine)"},
		&cli.BoolFlag{Name: "wait", Usage: "wait for the outcome, and read it from the database"},
		&cli.DurationFlag{Name: "timeout", Value: defaultWait, Usage: "let --wait wait no longer than `DURATION`"},
	}
}

func keyFlag() *cli.StringFlag {
	return &cli.StringFlag{Name: "key", Usage: "send it as delivery `KEY` (default: a new one each)"}
}

// repeatFlags are those of commands that send one thing again and again; copies
// says what makes it copies.
func repeatFlags(copies string) []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "repeat", Value: 1, Usage: "send it `N` times; " + copies},
		&cli.IntFlag{Name: "concurrency", Value: 1, Usage: "keep `N` requests under way at once"},
	}
}

// sendOptions are what is sent, and how.
type sendOptions struct {
	kind        trivia.Kind
	body        func(key string) []byte // of the delivery of that key
	key         string                  // empty: a new one for each
	newKey      func() string
	url         string
	signer      signature.Key
	repeat      int
	concurrency int
	wait        time.Duration // 0: not at all
}

// parseSend reads the flags of commands that send one thing again and again.
func (s *session) parseSend(c *cli.Context, kind trivia.Kind) (sendOptions, error) {
	key, repeat, concurrency := c.String("key"), c.Int("repeat"), c.Int("concurrency")
	switch {
	case repeat < 1:
		return sendOptions{}, usagef("1 is once", "--repeat cannot be %d", repeat)
	case concurrency < 1 || concurrency > mostConcurrency:
		return sendOptions{}, usagef(fmt.Sprintf("want 1 to %d", mostConcurrency), "--concurrency cannot be %d", concurrency)
	case strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }):
		return sendOptions{}, usagef("a key travels in a header: printable ASCII", "--key cannot be %q", key)
	case key != "" && kind == trivia.KindEvent:
		return sendOptions{}, usagef("the key of an event is the event_id in its body", "--key is for wins")
	}

	o, err := s.parseTarget(c, kind)
	o.key, o.newKey, o.repeat, o.concurrency = key, newKey, repeat, concurrency
	if kind == trivia.KindEvent {
		o.newKey = func() string { return "" } // it is in the body
	}

	return o, err
}

// parseTarget reads the flags of every command that sends.
func (s *session) parseTarget(c *cli.Context, kind trivia.Kind) (sendOptions, error) {
	o := sendOptions{kind: kind}
	if c.IsSet("timeout") && (!c.Bool("wait") || c.Duration("timeout") <= 0) {
		return o, usagef("as in --wait --timeout 30s", "--timeout says how long --wait waits")
	}
	if c.Bool("wait") {
		o.wait = c.Duration("timeout")
	}

	set, err := s.settings()
	if err != nil {
		return o, err
	}
	r := routeOf(set, kind)
	keys, err := r.keys()
	if err != nil {
		return o, err
	}
	o.signer = keys[0]
	o.url, err = r.at(c.String("url"), set.Listen)

	return o, err
}

func (s *session) sendWin(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	for _, flag := range []string{"user", "trivia", "item"} {
		if !c.IsSet(flag) {
			return usagef("as in --user demo-1 --trivia capitals --item mug", "%s wants --%s", c.Command.HelpName, flag)
		}
	}
	win, err := trivia.ParseWin(c.String("user"), c.String("trivia"), c.String("item"))
	if err != nil {
		return usagef("to send it all the same, put the body into a file: triviactl send file", "%w", err)
	}
	o, err := s.parseSend(c, trivia.KindWin)
	if err != nil {
		return err
	}
	o.body = always(winBody(win))

	return s.send(c.Context, o)
}

func (s *session) sendFile(c *cli.Context) error {
	words, err := plainWords(c, "FILE|-")
	if err != nil {
		return err
	}
	kind, err := oneOf(c, "route", wordsOf(trivia.Kinds()))
	if err != nil {
		return err
	}
	if kind == "" {
		return usagef("as in --route win", "%s wants --route", c.Command.HelpName)
	}
	o, err := s.parseSend(c, trivia.Kind(kind))
	if err != nil {
		return err
	}
	body, err := s.readInput(c.Context, words[0], mostBody)
	if err != nil {
		return err
	}
	o.body = always(body)

	return s.send(c.Context, o)
}

// winBody writes a win as the campaign action does.
func winBody(win trivia.Win) []byte {
	return encoded(struct {
		User   trivia.UserID `json:"user_id"`
		Trivia trivia.ID     `json:"trivia_id"`
		Item   trivia.Item   `json:"item"`
	}{win.User, win.Trivia, win.Item})
}

// always returns a body that is the same under every key.
func always(body []byte) func(string) []byte { return func(string) []byte { return body } }

// encoded returns value as JSON, which Customer.io does not escape for HTML
// either. The values of this package always encode.
func encoded(value any) []byte {
	var text bytes.Buffer
	encode := json.NewEncoder(&text)
	encode.SetEscapeHTML(false)
	_ = encode.Encode(value)

	return bytes.TrimRight(text.Bytes(), "\n")
}

// newKey names a delivery as no other is named.
func newKey() string { return name + "-" + strings.ToLower(rand.Text()[:16]) }
