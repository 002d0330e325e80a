package tcp

// Memory is the account of the memory that all connections of a stack share (Linux's tcp_mem). A TCB charges it with
// what its buffers hold, and is frugal when memory runs short: then windows do not grow, and the buffers neither. Data
// that was promised room is taken in any case, so that nothing fails.
type Memory interface {
	// Charge adds n octets to what is held; n may be negative.
	Charge(n int)
	// Pressed reports whether memory runs short.
	Pressed() bool
	// Exhausted reports whether there is none left: a connection then holds what it has, and no more than the least.
	Exhausted() bool
	// Sharers adds n to the number of connections that share what near peers may have in flight, and returns how many there are.
	Sharers(n int) int
	// Text returns memory for n octets of text, which packets can be made of where it lies, and who owns it; nil: there is none
	// of that kind.
	Text(n int) ([]byte, Owner)
}

// pressed reports whether the stack's memory runs short.
func (c *TCB) pressed() bool { return c.memory != nil && c.memory.Pressed() }

// starved reports whether there is no memory left.
func (c *TCB) starved() bool { return c.memory != nil && c.memory.Exhausted() }

// settleMemory charges what the buffers hold now.
func (c *TCB) settleMemory() {
	if c.memory == nil {
		return
	}
	if held := c.snd.out.held + c.rcv.in.held + c.rcv.buf.held; held != c.charged {
		c.memory.Charge((held - c.charged) * blockSize)
		c.charged = held
	}
}
