package onlink

import "syscall"

// maxSegmentSize is the longest segment that can be asked for, in octets.
const maxSegmentSize = 65535

// SetSegmentSize has each write be cut into datagrams of n octets of payload, the last one as many or fewer: Linux's UDP_SEGMENT. 0:
// a write is one datagram. A write may be of 128 datagrams, and of as many octets in all as one datagram can have; a longer one
// fails with EINVAL or EMSGSIZE, and so does one whose datagrams are larger than the path takes, for they are not fragmented. They
// take their way through the stack as one packet, which a link that can (link.UDP) is given as it is; others are
// given the datagrams. The error is EINVAL.
//
// ControlMessage.SegmentSize, or a control message UDP_SEGMENT, says it of a single write.
func (c *UDPConn) SetSegmentSize(n int) error {
	if n < 0 || n > maxSegmentSize {
		return c.err("set", syscall.EINVAL)
	}
	c.sock.SetSegment(uint16(n))
	return nil
}

// SetCoalesce has a read give several datagrams that one sender sent, which have come one right behind the other, joined:
// Linux's UDP_GRO. All are of one size, but the last, which may be shorter: ReadMsg tells it in ControlMessage.SegmentSize. They are
// up to 65,535 octets, and what does not fit into a reader's buffer is lost.
func (c *UDPConn) SetCoalesce(on bool) error {
	c.sock.SetCoalesce(on)
	return nil
}
