package pgtest

import (
	"context"
	"os"
	"testing"

	"trivia/internal/pgembed"
)

// Durable returns a cluster of the test's own that keeps every commit, whatever is
// killed. The test may stop it or kill it, and go on with [Restart].
func Durable(tb testing.TB) *pgembed.Cluster {
	tb.Helper()

	return start(tb, Dir(tb))
}

// Restart starts again what [Durable] has returned, on the same data and the
// same URL. The server of c must be gone, or be about to go.
func Restart(tb testing.TB, c *pgembed.Cluster) *pgembed.Cluster {
	tb.Helper()

	<-c.Done()

	return start(tb, c.Dir())
}

func start(tb testing.TB, dir string) *pgembed.Cluster {
	tb.Helper()

	c, err := pgembed.Start(context.Background(), pgembed.Options{Dir: dir, Durable: true, Template: os.TempDir()})
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), most)
		defer cancel()
		if err := c.Stop(ctx); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})

	return c
}
