package diag

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// refusalsKept is how many refusals are remembered.
const refusalsKept = 100

// ProbePrefix begins the key of requests that triviactl doctor sends to see
// whether they are refused. Anybody may use it: it lets nobody in.
const ProbePrefix = "triviactl-doctor-"

// A Refusal is one request that was refused, without anything of its body or
// its headers.
type Refusal struct {
	Time   time.Time `json:"time"` // when the request came
	Status int       `json:"status"`
	Reason string    `json:"reason"`
	Route  string    `json:"route"`
	Caller string    `json:"caller"`          // seen through our own proxies; empty if it is not known
	Peer   string    `json:"peer"`            // the other end of the connection
	Probe  bool      `json:"probe,omitempty"` // its key has [ProbePrefix]: it is no sign of trouble
}

// Refusals remembers the last hundred requests that were refused. The zero
// value remembers none. It may be used from anywhere at once.
type Refusals struct {
	mu   sync.Mutex
	ring [refusalsKept]Refusal
	n    int // how many there ever were; the next one's place, modulo the size
}

// Add remembers one more, and forgets the oldest if there are too many.
func (rs *Refusals) Add(r Refusal) {
	rs.mu.Lock()
	defer rs.mu.Unlock()

	rs.ring[rs.n%refusalsKept] = r
	rs.n++
}

// Newest returns what is remembered, the newest first.
func (rs *Refusals) Newest() []Refusal {
	rs.mu.Lock()
	defer rs.mu.Unlock()

	newest := make([]Refusal, min(rs.n, refusalsKept))
	for i := range newest {
		newest[i] = rs.ring[(rs.n-1-i)%refusalsKept]
	}

	return newest
}

// ServeHTTP answers with the newest refusals as a JSON array.
func (rs *Refusals) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	body, err := json.MarshalIndent(rs.Newest(), "", "  ")
	if err != nil { // a clock beyond the year 9999
		say(w, http.StatusInternalServerError, "text/plain; charset=utf-8", "encode the refusals: "+err.Error()+"\n")

		return
	}
	say(w, http.StatusOK, "application/json", string(body)+"\n")
}
