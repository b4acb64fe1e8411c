package config_test

import (
	"os"
	"strings"
	"testing"

	"trivia/internal/config"
)

func TestReadmeListsEverySettingAsItIs(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}

	for _, s := range config.Table() {
		row := ""
		for line := range strings.Lines(string(readme)) {
			if strings.HasPrefix(line, "| `"+s.Name+"` |") {
				row = strings.TrimSpace(line)
			}
		}
		plain := "| `" + s.Name + "` | " + s.Default + " | " + s.Meaning + " |"
		literal := "| `" + s.Name + "` | `" + s.Default + "` | " + s.Meaning + " |"
		if row != plain && row != literal {
			t.Errorf("README.md says of %s:\n%s\nwant\n%s", s.Name, row, plain)
		}
	}
}
