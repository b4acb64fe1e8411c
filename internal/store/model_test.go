package store_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// frozen is a user whom grant_prize refuses.
const frozen = "u0"

// A model is what the tables should hold, by rules that are plain to see.
type model struct {
	createUsers bool
	users       map[string]bool
	closed      map[string]bool
	kept        map[place]row
	wins        map[prize]won
}

// A place is where a delivery is found. The first body under a key has no sum.
type place struct {
	kind trivia.Kind
	key  string
	sum  [32]byte
}

type row struct {
	arrival store.Arrival
	state   trivia.State
	outcome trivia.Outcome
	seen    int
}

type (
	prize struct{ user, trivia string }
	won   struct{ item, key string }
)

func (m *model) clone() *model {
	c := *m
	c.users, c.closed, c.kept, c.wins = maps.Clone(m.users), maps.Clone(m.closed), maps.Clone(m.kept), maps.Clone(m.wins)

	return &c
}

// takeIn keeps arrivals one after the other, and settles the new ones in the
// order in which they came: those whose key is another win's behind the others,
// in a commit of their own. If a prize is refused among the others it returns
// false, and nothing has happened; behind them, that commit only keeps.
func (m *model) takeIn(arrivals []store.Arrival, settle bool) (receipts []store.Receipt, ok bool) {
	in := intake{places: make([]place, len(arrivals)), receipts: make([]store.Receipt, len(arrivals))}
	var firsts, others []int
	displaced := map[string]bool{} // keys whose first body in this batch found another one there
	byKey := map[place][32]byte{}
	for i, a := range arrivals {
		at := place{kind: a.Kind, key: a.Key}
		holder, there := byKey[at]
		if !there {
			if r, kept := m.kept[at]; kept {
				holder = r.arrival.SHA256
			} else {
				holder = a.SHA256
			}
			displaced[a.Key] = displaced[a.Key] || a.Kind == trivia.KindWin && holder != a.SHA256
			byKey[at] = holder
		}
		if a.Kind == trivia.KindWin && (holder != a.SHA256 || displaced[a.Key]) {
			others = append(others, i)
			continue
		}
		firsts = append(firsts, i)
	}

	before := m.clone()
	if !m.commit(&in, arrivals, firsts, settle) {
		*m = *before

		return nil, false
	}
	before = m.clone()
	if !m.commit(&in, arrivals, others, settle) {
		*m = *before
		m.commit(&in, arrivals, others, false)
	}
	for i, at := range in.places {
		in.receipts[i].State, in.receipts[i].Outcome = m.kept[at].state, m.kept[at].outcome
	}

	return in.receipts, true
}

// An intake is a batch on its way in.
type intake struct {
	places   []place
	receipts []store.Receipt
}

// commit takes some of arrivals in.
func (m *model) commit(in *intake, arrivals []store.Arrival, some []int, settle bool) bool {
	var fresh []place
	for _, i := range some {
		a := arrivals[i]
		at := place{kind: a.Kind, key: a.Key}
		if first, there := m.kept[at]; there && first.arrival.SHA256 != a.SHA256 {
			if a.Kind == trivia.KindWin {
				a.Key, in.receipts[i].Reused = trivia.BodyKey(a.Key, a.SHA256), true
				at.key = a.Key
			} else {
				at.sum = a.SHA256
			}
		}
		r, there := m.kept[at]
		switch {
		case there:
			r.seen++
		case at.sum != [32]byte{}:
			r = row{a, trivia.StateParked, trivia.KeyConflict, 1}
		case a.Unusable != "":
			r = row{a, trivia.StateParked, trivia.Malformed, 1}
		default:
			r = row{a, trivia.StatePending, trivia.Unsettled, 1}
			fresh = append(fresh, at)
		}
		m.kept[at], in.places[i], in.receipts[i].Duplicate = r, at, there
	}
	if !settle {
		return true
	}

	slices.SortStableFunc(fresh, func(x, y place) int { return m.kept[x].arrival.At.Compare(m.kept[y].arrival.At) })
	for _, at := range fresh {
		if !m.settle(at, true) {
			return false
		}
	}

	return true
}

// settle settles one delivery. It returns false if its prize is refused.
func (m *model) settle(at place, retry bool) bool {
	r := m.kept[at]
	r.outcome = m.judge(r.arrival)
	switch {
	case slices.Contains([]trivia.Outcome{trivia.Awarded, trivia.AlreadyWon, trivia.Recorded}, r.outcome):
		r.state = trivia.StateDone
	case r.outcome == trivia.UnknownUser && retry:
		r.state = trivia.StatePending
	default:
		r.state = trivia.StateParked
	}
	m.kept[at] = r

	return r.outcome != trivia.Awarded || r.arrival.Win.User != frozen
}

func (m *model) judge(a store.Arrival) trivia.Outcome {
	if a.Kind == trivia.KindEvent {
		return trivia.Recorded
	}

	p := prize{string(a.Win.User), string(a.Win.Trivia)}
	held, taken := m.wins[p]
	switch {
	case taken && held.item == string(a.Win.Item):
		return trivia.AlreadyWon
	case taken:
		return trivia.PrizeConflict
	case m.closed[p.trivia]:
		return trivia.TriviaClosed
	case !m.users[p.user] && !m.createUsers:
		return trivia.UnknownUser
	}
	m.users[p.user] = true
	m.wins[p] = won{string(a.Win.Item), a.Key}

	return trivia.Awarded
}

// A machine does the same to a database and to a model of it.
type machine struct {
	bench

	*model
}

func TestTheTablesEndAsAPlainModelDoes(t *testing.T) {
	t.Parallel()

	for _, createUsers := range []bool{false, true} {
		t.Run(fmt.Sprintf("create_users=%v", createUsers), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, store.IntakeOptions{CreateUsers: createUsers})
			b.exec(t, `
				CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void LANGUAGE plpgsql AS $$
				BEGIN
					IF grant_prize.user_id = '`+frozen+`' THEN RAISE EXCEPTION 'frozen'; END IF;
					INSERT INTO prizes VALUES (grant_prize.user_id, grant_prize.trivia_id, grant_prize.item);
				END $$`)

			rapid.Check(t, func(rt *rapid.T) {
				mc := &machine{b, &model{
					createUsers: createUsers,
					users:       map[string]bool{}, closed: map[string]bool{}, kept: map[place]row{}, wins: map[prize]won{},
				}}
				mc.clear(rt)
				rt.Repeat(map[string]func(*rapid.T){
					"take":   mc.takeBatch,
					"keep":   mc.keepBatch,
					"settle": mc.settleOne,
					"user":   mc.addUser,
					"close":  mc.closeTrivia,
				})
				mc.compare(rt)
				checkInvariants(rt, mc.bench)
			})
		})
	}
}

func (mc *machine) run(rt *rapid.T, sql string, args ...any) {
	if _, err := mc.db.Exec(rt.Context(), sql, args...); err != nil {
		rt.Fatalf("%s: %v", sql, err)
	}
}

func (mc *machine) clear(rt *rapid.T) {
	for _, table := range []string{"deliveries", "events", "forget_key", "forgotten", "key_uses", "prizes", "pruned", "push_people", "pushes", "responses", "retention", "source_lists", "trivia_wins", "trivias", "users"} {
		mc.run(rt, "DELETE FROM "+table)
	}
}

// word draws one of a few words, so that they meet often.
func word(rt *rapid.T, prefix string, n int) string {
	return fmt.Sprint(prefix, rapid.IntRange(0, n-1).Draw(rt, prefix))
}

func drawBatch(rt *rapid.T) []store.Arrival {
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) store.Arrival {
		var a store.Arrival
		switch rapid.IntRange(0, 9).Draw(rt, "kind") {
		case 0:
			a = unusable(word(rt, "k", 12), word(rt, "junk", 2))
		case 1:
			a = event(word(rt, "k", 12), "email", word(rt, "metric", 2))
		default:
			a = win(word(rt, "k", 12), word(rt, "u", 5), word(rt, "t", 3), word(rt, "item", 2))
		}
		a.At = noon.Add(time.Duration(rapid.IntRange(0, 2).Draw(rt, "second")) * time.Second)

		return a
	}), 1, 8).Draw(rt, "batch")
}

func (mc *machine) takeBatch(rt *rapid.T) {
	batch := drawBatch(rt)
	next := mc.clone()
	want, ok := next.takeIn(batch, true)

	got, err := mc.Take(rt.Context(), batch)
	mc.model = next
	if !ok {
		if err == nil || store.Passing(err) {
			rt.Fatalf("Take = %+v, %v; want the refusal of a prize", got, err)
		}

		return
	}
	if err != nil {
		rt.Fatalf("Take: %v", err)
	}
	sameReceipts(rt, want, got)
}

func (mc *machine) keepBatch(rt *rapid.T) {
	batch := drawBatch(rt)
	want, _ := mc.takeIn(batch, false)

	got, err := mc.Keep(rt.Context(), batch)
	if err != nil {
		rt.Fatalf("Keep: %v", err)
	}
	sameReceipts(rt, want, got)
}

func sameReceipts(rt *rapid.T, want, got []store.Receipt) {
	if diff := gocmp.Diff(want, got, cmpopts.IgnoreFields(store.Receipt{}, "Reason")); diff != "" {
		rt.Fatalf("receipts (-want +got):\n%s", diff)
	}
	for i, r := range got {
		if (r.Reason != "") != (!r.Duplicate && want[i].Outcome != trivia.Unsettled && want[i].State != trivia.StateDone) {
			rt.Fatalf("receipt %d is %+v: want a reason with what waits and is no duplicate", i, r)
		}
	}
}

func (mc *machine) settleOne(rt *rapid.T) {
	var pending []place
	for at, r := range mc.kept {
		if r.state == trivia.StatePending {
			pending = append(pending, at)
		}
	}
	if len(pending) == 0 {
		rt.Skip("nothing waits")
	}
	slices.SortFunc(pending, func(x, y place) int { return cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(x.key, y.key)) })
	at := rapid.SampledFrom(pending).Draw(rt, "pending")

	opts := store.SettleOptions{CreateUsers: mc.createUsers, Statement: time.Minute}
	if rapid.Bool().Draw(rt, "retry") {
		opts.Retry = new(time.Duration)
	}
	next := mc.clone()
	ok := next.settle(at, opts.Retry != nil)

	mc.run(rt, `UPDATE deliveries SET due_at = now() WHERE key = $1 AND kind = $2 AND rival = ''`, at.key, at.kind)
	p, err := mc.Claim(rt.Context(), store.Ref{Kind: at.kind, Key: at.key}, time.Minute)
	if err != nil {
		rt.Fatalf("Claim: %v", err)
	}
	got, err := mc.Settle(rt.Context(), p, mc.kept[at].arrival, opts)
	if !ok {
		if err == nil || store.Passing(err) {
			rt.Fatalf("Settle = %+v, %v; want the refusal of a prize", got, err)
		}

		return
	}
	if err != nil {
		rt.Fatalf("Settle: %v", err)
	}
	mc.model = next
	if want := mc.kept[at]; got.State != want.state || got.Outcome != want.outcome {
		rt.Fatalf("Settle = %+v, want %s %s", got, want.state, want.outcome)
	}
}

func (mc *machine) addUser(rt *rapid.T) {
	user := word(rt, "u", 5)
	mc.users[user] = true
	mc.run(rt, `INSERT INTO users (user_id) VALUES ($1) ON CONFLICT DO NOTHING`, user)
}

func (mc *machine) closeTrivia(rt *rapid.T) {
	id, closed := word(rt, "t", 3), rapid.Bool().Draw(rt, "closed")
	mc.closed[id] = closed
	mc.run(rt, `
		INSERT INTO trivias (trivia_id, closed_at) VALUES ($1, CASE WHEN $2 THEN now() END)
		ON CONFLICT (trivia_id) DO UPDATE SET closed_at = excluded.closed_at`, id, closed)
}

// compare holds the tables against the model.
func (mc *machine) compare(rt *rapid.T) {
	var deliveries, wins, users []string
	for at, r := range mc.kept {
		deliveries = append(deliveries, fmt.Sprintf("%s %s %v %s %s %d", at.kind, at.key, at.sum != [32]byte{}, r.state, r.outcome, r.seen))
	}
	for p, w := range mc.wins {
		wins = append(wins, fmt.Sprint(p.user, " ", p.trivia, " ", w.item, " ", w.key))
	}
	for u := range mc.users {
		users = append(users, u)
	}

	var all error
	for _, table := range []struct {
		sql  string
		want []string
	}{
		{`SELECT kind, key, rival <> '', state, coalesce(outcome, ''), seen FROM deliveries`, deliveries},
		{`SELECT user_id, trivia_id, item, delivery_key FROM trivia_wins`, wins},
		{`SELECT user_id FROM users`, users},
	} {
		got, err := mc.query(table.sql)
		slices.Sort(got)
		slices.Sort(table.want)
		if diff := gocmp.Diff(table.want, got, cmpopts.EquateEmpty()); diff != "" {
			err = errors.Join(err, fmt.Errorf("%s (-want +got):\n%s", table.sql, diff))
		}
		all = errors.Join(all, err)
	}
	if all != nil {
		rt.Error(all)
	}
}
