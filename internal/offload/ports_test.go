package offload

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// port80 is the set of the port that models are sent to.
func port80() *Ports {
	s := new(Ports)
	s.Set(80, true)
	return s
}

func TestPorts(t *testing.T) {
	s := new(Ports)
	for _, port := range []uint16{0, 31, 32, 80, 65535} {
		s.Set(port, true)
		if !s.Has(port) || s.Has(port^1) {
			t.Errorf("port %d: %v, its neighbor %v", port, s.Has(port), s.Has(port^1))
		}
		s.Set(port, false)
	}
	if *s != (Ports{}) {
		t.Error("something is left")
	}
}

// Which datagrams are joined, by the lengths of what comes out.
func TestMergeDatagrams(t *testing.T) {
	base := model{df: true, proto: wire.ProtoUDP}
	for _, tt := range []struct {
		name   string
		ports  *Ports
		sizes  []int
		change func(i int, m *model, p *packet.Buffer)
		want   []int
	}{
		{name: "of one size", ports: port80(), sizes: []int{100, 100, 100}, want: []int{300}},
		{name: "nobody asked", sizes: []int{100, 100}, want: []int{100, 100}},
		{name: "for another port", ports: new(Ports), sizes: []int{100, 100}, want: []int{100, 100}},
		{name: "the last shorter", ports: port80(), sizes: []int{100, 100, 50, 50, 20, 20}, want: []int{250, 70, 20}},
		{name: "the second longer", ports: port80(), sizes: []int{50, 100, 100}, want: []int{50, 200}},
		{name: "empty", ports: port80(), sizes: []int{100, 0, 0, 100}, want: []int{100, 0, 0, 100}},
		{name: "too long together", ports: port80(), sizes: []int{40000, 40000}, want: []int{40000, 40000}},
		{name: "a wrong checksum", ports: port80(), sizes: []int{100, 100, 100}, want: []int{100, 100, 100},
			change: func(i int, m *model, _ *packet.Buffer) { m.corrupted = i == 1 }},
		{name: "other addresses", ports: port80(), sizes: []int{100, 100}, want: []int{100, 100},
			change: func(i int, m *model, _ *packet.Buffer) { m.four = i == 1 }},
		{name: "without checksums", ports: port80(), sizes: []int{100, 100}, want: []int{100, 100},
			change: func(_ int, _ *model, p *packet.Buffer) {
				if p != nil {
					l, _ := find(p, 0)
					copy(p.Bytes()[l.transport+wire.UDPChecksumOffset:], []byte{0, 0})
				}
			}},
		{name: "octets behind the datagram", ports: port80(), sizes: []int{100, 100}, want: []int{100, 100},
			change: func(_ int, _ *model, p *packet.Buffer) {
				if p != nil {
					l, _ := find(p, 0)
					wire.UDP(p.Bytes()[l.transport:]).SetLength(wire.UDPLen + 99)
				}
			}},
	} {
		for _, four := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, IPv4 %v", tt.name, four), func(t *testing.T) {
				var b packet.Batch
				var all []byte
				for i, n := range tt.sizes {
					m := base
					m.four, m.data = four, bytes.Repeat([]byte{byte(i)}, n)
					if tt.change != nil {
						tt.change(i, &m, nil)
					}
					p := m.build()
					if tt.change != nil {
						tt.change(i, &m, p)
					}
					all = append(all, p.Bytes()[p.Len()-n:]...)
					b.Push(p)
				}
				g := Merger{UDP: tt.ports}
				g.Merge(&b, 0)
				var got []int
				for p := b.Pop(); p != nil; p = b.Pop() {
					l, _ := find(p, 0)
					data := p.Bytes()[l.payload:]
					got = append(got, len(data))
					if !bytes.HasPrefix(all, data) {
						t.Error("the data is another")
					}
					all = all[len(data):]
					if u := wire.UDP(p.Bytes()[l.transport:]); p.GSOSize != 0 && u.Length() != len(u) {
						t.Errorf("length %d of %d octets", u.Length(), len(u))
					}
					p.Free()
				}
				if fmt.Sprint(got) != fmt.Sprint(tt.want) {
					t.Errorf("%v, want %v", got, tt.want)
				}
			})
		}
	}
}

// No more are joined than programs have room for, and what was joined takes no more memory than it needs.
func TestMergeManyDatagrams(t *testing.T) {
	var b packet.Batch
	for range maxDatagrams + 2 {
		m := model{four: true, df: true, proto: wire.ProtoUDP, data: make([]byte, 20)}
		b.Push(m.build())
	}
	g := Merger{UDP: port80()}
	g.Merge(&b, 0)
	if b.Len() != 2 || b.Front().Len() != wire.IPv4MinLen+wire.UDPLen+maxDatagrams*20 || b.Front().GSOSize != 20 {
		t.Errorf("%d packets, the first of %d octets", b.Len(), b.Front().Len())
	}
	if p := b.Front(); p.Headroom()+p.Len()+p.Tailroom() > 2<<10 {
		t.Errorf("it holds %d octets", p.Headroom()+p.Len()+p.Tailroom())
	}
	b.Free()
}

// The limit is that of datagrams: segments of TCP are joined as long as they fit.
func TestMergeManySegments(t *testing.T) {
	const n, size = 2 * maxDatagrams, 20
	var b packet.Batch
	for i := range n {
		m := model{four: true, df: true, proto: wire.ProtoTCP, seq: uint32(i * size), flags: wire.ACK, data: make([]byte, size)}
		b.Push(m.build())
	}
	new(Merger).Merge(&b, 0)
	if b.Len() != 1 || b.Front().Len() != wire.IPv4MinLen+wire.TCPMinLen+n*size {
		t.Errorf("%d packets, the first of %d octets", b.Len(), b.Front().Len())
	}
	b.Free()
}
