package tcpsock

import (
	"encoding/binary"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// accepted returns a connection that a listener of r has accepted, from a port of peer4, and our SYN,ACK.
func (r *rig) accepted(from uint16) (*Conn, wire.TCPHeader) {
	r.Helper()
	l := r.listen(from, 0) // a port for each
	answer := r.syn(peer4, from, from)
	r.ack(peer4, answer)
	c, err := r.accept(l)
	if c == nil || err != nil {
		r.Fatal(err)
	}
	return c, answer
}

// complain sends an ICMP error of far4 about a segment of c that had the sequence number seq.
func (r *rig) complain(c *Conn, typ, code uint8, rest uint32, seq uint32) {
	const quoted = wire.IPv4MinLen + 8
	n := wire.IPv4MinLen + 8 + quoted
	p := packet.New(n)
	b := p.Bytes()
	ip4 := wire.IPv4Header{TotalLen: n, TTL: 64, Protocol: wire.ProtoICMP, Src: far4, Dst: us4}
	ip4.Put(b)
	m := b[wire.IPv4MinLen:]
	wire.PutICMP(m, typ, code, rest)
	q := wire.IPv4Header{TotalLen: 1500, TTL: 1, Protocol: wire.ProtoTCP, Src: us4, Dst: peer4}
	q.Put(m[8:])
	t := m[8+wire.IPv4MinLen:]
	binary.BigEndian.PutUint16(t, c.key.LocalPort())
	binary.BigEndian.PutUint16(t[2:], c.key.RemotePort())
	binary.BigEndian.PutUint32(t[4:], seq)
	wire.FinishICMPv4(m)
	var batch packet.Batch
	batch.Push(p)
	r.wire.Send(0, &batch)
	r.pass(0)
}

// RFC 5927, 7.2 and 4.1: a message about the path MTU counts, for all who use the path, if it quotes what is in flight.
func TestPathMTUIsChecked(t *testing.T) {
	r := newRig(t, 1)
	c, answer := r.accepted(7)
	other, _ := r.accepted(8)
	r.sim.Start("write", func() { c.Write(make([]byte, 100)) })
	r.pass(0)
	una := answer.Seq + 1
	for _, seq := range []uint32{una - 1, una + 100, una + 1<<20} {
		r.complain(c, wire.ICMPv4DestUnreachable, wire.ICMPv4FragmentationNeeded, 1000, seq)
		if i := c.Info(); i.PathMTU != 1500 {
			t.Fatalf("believed a message about %d: path MTU %d", seq-una, i.PathMTU)
		}
	}
	r.complain(c, wire.ICMPv4DestUnreachable, wire.ICMPv4FragmentationNeeded, 1000, una)
	if i := c.Info(); i.PathMTU != 1000 || i.MSS != 536 {
		t.Errorf("path MTU %d, MSS %d", i.PathMTU, i.MSS)
	}
	r.sim.Start("write", func() { other.Write(make([]byte, 100)) })
	r.pass(0)
	if i := other.Info(); i.PathMTU != 1000 {
		t.Errorf("the other connection has a path MTU of %d", i.PathMTU)
	}
}

// RFC 5927, 4.1 and 5.2: an ICMP error about what is in flight is the reason if the connection times out, and no more.
func TestErrorsAreSoft(t *testing.T) {
	r := newRig(t, 1)
	c, answer := r.accepted(7)
	if err := c.Configure(func(cfg *tcp.Config) { cfg.UserTimeout = 5 * time.Second }); err != nil {
		t.Fatal(err)
	}
	r.sim.Start("write", func() { c.Write(make([]byte, 100)) })
	r.pass(0)
	r.complain(c, wire.ICMPv4DestUnreachable, wire.ICMPv4HostUnknown, 0, answer.Seq+200)
	r.complain(c, wire.ICMPv4DestUnreachable, wire.ICMPv4PortUnreachable, 0, answer.Seq+1)
	if s := c.Status(false); s.State != tcp.Established || s.Errno != 0 {
		t.Fatalf("%+v", s)
	}
	r.pass(10 * time.Second)
	if s := c.Status(false); s.State != tcp.Closed || s.Errno != syscall.ECONNREFUSED {
		t.Fatalf("%+v", s)
	}
}

// tcp_challenge_ack_limit bounds the challenge ACKs of all connections together: RFC 5961, 7.
func TestChallengeLimit(t *testing.T) {
	r := newRig(t, 1)
	r.tcp.Configure(func(s *Settings) { s.TCP.ChallengeACKLimit = 10 })
	for port := range uint16(40) {
		r.accepted(100 + port)
	}
	forge := func() int {
		r.got = nil
		for port := range uint16(40) {
			r.send(peer4, wire.TCPHeader{SrcPort: 100 + port, DstPort: 100 + port, Seq: 1002, Flags: wire.RST})
		}
		return len(r.got)
	}
	for range 3 {
		r.pass(time.Second)
		if n := forge(); n < 5 || n > 14 {
			t.Errorf("%d challenge ACKs in a second", n)
		}
	}
	r.pass(time.Second)
	r.tcp.Configure(func(s *Settings) { s.TCP.ChallengeACKLimit = -1 })
	if n := forge(); n != 0 {
		t.Errorf("%d challenge ACKs with a limit of none", n)
	}
}

// RFC 9293, 3.1, MUST-7: an illegal option does not harm, and those before it count.
func TestIllegalOption(t *testing.T) {
	r := newRig(t, 1)
	l := r.listen(7, 0)
	h := wire.TCPHeader{SrcPort: 7, DstPort: 7, Seq: 1000, Flags: wire.SYN, Options: wire.TCPOptions{MSS: 700, HasTimestamps: true}}
	n := h.Len()
	p := packet.New(wire.IPv4MinLen + n)
	ip4 := wire.IPv4Header{TotalLen: p.Len(), TTL: 64, Protocol: wire.ProtoTCP, Src: peer4, Dst: us4}
	ip4.Put(p.Bytes())
	b := p.Bytes()[wire.IPv4MinLen:]
	h.Put(b)
	for i := 24; i < n-1; i++ {
		if b[i] == 8 && b[i+1] == 10 {
			b[i+1] = 0 // a length of zero
		}
	}
	wire.FinishChecksum(b, 16, wire.ProtoTCP, peer4, us4)
	var batch packet.Batch
	batch.Push(p)
	r.wire.Send(0, &batch)
	r.pass(0)
	if len(r.got) != 1 {
		t.Fatalf("%+v", r.got)
	}
	r.ack(peer4, r.got[0])
	c, err := r.accept(l)
	if err != nil {
		t.Fatal(err)
	}
	if i := c.Info(); i.MSS != 700 || i.Timestamps {
		t.Errorf("%+v", i)
	}
}
