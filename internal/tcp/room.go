package tcp

// room is how many octets of new data the link takes now, of what the calls of Next make. What is beyond stays in the send buffer:
// there the peer's window, a reset and what has to be sent again still count, and no queue overflows (Linux's TCP Small Queues).
type room int32

const (
	boundless room = 0  // nobody has told
	usedUp    room = -1 // there is none
	blocked   room = -2 // there is none for anybody
	mostRoom       = 1 << 30
)

// SetRoom tells how many octets of new data may leave by the calls of Next that follow: if full none at all, else, though the room
// be used up, as much as one segment where nothing is in flight, so that who has little to say does not wait behind those who have
// much.
func (c *TCB) SetRoom(octets int, full bool) {
	c.snd.stalled = false
	switch {
	case full:
		c.snd.room = blocked
	case octets <= 0:
		c.snd.room = usedUp
	default:
		c.snd.room = room(min(octets, mostRoom))
	}
}

// Stalled reports whether there is new data that could leave if there were room. Next goes on when SetRoom has told of some.
func (c *TCB) Stalled() bool { return c.snd.stalled }

// stalls reports whether n octets of new data have to wait for room, and takes the room if not.
func (c *TCB) stalls(n int) bool {
	if r := c.snd.room; r == blocked || r == usedUp && !c.board.empty() {
		c.snd.stalled = true
		return true
	}
	c.snd.room.take(n)
	return false
}

// most returns how many of k segments of mss octets there is room for; the last one may go beyond it.
func (r room) most(k, mss int) int {
	if r == boundless {
		return k
	}
	return min(k, (max(int(r), 0)+mss-1)/mss)
}

// take uses room for n octets, if there is any.
func (r *room) take(n int) {
	if *r <= 0 {
		return
	}
	if *r -= room(n); *r <= 0 {
		*r = usedUp
	}
}
