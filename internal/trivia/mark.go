package trivia

// A Mark says of a delivery what is odd about how it came. It decides nothing.
type Mark string

// The marks of a delivery.
const (
	// MarkLate is on what was signed well, with a timestamp that was far from our
	// clock: late or early, or none that can be read.
	MarkLate Mark = "late"
	// MarkReusedKey is on a win that came under a key which another body had
	// already. It stands under a key of its own, see [BodyKey].
	MarkReusedKey Mark = "reused_key"
)

// Marks returns every mark.
func Marks() []Mark { return []Mark{MarkLate, MarkReusedKey} }
