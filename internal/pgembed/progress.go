package pgembed

import (
	"context"
	"log/slog"
	"time"
)

// sayEvery is the time between two lines about a start that takes long. Postgres
// itself says how far a recovery is about as often.
const sayEvery = 10 * time.Second

// sayProgress logs every while that the server is not ready yet, for how long
// that has been so, and what the server has said last: nobody else could tell a
// long recovery from a hang. It ends when the function that it returns is called.
func (c *Cluster) sayProgress(ctx context.Context) (stop func()) {
	every := time.NewTicker(c.options.sayEvery)
	enough, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer every.Stop()

		var begun time.Time
		for {
			select {
			case <-enough:
				return
			case now := <-every.C:
				if begun.IsZero() {
					begun = now.Add(-c.options.sayEvery)
				}
				c.log.WarnContext(ctx, "Postgres is not ready yet; it is waited for", slog.String("dir", c.place.dir),
					slog.Duration("waited", now.Sub(begun).Round(time.Second)), slog.String("said", c.output.lastLine()))
			}
		}
	}()

	return func() {
		close(enough)
		<-ended
	}
}
