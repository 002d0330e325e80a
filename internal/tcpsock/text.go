package tcpsock

import (
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Long texts are written into the blocks of packets, behind room for headers, and leave from there without being copied: the packet
// that carries them is on loan from the send buffer, until the peer has acknowledged them and whoever got the packet has read it.

// textRoom is how many octets are in front of the text in such a block, behind the headroom that every packet has.
const textRoom = (wire.TCPMaxLen + 63) &^ 63

// leastLent is the least text for which a packet is on loan: shorter ones are copied, since the whole block would wait for the
// reader with them.
const leastLent = 8 << 10

// Text implements tcp.Memory.
func (m *memory) Text(n int) ([]byte, tcp.Owner) {
	p := packet.New(textRoom + n)
	return p.Bytes()[textRoom:], p
}

// lend returns a packet of seg's data that lies where it was written, if it can leave from there, else nil; and how many octets
// of data lie there. room is how many may follow.
func (c *Conn) lend(seg *tcp.Segment, room int) (p *packet.Buffer, lies int) {
	if seg.Len < leastLent && room == 0 {
		return nil, 0
	}
	owner, n := c.tcb.Text(seg)
	if n < max(leastLent, seg.Len) {
		return nil, 0
	}
	return owner.(*packet.Buffer).Lend(textRoom, seg.Len), n
}
