package tcpsock

import "sync/atomic"

// memory is the account of what the buffers of all connections of a layer hold (net.ipv4.tcp_mem). It implements
// tcp.Memory. Being added to once for each block of a buffer, it may be shared by the shards.
type memory struct {
	held    atomic.Int64
	pressed atomic.Bool
	limits  func() *[3]int // in octets
}

// Charge implements tcp.Memory.
func (m *memory) Charge(n int) { m.held.Add(int64(n)) }

// Pressed implements tcp.Memory: memory runs short when the second limit is exceeded, until it is back at the first.
func (m *memory) Pressed() bool {
	held, limits := m.held.Load(), m.limits()
	switch {
	case held > int64(limits[1]):
		m.pressed.Store(true)
	case held <= int64(limits[0]):
		m.pressed.Store(false)
	}
	return m.pressed.Load()
}

// Exhausted implements tcp.Memory.
func (m *memory) Exhausted() bool { return m.held.Load() > int64(m.limits()[2]) }

// MemoryHeld returns how many octets of memory the buffers of the layer's connections hold.
func (t *Layer) MemoryHeld() int { return int(t.memory.held.Load()) }
