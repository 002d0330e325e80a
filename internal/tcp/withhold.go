package tcp

// A write of 64 KiB is a super-packet and a rest of some hundred octets, which costs nearly as much. So that it leaves with what is
// written next, Next can be told to withhold what would not fill a super-packet, while somebody is writing, or what was sent before
// has not left yet. Linux does so too (tcp_autocorking), with TCP_NODELAY set or not. RFC 9293, 3.9.1.2: "The transmitter SHOULD
// collapse successive bits when it packetizes data, to send the largest possible segment (SHLD-27)."

// Withhold has Next withhold, or not, the last octets written if they are less than a super-packet takes; from the next call on.
func (c *TCB) Withhold(on bool) { c.snd.withhold, c.snd.withheld = on, false }

// Withheld reports whether Next would have sent something but for Withhold.
func (c *TCB) Withheld() bool { return c.snd.withheld }

// InFlight reports whether something was sent that is not acknowledged.
func (c *TCB) InFlight() bool { return !c.board.empty() }

// withholds reports whether the unsent octets are withheld.
func (c *TCB) withholds(unsent int) bool {
	s := &c.snd
	if !s.withhold || unsent == 0 || unsent >= int(s.space.goal) || s.fin || s.force || s.nxt.Less(s.push) || s.nxt.Less(s.burst.end) ||
		c.urg.sending {
		return false
	}
	s.withheld = true
	return true
}
