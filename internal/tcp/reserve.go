package tcp

// Reserved is room in the send buffer that somebody fills who has not locked the TCB, and then gives to SendReserved. It must be given
// there, whatever happens in between: it outlives the connection.
type Reserved struct {
	Room []byte
	part *part
	open int // room of its chunk
}

// leastReserved is the least text that is worth reserving room for: less is copied faster than a TCB is unlocked and locked again.
const leastReserved = 4 << 10

// Reserve returns room for n octets that are to be written next, or for the first ones of them. It has none if they are few, if there
// is no memory for long texts, or if Send has a reason to return less: then it is for Send. Nothing else may be written before
// SendReserved.
func (c *TCB) Reserve(n int) (r Reserved) {
	if n < leastReserved || c.memory == nil || c.pending != 0 || c.state == Closed || c.cc == nil || !c.sending() || c.snd.fin {
		return r
	}
	if r.open = c.openChunk(true); r.open == 0 {
		return r
	}
	c.gatherLong(n)
	p := c.snd.out.last()
	if p == nil || p.owner == nil || p.room() == 0 {
		return Reserved{}
	}
	p.reserved = true
	at := len(p.data)
	r.part, r.Room = p, p.data[at:at+min(n, r.open, p.room())]
	return r
}

// SendReserved is SendMore of what r.Room was filled with.
func (c *TCB) SendReserved(r Reserved, more bool) (int, error) {
	p := r.part
	p.reserved = false
	if p.gone {
		// The connection has ended meanwhile.
		n, err := c.send(r.Room, more)
		p.gone = false
		p.free()
		return n, err
	}
	if err := c.refuses(); err != nil {
		return 0, err
	}
	n := len(r.Room)
	c.noteLimited()
	p.data = p.data[:len(p.data)+n]
	c.snd.out.end += n
	c.wrote(n, r.open)
	c.snd.more = more
	c.noteWritten(n)
	return n, nil
}
