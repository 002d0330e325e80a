package onlink

import "github.com/onlink-go/onlink/socket"

// Sockets returns an empty table of descriptors, as a new process has it: the stack's sockets with the calls, the
// octets and the errors of Linux, for programs that answer the system calls of a guest. Programs of their own use
// Dial and Listen.
func (s *Stack) Sockets() *socket.Table {
	return socket.New(s.rt, s.ip, s.tcp, s.udp(), s.icmp(), s.raw(), s.frames())
}
