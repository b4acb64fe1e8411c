package ctl

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"trivia/internal/customerio"
	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/tui"
)

func (s *session) forgetCommand() *cli.Command {
	return &cli.Command{
		Name: "forget", Category: mend, Usage: "remove all that is stored about one person",
		ArgsUsage: "USER",
		Description: `Blanks what came about USER and removes what was made of it, also under the
other names that events know them by. What stays of them: keyed hashes of what
they have won, so that nobody wins it twice, and the keys and SHA-256 of what
came, so that a repeat is known. A win of theirs that comes again is
already_won. Tables of your own are left alone, and so is the product's table
of users.

--suppress lets Customer.io delete their profile for good; until that was done,
the push that says so keeps USER. Otherwise Customer.io, which still knows them,
may send more. Do not name them in --reason.

First it says what is stored, and asks. Running it again is harmless.

Examples:
  triviactl forget demo-1 --dry-run
  triviactl forget demo-1 --suppress --reason "ticket 4711"
  triviactl forget --yes -- -odd-user-`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "suppress", Usage: "let Customer.io delete their profile, too"},
			&cli.BoolFlag{Name: "dry-run", Usage: "say what is stored, and do nothing"},
			yesFlag(), reasonFlag(),
		},
		Action: s.forget,
	}
}

func (s *session) forget(c *cli.Context) error {
	words, err := plainWords(c, "USER")
	if err != nil {
		return err
	}
	user, suppress := words[0], c.Bool("suppress")
	if suppress {
		if err := customerio.CheckPerson(user); err != nil {
			return usagef("forget them without --suppress", "Customer.io cannot suppress %q: %w", user, err)
		}
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	kept, err := do.PreviewForget(c.Context, user)
	if err != nil {
		return err
	}
	if err := s.printKept(kept); err != nil || c.Bool("dry-run") {
		return err
	}
	if kept.Nothing() && !suppress {
		return nil
	}
	question := `Forget "` + tui.Word(user) + `"`
	if suppress {
		question += " and delete their profile at Customer.io"
	}
	if err := s.confirmUntil(c.Context, c.Bool("yes"), total(kept.Forgotten), question+", for good"); err != nil {
		return err
	}

	got, err := do.Forget(c.Context, user, operator.Forgetting{Suppress: suppress, Reason: c.String("reason")})
	if err == nil || got.Forgotten != (store.Forgotten{}) {
		if err := s.printForgotten(got); err != nil {
			return err
		}
	}
	switch {
	case errors.Is(err, operator.ErrAwardUnderWay):
		return hinted{err, "their wins are still there; run it again when that transaction is over"}
	case err != nil:
		return hinted{err, "run it again: it goes on with the rest"}
	case got.Left > 0:
		return hinted{fmt.Errorf("%s came meanwhile", plural(got.Left, "win")), "run it again"}
	}

	return nil
}

// printKept says what is stored about a person, and what will be found of it
// by nobody but a person.
func (s *session) printKept(k operator.Kept) error {
	if k.Nothing() {
		s.print("nothing is stored about %s\n", tui.Word(k.User))
	} else {
		s.print("stored about %s", tui.Word(k.User))
		if len(k.Names) > 0 {
			s.print(", also known as %s", tui.Clean(strings.Join(k.Names, ", ")))
		}
		s.print(":\n")
	}
	if err := s.printTables(tablesOf(k.Forgotten, "removed, unless it is the product's own table")); err != nil {
		return err
	}
	if k.Unsent > 0 {
		s.say("%s not sent yet: Customer.io will not be told", pluralOf(k.Unsent, "push is", "pushes are"))
	}
	for _, key := range k.Mentions {
		s.say("delivery %s names them in a body that is not settled, or that nobody can read: see whose it is", tui.Clean(key))
	}
	if k.Suppressing {
		s.say("a push that suppresses them waits to be sent")
	}
	for _, name := range k.Warehouses {
		s.say("the warehouse %s keeps what it was sent of them: remove it there; what it was not sent yet is sent without them", tui.Clean(name))
	}

	return nil
}

// A tableCount is how much is kept in one table.
type tableCount struct {
	table string
	rows  int
	fate  string
}

func (s *session) printTables(tables []tableCount) error {
	out := newTableSink(s, []field[tableCount]{
		{value: func(t tableCount) any { return t.table }, column: rigid("TABLE")},
		{value: func(t tableCount) any { return t.rows }, column: number("ROWS")},
		{value: func(t tableCount) any { return t.fate }, column: flexible("FATE")},
	})
	for _, t := range tables {
		if t.rows == 0 {
			continue
		}
		if err := out.row(t); err != nil {
			return err
		}
	}

	return out.end()
}

func tablesOf(f store.Forgotten, users string) []tableCount {
	return []tableCount{
		{"deliveries", f.Deliveries, "blanked, with their bodies"},
		{"events", f.Events, "blanked"},
		{"responses", f.Responses, "removed"},
		{"pushes", f.Pushes, "removed"},
		{"push_people", f.People, "removed"},
		{"trivia_wins", f.Wins, "a hash stays of each"},
		{"prizes", f.Prizes, "removed"},
		{"users", f.Users, users},
		{"audit_log", f.Acts, "their name is replaced"},
	}
}

func total(f store.Forgotten) (rows int) {
	for _, t := range tablesOf(f, "") {
		rows += t.rows
	}

	return rows
}

func (s *session) printForgotten(got operator.ForgottenPerson) error {
	s.print("done, as %q in the audit log:\n", got.Mark)
	if err := s.printTables(tablesOf(got.Forgotten, "removed")); err != nil {
		return err
	}
	s.print("%s kept, so that nobody wins it twice\n", pluralOf(got.Hashes, "new hash", "new hashes"))
	if got.Suppress {
		s.print("a push suppresses them at Customer.io next; what it keeps goes when it was sent\n")
	}
	switch {
	case errors.Is(got.UserStay, store.ErrNotOurUsers):
		s.say("they stay in the table users: it is the product's own, and left alone")
	case got.UserStay != nil:
		s.say("they stay in the table users: %v", got.UserStay)
	}

	return nil
}
