package tcp

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// FastOpen is what TCP Fast Open (RFC 7413) adds to an Open.
type FastOpen struct {
	// Option goes into the first SYN, or SYN,ACK: a cookie or the request for one; absent: none.
	Option wire.FastOpenOption
	// Data has the first SYN carry data that is sent before it, up to MSS octets less room for options; of an Accept: the
	// SYN's data is taken, and data may be sent before its acknowledgment has come.
	Data bool
	MSS  int // the largest segment, without options, that the peer is known to take; 0: not known
}

// fastOpen is the state of a connection that was opened with FastOpen.
type fastOpen struct {
	FastOpen
	sent   int // octets of data in the SYN
	acked  bool
	fail   uint8
	result FastOpenResult
	told   bool
}

// FastOpenResult is what the SYN,ACK said about Fast Open.
type FastOpenResult struct {
	Option wire.FastOpenOption // the cookie in it; absent: none
	MSS    uint16              // the peer announced; 0: nothing
	// Again tells that the SYN was sent more than once.
	Again bool
	Sent  int  // octets of data in the SYN
	Acked bool // all of them were acknowledged
}

// Why Fast Open did not work: Linux's tcpi_fastopen_client_fail.
const (
	fastNoCookie = 1
	fastNotAcked = 2
	fastAgain    = 3
)

// maxOptions is what middleboxes and we may add to a segment.
const maxOptions = wire.TCPMaxLen - wire.TCPMinLen

// fastSYN adds Fast Open to the SYN or SYN,ACK seg. RFC 7413, 4.2.2: "when the SYN timer fires, the client SHOULD
// retransmit a SYN packet without data and Fast Open options", and the server likewise.
func (c *TCB) fastSYN(seg *Segment) {
	f := c.fast
	if f == nil || c.retries > 0 {
		return
	}
	before := seg.Options.Len()
	seg.Options.FastOpen = f.Option
	if f.Option.Present && seg.Options.Len() == before {
		// "If the SYN packet does not have enough option space for the Fast Open option, abort TFO and fall back to the
		// regular 3WHS."
		seg.Options.FastOpen = wire.FastOpenOption{}
		return
	}
	if c.state != SynSent || f.sent > 0 {
		return
	}
	if !f.Data {
		f.fail = fastNoCookie
		return
	}
	// "Include any data up to the cached server MSS or default 536 bytes. … 2. Advance to SYN-SENT state and update
	// SND.NXT to include the data accordingly."
	f.sent = min(c.unsent(), c.SYNRoom())
	seg.Len = f.sent
	c.snd.nxt = c.snd.nxt.Add(f.sent)
	c.stats.bytesSent += uint64(f.sent)
	if f.sent > 0 {
		c.countData(f.sent)
	}
}

// SYNRoom returns how many octets of data the SYN of a connection opened with FastOpen carries at most.
func (c *TCB) SYNRoom() int {
	n := c.snd.pathMSS
	if m := c.fast.MSS; m > 0 {
		n = min(n, m)
	}
	return max(n-maxOptions, 0)
}

// ackSYN moves SND.UNA to SEG.ACK, which acknowledges our SYN, and perhaps data in it. What it leaves is sent anew: RFC 7413,
// 4.2.2: "The client SHOULD retransmit any unacknowledged data in the first ACK packet".
func (c *TCB) ackSYN(seg *Segment) {
	if c.passive {
		c.snd.una = c.snd.iss + 1 // what there is beyond is in the scoreboard
		return
	}
	c.stats.bytesAcked++
	c.snd.una = seg.Ack
	f := c.fast
	if f == nil {
		return
	}
	n := seg.Ack.Sub(c.snd.base)
	c.snd.out.discard(n)
	c.snd.base = seg.Ack
	c.snd.nxt = seg.Ack
	c.stats.bytesAcked += uint64(n)
	f.acked = f.sent > 0 && n == f.sent
	if f.sent > n {
		f.fail = fastNotAcked
		if c.snd.synTwice {
			f.fail = fastAgain
		}
		c.stats.segsAgain++
		c.stats.bytesAgain += uint64(f.sent - n)
	}
	o := &seg.Options
	f.result = FastOpenResult{Option: o.FastOpen, MSS: o.MSS, Again: c.snd.synTwice, Sent: f.sent, Acked: f.acked}
	f.told = true
}

// FastOpened returns, once, what the SYN,ACK said about Fast Open; nil: nothing that was not told.
func (c *TCB) FastOpened() *FastOpenResult {
	if c.fast == nil || !c.fast.told {
		return nil
	}
	c.fast.told = false
	return &c.fast.result
}

// UsesFastOpen reports whether the connection was opened with FastOpen.
func (c *TCB) UsesFastOpen() bool { return c.fast != nil }

// takeSYNData takes the data of a SYN that came with a valid cookie: RFC 7413, 4.2.2: "4. Buffer the data and notify the
// application." A FIN is left for the peer to send again.
func (c *TCB) takeSYNData(now clock.Instant, syn *Segment) {
	text := syn.Payload[:min(len(syn.Payload), max(c.rcv.adv.Sub(c.rcv.nxt), 0))]
	if len(text) == 0 {
		return
	}
	c.rcv.mss = min(len(text), c.rcv.maxSeg)
	c.takeInOrder(now, syn, text)
	c.fast.acked = true
}

// Early reports whether data may be sent though the handshake is not over: RFC 7413, 4.2.2: the server, "If the
// FastOpened flag is set, … MUST follow [RFC5681] … to set the initial congestion window for sending more data packets."
func (c *TCB) Early() bool {
	return c.state == SynReceived && c.passive && c.fast != nil && c.fast.Data
}
