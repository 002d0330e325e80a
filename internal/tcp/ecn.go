package tcp

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// The ECN field of the IP header: RFC 3168, 5.
const (
	NotECT uint8 = 0
	ECT1   uint8 = 1
	ECT0   uint8 = 2
	CE     uint8 = 3
)

// ecnState is explicit congestion notification (RFC 3168, 6.1).
type ecnState struct {
	on       bool // both ends agreed
	asked    bool // our SYN asked for it
	seen     bool // a segment came with an ECT or CE mark
	echo     bool // CE has come: ECE is set in each segment, until CWR comes
	queueCWR bool // the window was reduced: the next new data carries CWR
}

// Config.ECN.
const (
	ecnOff    = 0
	ecnAsk    = 1
	ecnAnswer = 2
)

const ecnSetup = wire.ECE | wire.CWR

// ecnSYN returns the flags of a SYN of ours: RFC 3168, 6.1.1: "an ECN-setup SYN packet": ECE and CWR. 6.1.1.1: "A host that
// receives no reply to an ECN-setup SYN within the normal SYN retransmission timeout interval MAY resend the SYN and any
// subsequent SYN retransmissions with CWR and ECE cleared." The answer may yet be to the first.
func (c *TCB) ecnSYN() wire.TCPFlags {
	if c.cfg.ECN != ecnAsk || c.retries > 0 && !c.cfg.NoECNFallback {
		return 0
	}
	c.ecn.asked = true
	return ecnSetup
}

// ecnSYNACK returns the flags of a SYN,ACK of ours: "an ECN-setup SYN-ACK packet": "the ECE flag set and the CWR flag
// cleared".
func (c *TCB) ecnSYNACK() wire.TCPFlags {
	if c.ecn.on {
		return wire.ECE
	}
	return 0
}

// ecnTakeSYN takes the flags of the peer's SYN or SYN,ACK in.
func (c *TCB) ecnTakeSYN(syn *Segment) {
	if syn.Flags&wire.ACK != 0 {
		c.ecn.on = c.ecn.asked && syn.Flags&ecnSetup == wire.ECE
		return
	}
	c.ecn.on = ecnAgrees(c.cfg, syn)
}

// ecnAgrees reports whether a SYN asks for ECN and gets it. RFC 3168, 6.1.1: "A host MUST NOT set ECT on SYN or SYN-ACK
// packets": one that has it is suspicious.
func ecnAgrees(cfg *Config, syn *Segment) bool {
	return syn.Flags&ecnSetup == ecnSetup && cfg.ECN != ecnOff && syn.ECN == NotECT
}

// ecnArrived takes the mark of a segment with text in. RFC 3168, 6.1.3: "When TCP receives a CE data packet at the destination
// end-system, the TCP data receiver sets the ECN-Echo flag in the TCP header of the subsequent ACK packet." and "… continues
// to set the ECN-Echo flag … until it receives a CWR packet".
func (c *TCB) ecnArrived(now clock.Instant, seg *Segment) {
	if !c.ecn.on {
		return
	}
	switch seg.ECN {
	case NotECT:
		if c.ecn.seen {
			c.rcv.quick = max(c.rcv.quick, 2) // a retransmission, most likely
		}
	case CE:
		if !c.ecn.echo {
			c.rcv.quick = max(c.rcv.quick, 2) // the sender's window may be very small
			c.ecn.echo = true
		}
		c.ecn.seen = true
	default:
		c.ecn.seen = true
	}
}

// ecnTakeCWR takes the CWR flag in, on segments without data too.
func (c *TCB) ecnTakeCWR(seg *Segment) {
	if c.ecn.on && seg.Flags&wire.CWR != 0 && seg.Flags&wire.SYN == 0 {
		c.ecn.echo = false
		if len(seg.Payload) > 0 {
			c.rcv.ackNow = true // the sender's window may be very small
		}
	}
}

// ecnEchoed reports whether the segment tells of congestion.
func (c *TCB) ecnEchoed(seg *Segment) bool {
	return c.ecn.on && seg.Flags&(wire.ECE|wire.SYN) == wire.ECE
}

// ecnMark sets the ECN field of a segment with data that was not sent before, and CWR where it is due.
//
// RFC 3168, 6.1.5: "ECN-capable TCP implementations MUST NOT set either ECT codepoint (ECT(0) or ECT(1)) in the IP header for
// retransmitted data packets"; 6.1.4 likewise of pure acknowledgments. 6.1.2: "the CWR flag in the TCP header of the first
// new data packet sent after the window reduction."
func (c *TCB) ecnMark(seg *Segment) {
	if !c.ecn.on {
		return
	}
	seg.ECN = ECT0
	if c.ecn.queueCWR {
		c.ecn.queueCWR = false
		seg.Flags |= wire.CWR
	}
}
