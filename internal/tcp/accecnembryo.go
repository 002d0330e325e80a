package tcp

import "github.com/onlink-go/onlink/wire"

// ecnFlags sets the control bits AE, CWR and ECE of a SYN,ACK, and adds the option of Accurate ECN.
//
// RFC 9768, 3.2.3.2.2: "If the TCP Server has not received an ACK to acknowledge its SYN/ACK after the normal TCP timeout or if
// it receives a second SYN with a request for AccECN support, …, the TCP Server SHOULD retransmit the SYN/ACK, but with no
// AccECN Option. If this retransmission times out, …, the TCP Server SHOULD retransmit the SYN/ACK with (AE,CWR,ECE) = (0,0,0)
// and no AccECN Option, but it remains in AccECN feedback mode".
func (e *Embryo) ecnFlags(seg *Segment) {
	if e.ecn == ecnAccurate && e.timeouts > 1 {
		e.flags |= embryoPlain
		return
	}
	seg.Flags |= ecnSYNACKFlags(e.ecn, e.synField)
}

// Report adds the option of Accurate ECN to the first SYN,ACK, which has its other options already: RFC 9768, 3.2.3.2.1: a
// server "SHOULD include an AccECN TCP Option on the SYN/ACK". reserved is as in Open.
func (e *Embryo) Report(cfg *Config, seg *Segment, reserved int) {
	if e.ecn == ecnAccurate && e.sent <= 1 && cfg.ECNOption != ecnOptionNever {
		ecnSYNACKOption(&seg.Options, reserved)
	}
}

// ecnAgain takes in what a SYN that comes again asks for. It returns false if that excludes what the first did.
func (e *Embryo) ecnAgain(cfg *Config, syn *Segment) bool {
	again := ecnRequested(syn)
	if ecnConflict(cfg, e.ecn, again) {
		return false
	}
	// RFC 9768, 3.1.5: "MUST feed back the IP-ECN field on the latest valid SYN".
	e.synField = syn.ECN
	// "A TCP Server in AccECN mode: MUST NOT set ECT on any packet for the rest of the connection, if it has received … at least
	// one valid SYN … with (AE,CWR,ECE) = (0,0,0)".
	if e.ecn == ecnAccurate && again == ecnNone {
		e.flags |= embryoPlain
	}
	return true
}

// counted returns the control bits f of a segment without SYN, with the ACE field if there is one.
func (e *Embryo) counted(f wire.TCPFlags) wire.TCPFlags {
	if e.ecn == ecnAccurate {
		f = f.WithACE(uint8(ecnInitial.cep))
	}
	return f
}
