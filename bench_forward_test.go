package onlink_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// BenchmarkForward has a router send frames of 64 octets on, to destinations all over its table, on one goroutine from link to
// link: with more and more routes, flows, hooks and neighbors. 4096 flows are 16 times the decisions that a queue remembers.
func BenchmarkForward(b *testing.B) {
	for _, four := range []bool{true, false} {
		name, most := "v4", 1_000_000
		if !four {
			name, most = "v6", 200_000
		}
		usual := forwarding{four: four, routes: most, flows: 1 << 12, neighbors: 1}
		for _, n := range []int{1, 1_000, most} {
			f := usual
			f.routes = n
			b.Run(fmt.Sprintf("%s/routes=%d", name, n), f.run)
		}
		for _, n := range []int{64, 1 << 16} {
			f := usual
			f.flows = n
			b.Run(fmt.Sprintf("%s/flows=%d", name, n), f.run)
		}
		for _, n := range []int{1, 2, 4, 8} {
			f := usual
			f.routes, f.hooks = 1_000, n
			b.Run(fmt.Sprintf("%s/hooks=%d", name, n), f.run)
		}
		for _, n := range []int{100, 10_000} {
			f := usual
			f.routes, f.neighbors = 1_000, n
			b.Run(fmt.Sprintf("%s/neighbors=%d", name, n), f.run)
		}
	}
}

// forwarding is a case of BenchmarkForward.
type forwarding struct {
	four      bool
	routes    int
	flows     int // pairs of addresses, over which frames are spread evenly
	hooks     int // at hook.Forward, each of which lets all pass
	neighbors int // the routes are spread over these
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

// router returns a router between two cables, the end of the one that frames come in by, and what arrives at the other.
func (f *forwarding) router(b *testing.B) (in *mem.Port, address wire.MAC, arrived *sink) {
	rt := clock.NewReal()
	in, wan := mem.Pair(mem.Config{Runtime: rt})
	out, lan := mem.Pair(mem.Config{Runtime: rt, Limit: 1 << 16})
	s := newStack(b, onlink.Config{Forwarding: true})
	eth0 := addLink(b, s, wan, clientAddrs)
	next := []netip.Prefix{netip.MustParsePrefix("10.1.0.1/16"), netip.MustParsePrefix("2001:db8:2::1/64")}
	eth1, err := s.AddLink("eth1", lan, onlink.InterfaceConfig{Addresses: next, DisableDAD: true})
	if err != nil {
		b.Fatal(err)
	}
	gateways := make([]netip.Addr, f.neighbors)
	for i := range gateways {
		gateways[i] = gatewayAt(i, f.four)
		if err := eth1.SetNeighbor(gateways[i], wire.MAC{2, 0, 0, 9, byte(i >> 8), byte(i)}); err != nil {
			b.Fatal(err)
		}
	}
	table := make([]onlink.Route, f.routes)
	for i := range table {
		table[i] = onlink.Route{Prefix: prefixAt(i, f.four), Gateway: gateways[i%f.neighbors]}
	}
	if err := s.AddRoute(table...); err != nil {
		b.Fatal(err)
	}
	for i := range f.hooks {
		s.Hook(hook.Forward).Add(i, "passes all", func(clock.Instant, *packet.Buffer) hook.Verdict { return hook.Continue })
	}
	arrived = new(sink)
	if err := out.Attach(arrived); err != nil {
		b.Fatal(err)
	}
	if err := in.Attach(new(sink)); err != nil {
		b.Fatal(err)
	}
	return in, eth0.State().LinkAddr, arrived
}

func (f *forwarding) run(b *testing.B) {
	in, router, arrived := f.router(b)
	frames := make([][]byte, f.flows)
	for i := range frames {
		dst := prefixAt(i*7919%f.routes, f.four).Addr()
		for range 1 + i/f.routes%250 { // another host of the prefix, once each prefix has had one
			dst = dst.Next()
		}
		frames[i] = shortFrame(router, dst, f.four)
	}
	const atOnce = 64
	var batch packet.Batch
	send := func() {
		if err := in.Send(0, &batch); err != nil || !batch.Empty() {
			b.Fatalf("%d frames left: %v", batch.Len(), err)
		}
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		batch.Push(packet.From(frames[n%len(frames)]))
		if n++; n%atOnce == 0 {
			send()
		}
	}
	send()
	if arrived.n < n {
		b.Errorf("%d of %d frames arrived", arrived.n, n)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "packets/s")
}

// gatewayAt is the ith neighbor on the link that frames leave by.
func gatewayAt(i int, four bool) netip.Addr {
	if four {
		return netip.AddrFrom4([4]byte{10, 1, byte(1 + i>>8), byte(i)})
	}
	a := netip.MustParseAddr("2001:db8:2::1:0").As16()
	binary.BigEndian.PutUint16(a[14:], uint16(i))
	return netip.AddrFrom16(a)
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
