package tcp

import "github.com/onlink-go/onlink/wire"

// boundToHalf bounds n to half of the largest window the peer has offered, or to all of a tiny one, so that a window is
// never too small for what is sent (tcp_bound_to_half_wnd). window 0: none was offered yet.
//
// RFC 9293, 3.8.6.2.1: "(3) or if at least a fraction Fs of the maximum window can be sent … Here Fs is a fraction whose
// recommended value is 1/2": with segments no larger than that, it is the same as (1), a maximum-sized segment.
func boundToHalf(n, window int) int {
	if window > defaultMSS {
		window /= 2
	}
	if window > 0 && n > window {
		return max(window, leastSegmentSize)
	}
	return n
}

// leastSegmentSize is the least payload of a full segment.
const leastSegmentSize = 48

// sendMSS returns the largest payload of the next segment, and how many SACK blocks it has room for beside.
//
// RFC 9293, 3.7.1: "Eff.snd.MSS = min(SendMSS+20, MMS_S) - TCPhdrsize - IPoptionsize", where TCPhdrsize is "the size of the
// fixed TCP header and any options". RFC 2018, 3: "If sent at all, SACK options SHOULD be included in all ACKs which do not
// ACK the highest sequence number in the data receiver's queue."
func (c *TCB) sendMSS() (mss, blocks int) {
	mss = c.snd.mss
	blocks = c.sackBlocks()
	if blocks == 0 && c.ecn.mode != ecnAccurate {
		return mss, 0
	}
	blocks, _, _ = c.optionRoom(blocks)
	if left := c.fullSize() - sackLen(blocks) - c.optionLen(blocks); left < mss {
		mss = left
	}
	if mss < leastSegmentSize {
		return c.snd.mss, 0
	}
	return mss, blocks
}

// fullSize returns the largest payload that peer and path take, whatever the window.
func (c *TCB) fullSize() int {
	return min(c.snd.peerMSS, c.pathLimit()) - c.optionsLen()
}

// optionsLen returns how many octets of options every segment has.
func (c *TCB) optionsLen() int {
	if c.ts.on {
		return int(c.reserved) + timestampsLen
	}
	return int(c.reserved)
}

// holds reports whether Nagle's algorithm or a cork holds a segment of n octets back that is less than a full one. Only
// the last of what was written is held.
//
// RFC 9293, 3.7.4: "If there is unacknowledged data (i.e., SND.NXT > SND.UNA), then the sending TCP endpoint buffers all user
// data (regardless of the PSH bit) until the outstanding data has been acknowledged or until the TCP endpoint can send a
// full-sized segment (Eff.snd.MSS bytes)." The modification of appendix A.3, Minshall's, which "improves
// the situation for" request-response applications: only an outstanding small segment holds the next one back.
func (c *TCB) holds(n int, last bool) bool {
	switch {
	case n == 0, !last, c.snd.fin, c.pushing(), c.snd.nxt.Less(c.snd.push), c.urg.sending:
		return false
	case c.cfg.Cork || c.snd.more:
		return true
	}
	return !c.cfg.NoDelay && !c.board.empty() && c.snd.una.Less(c.snd.small)
}

// pushQueued has all that is queued sent, held back or not.
func (c *TCB) pushQueued() { c.snd.push = c.written() }

// sizeData decides how many octets of data the next segment carries, and whether a FIN; neither: it is better to wait.
//
// RFC 9293, 3.8.6.2.1: "Send data: (1) if a maximum-sized segment can be sent, i.e., if: min(D,U) >= Eff.snd.MSS; (2) or
// if the data is pushed and all queued data can be sent now, i.e., if: [SND.NXT = SND.UNA and] PUSHed and D <= U (the
// bracketed condition is imposed by the Nagle algorithm); (3) or if at least a fraction Fs of the maximum window can be
// sent, i.e., if: [SND.NXT = SND.UNA and] min(D,U) >= Fs * Max(SND.WND); (4) or if the override timeout occurs."
func (c *TCB) sizeData(mss, unsent, usable int) (n int, flags wire.TCPFlags) {
	n = min(unsent, mss, max(usable, 0))
	if left := c.recordLeft(unsent); left > 0 && left <= n {
		return left, 0
	}
	all := n == unsent
	fin := all && c.snd.fin && n < usable
	switch {
	case n == mss, fin:
	case n == 0:
		return 0, 0
	case c.snd.force:
		return n, wire.PSH
	case all:
		if c.holds(n, true) {
			return 0, 0
		}
	case 2*n < c.snd.maxWnd:
		return 0, 0
	}
	if fin {
		flags = wire.FIN
	}
	return n, flags
}
