package offload

import (
	"sync/atomic"

	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// maxDatagrams is how many datagrams are joined to one at most: programs made for Linux have buffers for as many (its UDP_GRO_CNT_MAX).
const maxDatagrams = 64

// Ports is a set of ports. It may be read while it is changed.
type Ports [1 << 16 / 32]atomic.Uint32

// Has reports whether port is in the set.
func (s *Ports) Has(port uint16) bool { return s[port/32].Load()&(1<<(port%32)) != 0 }

// Set puts port into the set, or takes it out.
func (s *Ports) Set(port uint16, in bool) {
	if in {
		s[port/32].Or(1 << (port % 32))
	} else {
		s[port/32].And(^uint32(1 << (port % 32)))
	}
}

// wanted reports whether datagrams to p's port are to be joined.
func (m *Merger) wanted(p *packet.Buffer, l *layout) bool {
	return m.UDP != nil && m.UDP.Has(wire.UDP(p.Bytes()[l.transport:]).DstPort())
}
