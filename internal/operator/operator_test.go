package operator_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"trivia/internal/operator"
	"trivia/internal/pgtest"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A desk is an operator at a migrated database.
type desk struct {
	*operator.Operator
	db *pgx.Conn
}

func newDesk(t *testing.T) desk {
	t.Helper()
	d, _ := newDeskAt(t)

	return d
}

// newDeskAt also returns the URL of the database.
func newDeskAt(t *testing.T) (desk, string) {
	t.Helper()

	url := pgtest.Schema(t)
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)

	return desk{operator.New(s, "ann@desk"), connect(t, url)}, url
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })

	return db
}

// lines returns what a query of one text column answers.
func (d desk) lines(t *testing.T, sql string) []string {
	t.Helper()
	rows, err := d.db.Query(t.Context(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}

	return lines
}

const (
	allUsers = `SELECT user_id FROM users ORDER BY user_id`
	allDeeds = `SELECT concat_ws('|', actor, verb, target, reason, detail) FROM audit_log ORDER BY at`
)

func TestAddingUsersLeavesALineInTheAuditLog(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	added, err := d.AddUsers(t.Context(), []trivia.UserID{"bob", "cid"}, "asked by support")
	if err != nil || added != (store.Addition{New: 2}) {
		t.Errorf("AddUsers = %+v, %v, want two new ones", added, err)
	}
	if diff := cmp.Diff([]string{"bob", "cid"}, d.lines(t, allUsers)); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	want := []string{`ann@desk|users add|2 users|asked by support|{"new": 2, "users": ["bob", "cid"]}`}
	if diff := cmp.Diff(want, d.lines(t, allDeeds)); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
}

func TestAnUnusableUserKeepsTheOthersOut(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	_, err := d.AddUsers(t.Context(), []trivia.UserID{"bob", ""}, "")
	if err == nil || err.Error() != `add user "": user_id is empty` {
		t.Errorf("error = %v, want that it is empty", err)
	}
	if got := d.lines(t, allUsers); len(got) != 0 {
		t.Errorf("users = %q, want none", got)
	}
}

func TestImportKeepsTheGoodRowsAndNamesTheBadOnes(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	if _, err := d.AddUsers(t.Context(), []trivia.UserID{"bob"}, ""); err != nil {
		t.Fatal(err)
	}
	var bad []operator.BadRow
	got, err := d.ImportUsers(t.Context(), strings.NewReader("user_id\nbob\n\"\"\ncid\ncid\n"), operator.Import{
		Source: "team.csv", Reason: "launch",
		Bad: func(b operator.BadRow) { bad = append(bad, b) },
	})
	if want := (operator.Imported{Rows: 4, Bad: 1, Kept: 3, New: 1}); err != nil || got != want {
		t.Errorf("ImportUsers = %+v, %v, want %+v", got, err, want)
	}
	if diff := cmp.Diff([]operator.BadRow{{Line: 3, Problem: "user_id is empty"}}, bad); diff != "" {
		t.Errorf("bad rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"bob", "cid"}, d.lines(t, allUsers)); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	want := `ann@desk|users import|3 users|launch|{"new": 1, "source": "team.csv", "until_line": 5}`
	if got := d.lines(t, allDeeds); len(got) != 2 || got[1] != want {
		t.Errorf("audit log = %q, want %s", got, want)
	}
}

// manyUsers is CSV for n users, of more than one batch.
func manyUsers(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "user-%d\n", i)
	}

	return text.String()
}

func TestImportCommitsBatchByBatch(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got, err := d.ImportUsers(ctx, strings.NewReader(manyUsers(5000)), operator.Import{
		Source: "-", Progress: func(operator.Imported) { cancel() },
	})
	if !errors.Is(err, context.Canceled) || got.Kept != 2000 {
		t.Errorf("ImportUsers = %+v, %v, want that it was cancelled after a batch", got, err)
	}
	if n := len(d.lines(t, allUsers)); n != 2000 {
		t.Errorf("there are %d users, want the first batch", n)
	}

	got, err = d.ImportUsers(t.Context(), strings.NewReader(manyUsers(5000)), operator.Import{Source: "-"})
	if want := (operator.Imported{Rows: 5000, Kept: 5000, New: 3000}); err != nil || got != want {
		t.Errorf("ImportUsers again = %+v, %v, want %+v", got, err, want)
	}
	if n := len(d.lines(t, allDeeds)); n != 4 {
		t.Errorf("the audit log has %d lines, want one for each batch", n)
	}
}

func TestAStrictImportIsWholeOrNothing(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	bad := 0
	got, err := d.ImportUsers(t.Context(), strings.NewReader(manyUsers(2500)+"\"\"\nx\n\"\"\n"), operator.Import{
		Source: "-", Strict: true, Bad: func(operator.BadRow) { bad++ },
	})
	if want := (operator.Imported{Rows: 2503, Bad: 2}); err != nil || got != want || bad != 2 {
		t.Errorf("ImportUsers = %+v, %v with %d bad rows, want %+v", got, err, bad, want)
	}
	if n := len(d.lines(t, allUsers)) + len(d.lines(t, allDeeds)); n != 0 {
		t.Errorf("%d rows were written, want none", n)
	}

	got, err = d.ImportUsers(t.Context(), strings.NewReader(manyUsers(2500)), operator.Import{Source: "-", Strict: true})
	if want := (operator.Imported{Rows: 2500, Kept: 2500, New: 2500}); err != nil || got != want {
		t.Errorf("ImportUsers = %+v, %v, want %+v", got, err, want)
	}
	if n := len(d.lines(t, allDeeds)); n != 1 {
		t.Errorf("the audit log has %d lines, want one", n)
	}
}

func TestWhatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	if _, err := d.AddUsers(t.Context(), []trivia.UserID{"bob"}, ""); err != nil {
		t.Fatal(err)
	}
	_, noUser := d.ShowWin(t.Context(), "nobody", "capitals")
	_, noWin := d.ShowWin(t.Context(), "bob", "capitals")
	_, noDelivery := d.ShowDelivery(t.Context(), "k")
	_, noBody := d.FindDelivery(t.Context(), trivia.KindWin, "k", nil)

	for want, err := range map[string]error{
		`there is no user "nobody"`:                noUser,
		`user "bob" has not won trivia "capitals"`: noWin,
		`there is no delivery "k"`:                 errors.Join(noDelivery),
	} {
		if !errors.Is(err, operator.ErrNotFound) || err.Error() != want {
			t.Errorf("error = %v, want %s", err, want)
		}
	}
	if !errors.Is(noBody, operator.ErrNotFound) {
		t.Errorf("FindDelivery: error %v, want ErrNotFound", noBody)
	}
}

func TestAWinComesWithItsPrizeAndItsDeliveries(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	d.lines(t, `INSERT INTO users (user_id) VALUES ('bob') RETURNING user_id`)
	d.lines(t, `INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key) VALUES ('bob', 'capitals', 'hat', 'k1') RETURNING item`)
	d.lines(t, `INSERT INTO prizes (user_id, trivia_id, item) VALUES ('bob', 'capitals', 'hat') RETURNING item`)
	d.lines(t, `
		INSERT INTO deliveries (key, kind, rival, body, body_sha256, state, outcome, user_id, trivia_id, item, received_at, last_seen_at)
		SELECT key, 'win', rival, body, sha256(body), 'done', outcome, 'bob', 'capitals', 'hat', at, at
		FROM (VALUES
			('k1', ''::bytea, 'one'::bytea, 'awarded', now() - interval '1 hour'),
			('k2', '', 'two', 'already_won', now()),
			('k1', 'three', 'three', 'already_won', now() - interval '1 minute')
		) AS v (key, rival, body, outcome, at)
		RETURNING key`)

	got, err := d.ShowWin(t.Context(), "bob", "capitals")
	if err != nil {
		t.Fatal(err)
	}
	if got.Item != "hat" || got.Prize.Item != "hat" || len(got.Deliveries) != 3 || got.Deliveries[0].Key != "k2" {
		t.Errorf("ShowWin = %+v, want a hat and three deliveries, newest first", got)
	}

	one, err := d.FindDelivery(t.Context(), trivia.KindWin, "k1", []byte("three"))
	if err != nil || string(one.Rival) != "three" {
		t.Errorf("FindDelivery = %+v, %v, want the rival", one, err)
	}
	if _, err := d.FindDelivery(t.Context(), trivia.KindEvent, "k1", []byte("three")); !errors.Is(err, operator.ErrNotFound) {
		t.Errorf("FindDelivery by the other route: error %v, want ErrNotFound", err)
	}
}
