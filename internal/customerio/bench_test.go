package customerio_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"trivia/internal/customerio"
)

func BenchmarkDecodeAction(b *testing.B) {
	for _, bm := range []struct{ name, body string }{
		{"as our template", `{"user_id": "demo-17", "trivia_id": "friday-7", "item": "free spin"}`},
		{"numbers and escapes", `{"user_id": 4711, "trivia_id": 7, "item": "caf\u00e9 \ud83c\udf89"}`},
		{"with more than we use", `{"user_id": "demo-17", "trivia_id": "friday-7", "item": "free spin", "event": {"name": "won", "tags": ["a", "b"]},` +
			` "note": "` + strings.Repeat("x", 200) + `"}`},
	} {
		b.Run(bm.name, func(b *testing.B) {
			body := []byte(bm.body)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := customerio.DecodeAction(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodeEvent(b *testing.B) {
	body := sample(b, "email", "clicked")

	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := customerio.DecodeEvent(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKey(b *testing.B) {
	sum := sha256.Sum256(nil)

	b.ReportAllocs()
	for b.Loop() {
		_ = customerio.Key(sum, "01JZVQ94XMP08C1K5Q6QFVJ19H", "")
	}
}
