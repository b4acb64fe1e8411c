package operator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"trivia/internal/config"
	"trivia/internal/signature"
	"trivia/internal/source"
	"trivia/internal/trivia"
)

// From where on something is odd.
const (
	oddClock   = 2 * time.Second
	oddList    = 3 * 24 * time.Hour
	oddPending = 15 * time.Minute
	oddStamps  = time.Minute
)

// clock compares ours with the database's, and those of hooks with their sender's.
func (e *examination) clock(ctx context.Context) []Finding {
	return append(e.ownClock(ctx), e.stamps(ctx)...)
}

// stamps looks how far requests of the last day were stamped from the clock of
// the hook that took them. The one in the middle tells: a few may come of tests.
func (e *examination) stamps(ctx context.Context) []Finding {
	const name = "clock"
	if e.store == nil {
		return nil
	}
	d, err := e.store.StampDistance(ctx)
	switch {
	case err != nil:
		return nil // the tables may be older than this program, and other checks say so
	case d.Requests == 0:
		return nil
	}

	way, off := "behind", d.Middle
	if off < 0 {
		way, off = "ahead of", -off
	}
	says := fmt.Sprintf("timestamps of the last %d requests are %s %s the clock of the hook, and %d of them by more than %s",
		d.Requests, off.Round(time.Second), way, d.Far, signature.Far)
	const mend = "let the machines of trivia-hook keep time with NTP"
	switch tolerance := e.Settings.Tolerance; {
	case tolerance > 0 && off > tolerance:
		return one(name, Broken, says+"; requests may be refused as stale", mend)
	case off > signature.Far:
		return one(name, Broken, says, mend)
	case off > oddStamps:
		return one(name, Odd, says, mend)
	}

	return one(name, Healthy, says, "")
}

// ownClock compares our clock with the database's. The time that the question
// takes is not held against either.
func (e *examination) ownClock(ctx context.Context) []Finding {
	const name = "clock"
	if e.store == nil {
		return one(name, Skipped, noDatabase, "")
	}

	asked := e.Now()
	_, theirs, err := e.store.Vitals(ctx)
	if err != nil {
		return one(name, Broken, short(ctx, err), "")
	}
	answered := e.Now()

	off := time.Duration(0)
	switch {
	case theirs.Before(asked):
		off = asked.Sub(theirs)
	case theirs.After(answered):
		off = theirs.Sub(answered)
	}
	says := "this machine's and the database's are " + off.Round(time.Millisecond).String() + " apart"
	const mend = "let both machines keep time with NTP"
	switch tolerance := e.Settings.Tolerance; {
	case tolerance > 0 && off > tolerance:
		return one(name, Broken, says+", more than "+config.SignatureTolerance+": requests may be refused as stale", mend)
	case off > signature.Far:
		return one(name, Broken, says+": if this one is wrong, every request is marked late", mend)
	case off > oddClock:
		return one(name, Odd, says, mend)
	}

	return one(name, Healthy, says, "")
}

// ring returns the keys of a route.
func (e *examination) ring(kind trivia.Kind) (keys []signature.Key) {
	secrets := e.Settings.EventKeys
	if kind == trivia.KindWin {
		secrets = e.Settings.ActionKeys
	}
	for _, secret := range secrets {
		if key, err := signature.NewKey(secret.Reveal()); err == nil {
			keys = append(keys, key)
		}
	}

	return keys
}

func (e *examination) known() (known []KnownKey) {
	for _, kind := range trivia.Kinds() {
		for _, key := range e.ring(kind) {
			if k := (KnownKey{kind, key.Fingerprint()}); !slices.Contains(known, k) {
				known = append(known, k)
			}
		}
	}

	return known
}

// keys looks at the signing keys of the settings.
func (e *examination) keys(context.Context) []Finding {
	const name = "signing keys"

	of := map[trivia.Kind][]string{}
	for _, k := range e.known() {
		of[k.Kind] = append(of[k.Kind], k.Fingerprint)
	}
	wins, events := of[trivia.KindWin], of[trivia.KindEvent]
	switch {
	case len(events) == 0:
		return one(name, Broken, "there is none of the reporting webhook", "set "+config.WebhookSecret)
	case slices.ContainsFunc(wins, func(key string) bool { return slices.Contains(events, key) }):
		return one(name, Odd, "both routes take the same key, and Customer.io signs each with one of its own",
			"set "+config.ActionSecret+" to the key in Settings, API & webhook credentials, Webhook Signing Key")
	}

	return one(name, Healthy, fmt.Sprintf("of wins %s; of events %s", strings.Join(wins, ", "), strings.Join(events, ", ")), "")
}

// keyUses looks at which keys have matched.
func (e *examination) keyUses(ctx context.Context) []Finding {
	const name = "key uses"
	rows, err := e.op.Keys(ctx, e.known(), e.Now())
	if err != nil {
		return one(name, Broken, short(ctx, err), "")
	}

	var found []Finding
	last := map[trivia.Kind]time.Time{}
	for _, row := range rows {
		if row.Remark == KeyIsForeign {
			found = append(found, Finding{
				name, Odd, fmt.Sprintf("key %s of the %s route matched %s ago, and is not in the settings here", row.Fingerprint, row.Kind, e.since(row.Last)),
				"another trivia-hook still has it: give all of them the same settings, and reload them",
			})
		}
		if row.InSettings && row.Last.After(last[row.Kind]) {
			last[row.Kind] = row.Last
		}
	}
	for _, kind := range trivia.Kinds() {
		if at := last[kind]; !at.IsZero() {
			found = append(found, Finding{name, Healthy, fmt.Sprintf("a key of the %s route last matched %s ago", kind, e.since(at)), ""})
			continue
		}
		found = append(found, Finding{
			name, Odd, fmt.Sprintf("no request has ever matched a key of the %s route", kind),
			"is it set up in Customer.io, and with this key? triviactl template tells how",
		})
	}

	return found
}

func (e *examination) since(at time.Time) time.Duration { return e.Now().Sub(at).Round(time.Second) }

// sourceList looks at how old Customer.io's addresses are.
func (e *examination) sourceList(ctx context.Context) []Finding {
	const name = "source list"
	if !source.NamesCustomerIO(e.Settings.Sources) {
		return one(name, Healthy, config.Sources+" does not name customerio: its addresses are not needed", "")
	}
	list, err := e.op.Sources(ctx, e.Settings.Region)
	if err != nil {
		return one(name, Broken, short(ctx, err), "")
	}

	const mend = "triviactl sources refresh; let trivia-hook reach api.customer.io"
	says := fmt.Sprintf("%d addresses of region %s", len(list.Addresses), list.Region)
	switch {
	case list.CheckedAt.IsZero():
		return one(name, Odd, says+", built in: Customer.io was never asked", mend)
	case e.Now().Sub(list.CheckedAt) > oddList:
		return one(name, Odd, fmt.Sprintf("%s, as Customer.io said %s ago", says, e.since(list.CheckedAt)), mend)
	}

	return one(name, Healthy, fmt.Sprintf("%s, as Customer.io said %s ago", says, e.since(list.CheckedAt)), "")
}

// backlog looks at the deliveries that wait, for the service or for a person.
func (e *examination) backlog(ctx context.Context) []Finding {
	const waiting, parked = "backlog", "parked"
	b, err := e.store.Backlog(ctx)
	if err != nil {
		return append(one(waiting, Broken, short(ctx, err), ""), Finding{parked, Skipped, "the backlog could not be read", ""})
	}

	found := one(waiting, Healthy, "no delivery is pending", "")
	if b.Pending > 0 {
		found = one(waiting, Healthy, fmt.Sprintf("%s pending, the oldest for %s", deliveries(b.Pending), b.Oldest.Round(time.Second)), "")
	}
	if b.Oldest > oddPending {
		found[0].Health = Odd
		found[0].Mend = "does trivia-hook run? of users who are missing it is normal for an hour: triviactl deliveries list --state pending"
	}

	total, words := int64(0), []string{}
	for _, outcome := range slices.Sorted(maps.Keys(b.Parked)) {
		total += b.Parked[outcome]
		words = append(words, fmt.Sprintf("%d %s", b.Parked[outcome], outcome))
	}
	if total == 0 {
		return append(found, Finding{parked, Healthy, "no delivery waits for a person", ""})
	}

	return append(found, Finding{
		parked, Odd, deliveries(total) + " parked: " + strings.Join(words, ", "), "triviactl deliveries list --state parked",
	})
}

func deliveries(n int64) string {
	if n == 1 {
		return "1 delivery is"
	}

	return fmt.Sprintf("%d deliveries are", n)
}

// pushes looks at what Customer.io is still to be told.
func (e *examination) pushes(ctx context.Context) []Finding {
	const name = "pushes"
	pending, held, parked, err := e.store.PushBacklog(ctx)
	if err != nil {
		return one(name, Broken, short(ctx, err), "")
	}

	says := fmt.Sprintf("%d wait, %d are held, %d are parked", pending, held, parked)
	switch {
	case parked > 0:
		return one(name, Odd, says, "triviactl push list --state parked tells why; triviactl push retry sends them again")
	case held > 0:
		return one(name, Odd, says, "triviactl push list --state held; those that wait for credentials are sent when there are some")
	}

	return one(name, Healthy, says, "")
}
