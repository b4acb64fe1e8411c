package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"trivia/internal/pgembed"
)

// most is how long a verb may take that shows a page.
const most = time.Second

// A measured verb is what came of it.
type measured struct {
	verb

	first, median time.Duration // of the whole program
	rows          int           // lines that it printed, without the header
	plan          plan
}

func measure(ctx context.Context, opts options, cluster *pgembed.Cluster) (err error) {
	all, err := lookUp(ctx, cluster.URL(), opts.only)
	if err != nil {
		return err
	}
	if opts.load > 0 {
		stop, err := startLoad(ctx, opts, cluster.URL())
		if err != nil {
			return err
		}
		defer stop()
	}
	explained, err := explaining(cluster.URL())
	if err != nil {
		return err
	}

	fmt.Println("| triviactl | first | median | in Postgres | rows | plan |\n|---|--:|--:|--:|--:|---|")
	var slow []string
	for _, v := range all {
		m, err := runVerb(ctx, opts, cluster, explained, v)
		if err != nil {
			return fmt.Errorf("triviactl %s: %w", v.words, err)
		}
		fmt.Printf("| `%s` | %d ms | %d ms | %.1f ms | %d | %s |\n",
			m.words, m.first.Milliseconds(), m.median.Milliseconds(), m.plan.took, m.rows, m.plan.short())
		if !v.whole && m.median > most {
			slow = append(slow, v.words)
		}
	}
	if len(slow) > 0 {
		return fmt.Errorf("took longer than %v: %s", most, strings.Join(slow, "; "))
	}

	return nil
}

// explaining returns the URL by which every statement's plan is logged.
func explaining(at string) (string, error) {
	u, err := url.Parse(at)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set("options", "-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c auto_explain.log_nested_statements=off")
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")

	return u.String(), nil
}

// runVerb runs a verb a few times without anybody looking, and once more to see
// its plan.
func runVerb(ctx context.Context, opts options, cluster *pgembed.Cluster, explained string, v verb) (measured, error) {
	m := measured{verb: v}
	var took []time.Duration
	for range opts.rounds {
		begin := time.Now()
		rows, err := call(ctx, opts, cluster.URL(), v)
		if err != nil {
			return m, err
		}
		took = append(took, time.Since(begin))
		m.rows = rows
	}
	m.first = took[0]
	slices.Sort(took)
	m.median = took[len(took)/2]

	log := newServerLog(opts.dir)
	if _, err := log.more(); err != nil {
		return m, err
	}
	if _, err := call(ctx, opts, explained, v); err != nil {
		return m, err
	}
	time.Sleep(200 * time.Millisecond) // the server's words take their time
	text, err := log.more()
	m.plan = slowest(text)

	return m, err
}

// call runs a verb, and returns how many rows it has shown.
func call(ctx context.Context, opts options, url string, v verb) (int, error) {
	cmd := exec.CommandContext(ctx, opts.ctl, v.args...)
	cmd.Env = append(os.Environ(), "DATABASE_URL="+url)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, said.String())
	}

	return max(0, strings.Count(out.String(), "\n")-2), nil
}

const loadAddress = "127.0.0.1:18098"

// startLoad lets a hook take wins meanwhile. The caller stops it.
func startLoad(ctx context.Context, opts options, url string) (stop func(), err error) {
	env := append(os.Environ(), "DATABASE_URL="+url, "CUSTOMERIO_WEBHOOK_SECRET=atsize", "TRIVIA_SOURCES=loopback",
		"TRIVIA_LISTEN="+loadAddress, "TRIVIA_ADMIN_LISTEN=127.0.0.1:18097")
	begin := func(words ...string) (*exec.Cmd, error) {
		cmd := exec.CommandContext(ctx, words[0], words[1:]...)
		cmd.Env, cmd.Stdout = env, os.Stderr

		return cmd, cmd.Start()
	}
	hook, err := begin(filepath.Join(filepath.Dir(opts.ctl), "trivia-hook"))
	if err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Second)
	bench, err := begin(opts.ctl, "bench", "--rate", fmt.Sprint(opts.load), "--duration", "24h", "--duplicates", "5%", "--cleanup")
	if err != nil {
		_ = hook.Process.Signal(syscall.SIGTERM)

		return nil, errors.Join(err, hook.Wait())
	}
	time.Sleep(2 * time.Second)

	return func() {
		_ = bench.Process.Signal(os.Interrupt) // it proves what it has sent
		_ = bench.Wait()
		_ = hook.Process.Signal(syscall.SIGTERM)
		_ = hook.Wait()
	}, nil
}
