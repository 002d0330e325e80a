package raw

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/mcast"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

var (
	us4, peer4, far4 = wire.Addr4(192, 0, 2, 1), wire.Addr4(192, 0, 2, 2), wire.Addr4(198, 51, 100, 1)
	us6, peer6       = wire.Addr{Hi: 0x20010db8 << 32, Lo: 1}, wire.Addr{Hi: 0x20010db8 << 32, Lo: 2}
	group6           = wire.Addr{Hi: 0xff02 << 48, Lo: 0x1234}
)

// rig is raw sockets on a host with one interface, in virtual time.
type rig struct {
	testing.TB
	sim *clock.Sim
	ip  *ip.Layer
	raw *Layer
	c   mib.Set
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{TB: t, sim: clock.NewSim(1)}
	t.Cleanup(r.sim.Stop)
	rt := r.sim.Runtime(1)
	r.ip = ip.New(ip.Config{Runtime: rt})
	r.ip.SetShards([]*shard.Shard{shard.New(rt, 0, r.ip.Transmitter(0))})
	r.raw = New(rt, r.ip)
	a, _ := mem.Pair(mem.Config{Runtime: rt})
	quiet := netif.NewIPv6()
	quiet.Solicitations = 0
	i, err := r.ip.AddInterface("eth0", a, netif.Config{DupAddrDetectTransmits: -1, IPv6: &quiet})
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{"192.0.2.1/24", "2001:db8::1/64"} {
		if err := r.ip.AddAddress(i.Index, netip.MustParsePrefix(addr), netif.AddressOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r *rig) open(proto uint8, local, remote wire.Addr, f flow.Family) *Socket {
	r.Helper()
	cfg := dgram.Config{Bound: flow.Bound{Local: flow.Endpoint{Addr: local}, Family: f}}
	if remote != (wire.Addr{}) {
		cfg.Remote.Addr = remote
	}
	s, err := r.raw.Open(proto, cfg)
	if err != nil {
		r.Fatal(err)
	}
	return s
}

// arrived returns a packet as ip shows it: with its internet header before it.
func arrived(src, dst wire.Addr, proto uint8, b []byte) *packet.Buffer {
	n := wire.IPv6Len
	if dst.Is4() {
		n = wire.IPv4MinLen
	}
	p := packet.New(n + len(b))
	if dst.Is4() {
		h := wire.IPv4Header{TTL: 9, Protocol: proto, Src: src, Dst: dst, TotalLen: n + len(b)}
		h.Put(p.Bytes())
	} else {
		h := wire.IPv6Header{HopLimit: 9, NextHeader: proto, Src: src, Dst: dst, PayloadLen: len(b)}
		h.Put(p.Bytes())
	}
	copy(p.Bytes()[n:], b)
	p.SetNetwork()
	p.TrimFront(n)
	p.SetTransport()
	p.Src, p.Dst, p.Proto, p.In, p.HopLimit = src, dst, proto, 2, 9
	return p
}

// input shows a packet to the sockets.
func (r *rig) input(p *packet.Buffer) bool {
	defer p.Free()
	return r.raw.Input(&r.c, r.sim.Now(), p)
}

// Each socket that a packet fits gets a copy: of its protocol and family, to its address, from its remote end, by its interface.
func TestMatch(t *testing.T) {
	r := newRig(t)
	sockets := map[string]*Socket{
		"any":           r.open(89, wire.Addr{}, wire.Addr{}, flow.Dual),
		"IPv4":          r.open(89, wire.Unspecified4, wire.Addr{}, flow.Only4),
		"IPv6":          r.open(89, wire.Addr{}, wire.Addr{}, flow.Only6),
		"us4":           r.open(89, us4, wire.Addr{}, flow.Only4),
		"us6":           r.open(89, us6, wire.Addr{}, flow.Only6),
		"from peer4":    r.open(89, wire.Addr{}, peer4, flow.Only4),
		"another":       r.open(90, wire.Addr{}, wire.Addr{}, flow.Dual),
		"elsewhere":     r.open(89, wire.Addr{}, wire.Addr{}, flow.Dual),
		"us6, in group": r.open(89, us6, wire.Addr{}, flow.Only6),
	}
	sockets["elsewhere"].SetInterface(7)
	if err := sockets["us6, in group"].Join(2, group6, mcast.All); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name     string
		src, dst wire.Addr
		want     []string
	}{
		{"IPv4", peer4, us4, []string{"any", "IPv4", "us4", "from peer4"}},
		{"IPv4 from another", far4, us4, []string{"any", "IPv4", "us4"}},
		{"IPv4 to everybody", peer4, wire.Broadcast4, []string{"any", "IPv4"}},
		{"IPv6", peer6, us6, []string{"any", "IPv6", "us6", "us6, in group"}},
		{"IPv6 to a group", peer6, group6, []string{"any", "IPv6", "us6, in group"}},
	} {
		if !r.input(arrived(row.src, row.dst, 89, []byte("x"))) {
			t.Errorf("%s: nobody hears it", row.name)
		}
		want := map[string]bool{}
		for _, w := range row.want {
			want[w] = true
		}
		for name, s := range sockets {
			n, _ := s.Queued()
			if n > 1 || (n == 1) != want[name] {
				t.Errorf("%s: %d for %q", row.name, n, name)
			}
			for ; n > 0; n-- {
				s.TryReceive(nil, false, new(dgram.Datagram))
			}
		}
	}
	if r.input(arrived(peer4, us4, 91, nil)) {
		t.Error("a protocol without a socket is heard")
	}
}

// With IPv4 the internet header is read, with IPv6 it is not; what does not fit is counted.
func TestQueue(t *testing.T) {
	r := newRig(t)
	s := r.open(89, wire.Addr{}, wire.Addr{}, flow.Dual)
	r.input(arrived(peer4, us4, 89, []byte("four")))
	r.input(arrived(peer6, us6, 89, []byte("six")))
	for _, want := range []int{wire.IPv4MinLen + 4, 3} {
		var d dgram.Datagram
		b := make([]byte, 100)
		if n, err := s.TryReceive([][]byte{b}, false, &d); err != nil || n != want || d.HopLimit != 9 || d.Interface != 2 {
			t.Errorf("%d octets, want %d: %+v, %v", n, want, d, err)
		}
	}
	s.SetReceiveBuffer(3000)
	for range 3 {
		r.input(arrived(peer4, us4, 89, nil))
	}
	if n := r.c.Dropped(mib.RawQueueFull); n != 2 {
		t.Errorf("%d dropped of 3 where one fits", n)
	}
}

// RFC 3542, 3.1: the kernel is to "verify the received checksum on input, discarding the packet if the checksum is in error."
func TestVerify(t *testing.T) {
	r := newRig(t)
	s := r.open(wire.ProtoICMPv6, wire.Addr{}, wire.Addr{}, flow.Only6)
	b := make([]byte, wire.ICMPLen)
	wire.PutICMP(b, wire.ICMPv6EchoRequest, 0, 7)
	wire.FinishICMPv6(b, peer6, us6)
	r.input(arrived(peer6, us6, wire.ProtoICMPv6, b))
	b[7] ^= 1
	r.input(arrived(peer6, us6, wire.ProtoICMPv6, b))
	if n, _ := s.Queued(); n != 1 || r.c.Dropped(mib.RawChecksum) != 1 {
		t.Errorf("%d queued, %d counted as wrong", n, r.c.Dropped(mib.RawChecksum))
	}
}

// RFC 3542, 3.2: a filter keeps away the types that it blocks; of ICMP, types from 32 on are not filtered, as with Linux.
func TestFilter(t *testing.T) {
	r := newRig(t)
	four := r.open(wire.ProtoICMP, wire.Unspecified4, wire.Addr{}, flow.Only4)
	six := r.open(wire.ProtoICMPv6, wire.Addr{}, wire.Addr{}, flow.Only6)
	var f Filter
	for i := range f {
		f[i] = ^uint32(0)
	}
	f.Pass(8)
	f.Pass(200)
	four.SetFilter(f)
	six.SetFilter(f)
	for _, row := range []struct {
		typ       uint8
		four, six int
	}{{8, 1, 1}, {0, 0, 0}, {31, 0, 0}, {32, 1, 0}, {199, 1, 0}, {200, 1, 1}, {255, 1, 0}} {
		b := make([]byte, wire.ICMPLen)
		wire.PutICMP(b, row.typ, 0, 0)
		r.input(arrived(peer4, us4, wire.ProtoICMP, b))
		wire.FinishICMPv6(b, peer6, us6)
		r.input(arrived(peer6, us6, wire.ProtoICMPv6, b))
		for s, want := range map[*Socket]int{four: row.four, six: row.six} {
			n, _ := s.Queued()
			if n != want {
				t.Errorf("type %d: %d for protocol %d, want %d", row.typ, n, s.Number(), want)
			}
			s.TryReceive(nil, false, new(dgram.Datagram))
		}
	}
	r.input(arrived(peer4, us4, wire.ProtoICMP, []byte{8}))
	if n, _ := four.Queued(); n != 0 {
		t.Error("a message cut short passes a filter")
	}
}

// Sockets that may have sent a packet are told of an error about it, if they are connected or ask for it; and they vouch for
// it if they may just have sent it.
func TestErrors(t *testing.T) {
	r := newRig(t)
	connected, wild := r.open(89, wire.Addr{}, peer4, flow.Only4), r.open(89, us4, wire.Addr{}, flow.Only4)
	asks := r.open(89, wire.Unspecified4, wire.Addr{}, flow.Only4)
	asks.SetReporting(true)
	e := ip.Error{Errno: syscall.EHOSTUNREACH, From: far4, Src: us4, Dst: peer4, Proto: 89}
	r.raw.Error(&e)
	if connected.Pending() == nil || wild.Pending() != nil || asks.Pending() != nil {
		t.Errorf("pending: %v, %v, %v", connected.Pending(), wild.Pending(), asks.Pending())
	}
	if _, _, _, err := asks.Receive(nil); !errors.Is(err, syscall.EHOSTUNREACH) {
		t.Errorf("the socket that asks reads %v", err)
	}
	if !r.raw.Vouches(&e) {
		t.Error("nobody vouches for what a connected socket may have sent")
	}
	connected.Close()
	if r.raw.Vouches(&e) {
		t.Error("somebody vouches for what nobody sent")
	}
	if err := wild.Send([]byte("x"), flow.Endpoint{Addr: peer4}); err != nil {
		t.Fatal(err)
	}
	if !r.raw.Vouches(&e) {
		t.Error("nobody vouches for what was just sent")
	}
}

func TestOpen(t *testing.T) {
	r := newRig(t)
	if _, err := r.raw.Open(0, dgram.Config{}); err != syscall.EPROTONOSUPPORT {
		t.Errorf("protocol 0: %v", err)
	}
	s := r.open(89, wire.Addr{}, wire.Addr{}, flow.Dual)
	r.raw.Close()
	if err := s.Close(); err == nil {
		t.Error("a socket outlives its layer")
	}
	if _, err := r.raw.Open(89, dgram.Config{}); err != syscall.ESHUTDOWN {
		t.Errorf("after Close: %v", err)
	}
}
