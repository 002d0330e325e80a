package ip

import (
	"testing"
	"time"

	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// seeds are frames that reach far into the layer; the tables above have the rest.
func seeds() [][]byte {
	data := pattern(64)
	quote4 := ip4(us4, far4, 17, udp(us4, far4, "data"))
	quote6 := ip6(us6, far6, 17, udp(us6, far6, "data"))
	return [][]byte{
		in4(ip4(peer4, us4, 17, udp(peer4, us4, "x"))),
		in4(ip4(peer4, other4, 17, make([]byte, 1600))),
		in4(ip4(peer4, other4, 17, nil, ttl1)),
		in4(ip4(peer4, us4, 17, nil, func(h *wire.IPv4Header) { h.Options = []byte{131, 7, 4, 10, 0, 0, 1} })),
		in4(ip4(peer4, us4, 1, icmp4(8, 0, 1, data))),
		in4(ip4(peer4, us4, 1, icmp4(3, 4, 1300, quote4))),
		in4(ip4(peer4, us4, 1, icmp4(3, 3, 0, quote4))),
		piece4(1, data, 0, 24), piece4(1, data, 24, 64), piece6(1, data, 0, 24), piece6(1, data, 24, 64),
		in6(ip6(peer6, us6, 17, udp(peer6, us6, "x"))),
		in6(ip6(peer6, other6, 17, make([]byte, 1600))),
		in6(ip6(peer6, us6, 0, cat(ext(60), ext(43, 1, 4, 5), []byte{44, 0, 99, 0, 0, 0, 0, 0}, []byte{17, 0, 0, 0, 0, 0, 0, 1}, data))),
		in6(ip6(peer6, us6, 60, cat(ext(17, 0x9e, 0), data))),
		in6(ip6(peer6, us6, 58, icmp6(peer6, us6, 128, 0, 1, data))),
		in6(ip6(peer6, us6, 58, icmp6(peer6, us6, 2, 0, 1300, cat(quote6, make([]byte, 1300))))),
		in6(ip6(peer6, us6, 58, icmp6(peer6, us6, 1, 4, 0, quote6))),
		nd6(usMAC, newMAC, new6, us6, &wire.NeighborSolicitation{Target: us6, SourceLink: newMAC}),
		nd6(usMAC, newMAC, new6, us6, &wire.NeighborAdvertisement{Solicited: true, Target: new6, TargetLink: newMAC}),
		nd6(wire.AllNodes6.MulticastMAC(), newMAC, wire.Addr{}, us6.SolicitedNode(), &wire.NeighborSolicitation{Target: us6}),
		arp(wire.BroadcastMAC, wire.ARP{Op: 1, SenderMAC: newMAC, SenderIP: new4, TargetIP: us4}),
		arp(usMAC, wire.ARP{Op: 2, SenderMAC: newMAC, SenderIP: new4, TargetMAC: usMAC, TargetIP: us4}),
	}
}

// accounted returns how many frames have ended: delivered, forwarded, dropped, or as ICMP, Neighbor Discovery or ARP
// that was understood.
func accounted(b *bed) uint64 {
	v := b.values()
	var n uint64
	for _, r := range mib.Reasons() {
		n += v.Dropped(r)
	}
	for _, c := range []mib.Counter{mib.IpInDelivers, mib.Ip6InDelivers, mib.IpForwDatagrams, mib.Ip6OutForwDatagrams, mib.IcmpInMsgs,
		mib.Icmp6InMsgs, mib.ArpInRequests, mib.ArpInReplies, mib.IpReasmReqds, mib.Ip6ReasmReqds} {
		n += v.Get(c)
	}
	return n
}

// Any frame at all: never a panic, and each is delivered, forwarded or counted as a drop.
func FuzzDeliver(f *testing.F) {
	for i, s := range seeds() {
		f.Add(s, uint8(i))
	}
	f.Fuzz(func(t *testing.T, frame []byte, mode uint8) {
		if len(frame) > 60000 {
			return
		}
		c := setup{forwarding: mode&1 != 0, dad: mode&2 != 0, shards: 1 + int(mode>>2&1)}
		if mode&8 != 0 {
			c.medium = link.IP
		}
		b := newBed(t, c)
		if mode&16 != 0 {
			b.udp.answer, b.tcp.answer = NoPort, NoPort
		}
		if c.medium == link.IP && len(frame) > 0 && frame[0]>>4 != 4 && frame[0]>>4 != 6 {
			return // the link does not let it through
		}
		if c.medium == link.IP && len(frame) == 0 {
			return
		}
		before := accounted(b)
		b.in(b.eth0, frame)
		// An ARP packet of another operation is heard and that is all.
		other := len(frame) >= 14+28 && frame[12] == 8 && frame[13] == 6 && c.medium == link.Ethernet
		if accounted(b) == before && !other {
			t.Errorf("unaccounted for: %x", frame)
		}
		b.in(b.eth0, frame, frame)
		b.pass(2 * time.Minute)
		if b.l.fragments.memory.used != 0 {
			t.Errorf("%d octets of fragments kept", b.l.fragments.memory.used)
		}
		for _, sent := range b.eth0.take() {
			if c.forwarding {
				break // what is passed on may be as bad as it came
			}
			if c.medium == link.Ethernet && sent[12] == 0x08 && sent[13] == 0x06 {
				continue
			}
			parseICMP(t, sent, c.medium) // what we say is well formed
		}
	})
}

// Every truncation of every seed, and every octet of it changed, with the same promises.
func TestTruncationsAndChanges(t *testing.T) {
	b := newBed(t, setup{forwarding: true, rate: -1})
	b.eth0.keep, b.udp.keep, b.tcp.keep, b.ping4.keep, b.ping6.keep = false, false, false, false, false
	b.eth1.keep = false
	for _, s := range seeds() {
		for n := range s {
			before := accounted(b)
			b.in(b.eth0, s[:n])
			c := append([]byte(nil), s...)
			c[n] ^= 0x41
			b.in(b.eth0, c)
			if accounted(b) < before+2 && c[12] != 8 {
				t.Fatalf("unaccounted for: %x", c)
			}
		}
	}
}

// A fuzz target for the reassembly machine: any fragments of a known datagram never give another one.
func FuzzReassembly(f *testing.F) {
	f.Add([]byte{0, 3, 3, 5})
	f.Add([]byte{3, 5, 0, 3, 0, 3})
	f.Add([]byte{0, 9, 1, 2})
	f.Fuzz(func(t *testing.T, cuts []byte) {
		b := newBed(t, setup{limit: 1 << 20})
		data := pattern(803)
		for i := 0; i+1 < len(cuts) && i < 200; i += 2 {
			at := min(int(cuts[i])*8, 800)
			end := min(at+int(cuts[i+1])*8, len(data))
			b.in(b.eth0, piece4(7, data, at, end), piece6(7, data, at, end))
		}
		for _, g := range b.udp.got {
			if string(g.data) != string(data) {
				t.Fatalf("delivered %d octets that nobody sent", len(g.data))
			}
		}
		b.pass(2 * time.Minute)
		if b.l.fragments.memory.used != 0 || len(b.l.fragments.m) != 0 {
			t.Errorf("%d octets kept", b.l.fragments.memory.used)
		}
	})
}
