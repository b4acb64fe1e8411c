package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// settingsFile writes a file of settings, and returns an environment that
// names it.
func settingsFile(t *testing.T, text string) map[string]string {
	t.Helper()

	name := filepath.Join(t.TempDir(), "trivia.env")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := enough()
	env[EnvFile] = name

	return env
}

func TestAFileOfSettingsWinsOverTheEnvironment(t *testing.T) {
	t.Parallel()

	env := settingsFile(t, "\uFEFF# rotated today\n\nCUSTOMERIO_WEBHOOK_SECRET = \"new,old\"\r\n; and\n"+
		"TRIVIA_SOURCES='loopback'\nGOGC=50\nTRIVIA_LISTEN=\n")
	env[Listen] = "127.0.0.1:1"
	h, complaints := hookFrom(from(env), false, somebody)
	if err := complaints.Err(); err != nil {
		t.Fatal(err)
	}
	if len(h.EventKeys) != 2 || h.EventKeys[0].Reveal() != "new" || h.EventKeys[1].Reveal() != "old" {
		t.Errorf("%d keys, want those of the file", len(h.EventKeys))
	}
	if !slices.Equal(h.Sources, []string{"loopback"}) || h.Listen != defaultListen {
		t.Errorf("sources %q, listen %q; want what the file says, also that it is the default", h.Sources, h.Listen)
	}
	if c, err := ctlFrom(from(env), somebody); err != nil || len(c.EventKeys) != 2 {
		t.Errorf("ctlFrom has %d keys, %v; want those of the file", len(c.EventKeys), err)
	}
}

func TestAFileThatCannotBeUsedIsComplainedAboutLineByLine(t *testing.T) {
	t.Parallel()

	tests := []struct{ text, want string }{
		{"swordfish\n", "found text (not shown) that is no NAME=VALUE in line 1, expected one setting a line, and # before a comment"},
		{"export TRIVIA_ENV=x", "found text (not shown) that is no NAME=VALUE in line 1, expected one setting a line, and # before a comment"},
		{"\n=swordfish", "found text (not shown) that is no NAME=VALUE in line 2, expected one setting a line, and # before a comment"},
		{"TRIVIA_ENV_FILE=x", "found TRIVIA_ENV_FILE in line 1, expected it in the environment only"},
		{"TRIVIA_ENV=a\nTRIVIA_ENV=b", "found TRIVIA_ENV for the second time in line 2, expected it once; several keys stand behind each other, with commas between"},
		{"CUSTOMERIO_WEBHOOK_SECRETS=swordfish", "found CUSTOMERIO_WEBHOOK_SECRETS, which is no setting in line 1, expected one of those that trivia-hook --help lists"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()

			_, complaints := hookFrom(from(settingsFile(t, tt.text)), false, somebody)
			if got := complaints.Error(); got != EnvFile+": "+tt.want {
				t.Errorf("complaints:\n%s\nwant\n%s", got, tt.want)
			}
		})
	}

	env := enough()
	env[EnvFile] = filepath.Join(t.TempDir(), "missing.env")
	_, complaints := hookFrom(from(env), false, somebody)
	if got := complaints.Error(); !strings.Contains(got, "which cannot be read (no such file or directory)") {
		t.Errorf("complaints about a file that is missing: %s", got)
	}
}

func TestASnapshotTellsWhichSettingsChanged(t *testing.T) {
	t.Parallel()

	before := SnapshotOf(from(enough()))
	if got := before.Changed(SnapshotOf(from(enough()))); got != nil {
		t.Errorf("Changed = %q, want nothing", got)
	}
	after := SnapshotOf(from(settingsFile(t, "TRIVIA_SOURCES=any\nTRIVIA_LISTEN=:80")))
	if got, want := before.Changed(after), []string{Listen, Sources, EnvFile}; !slices.Equal(got, want) {
		t.Errorf("Changed = %q, want %q", got, want)
	}
	if !Reloadable(Sources) || Reloadable(Listen) {
		t.Error("sources are reloadable and where it listens is not")
	}
}
