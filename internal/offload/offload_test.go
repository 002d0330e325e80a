package offload

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// model is a packet to be built.
type model struct {
	four, df  bool
	link      int
	proto     uint8
	seq       uint32
	flags     wire.TCPFlags
	options   wire.TCPOptions
	id        uint16
	data      []byte
	gso       int
	corrupted bool
}

var (
	from4, to4 = wire.AddrFrom4([]byte{192, 0, 2, 1}), wire.AddrFrom4([]byte{192, 0, 2, 2})
	from6, to6 = wire.AddrFrom16([]byte{0x20, 1, 0xd, 0xb8, 15: 1}), wire.AddrFrom16([]byte{0x20, 1, 0xd, 0xb8, 15: 2})
)

func (m *model) build() *packet.Buffer {
	src, dst := from6, to6
	if m.four {
		src, dst = from4, to4
	}
	var transport []byte
	if m.proto == wire.ProtoUDP {
		transport = make([]byte, wire.UDPLen+len(m.data))
		wire.PutUDP(transport, 1234, 80, len(transport))
	} else {
		h := wire.TCPHeader{SrcPort: 1234, DstPort: 80, Seq: m.seq, Ack: 77, Flags: m.flags, Window: 500, Options: m.options}
		transport = make([]byte, h.Len()+len(m.data))
		h.Put(transport[:h.Len()])
	}
	copy(transport[len(transport)-len(m.data):], m.data)
	wire.FinishChecksum(transport, checksumAt(m.proto), m.proto, src, dst)
	if m.corrupted {
		transport[len(transport)-1] ^= 1
	}
	p := packet.New(len(transport))
	copy(p.Bytes(), transport)
	if m.four {
		h := wire.IPv4Header{TrafficClass: 2, TotalLen: wire.IPv4MinLen + len(transport), ID: m.id, DontFragment: m.df, TTL: 64,
			Protocol: m.proto, Src: src, Dst: dst}
		h.Put(p.Prepend(h.Len()))
	} else {
		h := wire.IPv6Header{TrafficClass: 2, FlowLabel: 5, PayloadLen: len(transport), NextHeader: m.proto, HopLimit: 64, Src: src, Dst: dst}
		h.Put(p.Prepend(wire.IPv6Len))
	}
	p.SetNetwork()
	if m.link > 0 {
		typ := uint16(wire.EtherTypeIPv6)
		if m.four {
			typ = wire.EtherTypeIPv4
		}
		wire.PutEthernet(p.Prepend(wire.EthernetLen), wire.MAC{2, 1}, wire.MAC{2, 2}, typ)
	}
	p.GSOSize = uint16(m.gso)
	return p
}

// models calls f with super-packets of all kinds.
func models(t *testing.T, f func(t *testing.T, m model)) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, four := range []bool{true, false} {
		for _, link := range []int{0, wire.EthernetLen} {
			for _, proto := range []uint8{wire.ProtoTCP, wire.ProtoUDP} {
				for _, size := range []int{1, 536, 1440, 1448, 9000} {
					for _, n := range []int{1, size, size + 1, 3 * size, min(44*size+7, 65000)} {
						if n/size > 200 {
							continue
						}
						m := model{four: four, df: true, link: link, proto: proto, seq: 0xffff_fff0, flags: wire.ACK | wire.PSH, gso: size}
						if n&1 == 0 {
							m.options.HasTimestamps, m.options.TSVal, m.options.TSEcr = true, 1, 2
						}
						m.data = make([]byte, n)
						for i := range m.data {
							m.data[i] = byte(rng.Uint32())
						}
						t.Run(fmt.Sprintf("v4=%v link=%d proto=%d size=%d n=%d", four, link, proto, size, n), func(t *testing.T) { f(t, m) })
					}
				}
			}
		}
	}
}

// TestSplit cuts super-packets and compares each segment with one built by itself.
func TestSplit(t *testing.T) {
	models(t, func(t *testing.T, m model) {
		p := m.build()
		p.Flags |= packet.ChecksumLater
		p.Mark = 9
		segments := (len(m.data) + m.gso - 1) / m.gso
		longest := SegmentLen(p, m.link)
		var out packet.Batch
		Split(p, m.link, &out)
		if out.Len() != segments {
			t.Fatalf("%d segments, want %d", out.Len(), segments)
		}
		for at := 0; at < len(m.data); at += m.gso {
			part := m
			part.data = m.data[at:min(at+m.gso, len(m.data))]
			part.seq += uint32(at)
			if at+m.gso < len(m.data) {
				part.flags &^= wire.PSH
			}
			want, got := part.build(), out.Pop()
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Fatalf("segment at %d:\n got %x\nwant %x", at, got.Bytes(), want.Bytes())
			}
			if got.GSOSize != 0 || got.Flags != 0 || got.Mark != 9 || got.Len() > longest {
				t.Fatalf("segment at %d: GSOSize %d, flags %x, mark %d, %d octets of %d", at, got.GSOSize, got.Flags, got.Mark, got.Len(), longest)
			}
			if !bytes.Equal(got.FromNetwork(), want.FromNetwork()) {
				t.Fatalf("segment at %d: its internet header is not where it says", at)
			}
			got.Free()
			want.Free()
		}
	})
}

// TestMergeUndoesSplit cuts super-packets and joins the segments again.
func TestMergeUndoesSplit(t *testing.T) {
	models(t, func(t *testing.T, m model) {
		want := m.build()
		var b packet.Batch
		Split(m.build(), m.link, &b)
		n := b.Len()
		if m.proto == wire.ProtoUDP && n > maxDatagrams {
			b.Free()
			return // see TestMergeDatagrams
		}
		g := Merger{UDP: port80()}
		g.Merge(&b, m.link)
		if b.Len() != 1 {
			t.Fatalf("%d segments became %d packets", n, b.Len())
		}
		got := b.Pop()
		b1, b2 := got.Bytes(), want.Bytes()
		if n > 1 {
			if int(got.GSOSize) != m.gso || got.Flags&packet.ChecksumGood == 0 {
				t.Errorf("GSOSize %d, flags %x", got.GSOSize, got.Flags)
			}
			// The checksum of a super-packet is that of its first segment, and is not looked at.
			l, _ := find(got, m.link)
			at := l.transport + checksumAt(l.proto)
			copy(b1[at:at+2], b2[at:])
		}
		if !bytes.Equal(b1, b2) {
			t.Errorf("got  %x\nwant %x", b1, b2)
		}
		got.Free()
		want.Free()
	})
}

// TestMergeRefuses has two segments that are not to be joined.
func TestMergeRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(a, b *model)
	}{
		{"a gap", func(a, b *model) { b.seq++ }},
		{"out of order", func(a, b *model) { a.seq, b.seq = b.seq, a.seq }},
		{"the first pushed", func(a, b *model) { a.flags |= wire.PSH }},
		{"FIN", func(a, b *model) { b.flags |= wire.FIN }},
		{"URG", func(a, b *model) { b.flags |= wire.URG }},
		{"ECE in one", func(a, b *model) { b.flags |= wire.ECE }},
		{"other timestamps", func(a, b *model) { b.options.TSVal++ }},
		{"the second longer", func(a, b *model) { b.data = append(b.data, 1) }},
		{"the first empty", func(a, b *model) { a.data, b.seq = nil, a.seq }},
		{"a wrong checksum in the first", func(a, b *model) { a.corrupted = true }},
		{"a wrong checksum in the second", func(a, b *model) { b.corrupted = true }},
		{"may be fragmented", func(a, b *model) { a.df, b.df = false, false }},
		{"other family", func(a, b *model) { b.four = false }},
		{"UDP", func(a, b *model) { a.proto, b.proto = wire.ProtoUDP, wire.ProtoUDP }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := model{four: true, df: true, proto: wire.ProtoTCP, seq: 1, flags: wire.ACK, data: make([]byte, 100)}
			a.options.HasTimestamps, a.options.TSVal = true, 1
			b := a
			b.seq, b.data = 101, make([]byte, 100)
			tt.change(&a, &b)
			pa, pb := a.build(), b.build()
			wantA, wantB := bytes.Clone(pa.Bytes()), bytes.Clone(pb.Bytes())
			var batch packet.Batch
			batch.Push(pa)
			batch.Push(pb)
			new(Merger).Merge(&batch, 0)
			if batch.Len() != 2 || !bytes.Equal(batch.Pop().Bytes(), wantA) || !bytes.Equal(batch.Pop().Bytes(), wantB) {
				t.Error("joined, or changed")
			}
		})
	}
}

// TestMergeFlows joins the segments of many connections that come mixed, and keeps each in order.
func TestMergeFlows(t *testing.T) {
	const connections, each = 12, 5
	var b packet.Batch
	for i := range each {
		for c := range connections {
			m := model{four: c&1 == 0, df: true, proto: wire.ProtoTCP, seq: uint32(1 + 10*i), flags: wire.ACK, data: []byte(fmt.Sprintf("%02d%08d", c, i))}
			p := m.build()
			l, _ := find(p, 0)
			p.Bytes()[l.transport] = byte(c) // the port, which the checksum covers
			l.finish(p.Bytes())
			b.Push(p)
		}
	}
	new(Merger).Merge(&b, 0)
	if b.Len() >= connections*each {
		t.Errorf("nothing was joined")
	}
	got := make([]string, connections)
	for p := b.Pop(); p != nil; p = b.Pop() {
		l, _ := find(p, 0)
		got[p.Bytes()[l.transport]] += string(p.Bytes()[l.payload:])
		p.Free()
	}
	for c, data := range got {
		want := ""
		for i := range each {
			want += fmt.Sprintf("%02d%08d", c, i)
		}
		if data != want {
			t.Errorf("connection %d: got %q, want %q", c, data, want)
		}
	}
}

// TestCWR has the control bit CWR in the first segment alone, or with Accurate ECN in all.
func TestCWR(t *testing.T) {
	for _, keep := range []bool{false, true} {
		m := model{four: true, df: true, proto: wire.ProtoTCP, flags: wire.ACK | wire.CWR, data: make([]byte, 300), gso: 100}
		p := m.build()
		if keep {
			p.Flags |= packet.KeepCWR
		}
		var b packet.Batch
		Split(p, 0, &b)
		for i := 0; !b.Empty(); i++ {
			s := b.Pop()
			l, _ := find(s, 0)
			if got, want := wire.TCP(s.Bytes()[l.transport:]).Flags()&wire.CWR != 0, keep || i == 0; got != want {
				t.Errorf("keep=%v: segment %d has CWR: %v", keep, i, got)
			}
			s.Free()
		}
	}
}

func TestFit(t *testing.T) {
	m := model{four: true, df: true, proto: wire.ProtoTCP, flags: wire.ACK, data: make([]byte, 3000), gso: 1460}
	p := m.build()
	if !Fit(p, 1400) || SegmentLen(p, 0) != 1400 {
		t.Errorf("segments of %d octets", SegmentLen(p, 0))
	}
	if Fit(p, 40) {
		t.Error("a packet of 40 octets has room for headers only")
	}
	p.Free()
}

// TestAllocs cuts and joins without allocating.
func TestAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's pools drop what they are given")
	}
	m := model{df: true, link: wire.EthernetLen, proto: wire.ProtoTCP, flags: wire.ACK, data: make([]byte, 30000), gso: 1440}
	var g Merger
	if n := testing.AllocsPerRun(100, func() {
		var b packet.Batch
		p := packet.From(built(&m))
		p.GSOSize = 1440
		Split(p, m.link, &b)
		g.Merge(&b, m.link)
		b.Free()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

var kept []byte

func built(m *model) []byte {
	if kept == nil {
		p := m.build()
		kept = bytes.Clone(p.Bytes())
		p.Free()
	}
	return kept
}

// FuzzSplit cuts what it is given; no octet of data may be lost, and nothing may panic.
func FuzzSplit(f *testing.F) {
	for _, four := range []bool{true, false} {
		for _, proto := range []uint8{wire.ProtoTCP, wire.ProtoUDP} {
			m := model{four: four, df: true, link: wire.EthernetLen, proto: proto, flags: wire.ACK, data: make([]byte, 100)}
			p := m.build()
			f.Add(bytes.Clone(p.Bytes()), uint16(30), uint16(1))
			p.Free()
		}
	}
	f.Fuzz(func(t *testing.T, frame []byte, size, flags uint16) {
		if len(frame) > packet.MaxLen {
			return
		}
		for _, link := range []int{0, wire.EthernetLen} {
			p := packet.From(frame)
			p.GSOSize, p.Flags = size, packet.Flags(flags)
			l, ok := find(p, link)
			SegmentLen(p, link)
			var b packet.Batch
			Split(p, link, &b)
			var data []byte
			n := b.Len()
			for s := b.Front(); s != nil; s = s.Next() {
				if ok && n > 1 {
					data = append(data, s.Bytes()[l.payload:]...)
				}
			}
			if ok && n > 1 && !bytes.Equal(data, frame[l.payload:]) {
				t.Errorf("%x became %x", frame[l.payload:], data)
			}
			merger := Merger{UDP: port80()}
			merger.Merge(&b, link)
			b.Free()
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	m := model{df: true, four: true, link: wire.EthernetLen, proto: wire.ProtoTCP, flags: wire.ACK, data: make([]byte, 44*1448), gso: 1448}
	whole := m.build()
	b.SetBytes(int64(len(m.data)))
	b.ReportAllocs()
	for b.Loop() {
		var batch packet.Batch
		Split(whole.Clone(), m.link, &batch)
		batch.Free()
	}
}

func BenchmarkMerge(b *testing.B) {
	m := model{df: true, four: true, link: wire.EthernetLen, proto: wire.ProtoTCP, flags: wire.ACK, data: make([]byte, 44*1448), gso: 1448}
	var parts packet.Batch
	Split(m.build(), m.link, &parts)
	b.SetBytes(int64(len(m.data)))
	b.ReportAllocs()
	var g Merger
	for b.Loop() {
		var batch packet.Batch
		for p := parts.Front(); p != nil; p = p.Next() {
			batch.Push(p.Clone())
		}
		g.Merge(&batch, m.link)
		batch.Free()
	}
}
