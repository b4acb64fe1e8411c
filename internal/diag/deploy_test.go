package diag_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	alerts     = "../../deploy/prometheus/alerts.yml"
	alertsTest = "../../deploy/prometheus/alerts_test.yml"
	dashboard  = "../../deploy/grafana/trivia.json"
	readme     = "../../README.md"
)

var (
	metricName    = regexp.MustCompile(`\btrivia_[a-z_]+`)
	metricLiteral = regexp.MustCompile(`"(trivia_[a-z_]+)"`)
	madeOf        = regexp.MustCompile(`_(bucket|sum|count)$`) // a histogram, in queries
	alertName     = regexp.MustCompile(`alert: (\w+)`)
)

// metrics are the names of all that this package registers, at once or later.
func metrics(t *testing.T) map[string]bool {
	t.Helper()

	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, found := range metricLiteral.FindAllStringSubmatch(text(t, file), -1) {
			names[found[1]] = true
		}
	}
	if len(names) < 30 {
		t.Fatalf("only %d metrics are found: %v", len(names), names)
	}

	return names
}

func text(t *testing.T, file string) string {
	t.Helper()

	bytes, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}

	return string(bytes)
}

// TestRulesAndDashboardKnowTheMetrics keeps them from asking for what nobody
// counts, which would never show.
func TestRulesAndDashboardKnowTheMetrics(t *testing.T) {
	t.Parallel()

	known := metrics(t)
	known["trivia_wins"], known["trivia_closed"] = true, true // a table, and an outcome: both are labels
	for _, file := range []string{alerts, alertsTest, dashboard} {
		for _, name := range metricName.FindAllString(text(t, file), -1) {
			if name = madeOf.ReplaceAllString(name, ""); !known[name] {
				t.Errorf("%s asks for %s, which is no metric", file, name)
			}
		}
	}
}

func TestTheReadmeTellsOfEveryMetric(t *testing.T) {
	t.Parallel()

	all := text(t, readme)
	_, rest, _ := strings.Cut(all, "### Watching it")
	section, _, _ := strings.Cut(rest, "\n## ")
	known := metrics(t)
	for name := range known {
		if !strings.Contains(all, name) {
			t.Errorf("README.md does not tell of %s: add it to the table below \"Watching it\"", name)
		}
	}
	for _, name := range metricName.FindAllString(section, -1) {
		if !known[name] {
			t.Errorf("README.md tells of %s, which is no metric", name)
		}
	}
}

// TestTheAlertRulesDoWhatTheirTestsSay runs the tests of the rules, which are
// Prometheus' own.
func TestTheAlertRulesDoWhatTheirTestsSay(t *testing.T) {
	t.Parallel()

	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is not installed: run scripts/need-tools, or install the package prometheus")
	}
	for _, words := range [][]string{{"check", "rules", alerts}, {"test", "rules", alertsTest}} {
		if said, err := exec.CommandContext(t.Context(), promtool, words...).CombinedOutput(); err != nil {
			t.Errorf("promtool %q: %v\n%s", words, err, said)
		}
	}

	tests := text(t, alertsTest)
	for _, found := range alertName.FindAllStringSubmatch(text(t, alerts), -1) {
		if !strings.Contains(tests, fmt.Sprintf(`ALERTS{alertname="%s", alertstate="firing"}`, found[1])) {
			t.Errorf("%s does not show that %s fires", alertsTest, found[1])
		}
	}
}

// A board is as much of a dashboard as is checked.
type board struct {
	Title         string
	SchemaVersion int
	Templating    struct {
		List []struct{ Name, Type, Query any }
	}
	Panels []struct {
		ID                 int
		Type, Title        string
		Datasource         source
		GridPos            struct{ H, W, X, Y int }
		Targets            []target
		Options, Collapsed any
	}
}

type (
	source struct{ Type, UID string }
	target struct {
		Expr, RefID string
		Datasource  source
	}
)

func TestTheDashboardIsOne(t *testing.T) {
	t.Parallel()

	var b board
	if err := json.Unmarshal([]byte(text(t, dashboard)), &b); err != nil {
		t.Fatal(err)
	}
	if b.Title == "" || b.SchemaVersion < 36 {
		t.Errorf("title %q, schema version %d", b.Title, b.SchemaVersion)
	}
	if v := b.Templating.List; len(v) == 0 || v[0].Name != "datasource" || v[0].Type != "datasource" || v[0].Query != "prometheus" {
		t.Errorf("the first variable is %+v, want the data source", v)
	}

	var rows []string
	ids, cells := map[int]bool{}, map[[2]int]string{}
	prometheus := source{"prometheus", "${datasource}"}
	for _, p := range b.Panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("panel %q has id %d, which is another one's", p.Title, p.ID)
		}
		ids[p.ID] = true
		for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				if other, taken := cells[[2]int{x, y}]; taken || x >= 24 {
					t.Fatalf("panel %q lies on %q, or beyond the edge, at %d, %d", p.Title, other, x, y)
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			rows = append(rows, p.Title)
			continue
		}
		if len(p.Targets) == 0 || p.Datasource != prometheus {
			t.Errorf("panel %q has %d queries of %+v", p.Title, len(p.Targets), p.Datasource)
		}
		refs := map[string]bool{}
		for _, q := range p.Targets {
			if q.Expr == "" || q.Datasource != prometheus || refs[q.RefID] {
				t.Errorf("panel %q has the query %+v", p.Title, q)
			}
			refs[q.RefID] = true
		}
	}
	want := []string{"Intake", "Silence and backlog", "Refusals", "Awards and what waits", "Pushes to Customer.io", "Warehouse", "Process"}
	if !slices.Equal(rows, want) {
		t.Errorf("rows %q, want %q", rows, want)
	}
}

// TestTheDashboardAsksWhatPrometheusUnderstands lets promtool read each query
// as a rule.
func TestTheDashboardAsksWhatPrometheusUnderstands(t *testing.T) {
	t.Parallel()

	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is not installed: run scripts/need-tools, or install the package prometheus")
	}
	var b board
	if err := json.Unmarshal([]byte(text(t, dashboard)), &b); err != nil {
		t.Fatal(err)
	}
	queries := map[string]bool{}
	for _, p := range b.Panels {
		for _, q := range p.Targets {
			queries[strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*").Replace(q.Expr)] = true
		}
	}
	rules := "groups:\n  - name: panels\n    rules:\n"
	for i, expr := range slices.Sorted(maps.Keys(queries)) {
		rules += fmt.Sprintf("      - record: panel_%d\n        expr: %q\n", i, expr)
	}
	file := filepath.Join(t.TempDir(), "panels.yml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.CommandContext(t.Context(), promtool, "check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, said)
	}
}
