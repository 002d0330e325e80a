package ip

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// piece6 and piece4 return frames with a fragment of data.
func piece6(id uint32, data []byte, at, end int) []byte {
	f := wire.Fragment{Next: 17, Offset: at, More: end < len(data), ID: id}
	b := make([]byte, 8, 8+end-at)
	f.Put(b)
	return in6(ip6(peer6, us6, 44, append(b, data[at:end]...)))
}

func piece4(id uint16, data []byte, at, end int) []byte {
	return in4(ip4(peer4, us4, 17, data[at:end], func(h *wire.IPv4Header) {
		h.ID, h.FragmentOffset, h.MoreFragments = id, at, end < len(data)
	}))
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*13 + i>>8)
	}
	return b
}

// Any cut and any order make the datagram, once.
func TestReassemblyOrders(t *testing.T) {
	b := newBed(t, setup{})
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		data := pattern(16 + rng.IntN(5000))
		var frames [][]byte
		for at := 0; at < len(data); {
			end := min(at+8*(1+rng.IntN(100)), len(data))
			if end-at < 20 && at == 0 {
				end = len(data)
			}
			if round%2 == 0 {
				frames = append(frames, piece4(uint16(round), data, at, end))
			} else {
				frames = append(frames, piece6(uint32(round), data, at, end))
			}
			at = end
		}
		if len(frames) == 1 {
			continue
		}
		frames = append(frames, frames[rng.IntN(len(frames)-1)]) // RFC 8200, 4.5: an exact duplicate
		rng.Shuffle(len(frames), func(i, j int) { frames[i], frames[j] = frames[j], frames[i] })
		b.udp.got = nil
		for _, f := range frames {
			b.in(b.eth0, f)
		}
		if len(b.udp.got) != 1 || !bytes.Equal(b.udp.got[0].data, data) {
			t.Fatalf("round %d: %d delivered of %d fragments", round, len(b.udp.got), len(frames))
		}
		// A duplicate that came last began another datagram.
		b.l.control.Lock()
		b.l.fragments.flush()
		b.l.control.Unlock()
	}
}

// RFC 5722, 4; RFC 8200, 4.5: overlaps end the datagram, silently, and those to come are discarded too. IPv4, as Linux has
// it, forgets the datagram, and takes what is there already for a duplicate.
func TestReassemblyOverlap(t *testing.T) {
	data := pattern(64)
	for _, c := range []struct {
		name      string
		pieces    [][2]int
		delivers4 bool
	}{
		{"beginning of the next", [][2]int{{0, 24}, {16, 40}, {40, 64}}, false},
		{"end of the one before", [][2]int{{16, 40}, {0, 24}, {40, 64}}, false},
		{"within", [][2]int{{0, 40}, {8, 16}, {40, 64}}, true},
		{"within two", [][2]int{{0, 16}, {16, 40}, {8, 24}, {40, 64}}, true},
		{"within two with a gap", [][2]int{{0, 16}, {24, 40}, {8, 32}, {16, 24}}, false},
		{"same end", [][2]int{{0, 24}, {8, 24}, {24, 64}}, true},
		{"around", [][2]int{{8, 16}, {0, 40}, {40, 64}}, false},
		{"same beginning", [][2]int{{0, 24}, {0, 32}, {32, 64}}, false},
		{"two ends", [][2]int{{40, 64}, {40, 48}, {0, 40}}, false},
		{"behind the end", [][2]int{{32, 48}, {48, 64}, {0, 32}}, false},
		{"empty", [][2]int{{0, 24}, {24, 24}, {24, 64}}, false},
	} {
		for _, four := range []bool{true, false} {
			b := newBed(t, setup{})
			for i, p := range c.pieces {
				data := data
				if c.name == "two ends" && i == 1 || c.name == "behind the end" && i == 0 {
					data = data[:48] // it says to be the last
				}
				if four {
					b.in(b.eth0, piece4(1, data, p[0], p[1]))
				} else {
					b.in(b.eth0, piece6(1, data, p[0], p[1]))
				}
			}
			if want := four && c.delivers4; b.udp.n != 0 != want {
				t.Errorf("%s: delivered: %v (IPv4: %v)", c.name, b.udp.n != 0, four)
			}
			v := b.values()
			if n := v.Dropped(mib.Ip6FragmentOverlap); !four && (n != uint64(len(c.pieces)) || b.l.fragments.memory.used != datagramCost) {
				t.Errorf("%s: %d dropped, %d octets used", c.name, n, b.l.fragments.memory.used)
			}
			if n := v.Dropped(mib.Ip4FragmentOverlap); four && n == 0 != c.delivers4 {
				t.Errorf("%s: %d dropped", c.name, n)
			}
			b.pass(61 * time.Second)
			if !four && len(b.eth0.take()) != 0 || b.l.fragments.memory.used != 0 || len(b.l.fragments.m) != 0 {
				t.Errorf("%s: an error was sent, or memory kept", c.name)
			}
		}
	}
}

// RFC 3168, 5.3: congestion is not lost, and fragments that can tell of it do not go with those that cannot.
func TestReassemblyECN(t *testing.T) {
	data := pattern(64)
	want := [4][4]int{{0, -1, -1, -1}, {-1, 1, 1, 3}, {-1, 2, 2, 3}, {-1, 3, 3, 3}} // -1: dropped
	for x := range 4 {
		for y := range 4 {
			for _, four := range []bool{true, false} {
				b := newBed(t, setup{})
				one, two := piece6(1, data, 0, 24), piece6(1, data, 24, 64)
				if four {
					mark := func(f []byte, ecn int) []byte {
						f[15] = byte(ecn)
						wire.IPv4(f[14:]).UpdateChecksum()
						return f
					}
					one, two = mark(piece4(1, data, 0, 24), x), mark(piece4(1, data, 24, 64), y)
				} else {
					one[15], two[15] = byte(x)<<4, byte(y)<<4
				}
				b.in(b.eth0, one, two)
				got := -1
				if b.udp.n == 1 {
					got = int(b.udp.got[0].tc)
				}
				if got != want[x][y] {
					t.Errorf("ECN %d and %d: %d (IPv4: %v)", x, y, got, four)
				}
				if v := b.values(); got < 0 && v.Dropped(mib.Ip4FragmentECN)+v.Dropped(mib.Ip6FragmentECN) != 2 {
					t.Errorf("ECN %d and %d: not counted", x, y)
				}
			}
		}
	}
}

// RFC 8200, 4.5; RFC 1122, 3.3.2: Time Exceeded, code 1, if the first fragment was received.
func TestReassemblyTimeout(t *testing.T) {
	data := pattern(64)
	b := newBed(t, setup{})
	b.in(b.eth0, piece6(1, data, 0, 24), piece6(2, data, 24, 64), piece4(1, data, 0, 24), piece4(2, data, 24, 64))
	b.pass(reassemblyTime4 - time.Millisecond)
	if len(b.eth0.take()) != 0 {
		t.Fatal("too early")
	}
	b.pass(2 * time.Millisecond)
	sent := b.eth0.take()
	if len(sent) != 1 {
		t.Fatalf("%d sent", len(sent))
	}
	if m, _ := parseICMP(t, sent[0], link.Ethernet); m.typ != 11 || m.code != 1 || !bytes.Equal(m.body, piece4(1, data, 0, 24)[14:]) {
		t.Errorf("%+v", m)
	}
	b.pass(reassemblyTime6 - reassemblyTime4)
	sent = b.eth0.take()
	if len(sent) != 1 {
		t.Fatalf("%d sent", len(sent))
	}
	if m, _ := parseICMP(t, sent[0], link.Ethernet); m.typ != 3 || m.code != 1 || !bytes.Equal(m.body, piece6(1, data, 0, 24)[14:]) {
		t.Errorf("%+v", m)
	}
	v := b.values()
	if v.Get(mib.IpReasmTimeout) != 2 || v.Get(mib.Ip6ReasmTimeout) != 2 || b.l.fragments.memory.used != 0 {
		t.Error("counters wrong, or memory kept")
	}
	// A fragment that comes afterwards begins anew.
	b.in(b.eth0, piece4(1, data, 24, 64), piece4(1, data, 0, 24))
	if b.udp.n != 1 {
		t.Error("not delivered")
	}
}

// RFC 6980, 5: Neighbor Discovery is never fragmented.
func TestFragmentedND(t *testing.T) {
	b := newBed(t, setup{})
	m := wire.NeighborSolicitation{Target: us6, SourceLink: peerMAC}
	ns := make([]byte, m.Len())
	m.Put(ns)
	wire.FinishICMPv6(ns, peer6, us6)
	hops := func(h *wire.IPv6Header) { h.HopLimit = 255 }
	b.in(b.eth0, in6(ip6(peer6, us6, 44, cat([]byte{58, 0, 0, 0, 0, 0, 0, 1}, ns), hops)),
		in6(ip6(peer6, us6, 44, cat([]byte{58, 0, 0, 1, 0, 0, 0, 2}, ns[:24]), hops)),
		in6(ip6(peer6, us6, 44, cat([]byte{58, 0, 0, 24, 0, 0, 0, 2}, ns[24:]), hops)))
	if n := b.values().Dropped(mib.NdInvalid); n != 2 || len(b.eth0.take()) != 0 {
		t.Errorf("%d dropped", n)
	}
	b.in(b.eth0, in6(ip6(peer6, us6, 58, ns, hops)))
	if len(b.eth0.take()) != 1 {
		t.Error("the whole one was not answered")
	}
}

// RFC 8200, 4.5: the extension headers before the Fragment header stay, those behind it are put together.
func TestReassemblyExtensionHeaders(t *testing.T) {
	b := newBed(t, setup{})
	data := udp(peer6, us6, string(pattern(100)))
	whole := cat(ext(17), data) // destination options within the fragmentable part
	for at := 0; at < len(whole); at += 56 {
		end := min(at+56, len(whole))
		f := wire.Fragment{Next: 60, Offset: at, More: end < len(whole), ID: 3}
		h := make([]byte, 8)
		f.Put(h)
		b.in(b.eth0, in6(ip6(peer6, us6, 0, cat(ext(43), []byte{44, 0, 99, 0, 0, 0, 0, 0}, h, whole[at:end]))))
	}
	if len(b.udp.got) != 1 || !bytes.Equal(b.udp.got[0].data, data) {
		t.Fatalf("%d delivered", len(b.udp.got))
	}
}

// RFC 791, 3.1: all fragments but the last are of a multiple of 8 octets, and the whole has at most 65,535.
func TestFragments4Malformed(t *testing.T) {
	frag := func(at int, more bool, n int) []byte {
		return in4(ip4(peer4, us4, 17, make([]byte, n), func(h *wire.IPv4Header) { h.FragmentOffset, h.MoreFragments = at, more }))
	}
	check(t, setup{}, []row{
		{"not of 8", frag(0, true, 20), dropped(mib.Ip4Reassembly)},
		{"beyond 65535", frag(65528, false, 8), dropped(mib.Ip4Reassembly)},
		{"empty", frag(8, false, 0), dropped(mib.Ip4FragmentOverlap)},
	})
}
