package socket_test

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/onlink-go/onlink/socket"
)

func init() { scenarios = append(scenarios, errorScenarios...) }

// recvError notes the first entry of the error queue, with room for size octets of the packet.
func (p *probe) recvError(fd, size int) {
	b := make([]byte, size)
	m := socket.Msg{Buf: [][]byte{b}, Control: make([]byte, 256)}
	n, err := p.Recvmsg(fd, &m, socket.MSG_ERRQUEUE)
	if err != nil {
		p.answer("error queue", err)
		return
	}
	p.answer("error queue", nil, n, string(b[:max(min(n, size), 0)]), fmt.Sprintf("%#x % x", m.Flags, m.Control), p.relative(m.Name))
}

// told notes all that a socket has to tell of errors.
func (p *probe) told(fd, size int) {
	p.settle()
	p.poll(fd)
	p.recvError(fd, size)
	p.poll(fd)
	p.soError(fd)
	p.recv(fd, 10, 0)
	p.recvError(fd, size)
}

var errorScenarios = []struct {
	name string
	f    func(p *probe)
}{
	{"error queue", func(p *probe) {
		for _, to := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1"} {
			for _, options := range [][][2]int{
				{}, {{0, socket.IP_RECVERR}}, {{41, socket.IPV6_RECVERR}}, {{0, socket.IP_RECVERR}, {41, socket.IPV6_RECVERR}},
			} {
				for _, connected := range []bool{false, true} {
					p.note("to %s, options %v, connected %v", to, options, connected)
					var fd int
					if strings.Contains(to, ":") {
						fd = p.socket6()
					} else {
						fd = p.socket(udp)
					}
					for _, o := range options {
						p.set(fd, o[0], o[1], 1)
						p.get(fd, o[0], o[1], 4)
					}
					if connected {
						p.answer("connect", p.Connect(fd, netip.AddrPortFrom(netip.MustParseAddr(to), uint16(p.base+3))))
					}
					p.sendTo(fd, to, 3, "hello")
					p.told(fd, 10)
					p.sendTo(fd, to, 3, "hello")
					p.settle()
					p.sendTo(fd, to, 4, "again")
					p.settle()
					p.told(fd, 3)
					p.told(fd, 3)
					for _, o := range options {
						p.sendTo(fd, to, 3, "last")
						p.settle()
						p.set(fd, o[0], o[1], 0)
						p.told(fd, 3)
					}
					p.close(fd)
				}
			}
		}
	}},
}
