package packet

// Batch is a first-in, first-out list of packets, linked through the packets themselves so that it never
// allocates. The zero Batch is empty. A packet is in one Batch at most. Batches are passed by pointer and not
// copied while they hold packets.
type Batch struct {
	head, tail *Buffer
	n          int
}

// Len returns how many packets b holds.
func (b *Batch) Len() int { return b.n }

// Empty reports whether b holds no packet.
func (b *Batch) Empty() bool { return b.n == 0 }

// Push appends p, which b then owns.
func (b *Batch) Push(p *Buffer) {
	p.next = nil
	if b.tail == nil {
		b.head = p
	} else {
		b.tail.next = p
	}
	b.tail = p
	b.n++
}

// Pop removes and returns the first packet, or nil if b is empty. The caller owns it.
func (b *Batch) Pop() *Buffer {
	p := b.head
	if p == nil {
		return nil
	}
	b.head = p.next
	if b.head == nil {
		b.tail = nil
	}
	p.next = nil
	b.n--
	return p
}

// Front returns the first packet, which b keeps, or nil.
func (b *Batch) Front() *Buffer { return b.head }

// Next returns the packet after p in its Batch, or nil: for looking through a Batch without changing it.
func (p *Buffer) Next() *Buffer { return p.next }

// Take appends all packets of c to b and leaves c empty.
func (b *Batch) Take(c *Batch) {
	if c.head == nil {
		return
	}
	if b.tail == nil {
		b.head = c.head
	} else {
		b.tail.next = c.head
	}
	b.tail = c.tail
	b.n += c.n
	*c = Batch{}
}

// Free frees all packets of b and leaves it empty.
func (b *Batch) Free() {
	for p := b.Pop(); p != nil; p = b.Pop() {
		p.Free()
	}
}
