package wire

import "testing"

// perPacket is all that is done to the headers of one packet in and one out.
var perPacket = []struct {
	name string
	f    func()
}{
	{"Ethernet", func() {
		e, err := CheckEthernet(frame)
		check(err)
		PutEthernet(scratch, e.Src(), e.Dst(), e.EtherType())
	}},
	{"ARP", func() {
		a, err := ParseARP(arpVector)
		check(err)
		a.Put(scratch)
	}},
	{"IPv4", func() {
		v, err := CheckIPv4(ipv4Vector)
		check(err)
		h := IPv4Header{v.TrafficClass(), v.TotalLen(), v.ID(), v.DontFragment(), v.MoreFragments(),
			v.FragmentOffset(), v.TTL(), v.Protocol(), v.Src(), v.Dst(), v.Options()}
		h.Put(scratch)
		for it := WalkIPv4Options(v.Options()); it.Next(); {
			_ = it.Option()
		}
		IPv4(scratch).DecrementTTL()
	}},
	{"IPv6", func() {
		v, err := CheckIPv6(ipv6Vector)
		check(err)
		h := IPv6Header{v.TrafficClass(), v.FlowLabel(), v.PayloadLen(), v.NextHeader(), v.HopLimit(), v.Src(), v.Dst()}
		h.Put(scratch)
	}},
	{"extension headers", func() {
		it := WalkExt(ProtoHopByHop, extVector)
		for it.Next() {
			h := it.Header()
			switch h.Proto {
			case ProtoFragment:
				f, err := ParseFragment(h.Data)
				check(err)
				f.Put(scratch)
			case ProtoHopByHop, ProtoDestOpts:
				for o := WalkIPv6Options(h.Data); o.Next(); {
					_ = o.Option()
				}
			}
		}
		check(it.Err())
	}},
	{"UDP", func() {
		u, err := CheckUDP(udpVector)
		check(err)
		_ = TransportChecksumOK(u, ProtoUDP, doc1, doc2)
		PutUDP(scratch, u.SrcPort(), u.DstPort(), UDPLen)
		FinishChecksum(scratch[:UDPLen], UDPChecksumOffset, ProtoUDP, doc1, doc2)
	}},
	{"TCP", func() {
		s, err := CheckTCP(sackVector)
		check(err)
		_ = TransportChecksumOK(s, ProtoTCP, test1, test2)
		h := TCPHeader{s.SrcPort(), s.DstPort(), s.Seq(), s.Ack(), s.Flags(), s.Window(), s.Urgent(), TCPOptions{}}
		check(ParseTCPOptions(s.Options(), &h.Options))
		h.Put(scratch)
		FinishChecksum(scratch[:h.Len()], TCPChecksumOffset, ProtoTCP, test1, test2)
	}},
	{"ICMP", func() {
		m, err := CheckICMP(icmpVector)
		check(err)
		PutICMP(scratch, m.Type(), m.Code(), m.Rest())
		FinishICMPv4(scratch)
		FinishICMPv6(scratch, doc1, doc2)
	}},
	{"Router Solicitation", func() {
		m, err := ParseRouterSolicitation(messages[0].b)
		check(err)
		check(m.Validate(link1, AllRouters6, NDHopLimit))
		m.Put(scratch)
	}},
	{"Neighbor Solicitation", func() {
		m, err := ParseNeighborSolicitation(messages[2].b)
		check(err)
		check(m.Validate(link1, doc1.SolicitedNode(), NDHopLimit))
		m.Put(scratch)
	}},
	{"Neighbor Advertisement", func() {
		m, err := ParseNeighborAdvertisement(messages[3].b)
		check(err)
		check(m.Validate(link1, link2, NDHopLimit))
		m.Put(scratch)
	}},
	{"Redirect", func() {
		m, err := ParseRedirect(messages[4].b)
		check(err)
		check(m.Validate(link1, link2, NDHopLimit))
		m.Put(scratch)
	}},
}

var (
	scratch    = make([]byte, 1500)
	frame      = octets(hexEthernet)
	arpVector  = octets(hexARP)
	ipv4Vector = octets(hexIPv4Options)
	ipv6Vector = octets(hexIPv6)
	extVector  = octets(hexExtensions)
	udpVector  = octets(hexUDP)
	sackVector = octets(hexSACK)
	icmpVector = octets(hexICMP)
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("allocation counts mean nothing under the race detector")
	}
	for _, tt := range perPacket {
		if n := testing.AllocsPerRun(100, tt.f); n != 0 {
			t.Errorf("%s: %v allocations a packet, want 0", tt.name, n)
		}
	}
}

func BenchmarkHeaders(b *testing.B) {
	for _, bb := range perPacket {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bb.f()
			}
		})
	}
}

func BenchmarkParseTCPOptions(b *testing.B) {
	for _, tt := range optionsOf {
		b.Run(tt.name, func(b *testing.B) {
			var o TCPOptions
			for b.Loop() {
				check(ParseTCPOptions(tt.b, &o))
			}
		})
	}
}

func BenchmarkTCPHeaderPut(b *testing.B) {
	for _, tt := range optionsOf {
		h := TCPHeader{Options: tt.o}
		b.Run(tt.name, func(b *testing.B) {
			for b.Loop() {
				h.Put(scratch)
			}
		})
	}
}
