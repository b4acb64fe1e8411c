package floors

import "strings"

// module is the first element of every import path of ours.
const module = "trivia/"

// supports reports whether only tests may import the package called name, from
// every floor.
func supports(name string) bool {
	return name == "internal/pgtest" || name == "internal/bqtest" || name == "internal/waiting"
}

// A house is the design's table of packages.
type house struct {
	floors  map[string]int    // package → floor
	keepers map[string]string // import path, with all below it → the only package that may import it; two with "and" between
	servers map[string]bool   // packages that may use the serving half of net/http
	top     []string          // patterns of what the top level may contain besides dot files
}

func design() house {
	return house{
		floors: map[string]int{
			"internal/trivia":      0,
			"internal/signature":   0,
			"internal/source":      0,
			"internal/config":      0,
			"internal/drain":       0,
			"internal/faultpoint":  0,
			"internal/stream":      0,
			"internal/diag":        0,
			"internal/password":    0,
			"internal/pgembed":     0,
			"internal/parquetfile": 0,
			"internal/plain":       0,
			"internal/floors":      0,
			"sql/migrations":       0,

			"internal/customerio": 1,
			"internal/store":      1,

			"internal/receiver":  2,
			"internal/settle":    2,
			"internal/pushback":  2,
			"internal/warehouse": 2,
			"internal/operator":  2,
			"internal/simulate":  2,
			"internal/pgtest":    2,
			"internal/bqtest":    0,
			"internal/waiting":   0,

			"internal/tui": 3,

			"internal/ctl": 4,
		},
		keepers: map[string]string{
			"crypto/hmac":                         "internal/signature",
			"net/netip":                           "internal/source",
			"os/exec":                             "internal/pgembed and internal/password",
			"net/http/pprof":                      "internal/diag",
			"github.com/prometheus":               "internal/diag",
			"github.com/customerio/go-customerio": "internal/customerio",
			"github.com/jackc":                    "internal/store",
			"github.com/charmbracelet/bubbletea":  "internal/tui",
			"github.com/charmbracelet/bubbles":    "internal/tui",
			"github.com/charmbracelet/lipgloss":   "internal/tui",
			"github.com/NimbleMarkets/ntcharts":   "internal/tui",
			"github.com/urfave/cli":               "internal/ctl",
			"github.com/parquet-go":               "internal/parquetfile",
			"cloud.google.com/go":                 "internal/warehouse",
			"google.golang.org/api":               "internal/warehouse",
			"github.com/minio":                    "internal/warehouse",
		},
		servers: map[string]bool{
			"internal/receiver": true, // the public listener
			"internal/diag":     true, // the private listener
			"cmd/trivia-hook":   true, // opens and closes both
		},
		top: []string{
			"cmd", "internal", "sql", "scripts", "docs", "deploy", "tools",
			"go.mod", "go.sum", "Makefile", "README.md", "CHANGELOG.md",
			"bin", "*.test", "*.out", "*.prof", // built, and ignored by git
		},
	}
}

// floor returns the floor that the package called name stands on. Programs
// stand above everything.
func (h house) floor(name string) (int, bool) {
	if strings.HasPrefix(name, "cmd/") || strings.HasPrefix(name, "scripts/") {
		return 5, true
	}
	n, ok := h.floors[name]

	return n, ok
}

// shipped reports whether the package called name is part of the product, so
// that the keepers bind it. Scripts measure the product from outside.
func shipped(name string) bool {
	return !supports(name) && !strings.HasPrefix(name, "scripts/")
}
