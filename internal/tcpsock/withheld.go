package tcpsock

// withheld are the connections of a shard whose last octets wait for what is written next, until what was staged before them has left.
type withheld struct {
	conns   []*Conn
	release func() // Layer.release of the shard
	last    *Conn  // that sent as much at once as can be, and
	mark    uint64 // when: shard.Mark
}

// forget takes in that c leaves the table.
func (w *withheld) forget(c *Conn) {
	if w.last == c {
		w.last = nil
	}
}

// mayWithhold reports whether what does not fill a super-packet may wait: for a Write that is about to go on; or, while something is in
// flight, until the super-packet in front of it has left and release had its turn. sh locked.
func (c *Conn) mayWithhold() bool {
	w := &c.table().withheld
	return c.writing == fills || (c.withheld || w.last == c && !c.sh.Left(w.mark)) && c.tcb.InFlight()
}

// sendsWhole notes that as much leaves at once as can: what is behind it may be withheld. sh locked.
func (c *Conn) sendsWhole() {
	w := &c.table().withheld
	w.last, w.mark = c, c.sh.Mark()
	c.tcb.Withhold(true)
}

// withholds notes that the TCB has withheld something. A Write under way will send it; else release does. sh locked.
func (c *Conn) withholds() {
	if c.writing == fills || c.withheld {
		return
	}
	c.withheld = true
	w := &c.table().withheld
	w.conns = append(w.conns, c)
	c.sh.After(w.release)
}

// release has the connections of the shard with the given index send what they have withheld.
func (t *Layer) release(index int) {
	sh := t.ip.Shards()[index]
	sh.Lock()
	defer sh.Unlock()
	now := t.rt.Now()
	w := &t.tables[index].withheld
	n := len(w.conns)
	for _, c := range w.conns[:n] {
		if c.withheld = false; !c.gone && c.writing != fills {
			c.pump(now)
		}
	}
	rest := copy(w.conns, w.conns[n:]) // who withholds again
	clear(w.conns[rest:])
	w.conns = w.conns[:rest]
}
