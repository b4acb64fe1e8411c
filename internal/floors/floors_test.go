package floors

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// root is the module's directory, seen from this package's.
const root = "../.."

func TestImportsLeadDownwardsAndKeepersAreAlone(t *testing.T) {
	t.Parallel()

	house := design()
	for _, p := range list(t) {
		for _, fault := range house.faults(p) {
			t.Error(fault)
		}
	}
}

func TestOnlyTheTwoListenersServe(t *testing.T) {
	t.Parallel()

	house := design()
	for _, p := range list(t) {
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range house.serves(p.name(), file) {
				t.Errorf("%s: %s", name, fault)
			}
		}
	}
}

func TestTopLevelHoldsNothingElse(t *testing.T) {
	t.Parallel()

	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}

	if got := design().strangers(names); len(got) > 0 {
		t.Errorf("the top level holds %q, which the design does not name", got)
	}
}

func TestFaultsAreFound(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name string
		p    listed
		want []string
	}{
		{
			"downwards is the way",
			listed{ImportPath: "trivia/internal/store", Imports: []string{
				"context", "github.com/jackc/pgx/v5/pgxpool", "trivia/internal/trivia", "trivia/sql/migrations",
			}},
			nil,
		},
		{
			"sideways",
			listed{ImportPath: "trivia/internal/settle", Imports: []string{"trivia/internal/receiver"}},
			[]string{"internal/settle imports internal/receiver sideways: both stand on floor 2"},
		},
		{
			"upwards",
			listed{ImportPath: "trivia/internal/trivia", Imports: []string{"trivia/internal/store"}},
			[]string{"internal/trivia (floor 0) imports internal/store (floor 1) upwards"},
		},
		{
			"a test climbs no more than its package",
			listed{ImportPath: "trivia/internal/store", XTestImports: []string{"trivia/internal/receiver"}},
			[]string{"internal/store (floor 1) imports internal/receiver (floor 2) upwards"},
		},
		{
			"a test imports its own package and the test support",
			listed{ImportPath: "trivia/internal/pgembed", XTestImports: []string{"trivia/internal/pgembed", "trivia/internal/pgtest"}},
			nil,
		},
		{
			"test support is not for programs",
			listed{ImportPath: "trivia/cmd/trivia-hook", Imports: []string{"trivia/internal/pgtest"}},
			[]string{"cmd/trivia-hook imports internal/pgtest, which is for tests only"},
		},
		{
			"nor for scripts",
			listed{ImportPath: "trivia/scripts/bench", Imports: []string{"trivia/internal/pgtest"}},
			[]string{"scripts/bench imports internal/pgtest, which is for tests only"},
		},
		{
			"nothing imports a program",
			listed{ImportPath: "trivia/internal/ctl", TestImports: []string{"trivia/cmd/triviactl"}},
			[]string{"internal/ctl (floor 4) imports cmd/triviactl (floor 5) upwards"},
		},
		{
			"a package that nobody placed",
			listed{ImportPath: "trivia/internal/utils"},
			[]string{"internal/utils is unknown: give it a floor"},
		},
		{
			"the module's own directory is no place for code",
			listed{ImportPath: "trivia"},
			[]string{"trivia is unknown: give it a floor"},
		},
		{
			"a kept package of the standard library",
			listed{ImportPath: "trivia/internal/receiver", Imports: []string{"crypto/hmac"}},
			[]string{"internal/receiver imports crypto/hmac, which internal/signature keeps to itself"},
		},
		{
			"a kept module, by any of its packages",
			listed{ImportPath: "trivia/cmd/triviactl", Imports: []string{"github.com/jackc/pgx/v5/pgconn"}},
			[]string{"cmd/triviactl imports github.com/jackc/pgx/v5/pgconn, which internal/store keeps to itself"},
		},
		{
			"a name that only begins alike",
			listed{ImportPath: "trivia/internal/ctl", Imports: []string{"github.com/jackcow/pgx"}},
			nil,
		},
		{
			"keepers bind neither tests nor scripts",
			listed{ImportPath: "trivia/scripts/bench", Imports: []string{"os/exec", "github.com/jackc/pgx/v5"}, TestImports: []string{"crypto/hmac"}},
			nil,
		},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			if diff := cmp.Diff(tt.want, design().faults(tt.p)); diff != "" {
				t.Errorf("faults(%+v), -want +got:\n%s", tt.p, diff)
			}
		})
	}
}

func TestServingIsFound(t *testing.T) {
	t.Parallel()

	const (
		client = `import "net/http"; func f() { http.NewRequest(http.MethodPost, "", nil) }`
		server = `import "net/http"; func f(w http.ResponseWriter) {}`
		alias  = `import web "net/http"; var _ web.Handler`
		other  = `import "example.com/http"; var _ http.Handler`
	)
	tests := []struct {
		name, in, source string
		want             int
	}{
		{"a client may", "internal/ctl", client, 0},
		{"the receiver may serve", "internal/receiver", server, 0},
		{"another stage may not", "internal/settle", server, 1},
		{"under no other name either", "cmd/triviactl", alias, 1},
		{"another package's words are free", "internal/ctl", other, 0},
		{"a script may", "scripts/bench", server, 0},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			file, err := parser.ParseFile(token.NewFileSet(), "", "package p; "+tt.source, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			if got := design().serves(tt.in, file); len(got) != tt.want {
				t.Errorf("serves(%s, %s) = %q, want %d faults", tt.in, tt.source, got, tt.want)
			}
		})
	}
}

func TestStrangersAreFound(t *testing.T) {
	t.Parallel()

	got := design().strangers([]string{".git", "cmd", "bin", "cpu.prof", "pkg", "main.go", "Makefile"})
	if want := []string{"pkg", "main.go"}; !slices.Equal(got, want) {
		t.Errorf("strangers = %q, want %q", got, want)
	}
}

// list asks the go command for every package of the module.
func list(t *testing.T) []listed {
	t.Helper()

	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,GoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, stderr.String())
	}

	var all []listed
	decoder := json.NewDecoder(&stdout)
	for {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("read go list: %v", err)
		}
		all = append(all, p)
	}
	if !slices.ContainsFunc(all, func(p listed) bool { return p.name() == "internal/floors" }) {
		t.Fatalf("go list names %d packages, and not this one", len(all))
	}

	return all
}
