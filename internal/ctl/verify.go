package ctl

import (
	"bufio"
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/config"
	"trivia/internal/signature"
	"trivia/internal/trivia"
)

func (s *session) verifyCommand() *cli.Command {
	return &cli.Command{
		Name: "verify", Category: test, Usage: "say which key signed a body, or why none did", ArgsUsage: "FILE|-",
		Description: `Takes the two headers one by one, or as raw header lines. All keys of both
routes are tried. If none fits, the usual mistakes are tried, too.

Examples:
  triviactl verify body.json --timestamp 1700000000 --signature 15520c40…
  triviactl verify body.json --headers headers.txt`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "timestamp", Usage: "take `TEXT` as X-CIO-Timestamp"},
			&cli.StringFlag{Name: "signature", Usage: "take `HEX` as X-CIO-Signature"},
			&cli.StringFlag{Name: "headers", Usage: "read both from the header lines in `FILE`"},
			routeFlag("try only the keys of `ROUTE`: win, event"),
		},
		Action: s.verify,
	}
}

// A claim is a body, and how it is said to be signed.
type claim struct {
	body             []byte
	stamp, signature string
}

func (s *session) verify(c *cli.Context) error {
	words, err := plainWords(c, "FILE|-")
	if err != nil {
		return err
	}
	kind, err := oneOf(c, "route", wordsOf(trivia.Kinds()))
	if err != nil {
		return err
	}
	set, err := s.settings()
	if err != nil {
		return err
	}
	rings, err := keyRings(set, trivia.Kind(kind))
	if err != nil {
		return err
	}
	said, err := s.parseClaim(c, words[0])
	if err != nil {
		return err
	}

	now := s.Now()
	for _, ring := range rings {
		if key, err := ring.verifier.Verify(now, said.stamp, said.body, said.signature); err == nil {
			s.print("signed by key %s, a key of the %s route\n", key.Fingerprint(), ring.kind)
			s.tellAge(said.stamp, now, set.Tolerance)

			return nil
		}
	}

	return said.refusal(rings)
}

// A keyRing is what one route verifies with, whenever it was signed.
type keyRing struct {
	kind     trivia.Kind
	verifier signature.Verifier
	secrets  []config.Secret
}

func keyRings(set config.Ctl, only trivia.Kind) ([]keyRing, error) {
	var rings []keyRing
	for _, r := range routes(set) {
		if only != "" && r.kind != only || only == "" && len(r.secrets) == 0 {
			continue
		}
		keys, err := r.keys()
		if err != nil {
			return nil, err
		}
		rings = append(rings, keyRing{r.kind, signature.Verifier{Keys: keys}, r.secrets})
	}
	if len(rings) == 0 {
		return nil, usagef("set them to the keys to try, separated by commas",
			"no signing key: neither %s nor %s is set", config.ActionSecret, config.WebhookSecret)
	}

	return rings, nil
}

// tellAge says whether a hook would still take what was signed at stamp.
func (s *session) tellAge(stamp string, now time.Time, tolerance time.Duration) {
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		s.say("the timestamp is no number of seconds: a hook marks it late, and refuses it unless %s is 0", config.SignatureTolerance)

		return
	}
	at := time.Unix(seconds, 0)
	s.print("timestamp %s, %s\n", exact(at), relative(at, now))
	switch off := now.Sub(at).Abs(); {
	case tolerance > 0 && off > tolerance:
		s.say("that is further from now than %s: a hook refuses it today", tolerance)
	case off > signature.Far:
		s.say("that is further from now than %s: a hook takes it, and marks it late", signature.Far)
	}
}

// parseClaim reads the headers and the body.
func (s *session) parseClaim(c *cli.Context, file string) (claim, error) {
	said := claim{stamp: c.String("timestamp"), signature: c.String("signature")}
	lines := ""
	if from := c.String("headers"); from != "" {
		if from == stdin && file == stdin {
			return said, usagef("put one of them into a file", "the body and the headers cannot both come from standard input")
		}
		text, err := s.readInput(c.Context, from, mostBody)
		if err != nil {
			return said, err
		}
		lines = string(text)
	}
	if err := said.readHeaders(lines); err != nil {
		return said, err
	}

	switch {
	case said.stamp == "":
		return said, usagef("give it with --timestamp or --headers", "the header %s is missing", signature.HeaderTimestamp)
	case said.signature == "":
		return said, usagef("give it with --signature or --headers", "the header %s is missing", signature.HeaderSignature)
	}
	var err error
	said.body, err = s.readInput(c.Context, file, mostBody)

	return said, err
}

// readHeaders fills in what flags have not said. What curl -v or a log puts
// before each line, and a request line, are skipped.
func (said *claim) readHeaders(text string) error {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		name, value, ok := strings.Cut(strings.TrimLeft(lines.Text(), "<> \t"), ":")
		if !ok {
			continue
		}
		var into *string
		switch textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)) {
		case textproto.CanonicalMIMEHeaderKey(signature.HeaderTimestamp):
			into = &said.stamp
		case textproto.CanonicalMIMEHeaderKey(signature.HeaderSignature):
			into = &said.signature
		default:
			continue
		}
		if value = strings.TrimSpace(value); *into != "" && *into != value {
			return usagef("leave one of them out", "%s is given as %q and as %q", strings.TrimSpace(name), *into, value)
		}
		*into = value
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the headers: %w", err)
	}

	return nil
}

// refusal says why no key fits, as far as that can be found out.
func (said claim) refusal(rings []keyRing) error {
	_, err := rings[0].verifier.Verify(time.Time{}, said.stamp, said.body, said.signature)
	refused, _ := errors.AsType[*signature.Refusal](err)
	switch {
	case refused == nil:
	case refused.Reason == signature.ReasonBadTimestamp:
		return hinted{
			errors.New("not signed by a known key: the timestamp cannot be one"),
			"want Unix seconds, as in 1700000000",
		}
	case refused.Reason == signature.ReasonBadSignature:
		return hinted{
			errors.New("not signed by a known key: the signature is not 64 hex digits"),
			"want bare hex, without a prefix such as sha256= and without base64",
		}
	}
	for _, ring := range rings {
		for _, secret := range ring.secrets {
			if mistake, hint := said.mistake(secret.Reveal()); mistake != "" {
				return hinted{fmt.Errorf("not signed as Customer.io does: %s", mistake), hint}
			}
		}
	}

	var tried []string
	for _, ring := range rings {
		for _, key := range ring.verifier.Keys {
			tried = append(tried, fmt.Sprintf("%s (%s)", key.Fingerprint(), ring.kind))
		}
	}

	return hinted{
		fmt.Errorf("not signed by a known key; tried %s", strings.Join(tried, ", ")),
		"each route has its own key in Customer.io; and the body must be the very bytes that were sent",
	}
}
