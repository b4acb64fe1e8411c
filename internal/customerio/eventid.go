package customerio

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"
)

// EventID returns a ULID that is made of nothing but a time, to the
// millisecond, and words: the same for the same ones, whoever makes it. The
// words contain no NUL.
func EventID(at time.Time, words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	ms := uint64(max(at.UnixMilli(), 0))

	// 48 bits of time, 80 of the sum; then 5 bits for each of 26 digits, which
	// leaves the first digit 3.
	high := ms<<16 | uint64(binary.BigEndian.Uint16(sum[:]))
	low := binary.BigEndian.Uint64(sum[2:])

	var id [26]byte
	for i := len(id) - 1; i >= 0; i-- {
		id[i] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[low&31]
		low = low>>5 | high<<59
		high >>= 5
	}

	return string(id[:])
}
