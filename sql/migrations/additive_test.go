package migrations

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The first release brings the migrations up to this one. From the next on, the
// release before must work on what they make.
const firstRelease = 8

// What a migration does besides adding, and why the release before works on all
// the same. The key is the file, the value statement (its beginning) and reason.
var excused = map[string][][2]string{
	"009_marks.sql": {{
		"UPDATE deliveries SET reuses = key",
		"second bodies of wins, which are parked and which no release settles by itself: the one before lists and shows them as it does any other",
	}},
}

func TestMigrationsOnlyAdd(t *testing.T) {
	t.Parallel()

	names, err := fs.Glob(FS, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names[firstRelease:] {
		text, err := fs.ReadFile(FS, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range faults(string(text), excused[name]) {
			t.Errorf("%s: %s\nThe release before works on while this one is rolled out. Add something, or say in excused why it does no harm.", name, fault)
		}
	}
}

func TestWhatTakesAwayIsFound(t *testing.T) {
	t.Parallel()

	tests := []struct {
		sql  string
		want int // faults
	}{
		{"CREATE TABLE a (b text NOT NULL CHECK (b <> '')); CREATE UNIQUE INDEX a_b ON a (b); ALTER TABLE a ADD CHECK (b < 'x');", 0},
		{"ALTER TABLE events ADD COLUMN a text, ADD COLUMN b numeric(3, 2) NOT NULL DEFAULT 0, ADD COLUMN c text CHECK (c <> 'x');", 0},
		{"CREATE INDEX e ON events (a) WHERE b IN ('x', 'y'); COMMENT ON TABLE events IS 'DROP TABLE;';", 0},
		{"CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM events; DROP TABLE x $$; -- DROP TABLE y;", 0},
		{"ALTER TABLE events ADD COLUMN a text NOT NULL;", 1},
		{"ALTER TABLE events ADD COLUMN a text, DROP COLUMN b, RENAME COLUMN c TO d;", 2},
		{"ALTER TABLE events ALTER COLUMN a TYPE bigint; ALTER TABLE events ALTER a SET NOT NULL;", 2},
		{"ALTER TABLE events ADD CHECK (a <> ''); ALTER TABLE events ADD CONSTRAINT c UNIQUE (a);", 2},
		{"CREATE UNIQUE INDEX e ON events (a);", 1},
		{"DROP TABLE events; DROP INDEX events_newest; TRUNCATE pushes; UPDATE pushes SET kind = 'x';", 4},
		{"CREATE OR REPLACE FUNCTION grant_prize() RETURNS void LANGUAGE sql AS ''; CREATE TRIGGER t BEFORE INSERT ON events EXECUTE FUNCTION f();", 2},
	}
	for _, tt := range tests {
		if got := faults(tt.sql, nil); len(got) != tt.want {
			t.Errorf("faults(%s) = %q, want %d", tt.sql, got, tt.want)
		}
	}
	if got := faults("DROP INDEX  a_b; DROP TABLE c;", [][2]string{{"DROP INDEX a_b", "another one serves"}}); len(got) != 1 {
		t.Errorf("with one of two excused: %q", got)
	}
}

var (
	comment  = regexp.MustCompile(`--[^\n]*`)
	quoted   = regexp.MustCompile(`(?s)\$\$.*?\$\$|'(?:[^']|'')*'`)
	made     = regexp.MustCompile(`(?i)^CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)
	indexed  = regexp.MustCompile(`(?i)^CREATE UNIQUE INDEX (?:IF NOT EXISTS )?\w+ ON (\w+)`)
	altered  = regexp.MustCompile(`(?i)^ALTER TABLE (\w+) (.*)$`)
	adding   = regexp.MustCompile(`(?i)^(CREATE TABLE|CREATE INDEX|CREATE FUNCTION|CREATE VIEW|COMMENT ON) `)
	column   = regexp.MustCompile(`(?i)^ADD COLUMN `)
	notNull  = regexp.MustCompile(`(?i)\bNOT NULL\b`)
	fallback = regexp.MustCompile(`(?i)\b(DEFAULT|GENERATED)\b`)
)

// faults returns what a migration does besides adding. What it does to tables
// that it makes is its own business.
func faults(text string, excuses [][2]string) (found []string) {
	text = comment.ReplaceAllString(quoted.ReplaceAllString(text, "''"), "")
	var own []string
	for statement := range strings.SplitSeq(text, ";") {
		statement = strings.Join(strings.Fields(statement), " ")
		isExcused := slices.ContainsFunc(excuses, func(e [2]string) bool { return e[1] != "" && strings.HasPrefix(statement, e[0]) })
		if statement == "" || isExcused {
			continue
		}
		if m := made.FindStringSubmatch(statement); m != nil {
			own = append(own, m[1])
		}
		if m := indexed.FindStringSubmatch(statement); m != nil && slices.Contains(own, m[1]) {
			continue
		}
		if m := altered.FindStringSubmatch(statement); m != nil {
			if !slices.Contains(own, m[1]) {
				found = append(found, ofColumns(m[1], m[2])...)
			}
			continue
		}
		if !adding.MatchString(statement) {
			found = append(found, statement)
		}
	}

	return found
}

// ofColumns looks at the parts of an ALTER TABLE of a table that is there.
func ofColumns(table, actions string) (found []string) {
	depth, start := 0, 0
	for i, c := range actions + "," {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth > 0 {
				continue
			}
			action := strings.TrimSpace(actions[start:i])
			start = i + 1
			if !column.MatchString(action) || notNull.MatchString(action) && !fallback.MatchString(action) {
				found = append(found, fmt.Sprintf("ALTER TABLE %s %s", table, action))
			}
		}
	}

	return found
}
