package operator

import (
	"context"
	"errors"
	"slices"
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// How often one delivery is tried before it is left, or the replay ends.
const (
	mostTries = 6
	firstWait = 10 * time.Millisecond // doubled each time
)

// awardWithin is how long a statement may take, as in the service.
const awardWithin = 15 * time.Second

// errRehearsed undoes what a preview has done.
var errRehearsed = errors.New("only a rehearsal")

// settle settles list again, in one commit, or, if one of them stands in the
// way, in parts.
func (run *replaying) settle(ctx context.Context, list []store.Again) (map[rowName]ReplayedRow, error) {
	results := make(map[rowName]ReplayedRow, len(list))

	return results, run.part(ctx, list, results)
}

func (run *replaying) part(ctx context.Context, list []store.Again, results map[rowName]ReplayedRow) error {
	switch len(list) {
	case 0:
		return nil
	case 1:
		row, err := run.one(ctx, list[0])
		if err == nil {
			results[rowNameOf(row.DeliveryRow)] = row
		}

		return err
	}

	receipts, err := run.together(ctx, list)
	if err != nil && ctx.Err() != nil {
		return err
	}
	if err != nil {
		half := len(list) / 2
		if err := run.part(ctx, list[:half], results); err != nil {
			return err
		}

		return run.part(ctx, list[half:], results)
	}
	for i, d := range list {
		results[rowNameOf(d.DeliveryRow)] = replayed(d, receipts[i])
	}

	return nil
}

func rowNameOf(d store.DeliveryRow) rowName { return rowName{d.Key, d.Kind, string(d.Rival)} }

func replayed(d store.Again, r store.Receipt) ReplayedRow {
	row := ReplayedRow{DeliveryRow: d.DeliveryRow, After: Standing{r.State, r.Outcome}, Reason: r.Reason}
	if d.Now.Win != (trivia.Win{}) {
		row.Win = d.Now.Win
	}

	return row
}

// together settles list in one commit. A preview undoes it, and has those who
// won before in it win once more, since they would have.
func (run *replaying) together(ctx context.Context, list []store.Again) ([]store.Receipt, error) {
	before := run.before(list)
	whole := slices.Concat(before, list)

	var receipts []store.Receipt
	err := run.store.Act(ctx, func(act *store.Act) (deed store.Deed, err error) {
		receipts, err = act.SettleAgain(ctx, whole, store.SettleOptions{
			CreateUsers: run.CreateUsers, Statement: awardWithin, Owing: run.Owing,
		})
		if err != nil {
			return deed, err
		}
		if run.rehearse {
			return deed, errRehearsed
		}

		return deed, act.Record(ctx, run.deeds(whole, receipts))
	})
	if err != nil && !errors.Is(err, errRehearsed) {
		return nil, err
	}

	receipts = receipts[len(before):]
	run.remember(list, receipts)

	return receipts, nil
}

// before returns the winners of earlier batches whom list could take for
// nobody.
func (run *replaying) before(list []store.Again) (winners []store.Again) {
	asked := map[prizeName]bool{}
	for _, d := range list {
		name := prizeName{d.Now.Win.User, d.Now.Win.Trivia}
		if winner, ok := run.winners[name]; ok && !asked[name] {
			asked[name] = true
			winners = append(winners, winner)
		}
	}

	return winners
}

// remember keeps who has won in a batch of a preview.
func (run *replaying) remember(list []store.Again, receipts []store.Receipt) {
	if !run.rehearse {
		return
	}
	for i, d := range list {
		if receipts[i].Outcome == trivia.Awarded && len(run.winners) < mostWinners {
			d.Body, d.Now.Body = nil, nil
			run.winners[prizeName{d.Now.Win.User, d.Now.Win.Trivia}] = d
		}
	}
}

// deeds are what is written down of deliveries that are not what they were.
func (run *replaying) deeds(list []store.Again, receipts []store.Receipt) (deeds []store.Deed) {
	for i, d := range list {
		before, after := standingOf(d.DeliveryRow), Standing{receipts[i].State, receipts[i].Outcome}
		if before == after && d.Reason == receipts[i].Reason {
			continue
		}
		deed := run.deed("replay", d.Key, run.Reason)
		deed.Detail = map[string]any{"kind": d.Kind, "before": before.String(), "after": after.String()}
		for name, value := range map[string]string{
			"user": string(d.Now.Win.User), "trivia": string(d.Now.Win.Trivia), "item": string(d.Now.Win.Item),
			"why": receipts[i].Reason,
		} {
			if value != "" {
				deed.Detail[name] = value
			}
		}
		deeds = append(deeds, deed)
	}

	return deeds
}

// one settles one delivery, or says why it is left as it is.
func (run *replaying) one(ctx context.Context, d store.Again) (ReplayedRow, error) {
	wait := firstWait
	for try := 1; ; try++ {
		receipts, err := run.together(ctx, []store.Again{d})
		last := try == mostTries
		switch {
		case err == nil:
			return replayed(d, receipts[0]), nil
		case ctx.Err() != nil:
			return ReplayedRow{}, err
		case errors.Is(err, store.ErrBusy):
			next, row, err := run.changed(ctx, d)
			if err != nil || row != nil {
				return deref(row), err
			}
			if d = next; last {
				return run.left(d, "it is in other hands"), nil
			}
		case store.TooSlow(err):
			return run.left(d, "settling it takes too long"), nil
		case !store.Passing(err):
			said := store.Message(err)
			if last || d.State == trivia.StatePending { // that is the service's to park
				return run.left(d, said), nil
			}
			d.Refused = said
			continue
		case last:
			return ReplayedRow{}, err
		}
		if err := pause(ctx, wait); err != nil {
			return ReplayedRow{}, err
		}
		wait *= 2
	}
}

func deref(row *ReplayedRow) (r ReplayedRow) {
	if row != nil {
		r = *row
	}

	return r
}

// left says of a delivery that it is as it was.
func (run *replaying) left(d store.Again, why string) ReplayedRow {
	run.so.Left++

	return ReplayedRow{DeliveryRow: d.DeliveryRow, After: standingOf(d.DeliveryRow), Reason: why}
}

// changed looks at a delivery that was not as it was read, or that somebody has
// in hand. It returns it as it stands now, to be tried again, or what to tell
// of it if it has been settled for good.
func (run *replaying) changed(ctx context.Context, d store.Again) (store.Again, *ReplayedRow, error) {
	// In a preview the one that won before may be the one that has changed.
	delete(run.winners, prizeName{d.Now.Win.User, d.Now.Win.Trivia})

	now, err := run.store.Reread(ctx, d.DeliveryRow)
	if errors.Is(err, store.ErrNotFound) {
		row := run.left(d, "it is gone")

		return d, &row, nil
	}
	if err != nil {
		return d, nil, err
	}

	list, err := run.ready(ctx, []store.DeliveryRow{now})
	if err != nil {
		return d, nil, err
	}
	if len(list) == 0 {
		return d, &ReplayedRow{DeliveryRow: now, After: standingOf(now), Reason: now.Reason}, nil
	}

	return list[0], nil, nil
}
