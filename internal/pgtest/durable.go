package pgtest

import (
	"context"
	"testing"

	"trivia/internal/pgembed"
)

// Durable returns a cluster of t's own that keeps every commit, whatever is
// killed. The test may stop it or kill it, and go on with [Restart].
func Durable(t testing.TB) *pgembed.Cluster {
	t.Helper()

	return start(t, Dir(t))
}

// Restart starts again what [Durable] has returned, on the same data and the
// same URL. The server of c must be gone, or be about to go.
func Restart(t testing.TB, c *pgembed.Cluster) *pgembed.Cluster {
	t.Helper()

	<-c.Done()

	return start(t, c.Dir())
}

func start(t testing.TB, dir string) *pgembed.Cluster {
	t.Helper()

	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()

	c, err := pgembed.Start(ctx, pgembed.Options{Dir: dir, Durable: true})
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), most)
		defer cancel()
		if err := c.Stop(ctx); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})

	return c
}
