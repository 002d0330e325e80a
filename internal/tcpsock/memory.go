package tcpsock

import "sync/atomic"

// memory is the account of what the buffers of all connections of a layer hold (net.ipv4.tcp_mem). It implements
// tcp.Memory. Being added to once for each block of a buffer, it may be shared by the shards.
type memory struct {
	held    atomic.Int64
	pressed atomic.Bool
	sharers atomic.Int64
	limits  func() *[3]int // in octets
}

// Charge implements tcp.Memory.
func (m *memory) Charge(n int) { m.held.Add(int64(n)) }

// Pressed implements tcp.Memory: memory runs short when the second limit is exceeded, until it is back at the first. It is asked for
// each segment, and changes hardly ever: so it is written only then.
func (m *memory) Pressed() bool {
	held, limits, pressed := m.held.Load(), m.limits(), m.pressed.Load()
	if now := held > int64(limits[1]) || pressed && held > int64(limits[0]); now != pressed {
		m.pressed.Store(now)
		return now
	}
	return pressed
}

// Sharers implements tcp.Memory.
func (m *memory) Sharers(n int) int {
	if n == 0 {
		return int(m.sharers.Load())
	}
	return int(m.sharers.Add(int64(n)))
}

// Exhausted implements tcp.Memory.
func (m *memory) Exhausted() bool { return m.held.Load() > int64(m.limits()[2]) }

// MemoryHeld returns how many octets of memory the buffers of the layer's connections hold.
func (t *Layer) MemoryHeld() int { return int(t.memory.held.Load()) }
