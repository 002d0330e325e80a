package tcp

// prr is proportional rate reduction (RFC 9937), in segments: it brings the window down to the threshold over the round
// trip that fast recovery or the answer to a congestion mark takes.
type prr struct {
	delivered int   // prr_delivered
	out       int   // prr_out
	flight    int32 // RecoverFS
	path      Path  // which rule the last ACK fell under
}

// begin is RFC 9937, 6.1. RecoverFS is "the number of bytes the data sender estimates might possibly be delivered over the
// course of the PRR episode". Linux has the congestion window in its place, and so have we: as long as the window is used
// up they are the same; with less to send, the reduction is a little slower in coming back.
func (p *prr) begin(flight int) { *p = prr{flight: int32(max(flight, 1))} }

// acked is RFC 9937, 6.2, "Per-ACK Steps", for an ACK that delivered n segments. It returns cwnd. safe is SafeACK: "SND.UNA
// advances and no further loss indicated".
func (p *prr) acked(n, inflight, threshold int, safe bool) int {
	p.delivered += n
	var send int // SndCnt
	if inflight > threshold {
		// "This uses integer division, rounding up".
		send = (p.delivered*threshold+int(p.flight)-1)/int(p.flight) - p.out
		p.path = PathPRRProportional
	} else {
		// "PRR-CRB by default: SndCnt = MAX(prr_delivered - prr_out, DeliveredData)".
		send = max(p.delivered-p.out, n)
		p.path = PathPRRConservative
		if safe {
			p.path = PathPRRSlowStart
			send++ // "PRR-SSRB when recovery is making good progress"
		}
		// "Attempt to catch up, as permitted: SndCnt = MIN(ssthresh - inflight, SndCnt)".
		send = min(threshold-inflight, send)
	}
	if p.out == 0 {
		if send < 1 {
			p.path = PathPRRForced
		}
		send = max(send, 1) // "Force a fast retransmit upon entering recovery"
	}
	return inflight + max(send, 0)
}

// sent is RFC 9937, 6.3: "prr_out += (data sent)".
func (p *prr) sent(n int) { p.out += n }
