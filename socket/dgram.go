package socket

import (
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/ready"
)

// dgram is a UDP socket.
type dgram struct{ inet }

func newDgram(t *Table, domain int, nonblock bool) *dgram {
	s := &dgram{}
	s.init(t, domain, nonblock)
	return s
}

func (s *dgram) bind(netip.AddrPort) error    { return syscall.EOPNOTSUPP }
func (s *dgram) listen(int) error             { return syscall.EOPNOTSUPP }
func (s *dgram) connect(netip.AddrPort) error { return syscall.EOPNOTSUPP }
func (s *dgram) accept(int) (sock, netip.AddrPort, error) {
	return nil, netip.AddrPort{}, syscall.EOPNOTSUPP
}
func (s *dgram) recvmsg(*Msg, int) (int, error)           { return -1, syscall.EOPNOTSUPP }
func (s *dgram) sendmsg(*Msg, int) (int, error)           { return -1, syscall.EOPNOTSUPP }
func (s *dgram) shutdown(int) error                       { return syscall.EOPNOTSUPP }
func (s *dgram) sockname() (netip.AddrPort, error)        { return netip.AddrPort{}, syscall.EOPNOTSUPP }
func (s *dgram) peername() (netip.AddrPort, error)        { return netip.AddrPort{}, syscall.EOPNOTSUPP }
func (s *dgram) setsockopt(int, int, []byte) error        { return syscall.ENOPROTOOPT }
func (s *dgram) getsockopt(int, int, []byte) (int, error) { return 0, syscall.ENOPROTOOPT }
func (s *dgram) ioctl(uint, []byte) error                 { return syscall.ENOTTY }
func (s *dgram) poll() ready.Events                       { return 0 }
func (s *dgram) release() error                           { return nil }
