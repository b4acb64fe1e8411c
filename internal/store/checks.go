package store

// A check is a claim about all rows of a kind, and the statement that finds
// those for which it does not hold. All of it is read in one go, so that a
// million rows are compared with a million others instead of being looked up.
type check struct {
	name  string // for metrics and machines
	claim string // what holds if there is no breach
	from  string // the rows that are looked at
	scope string // which of them, whatever the span
	time  string // the column that a span limits; empty: none, it is cheap
	bad   string // the condition of a breach
	row   string // user, trivia, key, time and words of a breach
	needs need

	hashed bool // also where a span is given, and not looked up one by one
}

// A need is what must be so for a check to mean anything.
type need int

const (
	always     need = iota
	ownPrizes       // grant_prize writes to prizes
	everything      // no span is given: nothing finds these rows by time
	winPushes       // wins are pushed
)

// Wins of a sealed trivia may be gone, and so are those of people who were
// forgotten. Both can have left deliveries and prizes. What came before
// @deliveries_since, @events_since and @pushes_since may be pruned, and so may
// be an old delivery that was replayed and won later.
const (
	winMayBeGone = ` AND NOT EXISTS (SELECT FROM trivias AS t WHERE t.trivia_id = x.trivia_id AND t.sealed_at IS NOT NULL)
		AND NOT EXISTS (SELECT FROM forget_key AS k
			JOIN forgotten AS f ON f.hash = forgotten_hash(k.key, x.user_id, x.trivia_id))`

	// Pushes are written with what they tell of, or later, and so their
	// identifiers are about as old. One person may have very many.
	noPushOfWin = `NOT EXISTS (SELECT FROM pushes AS p
				WHERE p.id >= @push_from AND p.person = x.user_id AND p.cause = 'win' AND p.cause_id = x.trivia_id)`
	noPushOfEvent = `NOT EXISTS (SELECT FROM pushes AS p
				WHERE p.id >= @push_from AND p.person = x.person AND p.cause = 'event' AND p.cause_id = x.event_id)`
)

// checks returns every check, in the order in which they are told.
func checks() []check {
	return []check{
		{
			name: "awarded_without_win", claim: "each awarded delivery has its win",
			from:  `deliveries AS x`,
			scope: `x.kind = 'win' AND x.outcome = 'awarded' AND x.user_id IS NOT NULL`, time: "x.received_at",
			bad: `NOT EXISTS (SELECT FROM trivia_wins AS w
				WHERE w.user_id = x.user_id AND w.trivia_id = x.trivia_id AND w.delivery_key = x.key AND w.item = x.item)` + winMayBeGone,
			row: `x.user_id, x.trivia_id, x.key, x.received_at, coalesce((
				SELECT 'the win is ' || w.item || ' of delivery ' || w.delivery_key FROM trivia_wins AS w
				WHERE w.user_id = x.user_id AND w.trivia_id = x.trivia_id), 'there is no win')`,
		},
		{
			name: "win_without_delivery", claim: "each win has its awarded delivery",
			from: `trivia_wins AS x`, scope: `x.won_at >= @deliveries_since`, time: "x.won_at",
			bad: `NOT EXISTS (SELECT FROM deliveries AS d
				WHERE d.key = x.delivery_key AND d.kind = 'win' AND d.outcome = 'awarded'
					AND coalesce(d.user_id, x.user_id) = x.user_id AND coalesce(d.trivia_id, x.trivia_id) = x.trivia_id)
				AND NOT EXISTS (SELECT FROM audit_log AS a
					WHERE a.target = x.delivery_key AND starts_with(a.verb, 'replay') AND @deliveries_since > 'epoch'::timestamptz)`,
			row: `x.user_id, x.trivia_id, x.delivery_key, x.won_at, coalesce((
				SELECT 'the delivery is ' || coalesce(d.outcome, d.state) FROM deliveries AS d
				WHERE d.key = x.delivery_key AND d.kind = 'win' AND d.rival = ''), 'there is no such delivery')`,
		},
		{
			name: "win_without_prize", claim: "each win has its prize",
			from: `trivia_wins AS x`, scope: `true`, time: "x.won_at", needs: ownPrizes,
			bad: `NOT EXISTS (SELECT FROM prizes AS p
				WHERE p.user_id = x.user_id AND p.trivia_id = x.trivia_id AND p.item = x.item)`,
			row: `x.user_id, x.trivia_id, x.delivery_key, x.won_at, coalesce((
				SELECT 'won ' || x.item || ', granted ' || p.item FROM prizes AS p
				WHERE p.user_id = x.user_id AND p.trivia_id = x.trivia_id), 'there is no prize for ' || x.item)`,
		},
		{
			name: "prize_without_win", claim: "each prize has its win",
			from: `prizes AS x`, scope: `true`, needs: everything,
			bad: `NOT EXISTS (SELECT FROM trivia_wins AS w
				WHERE w.user_id = x.user_id AND w.trivia_id = x.trivia_id)` + winMayBeGone,
			row: `x.user_id, x.trivia_id, '', x.granted_at, 'nobody has won ' || x.item`,
		},
		{
			name: "pending_too_long", claim: "nothing is pending for long",
			from: `deliveries AS x`, scope: `x.state = 'pending'`,
			bad: `x.received_at < now() - @pending::interval
				AND (x.outcome IS DISTINCT FROM 'unknown_user' OR x.received_at < now() - @pending::interval - @unknown::interval)
				AND (x.attempts > 0 OR x.due_at < now() - @pending::interval)`,
			row: `coalesce(x.user_id, ''), coalesce(x.trivia_id, ''), x.key, x.received_at,
				'tried ' || x.attempts || ' times' || coalesce(': ' || x.reason, '')`,
		},
		{
			name: "win_without_push", claim: "each win since the first push has one",
			from: `trivia_wins AS x`, scope: `x.won_at >= @first_push AND x.won_at >= @pushes_since`, time: "x.won_at", needs: winPushes,
			bad: noPushOfWin, hashed: true,
			row: `x.user_id, x.trivia_id, x.delivery_key, x.won_at, 'Customer.io is never told of ' || x.item`,
		},
		{
			name: "event_without_delivery", claim: "each event has its recorded delivery",
			from: `events AS x`, scope: `x.received_at >= @deliveries_since`, time: "x.received_at",
			bad: `NOT EXISTS (SELECT FROM deliveries AS d
				WHERE d.key = x.event_id AND d.kind = 'event' AND d.outcome = 'recorded')`,
			row: `coalesce(x.person, ''), '', x.event_id, x.received_at, x.object_type || ' ' || x.metric`,
		},
		{
			name: "recorded_without_event", claim: "each recorded delivery has its event",
			from:  `deliveries AS x`,
			scope: `x.kind = 'event' AND x.outcome = 'recorded' AND x.received_at >= @events_since`, time: "x.received_at",
			bad: `NOT EXISTS (SELECT FROM events AS e WHERE e.event_id = x.key)`,
			row: `'', '', x.key, x.received_at, 'there is no such event'`,
		},
		{
			name: "event_without_push", claim: "each event has the push that it asked for",
			from:  `events AS x`,
			scope: `x.owed <> 'nobody' AND x.person IS NOT NULL AND x.received_at >= @pushes_since`, time: "x.received_at",
			bad: noPushOfEvent, hashed: true,
			row: `x.person, '', x.event_id, x.received_at, 'no push of kind ' || x.owed || ' for ' || x.object_type || ' ' || x.metric`,
		},
	}
}
