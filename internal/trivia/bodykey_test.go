package trivia_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"unicode/utf8"

	"trivia/internal/trivia"
)

func TestABodyKeyNamesOneKeyAndOneBody(t *testing.T) {
	t.Parallel()

	one, other := sha256.Sum256([]byte("one")), sha256.Sum256([]byte("other"))
	long := strings.Repeat("ü", trivia.MaxKey)
	seen := map[string]bool{}
	for _, key := range []string{"", "k", "k#body-", long, long[2:] + "x", strings.Repeat("k", 185), strings.Repeat("k", 186)} {
		for _, sum := range [][sha256.Size]byte{one, other} {
			got := trivia.BodyKey(key, sum)
			if seen[got] {
				t.Errorf("BodyKey(%q, %x) = %q, which is another one's", key, sum, got)
			}
			seen[got] = true
			if n := utf8.RuneCountInString(got); n > trivia.MaxKey {
				t.Errorf("BodyKey(%q, %x) has %d characters", key, sum, n)
			}
			if !trivia.IsBodyKey(got) || trivia.IsBodyKey(key) {
				t.Errorf("IsBodyKey(%q) = %v, of %q %v", got, trivia.IsBodyKey(got), key, trivia.IsBodyKey(key))
			}
		}
	}
	if got := trivia.BodyKey("01H8", one); !strings.HasPrefix(got, "01H8#body-") {
		t.Errorf("BodyKey(01H8) = %q, want it to begin with the key", got)
	}
	if trivia.IsBodyKey("k#body-" + strings.Repeat("x", 64)) {
		t.Error("what is no hex is taken for a SHA-256")
	}
}
