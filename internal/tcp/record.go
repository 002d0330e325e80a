package tcp

// maxRecords bounds how many ends of records are remembered; of more, the earliest are forgotten.
const maxRecords = 64

// EndRecord has no segment carry both what was written so far and what follows (Linux's MSG_EOR). It matters only for
// what is not sent yet. TCP has no records, and the receiver does not see them; but what is told of a segment, as when it was
// sent, then is told of one write.
func (c *TCB) EndRecord() {
	end := c.written()
	if c.snd.cuts = c.pastCuts(); !c.snd.nxt.Less(end) {
		return
	}
	if n := len(c.snd.cuts); n > 0 && c.snd.cuts[n-1] == end {
		return
	} else if n == maxRecords {
		c.snd.cuts = c.snd.cuts[1:]
	}
	c.snd.cuts = append(c.snd.cuts, end)
	c.snd.space.chunk = end
}

// pastCuts returns the ends of records that are still to be sent; nil: none.
func (c *TCB) pastCuts() []Seq {
	cuts := c.snd.cuts
	for len(cuts) > 0 && cuts[0].LessEq(c.snd.nxt) {
		cuts = cuts[1:]
	}
	if len(cuts) == 0 {
		return nil
	}
	return cuts
}

// recordLeft returns how many octets of the record at SND.NXT are left, if another one follows; else 0.
func (c *TCB) recordLeft(unsent int) int {
	if c.snd.cuts == nil {
		return 0
	}
	if c.snd.cuts = c.pastCuts(); c.snd.cuts == nil {
		return 0
	}
	if n := c.snd.cuts[0].Sub(c.snd.nxt); n < unsent {
		return n
	}
	return 0
}
