package ip

import (
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// The addresses of the tests. "us" is the host or router under test, "peer" its neighbor on eth0, "far" a host behind
// the router peer, "other" a neighbor on eth1.
var (
	usMAC    = wire.MAC{0x02, 0, 0, 0, 0, 0xa2}
	us1MAC   = wire.MAC{0x02, 0, 0, 0, 1, 0x02}
	peerMAC  = wire.MAC{0x02, 0, 0, 0, 0, 0x01}
	otherMAC = wire.MAC{0x02, 0, 0, 0, 1, 0x01}

	us4, us6       = a4("192.0.2.2"), a6("2001:db8::2")
	peer4, peer6   = a4("192.0.2.1"), a6("2001:db8::1")
	far4, far6     = a4("203.0.113.9"), a6("2001:db8:f::9")
	us14, us16     = a4("198.51.100.2"), a6("2001:db8:1::2")
	other4, other6 = a4("198.51.100.1"), a6("2001:db8:1::1")
	usLL           = wire.Addr{Hi: 0xfe80 << 48, Lo: usMAC.InterfaceID()}
	peerLL         = a6("fe80::1")
)

func a4(s string) wire.Addr { return wire.AddrFrom(netip.MustParseAddr(s)) }
func a6(s string) wire.Addr { return wire.AddrFrom(netip.MustParseAddr(s)) }

// cable is a link whose far end is the test.
type cable struct {
	info   link.Info
	r      link.Receiver
	sent   [][]byte // frames, in order
	keep   bool     // record what is sent
	all    bool     // IGMP's and MLD's reports too, which are about the addresses and come by themselves
	room   int      // frames it accepts; negative: any number
	err    error
	closed bool
}

func newCable(mac wire.MAC) *cable {
	return &cable{info: link.Info{MTU: 1500, Addr: mac, Queues: 1, Up: true}, keep: true, room: -1}
}

func (c *cable) Info() link.Info { return c.info }

func (c *cable) Attach(r link.Receiver) error {
	if r != nil && c.r != nil {
		return link.ErrAttached
	}
	c.r = r
	return nil
}

func (c *cable) Send(_ int, b *packet.Batch) error {
	for c.err == nil && c.room != 0 && !b.Empty() {
		p := b.Pop()
		if c.keep && (c.all || !isReport(p.Bytes())) {
			c.sent = append(c.sent, append([]byte(nil), p.Bytes()...))
		}
		p.Free()
		if c.room > 0 {
			c.room--
		}
	}
	return c.err
}

func (c *cable) Close() error {
	c.closed = true
	return nil
}

// isReport reports whether a frame is a message of IGMP or MLD.
func isReport(f []byte) bool {
	b := f[min(len(f), wire.EthernetLen):]
	if h, err := wire.CheckIPv4(b); err == nil {
		return h.Protocol() == wire.ProtoIGMP
	}
	h, err := wire.CheckIPv6(b)
	return err == nil && routerAlert6(b) && h.HopLimit() == wire.MLDHopLimit
}

// take returns the frames sent since the last call.
func (c *cable) take() [][]byte {
	f := c.sent
	c.sent = nil
	return f
}

// recorder is a transport that remembers what it got.
type recorder struct {
	proto  uint8
	answer Disposition
	keep   bool
	n      int
	got    []delivery
	errors []Error
	shards []int
}

type delivery struct {
	src, dst wire.Addr
	in       int32
	flags    packet.Flags
	hop, tc  uint8
	data     []byte
}

func (r *recorder) Protocol() uint8 { return r.proto }

func (r *recorder) Input(sh *shard.Shard, _ clock.Instant, p *packet.Buffer) Disposition {
	r.n++
	if r.keep {
		r.got = append(r.got, delivery{p.Src, p.Dst, p.In, p.Flags, p.HopLimit, p.TrafficClass, append([]byte(nil), p.Bytes()...)})
		r.shards = append(r.shards, sh.Index)
	}
	if r.answer == Delivered {
		p.Free()
	}
	return r.answer
}

// Vouches believes everything but what is about port 9.
func (r *recorder) Vouches(_ *shard.Shard, e *Error) bool { return len(e.Quote) < 4 || e.Quote[3] != 9 }

func (r *recorder) Error(_ *shard.Shard, _ clock.Instant, e *Error) {
	c := *e
	c.Quote = append([]byte(nil), e.Quote...)
	c.Message = append([]byte(nil), e.Message...)
	c.Objects = append([]byte(nil), e.Objects...)
	r.errors = append(r.errors, c)
}

// events remembers what was traced.
type events struct{ list []trace.Event }

func (s *events) Trace(e *trace.Event) {
	c := *e
	c.Packet = nil
	s.list = append(s.list, c)
}

func (s *events) count(k trace.Kind) (n int) {
	for _, e := range s.list {
		if e.Kind == k {
			n++
		}
	}
	return n
}

// bed is a layer with one or two cables, in virtual time.
type bed struct {
	testing.TB
	sim        *clock.Sim
	l          *Layer
	eth0, eth1 *cable
	udp, tcp   *recorder
	ping4      *recorder
	ping6      *recorder
	tracer     trace.Tracer
	hooks      hook.Table
	events     events
}

// setup says what a bed is like.
type setup struct {
	forwarding bool // two interfaces
	dad        bool
	shards     int
	tracing    bool
	bare       bool // without a tracer and hooks: not even those that nobody uses
	rate       int
	limit      int // of reassembly
	cfg        netif.Config
	medium     link.Medium
}

func newBed(t testing.TB, c setup) *bed {
	t.Helper()
	b := &bed{TB: t, sim: clock.NewSim(1)}
	rt := b.sim.Runtime(7)
	if c.tracing {
		b.tracer.Add(&b.events)
	}
	tracer, hooks := &b.tracer, &b.hooks
	if c.bare {
		tracer, hooks = nil, nil
	}
	b.l = New(Config{Runtime: rt, Seed: 42, Forwarding: c.forwarding, Tracer: tracer, Hooks: hooks, ICMPRate: c.rate, ReassemblyLimit: c.limit})
	b.l.Narrate()
	var shards []*shard.Shard
	for i := range max(1, c.shards) {
		shards = append(shards, shard.New(rt, i, b.l.Transmitter(i)))
	}
	b.l.SetShards(shards)
	b.udp = &recorder{proto: wire.ProtoUDP, keep: true}
	b.tcp = &recorder{proto: wire.ProtoTCP, keep: true}
	b.ping4 = &recorder{proto: wire.ProtoICMP, keep: true}
	b.ping6 = &recorder{proto: wire.ProtoICMPv6, keep: true}
	for _, r := range []*recorder{b.udp, b.tcp, b.ping4, b.ping6} {
		b.l.Register(r)
	}
	if c.cfg.IPv6 == nil { // no router is asked for: most tests want to see nothing on the wire but what they cause
		quiet := netif.NewIPv6()
		quiet.Solicitations = 0
		c.cfg.IPv6 = &quiet
	}
	if !c.dad {
		c.cfg.DupAddrDetectTransmits = -1
	}
	b.eth0 = b.add("eth0", usMAC, c, "192.0.2.2/24", "2001:db8::2/64")
	b.know(2, peerMAC, peer4, peer6, peerLL)
	if c.forwarding {
		b.eth1 = b.add("eth1", us1MAC, c, "198.51.100.2/24", "2001:db8:1::2/64")
		b.know(3, otherMAC, other4, other6)
	}
	b.route("0.0.0.0/0", "192.0.2.1")
	b.route("::/0", "2001:db8::1")
	b.eth0.take()
	if b.eth1 != nil {
		b.eth1.take()
	}
	return b
}

func (b *bed) add(name string, mac wire.MAC, c setup, addrs ...string) *cable {
	b.Helper()
	lk := newCable(mac)
	lk.info.Medium = c.medium
	if c.medium == link.IP {
		lk.info.Addr = wire.MAC{}
	}
	i, err := b.l.AddInterface(name, lk, c.cfg)
	if err != nil {
		b.Fatal(err)
	}
	for _, a := range addrs {
		if err := b.l.AddAddress(i.Index, netip.MustParsePrefix(a), netif.AddressOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	return lk
}

func (b *bed) route(prefix, gateway string) {
	b.Helper()
	if err := b.l.AddRoute(route.Route{Prefix: netip.MustParsePrefix(prefix), Gateway: netip.MustParseAddr(gateway)}); err != nil {
		b.Fatal(err)
	}
}

// know makes neighbors permanent.
func (b *bed) know(index int32, mac wire.MAC, addrs ...wire.Addr) {
	b.l.control.Lock()
	defer b.l.control.Unlock()
	d, err := b.l.find(index)
	if err != nil {
		b.Fatal(err)
	}
	if d.cache == nil {
		return
	}
	for _, a := range addrs {
		d.cache.SetPermanent(b.sim.Now(), a, mac)
		d.known.put(d.cache.Lookup(b.sim.Now(), a))
	}
}

// in delivers frames to an interface of the bed as one batch.
func (b *bed) in(c *cable, frames ...[]byte) {
	var batch packet.Batch
	for _, f := range frames {
		p := packet.From(f)
		if c.info.Medium == link.IP && !link.IP.Land(p) {
			p.Free()
			continue
		}
		batch.Push(p)
	}
	c.r.Deliver(0, &batch)
}

// pass lets time pass.
func (b *bed) pass(d time.Duration) { b.sim.Run(b.sim.Now().Add(d)) }

// values sums all counters.
func (b *bed) values() *mib.Values {
	v := new(mib.Values)
	b.l.AddCounters(v)
	for _, sh := range b.l.shards {
		sh.Counters.AddTo(v)
	}
	return v
}

// drops returns the reasons of v beyond those of w, and how many there were in all.
func drops(v, w *mib.Values) (list []mib.Reason, n uint64) {
	for _, r := range mib.Reasons() {
		if d := v.Dropped(r) - w.Dropped(r); d > 0 {
			list = append(list, r)
			n += d
		}
	}
	return list, n
}

// out makes a packet with the given transport bytes and sends it from the layer.
func (b *bed) out(q Query, pr Params, data []byte) error {
	p, err := b.l.Route(b.sim.Now(), q)
	if err != nil {
		return err
	}
	b.send(p, pr, data)
	return nil
}

func (b *bed) send(path *Path, pr Params, data []byte) {
	p := packet.From(data)
	b.l.Output(path, &pr, p)
	sh := b.l.shards[0]
	sh.Lock()
	sh.Stage(p)
	sh.Unlock()
}

// eth returns a frame.
func eth(dst, src wire.MAC, typ uint16, payload []byte) []byte {
	f := make([]byte, wire.EthernetLen+len(payload))
	wire.PutEthernet(f, dst, src, typ)
	copy(f[wire.EthernetLen:], payload)
	return f
}

// ip4 returns an IPv4 datagram; change may alter its header before it is written.
func ip4(src, dst wire.Addr, proto uint8, data []byte, change ...func(*wire.IPv4Header)) []byte {
	h := wire.IPv4Header{TTL: 64, Protocol: proto, Src: src, Dst: dst, ID: 0x1234}
	for _, f := range change {
		f(&h)
	}
	if h.TotalLen == 0 {
		h.TotalLen = h.Len() + len(data)
	}
	b := make([]byte, h.Len()+len(data))
	h.Put(b)
	copy(b[h.Len():], data)
	return b
}

// ip6 returns an IPv6 packet whose payload begins with the header numbered next.
func ip6(src, dst wire.Addr, next uint8, payload []byte, change ...func(*wire.IPv6Header)) []byte {
	h := wire.IPv6Header{HopLimit: 64, NextHeader: next, Src: src, Dst: dst, PayloadLen: len(payload)}
	for _, f := range change {
		f(&h)
	}
	b := make([]byte, wire.IPv6Len+len(payload))
	h.Put(b)
	copy(b[wire.IPv6Len:], payload)
	return b
}

// in4 and in6 return frames from peer to us.
func in4(p []byte) []byte { return eth(usMAC, peerMAC, wire.EtherTypeIPv4, p) }
func in6(p []byte) []byte { return eth(usMAC, peerMAC, wire.EtherTypeIPv6, p) }

// udp returns a UDP datagram with a good checksum.
func udp(src, dst wire.Addr, data string) []byte {
	b := make([]byte, wire.UDPLen+len(data))
	wire.PutUDP(b, 1000, 2000, len(b))
	copy(b[wire.UDPLen:], data)
	wire.FinishChecksum(b, 6, wire.ProtoUDP, src, dst)
	return b
}

// icmp4 and icmp6 return messages with a good checksum.
func icmp4(typ, code uint8, rest uint32, body []byte) []byte {
	b := make([]byte, wire.ICMPLen+len(body))
	wire.PutICMP(b, typ, code, rest)
	copy(b[wire.ICMPLen:], body)
	wire.FinishICMPv4(b)
	return b
}

func icmp6(src, dst wire.Addr, typ, code uint8, rest uint32, body []byte) []byte {
	b := make([]byte, wire.ICMPLen+len(body))
	wire.PutICMP(b, typ, code, rest)
	copy(b[wire.ICMPLen:], body)
	wire.FinishICMPv6(b, src, dst)
	return b
}

// message is an ICMP message that was sent.
type message struct {
	src, dst  wire.Addr
	hop       uint8
	typ, code uint8
	rest      uint32
	body      []byte
	raw       wire.ICMP
}

// parseICMP reads a frame that must carry a valid ICMP message; ok is false if it is something else.
func parseICMP(t testing.TB, f []byte, medium link.Medium) (m message, ok bool) {
	t.Helper()
	b := f
	if medium == link.Ethernet {
		b = f[wire.EthernetLen:]
	}
	switch b[0] >> 4 {
	case 4:
		h, err := wire.CheckIPv4(b)
		if err != nil || !h.ChecksumOK() {
			t.Fatalf("sent a bad IPv4 header: %v", err)
		}
		if h.Protocol() != wire.ProtoICMP {
			return m, false
		}
		m.src, m.dst, m.hop, m.raw = h.Src(), h.Dst(), h.TTL(), wire.ICMP(h.Payload())
		if !h.IsFragment() && !wire.ICMPv4ChecksumOK(m.raw) {
			t.Fatal("sent a bad ICMP checksum")
		}
	case 6:
		h, err := wire.CheckIPv6(b)
		if err != nil {
			t.Fatalf("sent a bad IPv6 header: %v", err)
		}
		if h.NextHeader() != wire.ProtoICMPv6 {
			return m, false
		}
		m.src, m.dst, m.hop, m.raw = h.Src(), h.Dst(), h.HopLimit(), wire.ICMP(h.Payload())
		if !wire.ICMPv6ChecksumOK(m.raw, m.src, m.dst) {
			t.Fatal("sent a bad ICMPv6 checksum")
		}
	default:
		return m, false
	}
	m.typ, m.code, m.rest, m.body = m.raw.Type(), m.raw.Code(), m.raw.Rest(), m.raw.Body()
	return m, true
}

func flowKey(local, remote wire.Addr, lport, rport uint16) flow.Key {
	return flow.Key{Local: local, Remote: remote, Ports: flow.Ports(lport, rport), Proto: wire.ProtoUDP}
}

type cableInfo = link.Info
