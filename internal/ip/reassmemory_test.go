package ip

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// first6 and first4 return the first fragment of a datagram from src.
func first6(src wire.Addr, id uint32, n int) []byte {
	f := wire.Fragment{Next: 17, More: true, ID: id}
	b := make([]byte, 8+n)
	f.Put(b)
	return in6(ip6(src, us6, 44, b))
}

func first4(src wire.Addr, id uint16, n int) []byte {
	return in4(ip4(src, us4, 17, make([]byte, n), func(h *wire.IPv4Header) { h.ID, h.MoreFragments = id, true }))
}

// Memory is bounded, whatever comes, and of one source the newest datagrams are those that survive.
func TestReassemblyBounded(t *testing.T) {
	b := newBed(t, setup{limit: 64 << 10})
	data := pattern(2000)
	for id := range 1000 {
		b.in(b.eth0, piece6(uint32(id), data, 0, 1000), piece4(uint16(id), data, 0, 1000))
		if b.l.fragments.memory.used > 64<<10 {
			t.Fatalf("%d octets used", b.l.fragments.memory.used)
		}
	}
	b.in(b.eth0, piece6(999, data, 1000, 2000), piece4(999, data, 1000, 2000), piece4(0, data, 1000, 2000))
	if b.udp.n != 2 {
		t.Errorf("%d delivered", b.udp.n)
	}
	// One that alone needs more than there is.
	big := pattern(65000)
	for at := 0; at < 65000; at += 8 {
		b.in(b.eth0, piece4(5555, big, at, min(at+8, 65000)))
	}
	if m := &b.l.fragments.memory; m.used > 64<<10 || m.used != m.class[0]+m.class[1] {
		t.Errorf("%d octets used, %v", m.used, m.class)
	}
	b.pass(2 * time.Minute)
	if m := &b.l.fragments.memory; m.used != 0 || m.class != [2]int{} {
		t.Errorf("%d octets kept, %v", m.used, m.class)
	}
}

// The number of fragments of a datagram is bounded too: they take time to put in order.
func TestReassemblyParts(t *testing.T) {
	b := newBed(t, setup{limit: 64 << 20})
	big := pattern(65000)
	for at := 64000; at > 8; at -= 16 { // backwards, with gaps: twice as many and more
		b.in(b.eth0, piece4(5, big, at, at+8))
	}
	if n := b.values().Dropped(mib.Ip4ReassemblyFull); n != 2*(maxParts+1) {
		t.Errorf("%d given up", n)
	}
}

// A flood does not stop genuine datagrams: with a hundred fragments for each of theirs, and three thousand between the two
// of a datagram, all arrive.
func TestReassemblyFlood(t *testing.T) {
	data := pattern(2000)
	mine6, mine4 := func(id uint32) [2][]byte {
		return [2][]byte{piece6(id, data, 0, 1000), piece6(id, data, 1000, 2000)}
	}, func(id uint32) [2][]byte {
		return [2][]byte{piece4(uint16(id), data, 0, 1000), piece4(uint16(id), data, 1000, 2000)}
	}
	one6, one4 := a6("2001:db8::bad"), a4("192.0.2.66")
	for _, c := range []struct {
		name  string
		mine  func(id uint32) [2][]byte
		flood func(r *rand.Rand) []byte
		known bool // the genuine sender has sent before
	}{
		{"one source, IPv6", mine6, func(r *rand.Rand) []byte { return first6(wire.Addr{Hi: one6.Hi ^ 1<<16, Lo: 1}, r.Uint32(), 1000) }, false},
		{"one prefix, IPv6", mine6, func(r *rand.Rand) []byte {
			return first6(wire.Addr{Hi: one6.Hi ^ 1<<16, Lo: r.Uint64()}, r.Uint32(), 1000)
		}, false},
		{"one source, IPv4", mine4, func(r *rand.Rand) []byte { return first4(one4, uint16(r.Uint32()), 1000) }, false},
		{"other family", mine4, func(r *rand.Rand) []byte { return first6(one6, r.Uint32(), 1000) }, false},
		{"forged sources, IPv6", mine6, func(r *rand.Rand) []byte {
			return first6(wire.Addr{Hi: 0x2a<<56 | r.Uint64()>>8, Lo: r.Uint64()}, r.Uint32(), 1000)
		}, true},
		{"forged sources, IPv4", mine4, func(r *rand.Rand) []byte {
			return first4(wire.Addr4(8, byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())), uint16(r.Uint32()), 1000)
		}, true},
		{"whole tiny datagrams of one source", mine6, func(r *rand.Rand) []byte { return piece6From(wire.Addr{Hi: one6.Hi ^ 1<<16, Lo: 1}, r) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t, setup{cfg: netif.Config{}})
			r := rand.New(rand.NewPCG(3, 4))
			sent := 0
			if c.known {
				p := c.mine(1 << 14)
				b.in(b.eth0, p[0], p[1])
				sent++
			}
			b.udp.keep = false
			for id := range uint32(10) {
				p := c.mine(id)
				b.in(b.eth0, p[0])
				for range 3000 {
					b.in(b.eth0, c.flood(r))
				}
				b.pass(100 * time.Millisecond)
				b.in(b.eth0, p[1])
				sent++
			}
			if genuine := b.udp.n; genuine < sent {
				t.Errorf("%d of %d delivered", genuine, sent)
			}
			if m := &b.l.fragments.memory; m.used > m.limit {
				t.Errorf("%d octets used", m.used)
			}
		})
	}
}

// piece6From returns a fragment of a datagram of two from src, one or the other, of few identifications.
func piece6From(src wire.Addr, r *rand.Rand) []byte {
	f := wire.Fragment{Next: 143, More: true, ID: r.Uint32N(4)}
	if r.Uint32()&1 == 0 {
		f.Offset, f.More = 8, false
	}
	b := make([]byte, 16)
	f.Put(b)
	return in6(ip6(src, us6, 44, b))
}
