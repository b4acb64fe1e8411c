package main

import (
	"path"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"trivia/internal/pgtest"
)

func TestMain(m *testing.M) {
	testscript.Main(pgtest.M{M: m}, map[string]func(){name: main})
}

const name = "triviactl"

// TestScripts runs the real main, one process for each call. A script whose
// name begins with db has an empty database of its own; one whose name begins
// with embedded has a private Postgres running in its data directory.
func TestScripts(t *testing.T) {
	t.Parallel()

	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TRIVIA_DATA_DIR", env.WorkDir+"/data")
			env.Setenv("USER", "ann")
			env.Setenv("TZ", "UTC")
			tb, _ := env.T().(testing.TB)
			switch script := path.Base(tb.Name()); {
			case strings.HasPrefix(script, "db_"):
				env.Setenv("DATABASE_URL", pgtest.Schema(tb))
			case strings.HasPrefix(script, "embedded_"):
				env.Setenv("TRIVIA_DATA_DIR", pgtest.Durable(tb).Dir())
			}

			return nil
		},
	})
}
