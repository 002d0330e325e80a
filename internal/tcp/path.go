package tcp

import (
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// timestampsLen is what the timestamps option takes of each segment, padded.
const timestampsLen = 12

// setMSS computes Eff.snd.MSS: RFC 9293, 3.7.1: "min(SendMSS+20, MMS_S) - TCPhdrsize - IPoptionsize", the options in every
// segment counted in.
func (c *TCB) setMSS() {
	c.snd.mss = boundToHalf(c.fullSize(), c.snd.maxWnd)
	c.setChunkSize()
}

// maxWithTimestamps is how many octets of options may be reserved beside timestamps where there is SACK: timestamps and one
// block take 24. With MD5 signatures there is no room, and Linux's choice is to do without timestamps.
const maxWithTimestamps = maxOptionsLen - 24

// maxOptionsLen is RFC 9293, 3.1: "Data Offset (DOffset): 4 bits. The number of 32-bit words in the TCP header."
const maxOptionsLen = wire.TCPMaxLen - wire.TCPMinLen

// sackRoom returns how many SACK blocks a segment has room for. RFC 2018, 3: "A SACK option that specifies n blocks will
// have a length of 8*n+2 bytes, so the 40 bytes available for TCP options can specify a maximum of 4 blocks": 3 beside
// timestamps.
func (c *TCB) sackRoom() int {
	room := maxOptionsLen - int(c.reserved)
	if c.ts.on {
		room -= timestampsLen
	}
	return min((room-4)/8, wire.MaxSACKBlocks)
}

// userMSS bounds an MSS of the handshake, ours or the peer's, to what the user has set.
func (cfg *Config) userMSS(mss int) int {
	if cfg.MaxSeg > 0 {
		return min(mss, cfg.MaxSeg)
	}
	return mss
}

// SetPathMTU tells that the path carries segments of mss octets of payload without options (its MTU less 40 or 60). Segments
// in flight that are larger are cut and sent again, which is no sign of congestion (RFC 1191, 6.4).
func (c *TCB) SetPathMTU(now clock.Instant, mss int) {
	before := c.snd.mss
	if c.SetPathMSS(mss); c.snd.mss < before && !c.board.empty() {
		c.resegment(now)
	}
}

// SetPathMSS is SetPathMTU for a path that fragments what is larger: segments in flight arrive all the same.
func (c *TCB) SetPathMSS(mss int) {
	if c.cc == nil || c.state == Closed {
		return
	}
	c.snd.pathMSS = min(max(mss, minMSS), maxMSS)
	c.mtu.high = min(c.mtu.high, c.snd.pathMSS)
	c.setMSS()
}

// Sent reports whether seq may be the sequence number of a segment in flight, as a packet that an ICMP error quotes must be.
//
// RFC 5927, 4.1: "These implementations check that the TCP sequence number contained in the payload of the ICMP error message
// is within the range SND.UNA =< SEG.SEQ < SND.NXT. … If an ICMP error message does not pass this check, it is discarded."
func (c *TCB) Sent(seq Seq) bool {
	return c.cc != nil && c.state != Closed && c.snd.una.LessEq(seq) && seq.Less(c.snd.nxt)
}

// Failed tells of an ICMP error, or of our own link, about a segment of the connection that had the sequence number seq. errno
// is what it means.
func (c *TCB) Failed(now clock.Instant, errno syscall.Errno, seq Seq) {
	switch {
	case !c.Sent(seq):
	case !c.state.synchronized():
		// RFC 5461, 4.1: "A number of TCP implementations have modified their reaction to all ICMP soft errors and treat
		// them as hard errors when they are received for connections in the SYN-SENT or SYN-RECEIVED states." The user can
		// try another address at once. Hard ones abort in any case: RFC 1122, 4.2.3.9.
		c.die(now, errno)
	case c.cfg.ReceiveErrors:
		c.pending = errno
	default:
		// RFC 5927, 5.2: "most popular TCP implementations treat all ICMP "hard errors" received for connections in any of
		// the synchronized states … as "soft errors"". What was said is the reason if the connection times out.
		c.softErr = errno
	}
}

// TakePending returns what an ICMP error said that the user asked to be told (Config.ReceiveErrors) and was not told yet, and
// forgets it; 0: nothing. Send and Receive do it too.
func (c *TCB) TakePending() syscall.Errno {
	e := c.pending
	c.pending = 0
	return e
}

// resegment cuts what is in flight into segments that the path carries, and has those sent again. The window stays, though
// its unit is smaller now.
func (c *TCB) resegment(now clock.Instant) {
	r := &c.recovery
	before := c.board.lost
	c.board.resegment(c.snd.mss, !c.sackOK)
	if c.board.lost <= before {
		return
	}
	r.lost += uint64(c.board.lost - before)
	c.note(now, PathSmallerMTU, c.board.lost-before)
	if r.state != stateLoss {
		r.high = c.snd.nxt
		c.cw.Threshold = c.currentThreshold()
		r.undo.threshold, r.undo.on = 0, false
		c.setRecovery(now, stateLoss)
	}
	r.rexmit = rexmitLost
}
