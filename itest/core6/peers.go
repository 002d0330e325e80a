package core6

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// peer is a node that the tester plays.
type peer struct {
	port     int
	mac      wire.MAC
	ll, addr wire.Addr
}

// The routers and hosts on the first link, and a host behind router1.
var (
	router1 = &peer{0, wire.MAC{2, 0, 0, 0, 0, 0x11}, addr("fe80::11"), addr("2001:db8:0:1::11")}
	router2 = &peer{0, wire.MAC{2, 0, 0, 0, 0, 0x12}, addr("fe80::12"), addr("2001:db8:0:1::12")}
	router3 = &peer{0, wire.MAC{2, 0, 0, 0, 0, 0x13}, addr("fe80::13"), addr("2001:db8:0:1::13")}
	host1   = &peer{0, wire.MAC{2, 0, 0, 0, 0, 0x31}, addr("fe80::31"), addr("2001:db8:0:1::31")}
	host2   = &peer{0, wire.MAC{2, 0, 0, 0, 0, 0x32}, addr("fe80::32"), addr("2001:db8:0:1::32")}
	host3   = &peer{1, wire.MAC{2, 0, 0, 0, 1, 0x33}, addr("fe80::33"), addr("2001:db8:0:2::33")}

	far  = addr("2001:db8:0:9::99")
	far2 = addr("2001:db8:0:9::98")

	nodeMAC  = conform.NodeMAC[0]
	nodeLL   = conform.NodeLL[0]
	home     = "2001:db8:0:1::/64"
	node     = formed(home)
	otherMAC = wire.MAC{2, 0, 0, 0, 0, 0x77}

	routerAddresses = [2]string{"2001:db8:0:1::1/64", "2001:db8:0:2::1/64"}
	// What a router under test has.
	near1, near2 = addr("2001:db8:0:1::1"), addr("2001:db8:0:2::1")
)

func addr(s string) wire.Addr      { return conform.Addr(s) }
func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// formed returns the address that the node forms of a prefix (RFC 2464, 4).
func formed(p string) wire.Addr {
	return wire.Addr{Hi: wire.AddrFrom(prefix(p).Addr()).Hi, Lo: nodeMAC.InterfaceID()}
}

// frame returns a frame of the peer's.
func (p *peer) frame(dst wire.MAC, packet []byte) []byte {
	f := make([]byte, wire.EthernetLen+len(packet))
	wire.PutEthernet(f, dst, p.mac, wire.EtherTypeIPv6)
	copy(f[wire.EthernetLen:], packet)
	return f
}

// in sends a packet of the peer's to the node, or to the group that it is addressed to.
func (b *Bench) in(p *peer, packet []byte) {
	b.Helper()
	dst := conform.NodeMAC[p.port]
	if to := wire.AddrFrom16(packet[24:]); to.IsMulticast() {
		dst = to.MulticastMAC()
	}
	b.Send(p.port, p.frame(dst, packet))
}

// answering makes peers answer Neighbor Solicitations.
func (b *Bench) answering(p ...*peer) { b.answers = append(b.answers, p...) }

// silent makes a peer answer no more.
func (b *Bench) silent(p *peer) {
	b.answers = slices.DeleteFunc(b.answers, func(q *peer) bool { return q == p })
}

// answer answers for the peers that are to.
func (b *Bench) answer(s *seen) {
	if m, ok := s.icmp(); !ok || m.Type() != wire.ICMPv6NeighborSolicitation || s.src.IsUnspecified() || len(s.body) < 24 {
		return
	}
	target := wire.AddrFrom16(s.body[8:])
	for _, p := range b.answers {
		if p.port == s.port && (target == p.ll || target == p.addr) {
			flags := uint32(solicited | override)
			if p == router1 || p == router2 || p == router3 {
				flags |= isRouter
			}
			b.in(p, adv(target, s.src, target, flags, tlla(p.mac)))
		}
	}
}

// nd returns a message of Neighbor Discovery.
func nd(src, dst wire.Addr, typ uint8, rest uint32, parts ...[]byte) []byte {
	m := conform.ICMP6(src, dst, typ, 0, rest, slices.Concat(parts...))
	return conform.IP6(src, dst, wire.ProtoICMPv6, m, hops(255))
}

func hops(n uint8) func(*wire.IPv6Header) { return func(h *wire.IPv6Header) { h.HopLimit = n } }

func octets(a wire.Addr) []byte {
	b := make([]byte, 16)
	a.Put16(b)
	return b
}

// Options.

func option(typ uint8, value ...byte) []byte {
	n := (len(value) + 9) / 8
	b := make([]byte, 8*n)
	b[0], b[1] = typ, uint8(n)
	copy(b[2:], value)
	return b
}

func slla(m wire.MAC) []byte { return option(1, m[:]...) }
func tlla(m wire.MAC) []byte { return option(2, m[:]...) }

func mtuOption(n uint32) []byte {
	return option(5, binary.BigEndian.AppendUint32([]byte{0, 0}, n)...)
}

// The flags of a Prefix Information option.
const (
	onLink     = 0x80
	autonomous = 0x40
)

const forever = time.Duration(1<<32-1) * time.Second

func prefixOption(p string, flags uint8, valid, preferred time.Duration) []byte {
	v := []byte{uint8(prefix(p).Bits()), flags}
	v = binary.BigEndian.AppendUint32(v, uint32(valid/time.Second))
	v = binary.BigEndian.AppendUint32(v, uint32(preferred/time.Second))
	v = append(v, 0, 0, 0, 0)
	return option(3, append(v, octets(wire.AddrFrom(prefix(p).Addr()))...)...)
}

// routeOption is a Route Information option (RFC 4191, 2.3).
func routeOption(p string, preference uint8, lifetime time.Duration) []byte {
	v := []byte{uint8(prefix(p).Bits()), preference << 3}
	v = binary.BigEndian.AppendUint32(v, uint32(lifetime/time.Second))
	return option(24, append(v, octets(wire.AddrFrom(prefix(p).Addr()))...)...)
}

// The flags of a Neighbor Advertisement.
const (
	isRouter  = 1 << 31
	solicited = 1 << 30
	override  = 1 << 29
)

// sol, adv, rsol and redir are messages.

func sol(src, dst, target wire.Addr, options ...[]byte) []byte {
	return nd(src, dst, wire.ICMPv6NeighborSolicitation, 0, octets(target), slices.Concat(options...))
}

func adv(src, dst, target wire.Addr, flags uint32, options ...[]byte) []byte {
	return nd(src, dst, wire.ICMPv6NeighborAdvertisement, flags, octets(target), slices.Concat(options...))
}

func rsol(src, dst wire.Addr, options ...[]byte) []byte {
	return nd(src, dst, wire.ICMPv6RouterSolicitation, 0, slices.Concat(options...))
}

func redir(src, dst, target, about wire.Addr, options ...[]byte) []byte {
	return nd(src, dst, wire.ICMPv6Redirect, 0, octets(target), octets(about), slices.Concat(options...))
}

// ra is a Router Advertisement to be.
type ra struct {
	hop      uint8
	flags    uint8
	lifetime time.Duration
	reach    time.Duration
	retrans  time.Duration
	options  [][]byte
}

// The preferences of a router, as flags.
const (
	high     = 0x08
	low      = 0x18
	reserved = 0x10
)

// from returns the advertisement of that source to all nodes.
func (r ra) from(src wire.Addr) []byte {
	body := binary.BigEndian.AppendUint32(nil, uint32(r.reach/time.Millisecond))
	body = binary.BigEndian.AppendUint32(body, uint32(r.retrans/time.Millisecond))
	rest := uint32(r.hop)<<24 | uint32(r.flags)<<16 | uint32(r.lifetime/time.Second)
	return nd(src, wire.AllNodes6, wire.ICMPv6RouterAdvertisement, rest, body, slices.Concat(r.options...))
}

// usual is what routers advertise where nothing else is said.
func usual(options ...[]byte) ra {
	return ra{lifetime: 1800 * time.Second, options: append([][]byte{prefixOption(home, onLink|autonomous, 86400*time.Second, 14400*time.Second)}, options...)}
}

// advertise has a router send an advertisement.
func (b *Bench) advertise(p *peer, r ra) {
	b.Helper()
	b.in(p, r.from(p.ll))
}

// echo returns an echo request.
func echo(src, dst wire.Addr, data []byte, change ...func(*wire.IPv6Header)) []byte {
	return conform.IP6(src, dst, wire.ProtoICMPv6, conform.Echo6(src, dst, data), change...)
}

// boot lets the node come up: its link-local address is there, and what it asks by itself has been asked.
func (b *Bench) boot() {
	b.Helper()
	if b.shared && b.booted {
		return
	}
	b.booted = true
	b.pass(15 * time.Second)
}

// ready boots a host that has an address of the prefix home, and router1, whom it knows, as its router.
func (b *Bench) ready() {
	b.Helper()
	if b.shared && b.taught {
		return
	}
	b.taught = true
	b.boot()
	b.learn(router1)
	b.advertise(router1, usual())
	b.pass(3 * time.Second)
}

// learn makes an entry of p's link-local address REACHABLE.
func (b *Bench) learn(p *peer) {
	b.Helper()
	b.reach(p, p.ll, nodeLL)
}

// reach makes the node's entry for the address REACHABLE.
func (b *Bench) reach(p *peer, a, self wire.Addr) {
	b.Helper()
	b.in(p, echo(a, self, conform.Data(8)))
	if s := b.try(7*time.Second, ns(a)); s != nil {
		b.in(p, adv(a, s.src, a, solicited|override, tlla(p.mac)))
		b.pass(time.Second)
	}
}
