package core6

import (
	"bytes"
	"fmt"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// cut returns the fragments of an echo request with so much data, of at most so many octets of the message each.
func cut(src, dst wire.Addr, id uint32, data, size int) (list [][]byte) {
	m := conform.Echo6(src, dst, conform.Data(data))
	for at := 0; at < len(m); at += size {
		end := min(len(m), at+size)
		list = append(list, part(src, dst, id, at, end < len(m), m[at:end]))
	}
	return list
}

// part is a fragment.
func part(src, dst wire.Addr, id uint32, at int, more bool, data []byte) []byte {
	return conform.IP6(src, dst, fragment, conform.Cat(conform.Frag(icmpv6, id, at, more), data))
}

// fragments: reassembly (RFC 8200, 4.5; RFC 5722; RFC 6946).
func fragments() (list []Case) {
	me, self := router1.ll, nodeLL
	rule := `RFC 8200, 4.5: "An original packet is reassembled only from fragment packets that have the same Source Address, Destination Address, and Fragment Identification."`
	add := func(name, rule string, run func(b *Bench)) {
		list = append(list, Case{Name: name, Rule: rule, Run: func(b *Bench) {
			b.ready()
			run(b)
		}})
	}
	// puts sends packets with time between, and wants so much data back; negative: nothing.
	puts := func(b *Bench, data int, apart time.Duration, packets ...[]byte) {
		b.Helper()
		for i, p := range packets {
			if i > 0 {
				b.none(apart, reply(me))
			}
			b.in(router1, p)
		}
		if data < 0 {
			b.none(time.Second, reply(me))
			return
		}
		s := b.expect(time.Second, reply(me))
		if m, _ := s.icmp(); !bytes.Equal(m.Body(), conform.Data(data)) {
			b.Fatalf("the reply has %d octets", len(m.Body()))
		}
		b.none(time.Second, reply(me))
	}
	f := cut(me, self, 1, 200, 80) // three
	for _, o := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		add(fmt.Sprintf("three, in the order %v", o), rule, func(b *Bench) { puts(b, 200, 0, f[o[0]], f[o[1]], f[o[2]]) })
		add(fmt.Sprintf("three, in the order %v, 10 s apart", o), rule, func(b *Bench) { puts(b, 200, 10*time.Second, f[o[0]], f[o[1]], f[o[2]]) })
	}
	add("59 s", `RFC 8200, 4.5: "If insufficient fragments are received to complete reassembly of a packet within 60 seconds of the reception of the first-arriving fragment of that packet, reassembly of that packet must be abandoned and all the fragments that have been received for that packet must be discarded."`, func(b *Bench) {
		puts(b, 200, 29*time.Second, f[0], f[1], f[2])
	})
	add("61 s", `RFC 8200, 4.5: "within 60 seconds"`, func(b *Bench) { puts(b, -1, 30500*time.Millisecond, f[0], f[1], f[2]) })
	timeout := `RFC 8200, 4.5: "If the first fragment (i.e., the one with a Fragment Offset of zero) has been received, an ICMP Time Exceeded -- Fragment Reassembly Time Exceeded message should be sent to the source of that fragment."`
	for _, c := range []struct {
		name string
		in   []int
		told bool
	}{{"first", []int{0}, true}, {"first and last", []int{0, 2}, true}, {"last, then first", []int{2, 0}, true}, {"last", []int{2}, false}, {"middle and last", []int{1, 2}, false}} {
		add("time-out with "+c.name, timeout, func(b *Bench) {
			b.answering(router1)
			start := b.Now()
			for _, i := range c.in {
				b.in(router1, f[i])
			}
			s := b.try(65*time.Second, anyFault())
			switch {
			case s == nil && !c.told:
				return
			case s == nil:
				b.Fatal("there came nothing")
			case !c.told:
				b.Fatalf("there came %v", s)
			}
			b.between("the time", s.at-start, 59*time.Second, 61*time.Second)
			if !fault(wire.ICMPv6TimeExceeded, 1).ok(s) {
				b.Fatalf("there came %v", s)
			}
			b.quotes(s, f[0])
			b.none(5*time.Second, anyFault())
		})
	}
	add("time-out to a group", `RFC 4443, 2.4 (e.3): no error about a packet to a group`, func(b *Bench) {
		b.in(router1, cut(me, wire.AllNodes6, 1, 200, 80)[0])
		b.none(65*time.Second, anyFault())
	})
	add("of other identifications", rule, func(b *Bench) { puts(b, -1, 0, f[0], cut(me, self, 2, 200, 80)[1], f[2]) })
	add("of other sources", rule, func(b *Bench) { puts(b, -1, 0, f[0], cut(router1.addr, self, 1, 200, 80)[1], f[2]) })
	add("of other destinations", rule, func(b *Bench) { puts(b, -1, 0, f[0], cut(me, node, 1, 200, 80)[1], f[2]) })
	add("two packets, interleaved", rule, func(b *Bench) {
		g := cut(me, self, 2, 300, 160)
		b.in(router1, f[0])
		b.in(router1, g[1])
		b.in(router1, f[2])
		b.in(router1, g[0])
		if m, _ := b.expect(time.Second, reply(me)).icmp(); len(m.Body()) != 300 {
			b.Fatalf("%d", len(m.Body()))
		}
		b.in(router1, f[1])
		if m, _ := b.expect(time.Second, reply(me)).icmp(); len(m.Body()) != 200 {
			b.Fatalf("%d", len(m.Body()))
		}
	})
	add("exact duplicates", `RFC 8200, 4.5: "It is possible that a fragment may be duplicated in the network. Instead of treating these exact duplicate fragments as overlapping fragments, an implementation may choose to detect this case and drop exact duplicate fragments"`, func(b *Bench) {
		puts(b, 200, 0, f[0], f[0], f[1], f[1], f[2])
	})
	m := conform.Echo6(me, self, conform.Data(200))
	overlaps := `RFC 8200, 4.5: "If any of the fragments being reassembled overlap with any other fragments being reassembled for the same packet, reassembly of that packet must be abandoned and all the fragments that have been received for that packet must be discarded, and no ICMP error messages should be sent."`
	for _, c := range []struct {
		name  string
		parts [][]byte
	}{
		{"by 8 octets", [][]byte{part(me, self, 9, 0, true, m[:88]), part(me, self, 9, 80, true, m[80:160]), part(me, self, 9, 160, false, m[160:])}},
		{"by 8 octets, in reverse", [][]byte{part(me, self, 9, 160, false, m[160:]), part(me, self, 9, 80, true, m[80:160]), part(me, self, 9, 0, true, m[:88])}},
		{"one within another", [][]byte{part(me, self, 9, 0, true, m[:160]), part(me, self, 9, 80, true, m[80:120]), part(me, self, 9, 160, false, m[160:])}},
		{"one over two", [][]byte{part(me, self, 9, 0, true, m[:80]), part(me, self, 9, 80, true, m[80:120]), part(me, self, 9, 72, true, m[72:160]), part(me, self, 9, 120, false, m[120:])}},
		{"beyond the last", [][]byte{part(me, self, 9, 0, true, m[:80]), part(me, self, 9, 160, false, m[160:168]), part(me, self, 9, 80, true, m[80:200])}},
	} {
		add("overlap "+c.name, overlaps, func(b *Bench) {
			for _, p := range c.parts {
				b.in(router1, p)
			}
			b.none(70*time.Second, want{"answer", func(s *seen) bool { return reply(me).ok(s) || anyFault().ok(s) }})
		})
	}
	add("next headers differ", `RFC 8200, 4.5: "The number and content of the headers preceding the Fragment header of different fragments of the same original packet may differ ... Only those headers in the Offset zero fragment packet are retained in the reassembled packet. ... The Next Header values in the Fragment headers of different fragments of the same original packet may differ. Only the value from the Offset zero fragment packet is used for reassembly."`, func(b *Bench) {
		puts(b, 200, 0, f[0], conform.Poke(f[1], 40, 17), conform.Poke(f[2], 40, 59))
	})
	add("headers before differ", `RFC 8200, 4.5: "Only those headers in the Offset zero fragment packet are retained"`, func(b *Bench) {
		last := conform.IP6(me, self, destOpts, conform.Cat(conform.Ext(fragment), f[2][40:]))
		puts(b, 200, 0, f[0], f[1], last)
	})
	add("traffic classes and hop limits differ", `RFC 8200, 4.5: the header of the first`, func(b *Bench) {
		puts(b, 200, 0, f[0], conform.Poke(f[1], 7, 3), conform.Poke(f[2], 7, 200))
	})
	add("reserved bits", `RFC 8200, 4.5: "Reserved: ... Initialized to zero for transmission; ignored on reception."`, func(b *Bench) {
		puts(b, 200, 0, conform.Poke(f[0], 41, 0xff), conform.Poke(f[1], 43, f[1][43]|6), f[2])
	})
	add("of 8 octets each", rule, func(b *Bench) { puts(b, 200, 0, cut(me, self, 3, 200, 8)...) })
	add("stub at the end", rule, func(b *Bench) { puts(b, 73, 0, cut(me, self, 3, 73, 80)...) })
	add("1500 octets", `RFC 8200, 5: "A node must be able to accept a fragmented packet that, after reassembly, is as large as 1500 octets."`, func(b *Bench) { puts(b, 1452, 0, cut(me, self, 3, 1452, 1232)...) })
	for _, n := range []int{8000, 32000, 65527 - 8} {
		add(fmt.Sprintf("%d octets", n), `RFC 8200, 4.5: what is put together may be as large as 65,535 octets; the reply is as large`, func(b *Bench) {
			for _, p := range cut(me, self, 3, n, 1232) {
				b.in(router1, p)
			}
			got := 0
			for {
				s := b.expect(time.Second, piece(me))
				f, err := wire.ParseFragment(s.body)
				if err != nil || f.Offset != got {
					b.Fatalf("%v", s)
				}
				if got += len(s.body) - wire.FragmentLen; !f.More {
					break
				}
			}
			if got != n+wire.ICMPLen {
				b.Fatalf("the reply has %d octets", got)
			}
		})
	}
	add("atomic", `RFC 8200, 4.5: "If the fragment is a whole datagram (that is, both the Fragment Offset field and the M flag are zero), then it does not need any further reassembly and should be processed as a fully reassembled packet"`, func(b *Bench) {
		puts(b, 200, 0, part(me, self, 4, 0, false, m))
	})
	add("atomic, among fragments of its identification", `RFC 8200, 4.5: "Any other fragments that match this packet ... should be processed independently."`, func(b *Bench) {
		b.in(router1, f[0])
		puts(b, 50, 0, part(me, self, 1, 0, false, conform.Echo6(me, self, conform.Data(50))))
		puts(b, 200, 0, f[1], f[2])
	})
	add("atomic, option to complain of behind it", `RFC 8200, 4.2`, func(b *Bench) {
		b.leads(conform.IP6(me, self, fragment, conform.Cat(conform.Frag(destOpts, 4, 0, false), conform.Ext(icmpv6, 0x87, 0), m)), problem(2, 50))
	})
	odd := `RFC 8200, 4.5: "If the length of a fragment, as derived from the fragment packet's Payload Length field, is not a multiple of 8 octets and the M flag of that fragment is 1, then that fragment must be discarded and an ICMP Parameter Problem, Code 0, message should be sent to the source of the fragment, pointing to the Payload Length field of the fragment packet."`
	add("first, not a multiple of 8", odd, func(b *Bench) { b.leads(part(me, self, 5, 0, true, m[:81]), problem(0, 4)) })
	add("middle, not a multiple of 8", odd, func(b *Bench) { b.leads(part(me, self, 5, 80, true, m[80:155]), problem(0, 4)) })
	add("not a multiple of 8, to a group", `RFC 4443, 2.4 (e.3)`, func(b *Bench) { b.leads(part(me, wire.AllNodes6, 5, 0, true, m[:81]), silence) })
	large := `RFC 8200, 4.5: "If the length and offset of a fragment are such that the Payload Length of the packet reassembled from that fragment would exceed 65,535 octets, then that fragment must be discarded and an ICMP Parameter Problem, Code 0, message should be sent to the source of the fragment, pointing to the Fragment Offset field of the fragment packet."`
	add("beyond 65,535", large, func(b *Bench) { b.leads(part(me, self, 6, 65528, false, m[:8]), problem(0, 42)) })
	add("beyond 65,535, more to come", large, func(b *Bench) { b.leads(part(me, self, 6, 65520, true, m[:24]), problem(0, 42)) })
	add("first without an upper-layer header", `RFC 8200, 4.5: "If the first fragment does not include all headers through an Upper-Layer header, then that fragment should be discarded and an ICMP Parameter Problem, Code 3, message should be sent to the source of the fragment, with the Pointer field set to zero."`, func(b *Bench) {
		b.leads(conform.IP6(me, self, fragment, conform.Cat(conform.Frag(destOpts, 7, 0, true), conform.Ext(icmpv6))), problem(3, 0))
	})
	add("not the last, twice as the last", overlaps, func(b *Bench) {
		puts(b, -1, 0, f[0], part(me, self, 1, 160, false, m[160:176]), part(me, self, 1, 80, true, m[80:160]), f[2])
	})
	return list
}
