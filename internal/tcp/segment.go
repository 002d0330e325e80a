package tcp

import "github.com/onlink-go/onlink/wire"

// Segment is one TCP segment as values, arriving or leaving.
type Segment struct {
	Seq     Seq           // SEG.SEQ
	Ack     Seq           // SEG.ACK, meaningful with the ACK flag
	Flags   wire.TCPFlags // control bits
	Window  uint16        // SEG.WND as on the wire, not scaled
	Urgent  uint16        // SEG.UP
	Options wire.TCPOptions

	// Payload of an arriving segment, borrowed until Arrive returns, unless Owner says otherwise. Nil in a leaving one.
	Payload []byte
	// Owner may tell whose Payload is. If the TCB sets it to nil it has kept the payload, and frees it when it is read.
	Owner Owner
	// Len is how many octets of payload the segment has. TCB.Payload copies those of a leaving one.
	Len int

	ECN        uint8 // the ECN field of the IP header (RFC 3168, 5): [NotECT], [ECT0], [ECT1], [CE]
	Challenge  bool  // leaving: a challenge ACK, which the caller may withhold to bound those of the host (RFC 5961, 7)
	Retransmit bool  // leaving: it was sent before, for the caller's counters
}

// length returns SEG.LEN: RFC 9293, 3.4: "The number of octets occupied by the data in the segment (counting SYN and
// FIN)".
func (s *Segment) length() int {
	n := len(s.Payload)
	if s.Flags&wire.SYN != 0 {
		n++
	}
	if s.Flags&wire.FIN != 0 {
		n++
	}
	return n
}

// ResetFor makes the RST that answers seg where there is no connection, or returns false if seg is itself a RST.
//
// RFC 9293, 3.10.7.1: "An incoming segment containing a RST is discarded. An incoming segment not containing a RST
// causes a RST to be sent in response."
func ResetFor(seg *Segment, rst *Segment) bool {
	if seg.Flags&wire.RST != 0 {
		return false
	}
	if seg.Flags&wire.ACK != 0 {
		// "If the ACK bit is on, <SEQ=SEG.ACK><CTL=RST>"
		*rst = Segment{Seq: seg.Ack, Flags: wire.RST}
	} else {
		// "If the ACK bit is off, sequence number zero is used, <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>"
		*rst = Segment{Ack: seg.Seq.Add(seg.length()), Flags: wire.RST | wire.ACK}
	}
	return true
}
