package udp

// Sockets returns the sockets that are open, in the order they were opened.
func (u *Layer) Sockets() []*Socket { return u.table.All() }
