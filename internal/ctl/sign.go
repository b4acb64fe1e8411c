package ctl

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"trivia/internal/plain"
	"trivia/internal/signature"
	"trivia/internal/trivia"
)

func (s *session) signCommand() *cli.Command {
	return &cli.Command{
		Name: "sign", Category: test, Usage: "sign a body as Customer.io does", ArgsUsage: "[FILE|-]",
		Description: `Prints the two headers. The bytes of the file are signed as they are: a newline
at its end counts. The first key of the route's list signs.

Examples:
  printf '{"user_id":"demo-1","trivia_id":"capitals","item":"mug"}' > win.json
  triviactl sign win.json
  triviactl sign win.json --curl http://127.0.0.1:8080 | sh`,
		Flags: []cli.Flag{
			routeFlag("sign with the key of `ROUTE`: win, event (default: win)"),
			&cli.StringFlag{Name: "at", Usage: "sign as if sent at `TIME`: 2h, RFC 3339, Unix seconds"},
			&cli.StringFlag{Name: "curl", Usage: "print a curl command that sends it to `URL`"},
		},
		Action: s.sign,
	}
}

func (s *session) sign(c *cli.Context) error {
	file := stdin
	switch c.NArg() {
	case 0:
	case 1:
		file = c.Args().First()
	default:
		called := c.Command.HelpName

		return usagef(called+" --help tells more", "%s wants one file, got %q", called, c.Args().Slice())
	}
	kind, err := oneOf(c, "route", wordsOf(trivia.Kinds()))
	if err != nil {
		return err
	}
	at, err := timeFlag(c, "at", s.Now())
	if err != nil {
		return err
	}
	if at.IsZero() {
		at = s.Now()
	}
	set, err := s.settings()
	if err != nil {
		return err
	}
	r := routeOf(set, trivia.Kind(kind))
	keys, err := r.keys()
	if err != nil {
		return err
	}
	url := ""
	if c.IsSet("curl") {
		if url, err = r.at(c.String("curl"), ""); err != nil {
			return err
		}
	}
	body, err := s.readInput(c.Context, file, mostBody)
	if err != nil {
		return err
	}

	stamp := strconv.FormatInt(at.Unix(), 10)
	sig := signature.Sign(keys[0], stamp, body)
	if url == "" {
		s.print("%s: %s\n%s: %s\n", signature.HeaderTimestamp, stamp, signature.HeaderSignature, sig)

		return nil
	}
	data, err := curlData(file, body)
	if err != nil {
		return err
	}
	s.print("%s\n", strings.Join([]string{
		"curl -sS -X POST " + shellQuoted(url),
		"-H 'Content-Type: application/json'",
		"-H '" + signature.HeaderTimestamp + ": " + stamp + "'",
		"-H '" + signature.HeaderSignature + ": " + sig + "'",
		"--data-binary " + data,
	}, " \\\n  "))

	return nil
}

// mostBody is the longest body that is read to be signed or sent: longer than
// any hook takes.
const mostBody = 64 << 20

// curlData says where curl finds the body: in the file, or, if that was
// standard input, in the command itself.
func curlData(file string, body []byte) (string, error) {
	if file != stdin {
		return shellQuoted("@" + file), nil
	}
	text := string(body)
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || strings.HasPrefix(text, "@") {
		return "", hinted{
			errors.New("a body that is no text cannot stand in a command"),
			"put it into a file: triviactl sign FILE --curl URL",
		}
	}

	return shellQuoted(text), nil
}

func shellQuoted(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// shellWord quotes a word only if the shell would not take it as it is. What
// cannot be seen in it is written out, as bash, zsh and ksh read it.
func shellWord(word string) string {
	if !plain.IsSeen(word) && utf8.ValidString(word) && !strings.ContainsRune(word, 0) {
		return "$'" + strings.ReplaceAll(plain.Escaped(word), "'", `\'`) + "'"
	}
	safe := func(r rune) bool {
		return r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.:/@", r))
	}
	if word == "" || strings.ContainsFunc(word, func(r rune) bool { return !safe(r) }) {
		return shellQuoted(word)
	}

	return word
}
