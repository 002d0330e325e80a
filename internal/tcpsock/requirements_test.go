package tcpsock

import (
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// What RFC 9293 requires that a packetdrill script cannot show.

// sendSYN sends a SYN to port 80 of dst, and returns what answered it. spoil is added to its checksum.
func (r *rig) sendSYN(src, dst wire.Addr, spoil byte) []wire.TCPHeader {
	r.got = nil
	h := wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 1000, Flags: wire.SYN, Window: 65535}
	p := packet.New(wire.IPv4MinLen + h.Len())
	ip4 := wire.IPv4Header{TotalLen: p.Len(), TTL: 64, Protocol: wire.ProtoTCP, Src: src, Dst: dst}
	ip4.Put(p.Bytes())
	h.Put(p.Bytes()[wire.IPv4MinLen:])
	wire.FinishChecksum(p.Bytes()[wire.IPv4MinLen:], wire.TCPChecksumOffset, wire.ProtoTCP, src, dst)
	p.Bytes()[wire.IPv4MinLen+wire.TCPChecksumOffset] += spoil
	var b packet.Batch
	b.Push(p)
	r.wire.Send(0, &b)
	r.pass(0)
	return r.got
}

// RFC 9293, 3.9.2.3: "A TCP implementation MUST silently discard an incoming SYN segment that is addressed to a broadcast or
// multicast address [(MUST-57)]", and: "An incoming SYN with an invalid source address MUST be ignored either by TCP or by
// the IP layer [(MUST-63)]".
func TestSYNsOfInvalidAddresses(t *testing.T) {
	r := newRig(t, 1)
	l := r.listen(80, 10)
	for _, dst := range []wire.Addr{wire.Addr4(224, 0, 0, 1), wire.Addr4(192, 0, 2, 255), wire.Broadcast4} {
		if got := r.sendSYN(peer4, dst, 0); len(got) > 0 {
			t.Errorf("a SYN to %v is answered: %+v", dst, got)
		}
	}
	for _, src := range []wire.Addr{wire.Addr4(224, 0, 0, 1), wire.Addr4(192, 0, 2, 255), wire.Broadcast4, wire.Unspecified4,
		wire.Loopback4, us4} {
		if got := r.sendSYN(src, us4, 0); len(got) > 0 {
			t.Errorf("a SYN from %v is answered: %+v", src, got)
		}
	}
	r.want("after SYNs with invalid addresses", l, 0, 0)
	r.sendSYN(peer4, us4, 0)
	r.want("after a good SYN", l, 1, 0)
}

// RFC 9293, 3.1: "The sender MUST generate it (MUST-2) and the receiver MUST check it (MUST-3)": the checksum.
func TestChecksum(t *testing.T) {
	r := newRig(t, 1)
	r.listen(80, 10)
	if got := r.sendSYN(peer4, us4, 1); len(got) > 0 {
		t.Errorf("a SYN with a wrong checksum is answered: %+v", got)
	}
	var sums []bool
	r.raw = func(b []byte) {
		v4 := wire.IPv4(b)
		sums = append(sums, wire.TransportChecksumOK(v4.Payload(), wire.ProtoTCP, v4.Src(), v4.Dst()))
	}
	r.sendSYN(peer4, us4, 0)
	if len(sums) != 1 || !sums[0] {
		t.Errorf("checksums of the answers are right: %v, want one that is", sums)
	}
}

// RFC 9293, 3.4.1: "A TCP implementation MUST use the above type of "clock" for clock-driven selection of initial sequence
// numbers (MUST-8), and SHOULD generate its initial sequence numbers with the expression: ISN = M + F(localip, localport,
// remoteip, remoteport, secretkey) … F() MUST NOT be computable from the outside (MUST-9)".
func TestInitialSequenceNumbers(t *testing.T) {
	r := newRig(t, 1)
	key := func(port uint16) *flow.Key {
		return &flow.Key{Local: us4, Remote: peer4, Ports: flow.Ports(80, port), Proto: wire.ProtoTCP}
	}
	at := func(l *Layer, d time.Duration, port uint16) uint32 {
		iss, _ := l.isn(clock.Instant(d), key(port))
		return iss
	}
	if n := at(r.tcp, time.Second, 1) - at(r.tcp, 0, 1); n != 250_000 {
		t.Errorf("the numbers go up by %d a second, want 250000", n)
	}
	if at(r.tcp, 0, 1)-at(r.tcp, 0, 2) == at(r.tcp, 0, 2)-at(r.tcp, 0, 3) {
		t.Error("the numbers of other ports can be worked out")
	}
	first := at(r.tcp, 0, 1)
	r.tcp.secret[0]++
	if at(r.tcp, 0, 1) == first {
		t.Error("the numbers do not depend on the secret")
	}
}
