package ctl

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

// explainVerbs are the verbs of explaining.
type explainVerbs interface {
	Explain(context.Context, trivia.UserID, trivia.ID) (operator.Explanation, error)
	ExplainKey(ctx context.Context, key string) (operator.Explanation, error)
}

func (s *session) explainCommand() *cli.Command {
	return &cli.Command{
		Name: "explain", Category: look, Usage: "how a win came to be, or why there is none", ArgsUsage: "USER TRIVIA | KEY",
		Description: `Shows the whole chain: the deliveries with their callers and signing keys, what
was decided and why, the win and its prize, the pushes with Customer.io's
answers, the person's answers to the trivia, and what operators did. A key that
came with several bodies shows all of them.

Examples:
  triviactl explain demo-1 capitals
  triviactl explain 01H8XGJWBWBAQ4
  triviactl explain --output json -- -odd-user- capitals`,
		Flags:  []cli.Flag{outputFlag(cardFormats())},
		Action: s.explain,
	}
}

func (s *session) explain(c *cli.Context) error {
	words := c.Args().Slice()
	if len(words) < 1 || len(words) > 2 {
		return usagef(c.Command.HelpName+" --help tells more", "%s wants USER TRIVIA, or KEY, got %q", c.Command.HelpName, words)
	}
	format, err := oneOf(c, "output", cardFormats())
	if err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	var e operator.Explanation
	hint := "keys are in: triviactl deliveries list"
	if len(words) == 1 {
		e, err = do.ExplainKey(c.Context, words[0])
	} else {
		e, err = do.Explain(c.Context, trivia.UserID(words[0]), trivia.ID(words[1]))
		hint = "what came at all: triviactl deliveries list --user=" + shellWord(words[0])
	}
	if err != nil {
		return hintMissing(err, hint)
	}
	if format == formatJSON {
		s.print("%s\n", object(explanationFields(), e))

		return nil
	}

	return s.explanation(e)
}

// How much of each part fits on one screen.
const (
	mostDeliveries = 3
	mostRows       = 3
)

func (s *session) explanation(e operator.Explanation) error {
	begun := false
	part := func() {
		if begun {
			s.print("\n")
		}
		begun = true
	}

	for _, d := range e.Deliveries {
		// The others are shown in their chains.
		if d.Win.User == "" {
			part()
			s.deliveryLines(d)
		}
	}
	for _, event := range e.Events {
		part()
		s.card(line{"event", []any{event.ObjectType + " " + event.Metric}}, line{"person", []any{event.Person}},
			line{"answer", []any{event.Response}}, line{"asked for", []any{event.Owed}})
		if err := cutSection(s, pushNoun().fields, event.Pushes, len(event.Pushes), mostRows, ""); err != nil {
			return err
		}
	}
	for _, c := range e.Chains {
		part()
		if err := s.chain(c); err != nil {
			return err
		}
	}

	return nil
}

func (s *session) chain(c operator.Chain) error {
	s.standing(c)

	user, id := shellWord(string(c.User)), shellWord(string(c.Trivia.ID))
	s.print("\n%s\n", tui.Cut(endsWords(c), s.room()))
	for _, d := range c.Deliveries.Rows[:min(len(c.Deliveries.Rows), mostDeliveries)] {
		s.deliveryLines(d)
	}
	s.more(c.Deliveries.All-mostDeliveries, fmt.Sprintf("triviactl deliveries list --user=%s --trivia=%s", user, id))

	if err := cutSection(s, answerFields(), c.Answers.Rows, c.Answers.All, mostRows,
		fmt.Sprintf("triviactl responses list --user=%s --trivia=%s", user, id)); err != nil {
		return err
	}
	if err := cutSection(s, toldFields(), c.Pushes.Rows, c.Pushes.All, mostRows, "triviactl push list --user="+user); err != nil {
		return err
	}

	return cutSection(s, deedNoun().fields, c.Deeds.Rows, c.Deeds.All, mostRows, "triviactl audit log")
}

// standing says what there is one of, and what it came to.
func (s *session) standing(c operator.Chain) {
	there := ""
	if !c.UserThere {
		there = ", who is not in users"
	}
	state := c.Trivia.State()
	switch {
	case !c.Trivia.SealedAt.IsZero():
		state += " since " + s.longText(c.Trivia.SealedAt)
	case !c.Trivia.ClosedAt.IsZero():
		state += " since " + s.longText(c.Trivia.ClosedAt)
	}

	rows := [][2]string{{"user", string(c.User) + there}, {"trivia", string(c.Trivia.ID) + ", " + state}, {"verdict", c.Verdict}}
	for _, why := range c.Why {
		rows = append(rows, [2]string{"", why})
	}
	if c.Won {
		rows = append(rows, [2]string{"won", s.longText(c.Win.At) + ", by delivery " + c.Win.Key})
	}
	if c.Prize != (store.Prize{}) {
		rows = append(rows, [2]string{"prize", string(c.Prize.Item) + ", granted " + s.longText(c.Prize.At)})
	}
	if !c.Prize.RevokedAt.IsZero() {
		rows = append(rows, [2]string{"revoked", s.longText(c.Prize.RevokedAt) + because(c.Prize.RevokedReason)})
	}
	s.wrapped(rows)
}

// wrapped writes labels, and words behind them that break where the line ends.
func (s *session) wrapped(rows [][2]string) {
	width := 0
	for _, row := range rows {
		width = max(width, len(row[0])+2)
	}
	for _, row := range rows {
		for i, text := range tui.Wrap(row[1], max(0, s.room()-width)) {
			if i > 0 {
				row[0] = ""
			}
			s.print("%-*s%s\n", width, row[0], text)
		}
	}
}

// because appends a person's words, if there are any.
func because(reason string) string {
	if reason == "" {
		return ""
	}

	return ": " + reason
}

// room is how wide a line may be; 0 is no limit.
func (s *session) room() int {
	if !s.StdoutTerminal {
		return 0
	}

	return s.Width
}

// endsWords count a chain's deliveries.
func endsWords(c operator.Chain) string {
	if c.Deliveries.All == 0 {
		return "no deliveries"
	}
	words := make([]string, len(c.Ends))
	for i, end := range c.Ends {
		words[i] = fmt.Sprintf("%d %s", end.Count, endWord(end.State, end.Outcome))
	}

	return fmt.Sprintf("%s: %s", pluralOf(c.Deliveries.All, "delivery", "deliveries"), strings.Join(words, ", "))
}

// endWord says in as few words as will do what became of a delivery.
func endWord(state trivia.State, outcome trivia.Outcome) string {
	switch {
	case outcome == trivia.Unsettled:
		return string(state)
	case state == trivia.StatePending:
		return "pending (" + string(outcome) + ")"
	}

	return string(outcome)
}

// deliveryLines tell a delivery in a few lines.
func (s *session) deliveryLines(d store.DeliveryRow) {
	lines := []string{fmt.Sprintf("  %s %s: %s", d.Kind, tui.Cut(d.Key, keyRoom(s.room())), endWord(d.State, d.Outcome))}
	add := func(text string) { lines = append(lines, "    "+text) }

	received := "received " + s.longText(d.ReceivedAt)
	if sent, err := strconv.ParseInt(d.Stamp, 10, 64); err == nil {
		received += ", stamped " + apart(time.Unix(sent, 0), d.ReceivedAt)
	}
	add(received)
	from := "from " + d.Caller
	switch at := strings.LastIndexByte(d.Repairs, '@'); {
	case at >= 0: // what is behind it is the SHA-256
		from = "a repaired copy of " + d.Repairs[:at]
	case d.Caller == "":
		from = "from an address that is not kept"
	}
	if d.SignedBy != "" {
		from += ", signed by key " + d.SignedBy
	}
	add(from)
	if d.Seen > 1 {
		add(fmt.Sprintf("repeated %s, last %s", pluralOf(d.Seen-1, "time", "times"), s.longText(d.LastSeenAt)))
	}
	if d.Reason != "" {
		add("because " + d.Reason)
	}
	switch {
	case d.State == trivia.StatePending:
		add(fmt.Sprintf("tried %s, next %s", pluralOf(d.Attempts, "time", "times"), s.longText(d.DueAt)))
	case d.SettledAt.Sub(d.ReceivedAt) >= time.Second:
		add("settled " + s.longText(d.SettledAt))
	}
	for _, text := range lines {
		s.print("%s\n", tui.Cut(text, s.room()))
	}
}

// keyRoom leaves room behind a key for what became of it.
func keyRoom(room int) int {
	if room == 0 {
		return 0
	}

	return max(8, room-len("  event : pending (unknown_user)"))
}

// apart says how long before or after a moment another one was.
func apart(at, moment time.Time) string {
	d := moment.Sub(at)
	switch {
	case d >= time.Second:
		return d.Truncate(time.Second).String() + " before"
	case d <= -time.Second:
		return (-d).Truncate(time.Second).String() + " after"
	}

	return "the same second"
}

// more says that a list was cut, and where the rest is.
func (s *session) more(n int, where string) {
	if n < 1 {
		return
	}
	text := fmt.Sprintf("  … and %d more", n)
	if where != "" {
		text += ": " + where
	}
	s.print("%s\n", tui.Cut(text, s.room()))
}

// cutSection writes the first rows of a list that has all below what is there.
func cutSection[T any](s *session, fields []field[T], rows []T, all, most int, where string) error {
	if err := section(s, fields, rows[:min(len(rows), most)]); err != nil {
		return err
	}
	s.more(all-most, where)

	return nil
}
