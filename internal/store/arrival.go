package store

import (
	"cmp"
	"crypto/sha256"
	"slices"
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
	Caller   string       // the address that it came from
	SignedBy string       // fingerprint of the key that matched
	Stamp    string       // the timestamp header as it came; valid UTF-8 without NUL
}

// A Receipt says what became of one arrival.
type Receipt struct {
	Duplicate bool         // the same body came under the same key before
	State     trivia.State // of a duplicate: of the first, like the others
	Outcome   trivia.Outcome
	Reason    string // why it is parked, for the log; empty for duplicates
}

// A slip stands for all arrivals of one batch that have the same kind, key and
// body: the table takes a row no more than once in a statement.
type slip struct {
	*Arrival
	count   int32
	members []int // places in the batch, in the order of arrival
	fresh   bool  // no such row was there before
	receipt Receipt
}

// A batch is what one commit takes. Slips are sorted by kind and key, so that
// all processes lock rows in the same order and none waits in a circle.
type batch struct {
	firsts []*slip // one for each kind and key
	rivals []*slip // further bodies under a key, whether the first is in this batch or was there before
	known  map[name]*slip
	size   int
}

// A name is what the first body under a key is found by.
type name struct {
	kind trivia.Kind
	key  string
}

func (s *slip) name() name { return name{s.Kind, s.Key} }

func newBatch(arrivals []Arrival) *batch {
	b := &batch{
		firsts: make([]*slip, 0, len(arrivals)),
		known:  make(map[name]*slip, len(arrivals)),
		size:   len(arrivals),
	}
	slips := make([]slip, len(arrivals))

	for i := range arrivals {
		a := &arrivals[i]
		first, ok := b.known[name{a.Kind, a.Key}]
		switch {
		case !ok:
			s := &slips[i]
			*s = slip{Arrival: a, count: 1, members: []int{i}}
			b.known[s.name()] = s
			b.firsts = append(b.firsts, s)
		case first.SHA256 == a.SHA256:
			first.add(i)
		default:
			b.addRival(a, i)
		}
	}
	slices.SortFunc(b.firsts, bySlipName)

	return b
}

func (s *slip) add(member int) {
	s.count++
	s.members = append(s.members, member)
}

// addRival is for the rare case: a batch holds hardly ever more than one.
func (b *batch) addRival(a *Arrival, member int) {
	for _, r := range b.rivals {
		if r.Kind == a.Kind && r.Key == a.Key && r.SHA256 == a.SHA256 {
			r.add(member)
			return
		}
	}
	b.rivals = append(b.rivals, &slip{Arrival: a, count: 1, members: []int{member}})
}

func bySlipName(x, y *slip) int {
	return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Key, y.Key), slices.Compare(x.SHA256[:], y.SHA256[:]))
}

// receipts gives every arrival its answer, in the order of arrival. Only the
// first of those that share a fresh row is no duplicate.
func (b *batch) receipts() []Receipt {
	out := make([]Receipt, b.size)
	for _, slips := range [][]*slip{b.firsts, b.rivals} {
		for _, s := range slips {
			for n, member := range s.members {
				out[member] = s.receipt
				if n > 0 {
					out[member].Duplicate, out[member].Reason = true, ""
				}
			}
		}
	}

	return out
}
