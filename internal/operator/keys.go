package operator

import (
	"context"
	"slices"
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// KeyIdle is how long a signing key must not have matched, while another of its
// route did, before it is called idle. A sender that holds back what was
// refused tries again within hours.
const KeyIdle = 24 * time.Hour

// A KnownKey is a signing key of the settings.
type KnownKey struct {
	Kind        trivia.Kind // of what it signs
	Fingerprint string
}

// A KeyRow is a signing key that is in the settings, or has ever matched.
type KeyRow struct {
	store.KeyUse // zero but for its name if it never matched

	InSettings bool
	Remark     string // what is odd about it; empty if nothing is
}

// What is odd about a key.
const (
	KeyNeverMatched = "never matched"
	KeyIsIdle       = "idle: it can go"
	KeyIsForeign    = "matched lately, not in settings"
	KeyIsGone       = "not in settings"
)

// Keys returns the signing keys of the settings, in their order, and behind
// them those that have matched before, the last one first. Services write down
// what has matched every few seconds.
func (o *Operator) Keys(ctx context.Context, known []KnownKey, now time.Time) ([]KeyRow, error) {
	uses, err := o.store.KeyUses(ctx)
	if err != nil {
		return nil, err
	}

	return keyRows(known, uses, now), nil
}

func keyRows(known []KnownKey, uses []store.KeyUse, now time.Time) []KeyRow {
	latest := map[trivia.Kind]time.Time{}
	rows := make([]KeyRow, 0, len(known)+len(uses))
	for _, k := range known {
		row := KeyRow{KeyUse: store.KeyUse{Kind: k.Kind, Fingerprint: k.Fingerprint}, InSettings: true}
		if i := slices.IndexFunc(uses, func(u store.KeyUse) bool { return nameOf(u) == k }); i >= 0 {
			row.KeyUse = uses[i]
		}
		if row.Last.After(latest[k.Kind]) {
			latest[k.Kind] = row.Last
		}
		rows = append(rows, row)
	}
	for i := range rows {
		switch row := &rows[i]; {
		case row.Uses == 0:
			row.Remark = KeyNeverMatched
		case latest[row.Kind].Sub(row.Last) > KeyIdle:
			row.Remark = KeyIsIdle
		}
	}

	for _, u := range uses {
		if slices.Contains(known, nameOf(u)) {
			continue
		}
		row := KeyRow{KeyUse: u, Remark: KeyIsGone}
		if now.Sub(u.Last) < KeyIdle {
			row.Remark = KeyIsForeign
		}
		rows = append(rows, row)
	}

	return rows
}

func nameOf(u store.KeyUse) KnownKey { return KnownKey{u.Kind, u.Fingerprint} }
