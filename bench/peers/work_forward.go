package main

import (
	"encoding/binary"
	"net/netip"
	"runtime"

	"github.com/onlink-go/onlink/wire"
)

// router is a system between two links in memory.
type router struct {
	destinations int
	push         func(from, n int) error // has it take n packets to the destinations from from on
	arrived      func() int64            // how many have come out of it
}

// How many destinations there are, all over the table: few are what a router remembers its decisions of, many are more than
// ours does, so that nearly each packet has its route looked up.
const fewDestinations, manyDestinations = 1 << 12, 1 << 16

// forward has a router send packets of 64 octets on, on one core.
func forward(p *pair, m *meter) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	at := 0
	for range p.router.destinations / batch { // each has come by once
		if err := p.router.push(at, batch); err != nil {
			return err
		}
		at = (at + batch) % p.router.destinations
	}
	m.begin()
	before := p.router.arrived()
	for m.running() {
		for range 16 {
			if err := p.router.push(at, batch); err != nil {
				return err
			}
			at = (at + batch) % p.router.destinations
		}
	}
	m.end(p.router.arrived() - before)
	return nil
}

// The next hop of all routes, and the networks of a router's two links.
var (
	inside  = addresses{netip.MustParsePrefix("198.51.100.1/24"), netip.MustParsePrefix("2001:db8::1/64")}
	outside = addresses{netip.MustParsePrefix("203.0.113.1/24"), netip.MustParsePrefix("2001:db8:2::1/64")}
	nextHop = addresses{netip.MustParsePrefix("203.0.113.9/24"), netip.MustParsePrefix("2001:db8:2::9/64")}
	source  = addresses{netip.MustParsePrefix("198.51.100.7/24"), netip.MustParsePrefix("2001:db8::7/64")}
)

// prefixAt is the ith route's: a /24 of 20.0.0.0/6 and on, or a /48 of 2600::/12.
func prefixAt(i int, f family) netip.Prefix {
	if f == v4 {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 20<<24+uint32(i)<<8)
		return netip.PrefixFrom(netip.AddrFrom4(a), 24)
	}
	var a [16]byte
	binary.BigEndian.PutUint64(a[:], 0x2600<<48+uint64(i)<<16)
	return netip.PrefixFrom(netip.AddrFrom16(a), 48)
}

// destination is the ith packet's, all over a table of some routes.
func destination(i, routes int, f family) netip.Addr {
	return prefixAt(i*7919%routes, f).Addr().Next()
}

// shortPacket is a UDP datagram to dst that makes a frame of 64 octets, or as few as IPv6 takes.
func shortPacket(dst netip.Addr, f family) []byte {
	if f == v6 {
		p := make([]byte, wire.IPv6Len+wire.UDPLen)
		h := wire.IPv6Header{PayloadLen: wire.UDPLen, HopLimit: 64, NextHeader: wire.ProtoUDP, Src: wire.AddrFrom(source.of(f)), Dst: wire.AddrFrom(dst)}
		h.Put(p)
		wire.PutUDP(p[wire.IPv6Len:], 1, 9, wire.UDPLen)
		return p
	}
	p := make([]byte, 64-4-wire.EthernetLen)
	h := wire.IPv4Header{TotalLen: len(p), TTL: 64, Protocol: wire.ProtoUDP, Src: wire.AddrFrom(source.of(f)), Dst: wire.AddrFrom(dst)}
	h.Put(p)
	wire.PutUDP(p[wire.IPv4MinLen:], 1, 9, len(p)-wire.IPv4MinLen)
	return p
}
