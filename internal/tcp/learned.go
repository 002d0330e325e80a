package tcp

import "time"

// Learned is what one connection learns of a path that is of use to the next: RFC 9040, 3. Zero fields are not known.
type Learned struct {
	RTT, RTTVar time.Duration
	SSThresh    int // segments
	Reordering  int // segments
}

// Learned returns what the connection has learned; false: nothing, or what it learned is of no use.
func (c *TCB) Learned() (m Learned, ok bool) {
	if c.cc == nil || !c.rtt.sampled {
		return m, false
	}
	m.RTT, m.RTTVar = c.rtt.srtt, c.rtt.rttvar
	if c.cw.Threshold < unlimited {
		m.SSThresh = c.cw.Threshold
	}
	if c.recovery.reordering > c.cfg.Reordering {
		m.Reordering = c.recovery.reordering
	}
	return m, true
}

// Merge takes in what a later connection has learned. A round-trip time that has grown is believed at once, one that has
// shrunk by and by: too long a timeout costs less than one that is too short.
func (m *Learned) Merge(n Learned) {
	if m.RTT == 0 || m.RTT <= n.RTT {
		m.RTT = n.RTT
	} else {
		m.RTT -= (m.RTT - n.RTT) / 8
	}
	if m.RTTVar <= n.RTTVar {
		m.RTTVar = n.RTTVar
	} else {
		m.RTTVar -= (m.RTTVar - n.RTTVar) / 4
	}
	if n.SSThresh > 0 {
		m.SSThresh = n.SSThresh
	}
	m.Reordering = max(m.Reordering, n.Reordering)
}

// UseLearned has the connection go on with what others have learned; it is called when the handshake is over. A round-trip time that
// is longer than the handshake's makes the first timeout longer: the SYN was small, and queues may have been empty.
func (c *TCB) UseLearned(m *Learned) {
	if m.RTT > c.rtt.srtt {
		c.rtt.rto = min(m.RTT+max(2*m.RTT, c.cfg.MinRTO), c.cfg.MaxRTO)
	}
	if m.SSThresh > 0 {
		c.cw.Threshold = m.SSThresh
	}
	if m.Reordering > 0 {
		c.recovery.reordering = min(max(m.Reordering, c.recovery.reordering), c.cfg.MaxReordering)
	}
}
