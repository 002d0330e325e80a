package route

import (
	"net/netip"
	"runtime"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

// internet returns routes to n prefixes of a family, as in the Internet: many prefixes, few gateways.
func internet(n int, four bool) []Route {
	rs := make([]Route, 0, n)
	for i := range n {
		x := uint32(i) * 2654435761 // spread, and each once
		r := Route{Out: int32(2 + i%3), Table: MainTable}
		if four {
			r.Prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(x >> 24), byte(x >> 16), byte(x >> 8), byte(x)}), 24+int(x&7)).Masked()
			r.Gateway = netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + i%16)})
		} else {
			r.Prefix = netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, byte(x >> 28), byte(x >> 20), byte(x >> 12), byte(x >> 4), byte(x << 4)}), 32+int(x&15)).Masked()
			r.Gateway = netip.AddrFrom16([16]byte{0xfe, 0x80, 15: byte(1 + i%16)})
		}
		rs = append(rs, r)
	}
	return rs
}

// A million IPv4 and 200,000 IPv6 prefixes: what they take, and what a change of one costs.
func BenchmarkInternet(b *testing.B) {
	four, six := internet(1_000_000, true), internet(200_000, false)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f := New(new(Routers), 1).WithAll(four).WithAll(six)
	runtime.GC()
	runtime.ReadMemStats(&after)
	n := f.Len()
	perRoute := float64(after.HeapAlloc-before.HeapAlloc) / float64(n)
	b.Run("add one", func(b *testing.B) {
		r := Route{Prefix: netip.MustParsePrefix("203.0.113.77/32"), Out: 2, Table: MainTable}
		for b.Loop() {
			f.With(r)
		}
		b.ReportMetric(perRoute, "B/route")
		b.ReportMetric(float64(n), "routes")
	})
	b.Run("lookup", func(b *testing.B) {
		q := Query{}
		var r Result
		for i := 0; b.Loop(); i++ {
			q.Dst = wire.Addr{Lo: 0xffff<<32 | uint64(uint32(i)*2654435761)}
			f.Lookup(&q, &r)
		}
	})
	b.Run("add all", func(b *testing.B) {
		for b.Loop() {
			New(new(Routers), 1).WithAll(four).WithAll(six)
		}
	})
}
