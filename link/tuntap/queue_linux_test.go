package tuntap

import (
	"encoding/binary"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/netns"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// echo is a receiver that sends each datagram of IPv4 back, and notes by which queues those of each port came.
type echo struct {
	d  *Device
	mu sync.Mutex
	by map[uint16]map[int]bool // port to queues
}

func (e *echo) Deliver(q int, b *packet.Batch) {
	var back packet.Batch
	for p := b.Pop(); p != nil; p = b.Pop() {
		f := p.Bytes()
		if p.EtherType != wire.EtherTypeIPv4 || f[9] != wire.ProtoUDP {
			p.Free()
			continue
		}
		port := binary.BigEndian.Uint16(f[20:])
		e.mu.Lock()
		if e.by[port] == nil {
			e.by[port] = make(map[int]bool)
		}
		e.by[port][q] = true
		e.mu.Unlock()
		// With addresses and ports exchanged the checksums stay right.
		for i := range 4 {
			f[12+i], f[16+i] = f[16+i], f[12+i]
		}
		for i := range 2 {
			f[20+i], f[22+i] = f[22+i], f[20+i]
		}
		p.Meta = packet.Meta{}
		back.Push(p)
	}
	e.d.Send(q, &back)
	back.Free()
}

func (e *echo) Ready(int)         {}
func (e *echo) Changed(link.Info) {}

// The frames of a flow keep to one of several queues, in their order, in both directions.
func TestQueues(t *testing.T) {
	netns.Enter(t)
	d := openDevice(t, "otun0", Config{TUN: true, NoOffload: true, Queues: 3})
	if n := d.Info().Queues; n != 3 {
		t.Errorf("%d queues", n)
	}
	netns.IP(t, "address add 192.0.2.1/24 dev otun0")
	netns.IP(t, "link set otun0 up")
	e := &echo{d: d, by: make(map[uint16]map[int]bool)}
	d.Attach(e)
	const flows, rounds, window = 32, 10, 20
	for range flows {
		c, err := net.Dial("udp", "192.0.2.2:5000")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		b := make([]byte, 4)
		for r := range rounds {
			for i := range window {
				binary.BigEndian.PutUint32(b, uint32(r*window+i))
				if _, err := c.Write(b); err != nil {
					t.Fatal(err)
				}
			}
			for i := range window {
				if _, err := c.Read(b); err != nil {
					t.Fatal(err)
				}
				if got, want := binary.BigEndian.Uint32(b), uint32(r*window+i); got != want {
					t.Fatalf("datagram %d came back for %d", got, want)
				}
			}
		}
	}
	all := make(map[int]bool)
	e.mu.Lock()
	defer e.mu.Unlock()
	for port, queues := range e.by {
		if len(queues) != 1 {
			t.Errorf("what port %d sent came by %d queues", port, len(queues))
		}
		for q := range queues {
			all[q] = true
		}
	}
	if len(e.by) != flows || len(all) < 2 {
		t.Errorf("%d flows came by %d queues, want %d by several", len(e.by), len(all), flows)
	}
}

// ipFrame returns the beginning of a frame between two hosts of a flow: tagged, of a family, from one or the other.
func ipFrame(tagged, six, back bool, proto uint8, port uint16) []byte {
	b := make([]byte, wire.EthernetLen)
	kind := uint16(wire.EtherTypeIPv4)
	if six {
		kind = wire.EtherTypeIPv6
	}
	if tagged {
		binary.BigEndian.PutUint16(b[12:], wire.EtherTypeVLAN)
		b = append(b, 0, 7, 0, 0)
	}
	binary.BigEndian.PutUint16(b[len(b)-2:], kind)
	here, there := byte(1), byte(2)
	ports := []byte{byte(port >> 8), byte(port), 0, 80}
	if back {
		here, there = there, here
		ports = []byte{0, 80, byte(port >> 8), byte(port)}
	}
	if six {
		h := make([]byte, wire.IPv6Len)
		h[0], h[6], h[23], h[39] = 6<<4, proto, here, there
		b = append(b, h...)
	} else {
		h := make([]byte, wire.IPv4MinLen)
		h[0], h[9], h[15], h[19] = 4<<4|5, proto, here, there
		b = append(b, h...)
	}
	return append(b, ports...)
}

func TestSteering(t *testing.T) {
	for _, tagged := range []bool{false, true} {
		for _, six := range []bool{false, true} {
			s := newSteering(4, wire.EthernetLen)
			seen := make(map[uint32]int)
			for port := range uint16(1000) {
				there := ipFrame(tagged, six, false, wire.ProtoTCP, port)
				back := ipFrame(tagged, six, true, wire.ProtoTCP, port)
				if s.hash(there) != s.hash(back) {
					t.Fatalf("tagged %v, IPv6 %v: the hash of port %d differs by direction", tagged, six, port)
				}
				seen[s.out(there)]++
			}
			for q := range uint32(4) {
				if seen[q] < 150 || seen[q] > 350 {
					t.Errorf("tagged %v, IPv6 %v: queue %d has %d flows of 1000", tagged, six, q, seen[q])
				}
			}
			f := ipFrame(tagged, six, false, wire.ProtoUDP, 9)
			for q := range 4 {
				s.came(ipFrame(tagged, six, true, wire.ProtoUDP, 9), q)
				if got := s.out(f); got != uint32(q) {
					t.Errorf("tagged %v, IPv6 %v: what came by queue %d goes by %d", tagged, six, q, got)
				}
			}
			if a, b := ipFrame(tagged, six, false, wire.ProtoICMP, 1), ipFrame(tagged, six, false, wire.ProtoICMP, 2); s.hash(a) != s.hash(b) {
				t.Errorf("tagged %v, IPv6 %v: ICMP has no ports", tagged, six)
			}
			for n := range len(f) {
				s.out(f[:n]) // does not panic
			}
		}
	}
	s := newSteering(4, wire.EthernetLen)
	arp := make([]byte, 60)
	arp[12], arp[13] = 8, 6
	if h := s.hash(arp); h != 0 {
		t.Errorf("ARP has the hash %d", h)
	}
	part := ipFrame(false, false, false, wire.ProtoUDP, 1)
	part[20] = 0x20 // more fragments
	if next := ipFrame(false, false, false, wire.ProtoUDP, 2); true {
		next[21] = 100 // another fragment: where the ports would be is data
		if s.hash(part) != s.hash(next) {
			t.Error("two fragments have different hashes")
		}
	}
}
