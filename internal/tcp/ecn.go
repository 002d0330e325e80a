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

// ecnState is explicit congestion notification: RFC 3168, 6.1, or RFC 9768, of which accECN counts.
type ecnState struct {
	mode     ecnMode
	asked    ecnMode // what our SYNs asked for
	synField uint8   // the ECN field of the peer's latest SYN, or SYN,ACK
	flags    ecnFlags
}

type ecnFlags uint8

const (
	ecnPlain    ecnFlags = 1 << iota // nothing is sent with ECT any more
	ecnSeen                          // a segment came with an ECT or CE mark
	ecnEcho                          // classic: CE has come: ECE is set in each segment, until CWR comes
	ecnQueueCWR                      // classic: the window was reduced: the next new data carries CWR
	ecnReply                         // accurate: the next ACK by itself tells synField (RFC 9768, 3.2.2.1)
)

func (e *ecnState) has(f ecnFlags) bool { return e.flags&f != 0 }

func (e *ecnState) set(f ecnFlags, on bool) {
	e.flags &^= f
	if on {
		e.flags |= f
	}
}

const ecnSetup = wire.ECE | wire.CWR

// ecnSYN returns the flags of a SYN of ours.
//
// RFC 3168, 6.1.1.1: "A host that receives no reply to an ECN-setup SYN within the normal SYN retransmission timeout interval
// MAY resend the SYN and any subsequent SYN retransmissions with CWR and ECE cleared." RFC 9768, 3.1.4.1: the client "SHOULD
// attempt to negotiate the use of AccECN at least one more time by continuing to set all three TCP-ECN flags … on the first
// retransmitted SYN …. If this first retransmission also fails to be acknowledged, … the TCP Client SHOULD send subsequent
// retransmissions of the SYN with the three TCP-ECN flags cleared". The answer may yet be to the first.
func (c *TCB) ecnSYN() wire.TCPFlags {
	asks := c.cfg.ecnAsks()
	tries := 1
	if asks == ecnAccurate {
		tries = 2
	}
	// 3.1.5: "MUST NOT send a 'Classic' ECN-setup SYN … and a SYN … requesting AccECN feedback within the same connection".
	if asks == ecnNone || c.retries >= tries && !c.cfg.NoECNFallback || c.ecn.asked != ecnNone && c.ecn.asked != asks {
		return 0
	}
	c.ecn.asked = asks
	return ecnSYNFlags(asks)
}

// ecnSYNACK returns the flags of a SYN,ACK of ours. RFC 9768, 3.2.3.2.2: "If this retransmission times out, … the TCP Server
// SHOULD retransmit the SYN/ACK with (AE,CWR,ECE) = (0,0,0) and no AccECN Option, but it remains in AccECN feedback mode".
func (c *TCB) ecnSYNACK() wire.TCPFlags {
	if c.ecn.mode == ecnAccurate && c.retries > 1 {
		c.ecn.set(ecnPlain, c.ecn.has(ecnPlain) || c.passive)
		return 0
	}
	return ecnSYNACKFlags(c.ecn.mode, c.ecn.synField)
}

// ecnTakeSYN takes the flags of the peer's SYN or SYN,ACK in.
func (c *TCB) ecnTakeSYN(syn *Segment) {
	e := &c.ecn
	e.synField = syn.ECN
	switch {
	case syn.Flags&wire.ACK != 0:
		e.mode = ecnAnswered(e.asked, syn.Flags.ACE())
		if e.mode == ecnAccurate {
			e.set(ecnReply, true)
			c.ecnCheckEcho(syn.Flags.ACE())
		}
	case c.passive:
		e.mode = ecnAgrees(c.cfg, syn)
	default:
		// RFC 9768, 3.1.2: "Host A MUST then enter the same feedback mode as it would have entered had it been a responding
		// host and received the same SYN." The peer has our SYN to go by, which must have asked for it too.
		if e.mode = ecnAgrees(c.cfg, syn); e.mode != e.asked {
			e.mode = ecnNone
		}
	}
	c.startMarks(syn)
}

// ecnCheckEcho looks at what the peer says our SYN, or SYN,ACK, arrived with, which was sent Not-ECT. RFC 9768, 3.2.2.3: "If
// this comparison implies an invalid transition … of the IP-ECN field, for the remainder of the half-connection the Client is
// advised to send non-ECN-capable packets, but it still ought to respond to any feedback of CE markings". It returns whether
// a CE mark is told of.
func (c *TCB) ecnCheckEcho(ace uint8) bool {
	field := ecnTold(ace, NotECT)
	if ecnMangled(NotECT, field) && !c.cfg.NoECNFallback {
		c.ecn.set(ecnPlain, true)
		c.ecnFails(ecnFailACEReceive)
	}
	return field == CE
}

// ecnAgain takes in a SYN or SYN,ACK that comes again. It returns false if the connection is to be reset. peer's SYN,ACKs do
// not change the mode: RFC 9768, 3.1.5: "MUST NOT switch into a different feedback mode from the one it first entered".
func (c *TCB) ecnAgain(seg *Segment) bool {
	e := &c.ecn
	if seg.Flags&wire.ACK != 0 {
		// "MUST feed back the IP-ECN field on the latest valid SYN or acceptable SYN/ACK to arrive." 3.2.2.1: "MUST also use the
		// handshake encoding for the pure ACK of any retransmitted SYN/ACK that confirms that the TCP Server supports AccECN."
		if e.mode == ecnAccurate && !c.passive && ecnAnswered(ecnAccurate, seg.Flags.ACE()) == ecnAccurate {
			e.synField = seg.ECN
			e.set(ecnReply, true)
			c.markSYNACK(seg)
		}
		return true
	}
	if c.state != SynReceived {
		return true // "SHOULD ignore the TCP-ECN flags in SYNs or SYN/ACKs that are received after … the ESTABLISHED state"
	}
	again := ecnRequested(seg)
	if ecnConflict(c.cfg, e.mode, again) {
		return false
	}
	e.synField = seg.ECN
	// "A TCP Server in AccECN mode: MUST NOT set ECT on any packet for the rest of the connection, if it has received or sent at
	// least one valid SYN or Acceptable SYN/ACK with (AE,CWR,ECE) = (0,0,0) during the handshake."
	if e.mode == ecnAccurate && again == ecnNone && c.passive {
		e.set(ecnPlain, true)
	}
	return true
}

// ecnConflict reports whether a SYN that asks for again contradicts one that has led to mode: RFC 9768, 3.1.5: "MUST reset the
// connection with a RST packet, if it receives a 'Classic' ECN-setup SYN with (AE,CWR,ECE) = (0,1,1) and a SYN requesting AccECN
// feedback during the same handshake".
func ecnConflict(cfg *Config, mode, again ecnMode) bool {
	return cfg.ecnAccepts() == ecnAccurate && (mode == ecnAccurate && again == ecnClassic || mode == ecnClassic && again == ecnAccurate)
}

// ecnArrived takes the mark of a segment with text in. RFC 3168, 6.1.3: "When TCP receives a CE data packet at the destination
// end-system, the TCP data receiver sets the ECN-Echo flag in the TCP header of the subsequent ACK packet." and "… continues
// to set the ECN-Echo flag … until it receives a CWR packet".
func (c *TCB) ecnArrived(now clock.Instant, seg *Segment) {
	if c.ecn.mode != ecnClassic {
		return
	}
	switch seg.ECN {
	case NotECT:
		if c.ecn.has(ecnSeen) {
			c.rcv.quick = max(c.rcv.quick, 2) // a retransmission, most likely
		}
	case CE:
		if !c.ecn.has(ecnEcho) {
			c.rcv.quick = max(c.rcv.quick, 2) // the sender's window may be very small
			c.ecn.set(ecnEcho, true)
		}
		c.ecn.set(ecnSeen, true)
	default:
		c.ecn.set(ecnSeen, true)
	}
}

// ecnTakeCWR takes the CWR flag in, on segments without data too.
func (c *TCB) ecnTakeCWR(seg *Segment) {
	if c.ecn.mode == ecnClassic && seg.Flags&wire.CWR != 0 && seg.Flags&wire.SYN == 0 {
		c.ecn.set(ecnEcho, false)
		if len(seg.Payload) > 0 {
			c.rcv.ackNow = true // the sender's window may be very small
		}
	}
}

// ecnEchoed reports whether the segment tells of congestion.
func (c *TCB) ecnEchoed(seg *Segment) bool {
	return c.ecn.mode == ecnClassic && seg.Flags&(wire.ECE|wire.SYN) == wire.ECE
}

// ecnReduced notes that the window is reduced, which RFC 3168 has the peer told. RFC 9768, 3.1.5: a host in AccECN mode "MUST
// NOT set CWR to indicate that it has received and responded to indications of congestion."
func (c *TCB) ecnReduced() { c.ecn.set(ecnQueueCWR, c.ecn.mode == ecnClassic) }

// ecnMark sets the ECN field of a segment with data that was not sent before, and CWR where it is due.
//
// RFC 3168, 6.1.5: "ECN-capable TCP implementations MUST NOT set either ECT codepoint (ECT(0) or ECT(1)) in the IP header for
// retransmitted data packets"; 6.1.4 likewise of pure acknowledgments. RFC 9768, 4: "The present specification does not update
// that aspect of [RFC3168]". 6.1.2: "the CWR flag in the TCP header of the first new data packet sent after the window
// reduction."
func (c *TCB) ecnMark(seg *Segment) {
	if c.ecn.mode == ecnNone || c.ecn.has(ecnPlain) {
		return
	}
	seg.ECN = ECT0
	if c.ecn.has(ecnQueueCWR) {
		c.ecn.set(ecnQueueCWR, false)
		seg.Flags |= wire.CWR
	}
}
