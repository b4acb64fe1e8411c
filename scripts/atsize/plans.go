package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// A serverLog is what Postgres says. With auto_explain, that is the plan of
// each statement that was run.
type serverLog struct {
	path string
	read int64
}

func newServerLog(dir string) *serverLog { return &serverLog{path: filepath.Join(dir, "postgres.log")} }

// more returns what was written since the last call. The file begins anew when
// it is full.
func (l *serverLog) more() (string, error) {
	text, err := os.ReadFile(l.path)
	if err != nil {
		return "", err
	}
	if int64(len(text)) < l.read {
		l.read = 0
	}
	fresh := text[l.read:]
	l.read = int64(len(text))

	return string(fresh), nil
}

// A plan is how one statement was run.
type plan struct {
	took  float64 // milliseconds, in the server
	nodes []string
}

var (
	begins = regexp.MustCompile(`duration: ([0-9.]+) ms  plan:`)
	node   = regexp.MustCompile(`^\t\s*(?:->  )?([A-Z][A-Za-z ]*[A-Za-z].*?)  \(cost=`)
)

// slowest returns the plan of the statement that took longest.
func slowest(text string) plan {
	var worst, last plan
	for line := range strings.Lines(text) {
		if begin := begins.FindStringSubmatch(line); begin != nil {
			took, _ := strconv.ParseFloat(begin[1], 64)
			last = plan{took: took}
		}
		if found := node.FindStringSubmatch(line); found != nil {
			last.nodes = append(last.nodes, found[1])
		}
		if last.took >= worst.took {
			worst = last
		}
	}

	return worst
}

// short names the top node and those that read a table.
func (p plan) short() string {
	var words []string
	for i, name := range p.nodes {
		if i == 0 || strings.Contains(name, "Scan") {
			words = append(words, name)
		}
	}

	return strings.Join(words, ", ")
}
