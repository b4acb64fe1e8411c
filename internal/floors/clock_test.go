package floors

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// inRealTime are the tests that may look at how much time has really passed, with
// the reason. In a bubble of testing/synctest time costs nothing and is exact;
// there anybody may.
func inRealTime() map[string]string {
	return map[string]string{
		"internal/pushback/stop_test.go: TestNoMoreCallsAreMadeThanTheRateAllows": "only a least time is wanted, which no busy machine makes shorter",
		"internal/simulate/answer_test.go: TestRequestsAreThoseOfTheVendor":       "only a least age is wanted, which no busy machine makes shorter",
		"internal/pgembed/recover_test.go: TestAnOwnerMayBeKilledAtAnyMoment":     "it kills at different moments, and any will do",
	}
}

func TestNoTestAssertsRealTime(t *testing.T) {
	t.Parallel()

	allowed, met := inRealTime(), map[string]bool{}
	for _, top := range []string{"cmd", "internal", "scripts", "sql"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			for _, found := range realTime(file) {
				place := name + ": " + found.in
				if allowed[place] != "" {
					met[place] = true
					continue
				}
				t.Errorf("%s: %s %s, and fails on a busy machine: use testing/synctest, a clock or a count, or wait for the event with internal/waiting",
					set.Position(found.at), found.in, found.does)
			}

			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for place := range allowed {
		if !met[place] {
			t.Errorf("%s is allowed to look at real time, and does not: drop it from the list", place)
		}
	}
}

// A lapse is a look at real time.
type lapse struct {
	in   string // a function
	does string
	at   token.Pos
}

// realTime returns where a test file sleeps, or compares the time that has
// passed, outside bubbles.
func realTime(file *ast.File) (all []lapse) {
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		// What is called from a bubble only cannot be told from here; a file that
		// has bubbles is taken to be about them.
		if slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"testing/synctest"` }) {
			return nil
		}
		all = append(all, lapsesIn(fn)...)
	}

	return all
}

func lapsesIn(fn *ast.FuncDecl) (all []lapse) {
	elapsed := map[string]bool{} // variables that hold how much time has passed
	passed := func(x ast.Expr) (is bool) {
		ast.Inspect(x, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				is = is || calls(n, "Since")
			case *ast.Ident:
				is = is || elapsed[n.Name]
			}

			return !is
		})

		return is
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, x := range n.Rhs {
				if name, ok := n.Lhs[min(i, len(n.Lhs)-1)].(*ast.Ident); ok && passed(x) {
					elapsed[name.Name] = true
				}
			}
		case *ast.CallExpr:
			if calls(n, "Sleep") {
				all = append(all, lapse{fn.Name.Name, "sleeps", n.Pos()})
			}
		case *ast.BinaryExpr:
			compares := slices.Contains([]token.Token{token.LSS, token.GTR, token.LEQ, token.GEQ, token.EQL, token.NEQ}, n.Op)
			if compares && (passed(n.X) || passed(n.Y)) {
				all = append(all, lapse{fn.Name.Name, "compares the time that has passed", n.Pos()})
			}
		}

		return true
	})

	return all
}

// calls reports whether a call is of that function of package time.
func calls(call *ast.CallExpr, name string) bool {
	of, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || of.Sel.Name != name {
		return false
	}
	pkg, ok := of.X.(*ast.Ident)

	return ok && pkg.Name == "time"
}

func TestLooksAtRealTimeAreFound(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, source string
		want         []string
	}{
		{"a sleep", `func f() { time.Sleep(1) }`, []string{"f sleeps"}},
		{"a comparison", `func f() { if time.Since(begin) > 3 { } }`, []string{"f compares the time that has passed"}},
		{"by way of a variable", `func f() { took := time.Since(begin) / 50; if took < 3 { } }`, []string{"f compares the time that has passed"}},
		{"in the same breath", `func f() { if took, n := time.Since(begin), 1; n != 1 || took > 3 { } }`, []string{"f compares the time that has passed"}},
		{"a report", `func f() { fmt.Println(time.Since(begin)) }`, nil},
		{"a wait", `func f() { select { case <-done: case <-time.After(3): } }`, nil},
		{"another's sleep", `func f() { clock.Sleep(3) }`, nil},
		{"a bubble", `import "testing/synctest"; func f() { time.Sleep(1) }`, nil},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			file, err := parser.ParseFile(token.NewFileSet(), "", "package p; "+tt.source, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range realTime(file) {
				got = append(got, fmt.Sprint(l.in, " ", l.does))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("realTime(%s), -want +got:\n%s", tt.source, diff)
			}
		})
	}
}
