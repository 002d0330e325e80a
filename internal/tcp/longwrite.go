package tcp

// Long writes lie in memory of which packets can be made (Memory.Text), from where a segment will begin to where a super-packet will
// end, and are copied there by whoever writes, without the TCB being locked.

// leastLong is the least text that is a long one: a packet of less has less memory.
const leastLong = blockSize

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
	if n < leastReserved || c.memory == nil || c.refusing() {
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

// SuperPacket returns how many octets of data are sent at once at most: whole segments.
func (c *TCB) SuperPacket() int { return c.wholeSegments(largestBurst) }

// wholeSegments returns how many of n octets are whole segments, one at least.
func (c *TCB) wholeSegments(n int) int { return max(n/c.snd.mss, 1) * c.snd.mss }

// gatherLong prepares for n octets that are to be written at once: if there are many, or many were before, they are to lie in memory
// of which packets can be made, from where a segment will begin.
func (c *TCB) gatherLong(n int) {
	on, move := c.goesOn()
	if c.memory == nil || on > 0 || n < leastLong && !c.snd.out.full() || move > leastLong/2 || move > c.snd.out.inLast() {
		return
	}
	whole := c.SuperPacket()
	if mem, owner := c.memory.Text(whole); owner != nil {
		c.snd.out.begin(mem[:whole:whole], owner, move)
	}
}

// goesOn returns how many octets may be written on where the last ones are, in memory of which packets can be made and from where a
// segment will begin; 0: none, and of what is written and not sent so much should move to new memory with what follows, to begin
// where a segment will.
func (c *TCB) goesOn() (on, move int) {
	p := c.snd.out.last()
	chunk := c.lastChunk()
	switch {
	case p == nil || p.owner == nil:
		return 0, chunk
	case p.room() == 0:
		return 0, 0
	case chunk >= len(p.data) || chunk == 0 && c.unsent() > 0 || chunk > leastLong/2:
		return p.room(), 0
	}
	return 0, chunk
}

// Gap returns how many octets may be written until what is not sent ends where a super-packet is to end: if there are as many, it
// is worth while to have Next send not before.
func (c *TCB) Gap() int {
	if on, _ := c.goesOn(); on > 0 {
		return on
	}
	whole := c.SuperPacket()
	if n := whole - c.unsent(); n > 0 {
		return n
	}
	return whole
}
