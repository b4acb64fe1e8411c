package operator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A Trial is a test whose deliveries, users and trivias all bear its name, so
// that they can be told from everything else: Name-1, Name-u1, Name-t1.
type Trial struct {
	Name           string
	Kind           trivia.Kind
	Users, Trivias int // how many there are, from 0 on
}

// Key returns the key of the n-th delivery.
func (t Trial) Key(n int) string { return t.Name + "-" + strconv.Itoa(n) }

// User returns the n-th user.
func (t Trial) User(n int) trivia.UserID { return trivia.UserID(t.Name + "-u" + strconv.Itoa(n)) }

// Trivia returns the n-th trivia.
func (t Trial) Trivia(n int) trivia.ID { return trivia.ID(t.Name + "-t" + strconv.Itoa(n)) }

func (t Trial) prefix() string { return t.Name + "-" }

// trialChunk is how many deliveries or users of a trial one statement takes.
const trialChunk = 2000

// users yields the users of a trial, a chunk at a time.
func (t Trial) users() iter.Seq[[]trivia.UserID] {
	return func(yield func([]trivia.UserID) bool) {
		for begin := 0; begin < t.Users; begin += trialChunk {
			chunk := make([]trivia.UserID, 0, trialChunk)
			for n := begin; n < min(begin+trialChunk, t.Users); n++ {
				chunk = append(chunk, t.User(n))
			}
			if !yield(chunk) {
				return
			}
		}
	}
}

// chunks cuts keys into pieces that one statement takes.
func chunks(keys iter.Seq[string]) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		chunk := make([]string, 0, trialChunk)
		for key := range keys {
			if chunk = append(chunk, key); len(chunk) < trialChunk {
				continue
			}
			if !yield(chunk) {
				return
			}
			chunk = chunk[:0]
		}
		if len(chunk) > 0 {
			yield(chunk)
		}
	}
}

// AddTrialUsers adds the users of a trial, as [Operator.ImportUsers] does.
func (o *Operator) AddTrialUsers(ctx context.Context, t Trial, reason string) error {
	_, err := o.ImportUsers(ctx, t.list(), Import{Source: t.Name, Reason: reason})

	return err
}

// list returns the users as a file of one column.
func (t Trial) list() io.Reader {
	var text bytes.Buffer
	text.WriteString("user_id\n")
	for n := range t.Users {
		text.WriteString(string(t.User(n)) + "\n")
	}

	return &text
}

// A TrialProof is what a database says about a trial.
type TrialProof struct {
	store.Kept    // of the deliveries that were acknowledged
	store.Awarded // to the users of the trial; zero for events
}

// ProveTrial looks what has become of the deliveries of a trial that were
// acknowledged. It reads as many rows as the trial has, by their names.
func (o *Operator) ProveTrial(
	ctx context.Context, t Trial, acknowledged iter.Seq[string], progress func(done int),
) (proof TrialProof, err error) {
	done := 0
	for keys := range chunks(acknowledged) {
		k, err := o.store.Prove(ctx, t.Kind, keys)
		if err != nil {
			return proof, err
		}
		proof.Rows += k.Rows
		proof.Pending += k.Pending
		proof.Parked += k.Parked
		proof.Settled += k.Settled
		proof.Lost += k.Lost
		done += len(keys)
		progress(done)
	}
	if t.Kind != trivia.KindWin {
		return proof, nil
	}

	for users := range t.users() {
		a, err := o.store.Awarded(ctx, users, "")
		if err != nil {
			return proof, err
		}
		proof.Wins += a.Wins
		proof.Prizes += a.Prizes
		proof.Double += a.Double
	}

	return proof, nil
}

// PendingTrial returns how many deliveries of a trial are not settled yet.
func (o *Operator) PendingTrial(ctx context.Context, t Trial) (int, error) {
	return o.store.PendingOf(ctx, t.prefix())
}

// CountKept returns how many rows there are under these keys, of either route.
func (o *Operator) CountKept(ctx context.Context, keys []string) (int, error) {
	return o.store.CountKept(ctx, keys)
}

// CountWins returns how many wins and prizes a user has of a trivia.
func (o *Operator) CountWins(ctx context.Context, user trivia.UserID, id trivia.ID) (store.Awarded, error) {
	return o.store.Awarded(ctx, []trivia.UserID{user}, id)
}

// trialNames are how the name of a trial begins whose rows may be removed.
var trialNames = []string{"bench-", "scenario-", "sim-"}

// RemoveTrial removes all that a trial has written, in one commit: the
// deliveries of the keys, and its users with all that they have won. Nothing is
// touched whose name does not begin with the trial's. It returns how many rows
// are gone.
func (o *Operator) RemoveTrial(ctx context.Context, t Trial, keys iter.Seq[string], reason string) (rows int, err error) {
	allowed := false
	for _, begin := range trialNames {
		allowed = allowed || strings.HasPrefix(t.Name, begin) && len(t.Name) > len(begin)
	}
	if !allowed {
		return 0, fmt.Errorf("remove the rows of %q: that is no test's name", t.Name)
	}

	err = o.store.Act(ctx, func(act *store.Act) (store.Deed, error) {
		for some := range chunks(keys) {
			n, err := act.RemoveDeliveries(ctx, t.prefix(), some)
			if err != nil {
				return store.Deed{}, err
			}
			rows += n
		}
		for some := range t.users() {
			n, err := act.RemoveUsers(ctx, t.prefix(), some)
			if err != nil {
				return store.Deed{}, err
			}
			rows += n
		}
		deed := o.deed("test cleanup", t.Name, reason)
		deed.Detail = map[string]any{"rows": rows}

		return deed, nil
	})
	if err != nil {
		return 0, err
	}

	return rows, nil
}
