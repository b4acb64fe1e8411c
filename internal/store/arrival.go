package store

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"trivia/internal/trivia"
)

// An Arrival is one verified request, decoded and ready to be kept.
type Arrival struct {
	Kind     trivia.Kind
	Key      string // 1 to 255 characters, valid UTF-8 without NUL
	Body     []byte // as it came
	SHA256   [sha256.Size]byte
	Win      trivia.Win   // of a usable action
	Event    trivia.Event // of a usable event
	Unusable string       // why the body cannot be used; empty if it can
	At       time.Time    // when it came, by our clock
	Caller   string       // the address that it came from, and which of our proxies said so, if one did
	SignedBy string       // fingerprint of the key that matched
	Stamp    string       // the timestamp header as it came; valid UTF-8 without NUL
	Marks    []trivia.Mark
	Reuses   string // the key that a win came under, if another body has it; then Key is its own
}

// A Receipt says what became of one arrival.
type Receipt struct {
	Duplicate bool         // the same body came under the same key before
	State     trivia.State // of a duplicate: of the first, like the others
	Outcome   trivia.Outcome
	Reason    string // why it is parked, for the log; empty for duplicates
	Reused    bool   // its key was another body's, so that it stands under one of its own
}

// A slip stands for all arrivals of one batch that have the same kind, key and
// body: the table takes a row no more than once in a statement.
type slip struct {
	*Arrival
	count   int32
	place   int   // in the batch, of the first
	repeats []int // places of the others
	fresh   bool  // no such row was there before
	receipt Receipt
}

// A batch is what one commit takes. Slips are sorted by kind and key, so that
// all processes lock rows in the same order and none waits in a circle.
type batch struct {
	firsts []*slip // one for each kind and key
	rivals []*slip // further bodies under a key, whether the first is in this batch or was there before
	size   int
}

// A name is what the first body under a key is found by.
type name struct {
	kind trivia.Kind
	key  string
}

func (s *slip) name() name { return name{s.Kind, s.Key} }

func newBatch(arrivals []Arrival) *batch {
	slips := make([]slip, len(arrivals))
	sorted := make([]*slip, len(arrivals))
	for i := range arrivals {
		slips[i] = slip{Arrival: &arrivals[i], count: 1, place: i}
		sorted[i] = &slips[i]
	}
	slices.SortFunc(sorted, func(x, y *slip) int { return cmp.Or(byName(x, y.name()), cmp.Compare(x.place, y.place)) })

	b := &batch{firsts: sorted[:0], size: len(arrivals)}
	var first *slip
	for _, s := range sorted {
		switch {
		case first == nil || first.Key != s.Key || first.Kind != s.Kind:
			first = s
			b.firsts = append(b.firsts, s)
		case first.SHA256 == s.SHA256:
			first.repeat(s.place)
		default:
			b.addRival(s)
		}
	}

	return b
}

func (s *slip) repeat(place int) {
	s.count++
	s.repeats = append(s.repeats, place)
}

// addRival is for the rare case: a batch holds hardly ever more than one.
func (b *batch) addRival(s *slip) {
	for _, r := range b.rivals {
		if r.Kind == s.Kind && r.Key == s.Key && r.SHA256 == s.SHA256 {
			r.repeat(s.place)
			return
		}
	}
	b.rivals = append(b.rivals, s)
}

// first finds the slip of n among the firsts.
func (b *batch) first(n name) (*slip, bool) {
	i, ok := slices.BinarySearchFunc(b.firsts, n, byName)
	if !ok {
		return nil, false
	}

	return b.firsts[i], true
}

func byName(s *slip, n name) int {
	return cmp.Or(strings.Compare(string(s.Kind), string(n.kind)), strings.Compare(s.Key, n.key))
}

func bySlipName(x, y *slip) int {
	return cmp.Or(byName(x, y.name()), slices.Compare(x.SHA256[:], y.SHA256[:]))
}

// receipts gives every arrival its answer, in the order of arrival. Only the
// first of those that share a fresh row is no duplicate.
func (b *batch) receipts() []Receipt {
	out := make([]Receipt, b.size)
	for _, slips := range [][]*slip{b.firsts, b.rivals} {
		for _, s := range slips {
			out[s.place] = s.receipt
			for _, place := range s.repeats {
				out[place] = s.receipt
				out[place].Duplicate, out[place].Reason = true, ""
			}
		}
	}

	return out
}
