package onlink

import (
	"net"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/packet"
)

// A batch that is written is often one flow's: many datagrams of one size to one destination. Such a run takes its way through the
// stack as one packet, as if it had been written at once (UDP_SEGMENT), and is cut again right before the link, or by it. Who
// looks at each packet on its way, a hook or a trace, finds datagrams one by one.

// run is messages that can go as one packet.
type run struct {
	buffers [maxRun][]byte
	n       int // buffers
	size    int // octets of each payload, but of the last it may be fewer
	ms      int // messages
}

// The most buffers, which messages may have several of, and octets that a run has.
const (
	maxRun       = 64
	maxRunOctets = 1<<16 - 1<<8
)

// of finds the run at the beginning of ms.
func (r *run) of(ms []Message) {
	r.n, r.ms = 0, 0
	for total := 0; r.ms < len(ms); r.ms++ {
		m := &ms[r.ms]
		size := octetsOf(m.Buffers)
		if r.ms == 0 {
			r.size = size
		}
		if total += size; size == 0 || size > r.size || total > maxRunOctets || len(m.OOB) > 0 || r.n+len(m.Buffers) > maxRun || !sameEnd(m.Addr, ms[0].Addr) {
			return
		}
		r.n += copy(r.buffers[r.n:], m.Buffers)
		if size < r.size {
			r.ms++
			return
		}
	}
}

// joins reports whether what is written at once may go as one packet.
func (c *UDPConn) joins() bool {
	return c.sock.Segment() == 0 && c.stack.hooks.Active() == nil && c.stack.tracer.Steps() == nil
}

// composeRun appends the packet to out that sends the first messages of ms, and returns how many they are: 0 if the first goes by itself,
// or cannot be sent.
func (c *UDPConn) composeRun(r *run, ms []Message, out *packet.Batch) int {
	if r.of(ms); r.ms < 2 {
		return 0
	}
	var to flow.Endpoint
	if a, _ := ms[0].Addr.(*net.UDPAddr); a != nil {
		var err error
		if to, err = c.stack.endpoint(a.AddrPort()); err != nil {
			return 0
		}
	}
	o := c.sock.Options(to)
	o.Segment, o.Broadcast = uint16(r.size), false
	if to.Addr.IsMulticast() || c.sock.Remote().Addr.IsMulticast() {
		return 0
	}
	p, err := c.sock.Compose(r.buffers[:r.n], to, &o)
	if err != nil {
		return 0
	}
	if p != nil {
		out.Push(p)
	}
	for i := range ms[:r.ms] {
		ms[i].N, ms[i].NN = octetsOf(ms[i].Buffers), 0
	}
	return r.ms
}

// sameEnd reports whether two addresses are the same, as far as it is plain to see.
func sameEnd(a, b net.Addr) bool {
	if a == b {
		return true
	}
	x, is := a.(*net.UDPAddr)
	y, are := b.(*net.UDPAddr)
	return is && are && x != nil && y != nil && x.Port == y.Port && x.IP.Equal(y.IP) && x.Zone == y.Zone
}

func octetsOf(buffers [][]byte) (n int) {
	for _, b := range buffers {
		n += len(b)
	}
	return n
}
