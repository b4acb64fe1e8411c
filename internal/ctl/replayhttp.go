package ctl

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// resendAtOnce is how many requests are under way at once.
const resendAtOnce = 8

// targets are where deliveries of each kind are sent, and how.
type targets map[trivia.Kind]*sender

// parseTargets finds the routes and keys of all kinds that may be sent.
func (s *session) parseTargets(r replayCall) (targets, error) {
	set, err := s.settings()
	if err != nil {
		return nil, err
	}

	only := r.set.Walk.Filter.Kind
	if u, err := url.Parse(r.http); err == nil && strings.Trim(u.Path, "/") != "" && only == "" {
		return nil, usagef("say --kind, or leave the path out: each kind has its own", "--http %s names one route", r.http)
	}
	to := targets{}
	for _, route := range routes(set) {
		if only != "" && route.kind != only {
			continue
		}
		keys, err := route.keys()
		if err != nil {
			return nil, err
		}
		at, err := route.at(r.http, set.Listen)
		if err != nil {
			return nil, usagef("as in http://127.0.0.1:8080", "--http cannot be %q", r.http)
		}
		to[route.kind] = s.newSender(sendOptions{kind: route.kind, signer: keys[0], url: at, concurrency: resendAtOnce})
	}

	return to, nil
}

// resend shows what would be sent to a hook, asks, and sends it.
func (s *session) resend(c *cli.Context, do verbs, r replayCall, to targets) error {
	n, err := do.CountReplay(c.Context, r.set)
	if err != nil {
		return err
	}
	if n == 0 {
		s.say("no deliveries match")

		return nil
	}
	s.print("%s would be sent again, to %s\n\n", countDeliveries(n), r.http)
	if err := s.showFirst(c.Context, do, r, n); err != nil || r.dryRun {
		return err
	}
	if err := s.confirmUntil(c.Context, r.yes, n, fmt.Sprintf("send %s to %s", countDeliveries(n), r.http)); err != nil {
		return err
	}

	return s.resendAll(c, do, r, to, n)
}

// showFirst lists the oldest deliveries of a set.
func (s *session) showFirst(ctx context.Context, do verbs, r replayCall, n int) error {
	first := r.set
	if first.Limit = defaultLimit; r.set.Limit > 0 {
		first.Limit = min(r.set.Limit, defaultLimit)
	}
	out := newTableSink(s, deliveryNoun().fields)
	shown := 0
	for d, err := range limited(do.ListReplay(ctx, first), first.Limit) {
		if err != nil {
			return err
		}
		if err := out.row(d); err != nil {
			return err
		}
		shown++
	}
	if err := out.end(); err != nil {
		return err
	}
	if n > shown {
		s.print("… and %d more\n", n-shown)
	}
	if !r.dryRun {
		s.print("\n")
	}

	return nil
}

// limited ends rows after n.
func limited[T any](rows iter.Seq2[T, error], n int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for row, err := range rows {
			if n--; n < 0 || !yield(row, err) {
				return
			}
		}
	}
}

func (s *session) resendAll(c *cli.Context, do verbs, r replayCall, to targets, n int) error {
	var (
		mu       sync.Mutex
		all      = newTally()
		begun    = s.Now()
		limit    = rate.NewLimiter(rate.Inf, 1)
		progress = s.progress("sending", "deliveries")
	)
	if r.rate > 0 {
		limit = rate.NewLimiter(rate.Limit(r.rate), max(1, r.rate/20))
	}
	for _, sd := range to {
		defer sd.client.CloseIdleConnections()
	}

	last, err := do.Resend(c.Context, operator.Resend{
		Set: r.set, To: r.http, Reason: r.reason,
		Send: func(ctx context.Context, batch []store.DeliveryRow) error {
			group, ctx := errgroup.WithContext(ctx)
			group.SetLimit(resendAtOnce)
			for _, d := range batch {
				if err := limit.Wait(ctx); err != nil {
					break // the group says why
				}
				group.Go(func() error {
					got, err := to.send(ctx, d)
					if err != nil {
						return err
					}
					mu.Lock()
					defer mu.Unlock()
					all.add(got)
					progress.set(len(all.took), int64(len(all.took)), int64(n))

					return nil
				})
			}
			if err := group.Wait(); err != nil {
				return err
			}

			return c.Err()
		},
	})
	progress.stop()
	s.printTally(all, s.Now().Sub(begun))
	switch {
	case err != nil:
		if hint := hintOf(err); hint != "" && c.Err() == nil {
			s.say("%v", err)
			err = errQuiet
		}

		return hinted{err, "go on with: " + r.goOn(c.Command.HelpName, operator.Replayed{Deliveries: len(all.took), Last: last})}
	case all.failed > 0:
		return hinted{fmt.Errorf("%d of %d were not accepted", all.failed, n), hintOf(notAccepted(all.bad))}
	}

	return nil
}

// send sends one delivery under the key that it came with.
func (to targets) send(ctx context.Context, d store.DeliveryRow) (answer, error) {
	sd, ok := to[d.Kind]
	unsendable := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F }
	switch {
	case !ok:
		return answer{key: d.Key, fault: "not sent: it is of another --kind"}, nil
	case d.Kind == trivia.KindWin && strings.ContainsFunc(d.Key, unsendable):
		return answer{key: d.Key, fault: "not sent: the key cannot travel in a header"}, nil
	}

	return sd.postBody(ctx, d.Key, d.Body)
}
