package ctl

import (
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

func (s *session) usersCommand() *cli.Command {
	reason := func() cli.Flag { return &cli.StringFlag{Name: "reason", Usage: "say `WHY` in the audit log"} }

	return &cli.Command{
		Name: "users", Category: look, Usage: "who may win",
		Subcommands: []*cli.Command{
			{
				Name: "add", Usage: "add users; wins that wait for them are settled next", ArgsUsage: "USER...",
				Description: `Users that are there already stay as they are.

Examples:
  triviactl users add qa-1 qa-2 --reason "release test"
  triviactl users add -- -odd-user-`,
				Flags:  []cli.Flag{reason()},
				Action: s.addUsers,
			},
			{
				Name: "import", Usage: "add users from CSV", ArgsUsage: "FILE|-",
				Description: `The file has a header with a column user_id, or one column and no header.
Every 2,000 rows are a commit, and bad rows are left out and named: the import
can be stopped at any time and run again. With --strict it is one commit, or
none if any row is bad; until it ends, a hook that inserts the same users waits.

Examples:
  triviactl users import team.csv
  psql -c "COPY (SELECT id AS user_id FROM people) TO STDOUT CSV HEADER" |
    triviactl users import - --reason "nightly copy"`,
				Flags: []cli.Flag{
					&cli.BoolFlag{Name: "strict", Usage: "write nothing if any row is bad"},
					reason(),
				},
				Action: s.importUsers,
			},
			{
				Name: "list", Usage: "list users, and how often they won",
				Description: `Examples:
  triviactl users list --limit 10
  triviactl users list --user demo-1`,
				Flags:  append([]cli.Flag{&cli.StringFlag{Name: "user", Usage: "only `USER`"}}, viewFlags()...),
				Action: listAction(s, userNoun(), parseUsers, verbs.ListUsers),
			},
		},
	}
}

func parseUsers(c *cli.Context, _ time.Time) (store.UserFilter, error) {
	return store.UserFilter{ID: winFilter(c).User}, nil
}

func userNoun() noun[store.UserRow] {
	return noun[store.UserRow]{
		plural: "users", cursor: store.UserRow.Cursor,
		fields: []field[store.UserRow]{
			{name: "user_id", value: func(u store.UserRow) any { return u.ID }, column: flexible("USER")},
			{name: "wins", value: func(u store.UserRow) any { return u.Wins }, column: number("WINS")},
		},
	}
}

func (s *session) addUsers(c *cli.Context) error {
	ids := make([]trivia.UserID, c.NArg())
	for i, word := range c.Args().Slice() {
		var err error
		if ids[i], err = userOf(word); err != nil {
			return err
		}
	}
	if len(ids) == 0 {
		return usagef(c.Command.HelpName+" --help tells more", "%s wants USER...", c.Command.HelpName)
	}

	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()
	added, err := do.AddUsers(c.Context, ids, c.String("reason"))
	if err != nil {
		return err
	}

	s.print("%s added", plural(added.New, "user"))
	if before := distinct(ids) - added.New; before > 0 {
		s.print(", %d there before", before)
	}
	s.print("\n")
	s.woken(added.Due)

	return nil
}

func distinct[T comparable](all []T) int {
	set := map[T]struct{}{}
	for _, one := range all {
		set[one] = struct{}{}
	}

	return len(set)
}

// woken says that deliveries waited for users who are there now.
func (s *session) woken(due int) {
	switch due {
	case 0:
	case 1:
		s.print("1 win waited for them; it is settled next\n")
	default:
		s.print("%d wins waited for them; they are settled next\n", due)
	}
}

// mostBad is how many bad rows are named one by one.
const mostBad = 20

func (s *session) importUsers(c *cli.Context) error {
	words, err := plainWords(c, "FILE|-")
	if err != nil {
		return err
	}
	file, called := words[0], inputName(words[0])
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()
	input, size, closeInput, err := s.openInput(c.Context, file)
	if err != nil {
		return err
	}
	defer closeInput()

	var bad []operator.BadRow
	through := &counted{from: input}
	progress := s.progress("importing", "rows")
	got, err := do.ImportUsers(c.Context, through, operator.Import{
		Source: called, Reason: c.String("reason"), Strict: c.Bool("strict"),
		Bad: func(row operator.BadRow) {
			if len(bad) < mostBad {
				bad = append(bad, row)
			}
		},
		Progress: func(so operator.Imported) {
			progress.set(so.Rows, through.n.Load(), size)
		},
	})
	progress.stop()
	for _, row := range bad {
		s.say("%s, line %d: %s", called, row.Line, tui.Clean(row.Problem))
	}
	if more := got.Bad - len(bad); more > 0 {
		s.say("%s: and %d more bad rows", called, more)
	}

	return s.imported(called, got, c.Bool("strict"), err)
}

// imported says what an import came to.
func (s *session) imported(file string, got operator.Imported, strict bool, err error) error {
	if got.Rows > 0 || err == nil {
		s.print("%d rows: %d good and in the database, %d of those users new; %d bad\n",
			got.Rows, got.Kept, got.New, got.Bad)
		s.woken(got.Due)
	}

	switch {
	case errors.Is(err, operator.ErrNoColumn):
		return hinted{err, "name the column of the identifiers user_id"}
	case err != nil && strict:
		return hinted{err, "nothing was written; run it again"}
	case err != nil:
		return hinted{err, "run it again: what is there already is skipped"}
	case got.Bad > 0 && strict:
		return fmt.Errorf("%s has bad rows; nothing was written", file)
	case got.Bad > 0:
		return hinted{errQuiet, "mend the bad rows and run it again: what is there already is skipped"}
	}

	return nil
}
