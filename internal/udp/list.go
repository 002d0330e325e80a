package udp

// Sockets returns the sockets that are open, in the order they were opened.
func (u *Layer) Sockets() []*Socket { return u.table.All() }

// Unread returns how many octets of buffers wait to be read.
func (s *Socket) Unread() int {
	s.in.Lock()
	defer s.in.Unlock()
	return s.queued
}
