package tcpsock

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/tcp"
)

// maxStamps bounds how many writes of a connection are watched at a time; of further ones nothing is told.
const maxStamps = 64

// stamp is a write that somebody wants to know the fate of.
type stamp struct {
	last tcp.Seq // its last octet
	sent bool    // which has been told
	tell func(acked bool)
}

// Stamp has tell called once the last octet written is sent, which may be now, and once it is acknowledged. It is called
// with the shard locked, and must not call the connection's methods. Where the connection ends before, it is not called.
func (c *Conn) Stamp(tell func(acked bool)) {
	c.lock()
	defer c.sh.Unlock()
	if c.closed || c.gone {
		return
	}
	if c.stamps == nil {
		c.stamps = new([]stamp)
	}
	if len(*c.stamps) < maxStamps {
		*c.stamps = append(*c.stamps, stamp{last: c.tcb.WrittenTo().Add(-1), tell: tell})
		c.checkStamps()
	}
}

// checkStamps tells what has become of the writes watched. sh locked.
func (c *Conn) checkStamps() {
	if c.stamps == nil {
		return
	}
	list := *c.stamps
	sent, acked := c.tcb.SentTo(), c.tcb.AckedTo()
	for i := range list {
		if s := &list[i]; !s.sent && s.last.Less(sent) {
			s.sent = true
			s.tell(false)
		}
	}
	for len(list) > 0 && list[0].last.Less(acked) {
		list[0].tell(true)
		list = list[1:]
	}
	if *c.stamps = list; len(list) == 0 {
		c.stamps = nil
	}
}

// Acknowledged returns the sequence number behind what the peer has acknowledged, and Written that behind what was written.
func (c *Conn) Acknowledged() (acknowledged, written tcp.Seq) {
	c.lock()
	defer c.sh.Unlock()
	return c.tcb.AckedTo(), c.tcb.WrittenTo()
}

// Arrived returns when data last came.
func (c *Conn) Arrived() clock.Instant {
	c.lock()
	defer c.sh.Unlock()
	return c.tcb.Arrived()
}
