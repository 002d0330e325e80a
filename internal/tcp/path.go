package tcp

import (
	"syscall"

	"github.com/onlink-go/onlink/clock"
)

// timestampsLen is what the timestamps option takes of each segment, padded.
const timestampsLen = 12

// setMSS computes Eff.snd.MSS: RFC 9293, 3.7.1: "min(SendMSS+20, MMS_S) - TCPhdrsize - IPoptionsize", the options in every
// segment counted in.
func (c *TCB) setMSS() {
	c.snd.mss = min(c.snd.peerMSS, c.snd.pathMSS)
	if c.ts.on {
		c.snd.mss -= timestampsLen
	}
}

// SetPathMTU tells that the path carries segments of mss octets of payload without options (its MTU less 40 or 60). Segments
// in flight that are larger are cut and sent again, which is no sign of congestion (RFC 1191, 6.4).
func (c *TCB) SetPathMTU(now clock.Instant, mss int) {
	if c.cc == nil || c.state == Closed {
		return
	}
	c.snd.pathMSS = min(max(mss, minMSS), maxMSS)
	before := c.snd.mss
	if c.setMSS(); c.snd.mss == before {
		return
	}
	c.cc.resize(c.snd.mss)
	if c.snd.mss < before && !c.board.empty() {
		c.board.resegment(c.snd.mss)
		c.snd.now = c.board.pending > 0
	}
}

// Failed tells of an ICMP error, or of our own link, about a segment of the connection that had the sequence number seq. errno
// is what it means; hard, whether it says that the connection cannot be.
//
// RFC 5927, 4.1: "TCP SHOULD check that the TCP sequence number contained in the payload of the ICMP error message is
// within the range SND.UNA =< SEG.SEQ < SND.NXT."
func (c *TCB) Failed(now clock.Instant, errno syscall.Errno, hard bool, seq Seq) {
	if c.cc == nil || seq.Less(c.snd.una) || !seq.Less(c.snd.nxt) {
		return
	}
	switch {
	case c.state == SynSent, c.state == SynReceived && hard:
		// RFC 5461, 4.1: a connection that is not yet synchronized is aborted by soft errors too, so that the user can
		// try another address at once.
		c.die(now, errno)
	default:
		// RFC 5927, 5.2: hard errors "for connections in any of the synchronized states" are treated as soft ones. What
		// was said is the reason if the connection times out.
		c.softErr = errno
	}
}
