package source_test

import (
	"fmt"
	"net/netip"
	"testing"

	"trivia/internal/source"
)

func BenchmarkCheck(b *testing.B) {
	proxies := parse(b, "10.0.0.0/8", "loopback")

	benchmarks := []struct {
		name    string
		peer    string
		headers []string
	}{
		{"directly", "35.188.196.183:4711", nil},
		{"through one proxy", "10.0.0.1:4711", []string{"35.188.196.183"}},
		{"through three proxies", "127.0.0.1:4711", []string{"35.188.196.183, 10.0.0.1", "10.0.0.2"}},
	}

	guard := source.NewGuard(parse(b, "customerio"), proxies, false)
	for _, bb := range benchmarks {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := guard.Check(bb.peer, bb.headers); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, size := range []int{10, 1000, 10_000} {
		// Networks of every length from /17 to /32, so that the list is as hard as
		// one of its size can be.
		words := make([]string, 0, size)
		for i := range size {
			addr := netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0})
			p := netip.PrefixFrom(addr, 17+i%16).Masked()
			words = append(words, p.String())
		}
		l := parse(b, words...)

		for _, addr := range []string{"10.0.7.0", "203.0.113.1", "2001:db8::1"} {
			b.Run(fmt.Sprintf("%s in %d", addr, size), func(b *testing.B) {
				at := netip.MustParseAddr(addr)
				b.ReportAllocs()
				for b.Loop() {
					_, _ = l.Match(at)
				}
			})
		}
	}
}
