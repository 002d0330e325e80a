package tcp

import "github.com/onlink-go/onlink/wire"

// ecnMode is the feedback that both ends agreed on for congestion marks.
type ecnMode uint8

const (
	ecnNone     ecnMode = iota // Not ECN
	ecnClassic                 // RFC 3168: the receiver sets ECE until CWR comes
	ecnAccurate                // RFC 9768: the receiver counts
)

// Config.ECN, which is Linux's tcp_ecn: what a SYN of ours asks for, and what one of the peer's gets at most.
const (
	ecnOff            = 0
	ecnAsk            = 1 // classic, and classic
	ecnAnswer         = 2 // nothing, and classic
	ecnAskAccurate    = 3 // accurate, and accurate
	ecnAskClassic     = 4 // classic, and accurate
	ecnAnswerAccurate = 5 // nothing, and accurate
)

// ecnAsks returns the mode that a SYN of ours asks for.
func (cfg *Config) ecnAsks() ecnMode {
	switch cfg.ECN {
	case ecnAsk, ecnAskClassic:
		return ecnClassic
	case ecnAskAccurate:
		return ecnAccurate
	}
	return ecnNone
}

// ecnAccepts returns the best mode that a SYN of the peer's may get.
func (cfg *Config) ecnAccepts() ecnMode {
	switch cfg.ECN {
	case ecnAsk, ecnAnswer:
		return ecnClassic
	case ecnAskAccurate, ecnAskClassic, ecnAnswerAccurate:
		return ecnAccurate
	}
	return ecnNone
}

// RFC 9768, table 2: the ACE field of SYNs. RFC 3168, 6.1.1: "an ECN-setup SYN packet" has ECE and CWR.
const (
	aceNone     = 0b000
	aceClassic  = 0b011
	aceAccurate = 0b111
)

// ecnSYNFlags returns the control bits of a SYN that asks for m.
func ecnSYNFlags(m ecnMode) wire.TCPFlags {
	return wire.TCPFlags(0).WithACE([...]uint8{aceNone, aceClassic, aceAccurate}[m])
}

// ecnRequested returns the mode that a SYN asks for.
//
// RFC 9768, 3.1.3: "If a TCP Server that implements AccECN receives a SYN with the three TCP header flags (AE,CWR,ECE) set to
// any combination other than (0,0,0), (0,1,1), or (1,1,1) …, the Server MUST negotiate the use of AccECN as if the three flags
// had been set to (1,1,1)."
func ecnRequested(syn *Segment) ecnMode {
	switch syn.Flags.ACE() {
	case aceNone:
		return ecnNone
	case aceClassic:
		return ecnClassic
	}
	return ecnAccurate
}

// ecnAgrees returns the mode that a SYN of the peer's leads to: RFC 9768, table 2, as host B.
func ecnAgrees(cfg *Config, syn *Segment) ecnMode {
	accepts, asked := cfg.ecnAccepts(), ecnRequested(syn)
	if accepts == ecnAccurate && asked == ecnAccurate {
		return ecnAccurate
	}
	// "… set both its half-connections into the Classic ECN feedback mode and return a SYN/ACK with (AE,CWR,ECE) = (0,0,1)".
	// To a host that knows RFC 3168 alone, AE is a reserved bit, to be ignored.
	//
	// RFC 3168, 6.1.1: "A host MUST NOT set ECT on SYN or SYN-ACK packets": one that has it is suspicious, unless it asks for
	// more than RFC 3168 knows of.
	if accepts != ecnNone && syn.Flags&ecnSetup == ecnSetup && (syn.ECN == NotECT || syn.Flags&wire.AE != 0) {
		return ecnClassic
	}
	return ecnNone
}

// ecnSYNACKs are RFC 9768, table 2, of SYN,ACKs and the like table 3 of the ACK that follows: how the ACE field tells the ECN
// field of the SYN, or SYN,ACK.
var ecnSYNACKs = [4]uint8{NotECT: 0b010, ECT1: 0b011, ECT0: 0b100, CE: 0b110}

// ecnSYNACKFlags returns the control bits of a SYN,ACK in mode m that answers a SYN which came with field in its IP header.
func ecnSYNACKFlags(m ecnMode, field uint8) wire.TCPFlags {
	switch m {
	case ecnClassic:
		return wire.ECE // RFC 3168, 6.1.1: "an ECN-setup SYN-ACK packet": "only the ECE flag set but the CWR flag not set"
	case ecnAccurate:
		return wire.TCPFlags(0).WithACE(ecnSYNACKs[field&3])
	}
	return 0
}

// ecnAnswered returns the mode that a SYN,ACK with the given ACE field leads to after our SYN asked for one: RFC 9768, table 2,
// as host A.
func ecnAnswered(asked ecnMode, ace uint8) ecnMode {
	if asked == ecnClassic {
		// What RFC 3168 looks at.
		if ace&0b011 == 0b001 {
			return ecnClassic
		}
		return ecnNone
	}
	if asked == ecnNone {
		return ecnNone
	}
	switch ace {
	case 0b000:
		return ecnNone
	case 0b001:
		return ecnClassic
	case 0b111:
		// "Some older TCP Server implementations incorrectly set the TCP-ECN flags in the SYN/ACK by reflecting those in the
		// SYN. … it MUST fall back to Not ECN mode".
		return ecnNone
	}
	// 3.1.3: "(1,0,1) … the Client MUST enable AccECN mode as if the SYN/ACK confirmed that the Server supported AccECN".
	return ecnAccurate
}

// ecnTold returns the ECN field that a SYN,ACK, or the ACK that follows, says that ours arrived with; sent is what it was
// sent with. 3.1.3 of the reserved SYN,ACK: "as if it fed back that the IP-ECN field on the SYN had arrived unchanged", and
// so with the values that table 4 has no meaning for.
func ecnTold(ace, sent uint8) uint8 {
	for field, code := range ecnSYNACKs {
		if code == ace {
			return uint8(field)
		}
	}
	return sent
}

// ecnMangled reports whether the ECN field sent cannot have become what arrived: RFC 9768, 3.2.2.3: "Invalid transitions of
// the IP-ECN field …: the Not-ECT codepoint changes; either ECT codepoint transitions to Not-ECT; the CE codepoint changes."
func ecnMangled(sent, arrived uint8) bool {
	switch sent {
	case NotECT, CE:
		return arrived != sent
	}
	return arrived == NotECT
}
