package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"
	bq "google.golang.org/api/bigquery/v2"

	"trivia/internal/bqtest"
	"trivia/internal/config"
	"trivia/internal/pgtest"
)

func TestMain(m *testing.M) {
	testscript.Main(pgtest.M{M: m}, map[string]func(){name: main, broken: breakScreens})
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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"publish": publish, "sql": runSQL, "bigquery": bigQuery,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("TRIVIA_DATA_DIR", env.WorkDir+"/data")
			env.Setenv("USER", "ann")
			env.Setenv("TZ", "UTC")
			tb, _ := env.T().(testing.TB)
			if strings.HasPrefix(path.Base(tb.Name()), "db_warehouse") {
				server := bqtest.Start(tb)
				env.Values["bigquery"] = server
				env.Setenv(config.WarehouseTo, "bigquery:test-project.d")
				env.Setenv(config.WarehouseEndpoint, server.URL())
			}
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

// publish FILE lets Customer.io answer every question with a file.
func publish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: publish FILE")
	}
	text := ts.ReadFile(args[0])
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, text)
	}))
	ts.Defer(server.Close)
	ts.Setenv(config.AppURL, server.URL)
}

// bigQuery, of a script whose name begins with db_warehouse, is its BigQuery:
// truncate TABLE empties a table, refuse ID refuses a row, heal ends that.
func bigQuery(ts *testscript.TestScript, neg bool, args []string) {
	server, ok := ts.Value("bigquery").(*bqtest.Server)
	switch {
	case ok && !neg && len(args) == 2 && args[0] == "truncate":
		server.Truncate("d", args[1])
	case ok && !neg && len(args) == 2 && args[0] == "refuse":
		server.Judge(func(_, id string, _ bqtest.Row) *bq.ErrorProto {
			if id == args[1] {
				return &bq.ErrorProto{Reason: "invalid", Location: "metric", Message: "odd"}
			}

			return nil
		})
	case ok && !neg && len(args) == 1 && args[0] == "heal":
		server.Heal()
	default:
		ts.Fatalf("usage: bigquery truncate TABLE, refuse ID or heal")
	}
}

// runSQL FILE runs statements in the script's database.
func runSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sql FILE")
	}
	conn, err := pgx.Connect(context.Background(), ts.Getenv(config.DatabaseURL))
	ts.Check(err)
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(context.Background(), ts.ReadFile(args[0]))
	ts.Check(err)
}
