package conform

import (
	"time"

	"github.com/onlink-go/onlink/wire"
)

// pieces6 returns the packets that carry data as the fragments from and to the offsets in cuts.
func pieces6(id uint32, next uint8, data []byte, cuts ...[2]int) (p [][]byte) {
	for _, c := range cuts {
		p = append(p, IP6(Peer6[0], Node6[0], fr, Cat(Frag(next, id, c[0], c[1] < len(data)), data[c[0]:c[1]])))
	}
	return p
}

func pieces4(id uint16, data []byte, cuts ...[2]int) (p [][]byte) {
	for _, c := range cuts {
		p = append(p, IP4(Peer4[0], Node4[0], wire.ProtoICMP, data[c[0]:c[1]], func(h *wire.IPv4Header) {
			h.ID, h.FragmentOffset, h.MoreFragments = id, c[0], c[1] < len(data)
		}))
	}
	return p
}

// Fragments are cases of reassembly (RFC 8200, 4.5; RFC 5722; RFC 791, 3.2).
func Fragments() (cases []Case) {
	id := uint32(1000)
	cuts := []struct {
		name string
		cuts [][2]int
	}{
		{"two", [][2]int{{0, 24}, {24, 64}}},
		{"two backwards", [][2]int{{24, 64}, {0, 24}}},
		{"three mixed", [][2]int{{16, 40}, {40, 64}, {0, 16}}},
		{"duplicate", [][2]int{{0, 24}, {0, 24}, {24, 64}}},
		{"duplicate of the last", [][2]int{{24, 64}, {24, 64}, {0, 24}}},
		{"overlap with the next", [][2]int{{0, 24}, {16, 40}, {40, 64}, {24, 40}}},
		{"overlap with the one before", [][2]int{{16, 40}, {0, 24}, {40, 64}, {0, 16}}},
		{"within another", [][2]int{{0, 40}, {8, 16}, {40, 64}}},
		{"within two others", [][2]int{{0, 16}, {16, 40}, {8, 32}, {40, 64}}},
		{"around another", [][2]int{{8, 16}, {0, 40}, {40, 64}}},
		{"same beginning", [][2]int{{0, 24}, {0, 32}, {32, 64}}},
		{"same end", [][2]int{{0, 24}, {8, 24}, {24, 64}}},
		{"last within", [][2]int{{0, 48}, {40, 64}, {48, 64}}},
		{"first only", [][2]int{{0, 24}}},
		{"empty between", [][2]int{{0, 24}, {24, 24}, {24, 64}}},
		{"after an overlap the same again", [][2]int{{0, 24}, {16, 40}, {0, 24}, {24, 64}}},
	}
	for _, c := range cuts {
		id++
		e := Echo6(Peer6[0], Node6[0], Data(56))
		cases = append(cases, Case{Name: "IPv6 fragments: " + c.name, Steps: Each(pieces6(id, icmp, e, c.cuts...)...)},
			Case{Name: "IPv4 fragments: " + c.name, Steps: Each(pieces4(uint16(id), Echo4(Data(56)), c.cuts...)...)})
	}
	for _, n := range []int{1500, 4000, 65000} {
		id++
		e6, e4 := Echo6(Peer6[0], Node6[0], Data(n)), Echo4(Data(n))
		var c6 [][2]int
		for at := 0; at < len(e6); at += 1232 {
			c6 = append(c6, [2]int{at, min(at+1232, len(e6))})
		}
		cases = append(cases, Case{Name: "IPv6 echo of many octets", Steps: Each(pieces6(id, icmp, e6, c6...)...)},
			Case{Name: "IPv4 echo of many octets", Steps: Each(pieces4(uint16(id), e4, c6...)...)})
	}
	id++
	e := Echo6(Peer6[0], Node6[0], Data(56))
	at := func(next uint8, offset int, more bool, data []byte) []byte {
		id++
		return IP6(Peer6[0], Node6[0], fr, Cat(Frag(next, id, offset, more), data))
	}
	same := func(next uint8, offset int, more bool, data []byte) []byte {
		return IP6(Peer6[0], Node6[0], fr, Cat(Frag(next, id, offset, more), data))
	}
	v4 := func(change func(*wire.IPv4Header), data []byte) []byte {
		id++
		return IP4(Peer4[0], Node4[0], wire.ProtoICMP, data, func(h *wire.IPv4Header) { h.ID = uint16(id); change(h) })
	}
	ecn := func(p []byte, bits byte) []byte {
		p = Poke(p, 1, p[1]&^0x30|bits<<4)
		return p
	}
	add := func(name string, s []Step) { cases = append(cases, Case{Name: "fragments: " + name, Steps: s}) }
	add("length not a multiple of 8", One(at(icmp, 0, true, e[:21])))
	add("length not a multiple of 8, later", One(at(icmp, 16, true, e[:21])))
	add("length not a multiple of 8, last", One(at(icmp, 16, false, e[:21])))
	add("length not a multiple of 8, behind destination options",
		One(IP6(Peer6[0], Node6[0], dopt, Cat(Ext(fr), Frag(icmp, 5000, 0, true), e[:21]))))
	add("too long", One(at(icmp, 65528, false, e[:8])))
	add("too long by one", One(at(icmp, 65520, false, e[:16])))
	add("too long, more", One(at(icmp, 65528, true, e[:8])))
	add("long enough", One(at(icmp, 65520, false, e[:7])))
	add("too long, behind destination options", One(IP6(Peer6[0], Node6[0], dopt, Cat(Ext(fr), Frag(icmp, 5001, 65520, false), e[:15]))))
	add("first without upper header", One(at(dopt, 0, true, Ext(icmp))))
	add("first with half a TCP header", One(at(wire.ProtoTCP, 0, true, SYN(Peer6[0], Node6[0])[:8])))
	add("first with half a UDP header", One(IP6(Peer6[0], Node6[0], dopt, Cat(Ext(fr), Frag(dopt, 5002, 0, true), Ext(17)))))
	add("first with four octets of ICMP", One(IP6(Peer6[0], Node6[0], fr, Cat(Frag(dopt, 5003, 0, true), []byte{58, 1, 1, 4, 0, 0, 0, 0}))))
	add("first of unknown protocol", One(at(143, 0, true, e[:16])))
	add("unknown protocol whole", Each(at(143, 0, true, e[:16]), same(143, 16, false, e[16:])))
	add("no next header whole", Each(at(59, 0, true, e[:16]), same(59, 16, false, e[16:])))
	add("next header of the first counts", Each(at(icmp, 0, true, e[:16]), same(143, 16, false, e[16:])))
	add("next header of the first counts, backwards", Each(at(143, 16, false, e[16:]), same(icmp, 0, true, e[:16])))
	add("headers of the first count", Each(at(icmp, 16, false, e[16:]),
		IP6(Peer6[0], Node6[0], dopt, Cat(Ext(fr), Frag(icmp, id, 0, true), e[:16]))))
	add("options in the second", Each(at(icmp, 0, true, e[:16]), IP6(Peer6[0], Node6[0], dopt, Cat(Ext(fr, 0x9e, 0), Frag(icmp, id, 16, false), e[16:]))))
	add("hop limit of the first", Each(at(icmp, 0, true, e[:16]), Poke(same(icmp, 16, false, e[16:]), 7, 3)))
	add("empty first", Each(at(icmp, 0, true, nil), same(icmp, 0, false, e)))
	add("empty last", Each(at(icmp, 0, true, e), same(icmp, len(e), false, nil)))
	add("atomic beside fragments", Each(at(icmp, 0, true, e[:16]), same(icmp, 0, false, e), same(icmp, 16, false, e[16:])))
	add("reserved bits", Each(Poke(at(icmp, 0, true, e[:16]), 41, 0xff), Poke(same(icmp, 16, false, e[16:]), 43, 16|6)))
	add("another identification", Each(at(icmp, 0, true, e[:16]), at(icmp, 16, false, e[16:])))
	add("another source", Each(at(icmp, 0, true, e[:16]), IP6(Addr("2001:db8::99"), Node6[0], fr, Cat(Frag(icmp, id, 16, false), e[16:]))))
	add("end before what came", Each(at(icmp, 16, true, e[16:40]), same(icmp, 8, false, e[8:16])))
	add("two ends", Each(at(icmp, 40, false, e[40:]), same(icmp, 40, false, e[40:48]), same(icmp, 0, true, e[:40])))
	add("to a group", Each(
		IP6(Peer6[0], wire.AllNodes6, fr, Cat(Frag(icmp, 5010, 0, true), Echo6(Peer6[0], wire.AllNodes6, Data(56))[:16])),
		IP6(Peer6[0], wire.AllNodes6, fr, Cat(Frag(icmp, 5010, 16, false), Echo6(Peer6[0], wire.AllNodes6, Data(56))[16:]))))
	add("to a group, bad length", One(IP6(Peer6[0], wire.AllNodes6, fr, Cat(Frag(icmp, 5011, 0, true), e[:21]))))
	for a := byte(0); a < 4; a++ {
		for b := byte(0); b < 4; b++ {
			add("ECN "+hexName(a<<4|b), Each(ecn(at(icmp, 0, true, e[:16]), a), ecn(same(icmp, 16, false, e[16:]), b)))
			e4 := Echo4(Data(56))
			p := pieces4(uint16(3000+int(a)*4+int(b)), e4, [2]int{0, 16}, [2]int{16, 64})
			add("ECN IPv4 "+hexName(a<<4|b), Each(Fix4(Poke(p[0], 1, a)), Fix4(Poke(p[1], 1, b))))
		}
	}
	e4 := Echo4(Data(56))
	add("IPv4 length not a multiple of 8", One(v4(func(h *wire.IPv4Header) { h.MoreFragments = true }, e4[:21])))
	add("IPv4 too long", One(v4(func(h *wire.IPv4Header) { h.FragmentOffset = 65528 }, e4[:8])))
	add("IPv4 DF", Each(v4(func(h *wire.IPv4Header) { h.MoreFragments, h.DontFragment = true, true }, e4[:16]),
		IP4(Peer4[0], Node4[0], 1, e4[16:], func(h *wire.IPv4Header) { h.ID, h.FragmentOffset, h.DontFragment = uint16(id), 16, true })))
	add("IPv4 one with DF", Each(v4(func(h *wire.IPv4Header) { h.MoreFragments, h.DontFragment = true, true }, e4[:16]),
		IP4(Peer4[0], Node4[0], 1, e4[16:], func(h *wire.IPv4Header) { h.ID, h.FragmentOffset = uint16(id), 16 })))
	add("IPv4 another protocol", Each(v4(func(h *wire.IPv4Header) { h.MoreFragments = true }, e4[:16]),
		IP4(Peer4[0], Node4[0], 17, e4[16:], func(h *wire.IPv4Header) { h.ID, h.FragmentOffset = uint16(id), 16 })))
	add("IPv4 options of the first", Each(v4(func(h *wire.IPv4Header) { h.MoreFragments, h.Options = true, []byte{7, 7, 4, 0, 0, 0, 0} }, e4[:16]),
		IP4(Peer4[0], Node4[0], 1, e4[16:], func(h *wire.IPv4Header) { h.ID, h.FragmentOffset = uint16(id), 16 })))
	add("IPv4 reserved flag", One(Fix4(Poke(IP4(Peer4[0], Node4[0], 1, e4), 6, 0x80))))
	return cases
}

// reassembly is for how long a node keeps fragments: RFC 8200, 4.5: "within 60 seconds"; RFC 1122, 3.3.2.
const reassembly = 60 * time.Second

// SlowFragments are those whose last step waits for the end of reassembly.
func SlowFragments() []Case {
	e, e4 := Echo6(Peer6[0], Node6[0], Data(56)), Echo4(Data(56))
	wait := func(s []Step) []Step { s[len(s)-1].Then = reassembly + time.Second; return s }
	return []Case{
		{Name: "timeout: first only", Steps: wait(Each(pieces6(1, icmp, e, [2]int{0, 24})...))},
		{Name: "timeout: first of 1280", Steps: wait(Each(pieces6(2, icmp, Echo6(Peer6[0], Node6[0], Data(2000)), [2]int{0, 1424})...))},
		{Name: "timeout: second only", Steps: wait(Each(pieces6(3, icmp, e, [2]int{24, 64})...))},
		{Name: "timeout: first and third", Steps: wait(Each(pieces6(4, icmp, e, [2]int{24, 40}, [2]int{0, 16})...))},
		{Name: "timeout: overlap", Steps: wait(Each(pieces6(5, icmp, e, [2]int{0, 24}, [2]int{16, 40})...))},
		{Name: "timeout: IPv4 first only", Steps: wait(Each(pieces4(6, e4, [2]int{0, 24})...))},
		{Name: "timeout: IPv4 first of many", Steps: wait(Each(pieces4(7, Echo4(Data(2000)), [2]int{0, 1424})...))},
		{Name: "timeout: IPv4 second only", Steps: wait(Each(pieces4(8, e4, [2]int{24, 64})...))},
		{Name: "timeout: to a group", Steps: wait(One(IP6(Peer6[0], wire.AllNodes6, fr, Cat(Frag(icmp, 9, 0, true), e[:16]))))},
	}
}
