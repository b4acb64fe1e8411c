package pgembed

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// install puts programs that say they are Postgres of a version into dir.
func install(t *testing.T, dir, version string, names ...string) string {
	t.Helper()

	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text := fmt.Sprintf("#!/bin/sh\necho '%s (PostgreSQL) %s'\n", name, version)
		WriteProgram(t, filepath.Join(dir, name), text)
	}

	return dir
}

func TestBinariesAreSearchedInOrder(t *testing.T) {
	t.Parallel()

	root := t.TempDir()
	packaged := filepath.Join(root, "lib", "*", "bin")
	old := install(t, filepath.Join(root, "lib", "14", "bin"), "14.9", "postgres", "initdb")
	newest := install(t, filepath.Join(root, "lib", "17", "bin"), "17.2 (Debian 17.2-1)", "postgres", "initdb")
	ancient := install(t, filepath.Join(root, "lib", "9.6", "bin"), "9.6.24", "postgres", "initdb")
	client := install(t, filepath.Join(root, "lib", "18", "bin"), "18.1", "psql")
	broken := install(t, filepath.Join(root, "lib", "19", "bin"), "nineteen", "postgres", "initdb")
	config := install(t, filepath.Join(root, "config"), "16.1", "postgres", "initdb")
	link := filepath.Join(root, "link")
	if err := os.Symlink(filepath.Join(old, "postgres"), link); err != nil {
		t.Fatal(err)
	}
	pgConfig := filepath.Join(root, "pg_config")
	WriteProgram(t, pgConfig, "#!/bin/sh\necho "+config+"\n")

	tests := []struct {
		name  string
		paths map[string]string // what the PATH knows
		major int
		want  string // "" = none
	}{
		{"the newest package", nil, 0, newest},
		{"what the PATH knows comes first", map[string]string{"postgres": link}, 0, old},
		{"then what pg_config knows", map[string]string{"pg_config": pgConfig}, 0, config},
		{"a new cluster is not made with an ancient one", map[string]string{"postgres": filepath.Join(ancient, "postgres")}, 0, newest},
		{"data decides", map[string]string{"postgres": link}, 16, ""},
		{"data finds its version behind others", map[string]string{"postgres": link}, 17, newest},
		{"data of an ancient one, too", nil, 9, ancient},
		{"clients are no server", map[string]string{"postgres": filepath.Join(client, "postgres")}, 18, ""},
		{"nor is what cannot say its version", map[string]string{"postgres": filepath.Join(broken, "postgres")}, 19, ""},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			m := machine{globs: []string{packaged}, lookPath: func(name string) (string, error) {
				if path := tt.paths[name]; path != "" {
					return path, nil
				}

				return "", exec.ErrNotFound
			}}
			got, err := choose(installed(t.Context(), m), tt.major)
			if got.dir != real(tt.want) && (tt.want != "" || err == nil) {
				t.Errorf("choose(%d) = %q, %v; want %q", tt.major, got.dir, err, tt.want)
			}
		})
	}
}

func TestEachInstallationIsFoundOnce(t *testing.T) {
	t.Parallel()

	root := t.TempDir()
	dir := install(t, filepath.Join(root, "lib", "15", "bin"), "15.1", "postgres", "initdb")
	m := machine{
		globs:    []string{filepath.Join(root, "lib", "*", "bin"), filepath.Join(root, "*", "15", "bin")},
		lookPath: func(string) (string, error) { return filepath.Join(dir, "postgres"), nil },
	}

	var got []string
	for _, b := range installed(t.Context(), m) {
		got = append(got, b.dir+" "+b.version)
	}
	if want := []string{real(dir) + " 15.1"}; !slices.Equal(got, want) {
		t.Errorf("installed() = %q, want %q", got, want)
	}
}

func TestNothingInstalledIsErrNoBinaries(t *testing.T) {
	t.Parallel()

	none := machine{lookPath: func(string) (string, error) { return "", exec.ErrNotFound }}
	for _, major := range []int{0, 15} {
		_, err := choose(installed(t.Context(), none), major)
		if !errors.Is(err, ErrNoBinaries) || strings.Contains(err.Error(), "\n") {
			t.Errorf("choose(nothing, %d) = %v, want %v in one line", major, err, ErrNoBinaries)
		}
	}
}

func TestAdviceFitsTheMachine(t *testing.T) {
	t.Parallel()

	const (
		debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n"
		ubuntu = "ID=ubuntu\nID_LIKE=debian\n"
		rocky  = "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"
		alpine = "NAME=\"Alpine Linux\"\nID=alpine\n"
		arch   = "ID=arch\n"
	)
	tests := []struct {
		goos, osRelease, become string
		major                   int
		want                    string
	}{
		{"linux", debian, "sudo ", 0, "install it with `sudo apt-get install -y --no-install-recommends postgresql`"},
		{"linux", debian, "", 0, "install it with `apt-get install -y --no-install-recommends postgresql`"},
		{"linux", ubuntu, "sudo ", 16, "install it with `sudo apt-get install -y --no-install-recommends postgresql-16`"},
		{"linux", rocky, "sudo ", 0, "install it with `sudo dnf install -y postgresql-server`"},
		{"linux", alpine, "", 15, "install it with `apk add postgresql15`"},
		{"linux", arch, "", 0, "install the server of PostgreSQL 14 or newer with your package manager"},
		{"linux", arch, "", 13, "install the server of PostgreSQL 13 with your package manager"},
		{"darwin", "", "sudo ", 0, "install it with `brew install postgresql@17`"},
		{"darwin", "", "sudo ", 14, "install it with `brew install postgresql@14`"},
	}

	for _, tt := range tests {
		if got := adviceFor(tt.goos, tt.osRelease, tt.become, tt.major); got != tt.want {
			t.Errorf("adviceFor(%q, %q, %q, %d) = %q, want %q", tt.goos, tt.osRelease, tt.become, tt.major, got, tt.want)
		}
	}
}
