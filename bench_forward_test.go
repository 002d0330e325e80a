package onlink_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// BenchmarkForward has a router send frames of 64 octets on, to destinations all over its table, on one goroutine from link to
// link.
func BenchmarkForward(b *testing.B) {
	for _, routes := range []int{1, 1_000_000} {
		b.Run(fmt.Sprintf("v4/%d", routes), func(b *testing.B) { forward(b, routes, true) })
	}
	for _, routes := range []int{1, 200_000} {
		b.Run(fmt.Sprintf("v6/%d", routes), func(b *testing.B) { forward(b, routes, false) })
	}
}

// sink is a receiver that counts and frees.
type sink struct{ n int }

func (s *sink) Deliver(_ int, b *packet.Batch) {
	s.n += b.Len()
	b.Free()
}
func (s *sink) Ready(int)         {}
func (s *sink) Changed(link.Info) {}

// prefixAt is the ith route's: a /24 of 20.0.0.0/6 and on, or a /48 of 2600::/12.
func prefixAt(i int, four bool) netip.Prefix {
	if four {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 20<<24+uint32(i)<<8)
		return netip.PrefixFrom(netip.AddrFrom4(a), 24)
	}
	var a [16]byte
	binary.BigEndian.PutUint64(a[:], 0x2600<<48+uint64(i)<<16)
	return netip.PrefixFrom(netip.AddrFrom16(a), 48)
}

func forward(b *testing.B, routes int, four bool) {
	rt := clock.NewReal()
	in, wan := mem.Pair(mem.Config{Runtime: rt})
	out, lan := mem.Pair(mem.Config{Runtime: rt, Limit: 1 << 16})
	s := newStack(b, onlink.Config{Forwarding: true})
	router := addLink(b, s, wan, clientAddrs)
	next := []netip.Prefix{netip.MustParsePrefix("198.51.100.1/24"), netip.MustParsePrefix("2001:db8:2::1/64")}
	i, err := s.AddLink("eth1", lan, onlink.InterfaceConfig{Addresses: next, DisableDAD: true})
	if err != nil {
		b.Fatal(err)
	}
	gateway := netip.MustParseAddr("2001:db8:2::9")
	if four {
		gateway = netip.MustParseAddr("198.51.100.9")
	}
	if err := i.SetNeighbor(gateway, wire.MAC{2, 0, 0, 0, 0, 9}); err != nil {
		b.Fatal(err)
	}
	table := make([]onlink.Route, routes)
	for i := range table {
		table[i] = onlink.Route{Prefix: prefixAt(i, four), Gateway: gateway}
	}
	if err := s.AddRoute(table...); err != nil {
		b.Fatal(err)
	}
	var arrived sink
	if err := out.Attach(&arrived); err != nil {
		b.Fatal(err)
	}
	if err := in.Attach(&sink{}); err != nil {
		b.Fatal(err)
	}
	frames := make([][]byte, 1<<12)
	for i := range frames {
		frames[i] = shortFrame(router.State().LinkAddr, prefixAt(i*7919%routes, four).Addr().Next(), four)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var batch packet.Batch
	for i := 0; i < b.N; {
		for range min(64, b.N-i) {
			batch.Push(packet.From(frames[i%len(frames)]))
			i++
		}
		if err := in.Send(0, &batch); err != nil || !batch.Empty() {
			b.Fatalf("%d frames left: %v", batch.Len(), err)
		}
	}
	b.StopTimer()
	if arrived.n < b.N {
		b.Errorf("%d of %d frames arrived", arrived.n, b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
}

// shortFrame is a frame of 64 octets, FCS included, with a UDP datagram to dst.
func shortFrame(router wire.MAC, dst netip.Addr, four bool) []byte {
	frame := make([]byte, 60)
	if !four {
		frame = make([]byte, wire.EthernetLen+wire.IPv6Len+wire.UDPLen)
	}
	data := frame[wire.EthernetLen:]
	typ := uint16(wire.EtherTypeIPv6)
	if four {
		typ = wire.EtherTypeIPv4
		h := wire.IPv4Header{TotalLen: len(data), TTL: 64, Protocol: wire.ProtoUDP, Src: wire.AddrFrom(netip.MustParseAddr(server4)), Dst: wire.AddrFrom(dst)}
		h.Put(data)
		wire.PutUDP(data[wire.IPv4MinLen:], 1, 9, len(data)-wire.IPv4MinLen)
	} else {
		h := wire.IPv6Header{PayloadLen: len(data) - wire.IPv6Len, HopLimit: 64, NextHeader: wire.ProtoUDP, Src: wire.AddrFrom(netip.MustParseAddr(server6)),
			Dst: wire.AddrFrom(dst)}
		h.Put(data)
		wire.PutUDP(data[wire.IPv6Len:], 1, 9, wire.UDPLen)
	}
	wire.PutEthernet(frame, router, wire.MAC{2, 0, 0, 0, 0, 1}, typ)
	return frame
}
