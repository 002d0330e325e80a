package sim_test

import (
	"encoding/binary"
	"io"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

// marker marks every nth packet that has ECT(0) with CE (RFC 3168, 5), as a router does, and counts.
type marker struct {
	every, seen      int
	segments, octets uint64
}

// pass takes a frame; it keeps them all.
func (m *marker) pass(frame []byte) bool {
	p := frame[14:]
	var field *uint8
	payload := 0
	switch p[0] >> 4 {
	case 4:
		field, payload = &p[1], int(binary.BigEndian.Uint16(p[2:]))-20-int(p[32]>>4)*4
	case 6:
		field, payload = &p[1], int(binary.BigEndian.Uint16(p[4:]))-int(p[52]>>4)*4
	default:
		return true
	}
	six := p[0]>>4 == 6
	ect0, ce := uint8(2), uint8(1) // what is there, and what makes CE of it
	if six {
		ect0, ce = ect0<<4, ce<<4
	}
	if *field&(ect0|ce) != ect0 {
		return true
	}
	if m.seen++; m.seen%m.every != 0 {
		return true
	}
	*field |= ce
	if !six {
		p[10], p[11] = 0, 0
		binary.BigEndian.PutUint16(p[10:], ^wire.Checksum(p[:20], 0))
	}
	m.segments++
	m.octets += uint64(payload)
	return true
}

// Two hosts that ask for Accurate ECN (RFC 9768) count what a router on their path marks, both of them and exactly; without
// loss, nothing is sent again.
func TestAccurateECN(t *testing.T) {
	eachFamily(t, func(t *testing.T, n *sim.Network, address string) {
		a, b := n.Host("a"), n.Host("b")
		cable := n.Wire(a.Port("eth0", "192.0.2.1/24", "2001:db8::1/64"), b.Port("eth0", "192.0.2.2/24", "2001:db8::2/64"),
			sim.Line{Delay: 5 * time.Millisecond, Rate: 100e6})
		for _, h := range []*sim.Node{a, b} {
			if err := h.SetSysctl("net.ipv4.tcp_ecn", "3"); err != nil {
				t.Fatal(err)
			}
		}
		m := &marker{every: 37}
		cable.Filter(func(from *sim.Node, frame []byte) bool { return from != a || m.pass(frame) })
		const size = 2 << 20
		var received, sent onlink.TCPInfo
		serve(t, b, func(c *onlink.TCPConn) {
			if n, err := io.Copy(io.Discard, c); n != size || err != nil {
				t.Errorf("%d octets arrived, %v", n, err)
			}
			received = c.Info()
		})
		a.Go("client", func() {
			c := dial(t, a, address)
			if _, err := c.Write(make([]byte, size)); err != nil {
				t.Error(err)
			}
			a.Sleep(time.Second)
			sent = c.Info()
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
		run(t, n)
		if m.segments < 20 || !sent.AccurateECN || !received.AccurateECN {
			t.Fatalf("%d segments were marked: %v", m.segments, &sent)
		}
		if received.ReceivedCE != m.segments || received.ReceivedCEBytes != m.octets || received.ReceivedECT0Bytes != size-m.octets {
			t.Errorf("received: %d segments, %d octets and %d without a mark, of %+v", received.ReceivedCE, received.ReceivedCEBytes,
				received.ReceivedECT0Bytes, m)
		}
		if sent.DeliveredCE != m.segments || sent.DeliveredCEBytes != m.octets || sent.DeliveredECT0Bytes != size-m.octets {
			t.Errorf("sent: %d segments, %d octets and %d without a mark, of %+v", sent.DeliveredCE, sent.DeliveredCEBytes,
				sent.DeliveredECT0Bytes, m)
		}
		if sent.Retransmits != 0 || sent.AccECNFailMode != 0 || sent.AccECNOptSeen != 2 || sent.SlowStartThresholdSegments > 1<<20 {
			t.Errorf("%+v", sent)
		}
	})
}
