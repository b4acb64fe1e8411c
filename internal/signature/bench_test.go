package signature_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"trivia/internal/signature"
)

func BenchmarkVerify(b *testing.B) {
	key := newKey(b, "a key")
	now := time.Unix(1_700_000_000, 0)

	for _, size := range []int{100, 400, 4000} {
		body := []byte(strings.Repeat("x", size))
		sig := signature.Sign(key, "1700000000", body)

		for _, keys := range []int{1, 2} {
			v := signature.Verifier{Keys: make([]signature.Key, 0, keys), Tolerance: time.Minute}
			for range keys {
				v.Keys = append(v.Keys, key)
			}

			b.Run(strconv.Itoa(size)+" bytes, "+strconv.Itoa(keys)+" keys", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := v.Verify(now, "1700000000", body, sig); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkSign(b *testing.B) {
	key := newKey(b, "a key")
	body := []byte(strings.Repeat("x", 400))

	b.ReportAllocs()
	for b.Loop() {
		_ = signature.Sign(key, "1700000000", body)
	}
}
