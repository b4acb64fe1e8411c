package pgembed_test

import (
	"os"
	"path/filepath"
	"testing"

	"trivia/internal/pgembed"
	"trivia/internal/pgtest"
)

// Whichever step finds the disk full, it is said as such, and the next start
// goes on when there is room. The words of the first three were heard from a
// Postgres 15 on a small tmpfs.
func TestAFullDiskIsNamedAndLeavesNothingInTheWay(t *testing.T) {
	t.Parallel()

	const full = "No space left on device"
	tests := []struct {
		name    string
		program string
		when    string // a condition of the shell on the program's arguments
		says    string
		there   bool // the cluster was made before
	}{
		{
			"new data are made", "initdb", "true",
			`FATAL:  could not write to file "base/4/1247": ` + full, false,
		},
		{
			"the database is made", "postgres", `[ "$1" = --single ]`,
			`FATAL:  could not write block 11 in file "base/13572/1247": wrote only 4096 of 8192 bytes` + "\n" +
				"HINT:  Check free disk space.", false,
		},
		{
			"the server starts", "postgres", `[ "$1" = -D ]`,
			`FATAL:  could not write lock file "postmaster.pid": ` + full, true,
		},
		{
			"the server recovers", "postgres", `[ "$1" = -D ]`,
			`PANIC:  could not write to file "pg_wal/xlogtemp.42": ` + full + "\n" +
				"LOG:  startup process (PID 42) was terminated by signal 6: Aborted\n" +
				"LOG:  aborting startup due to startup process failure\n" +
				"LOG:  database system is shut down", true,
		},
		{
			"the quota is used up", "postgres", `[ "$1" = -D ]`,
			`FATAL:  could not write lock file "postmaster.pid": Disk quota exceeded`, true,
		},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			dir, bin := pgtest.Dir(t), pgtest.Dir(t)
			if tt.there {
				stop(t, start(t, durable(dir)))
			}
			room := filepath.Join(bin, "room")
			for _, name := range []string{"postgres", "initdb"} {
				script := "true\n"
				if name == tt.program {
					script = tt.when + " && ! [ -e " + room + " ] && { cat >&2 <<'END'\n" + tt.says + "\nEND\nexit 1; }\ntrue\n"
				}
				wrap(t, bin, name, script)
			}

			o := pgembed.Options{Dir: dir, Durable: true, BinDir: bin}
			_, err := pgembed.Start(t.Context(), o)
			wants(t, err, pgembed.ErrDiskFull, tt.says)

			if err := os.WriteFile(room, nil, 0o644); err != nil {
				t.Fatal(err)
			}
			keep(t, start(t, o).URL())
		})
	}
}
