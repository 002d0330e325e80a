package socket_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"github.com/onlink-go/onlink/socket"
)

func init() {
	scenarios = append(scenarios, udpScenarios...)
}

// udpPair makes two UDP sockets of a family, the first connected to the second.
func (p *probe) udpPair(domain int) (a, b int) {
	host := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if domain == socket.AF_INET6 {
		host = netip.IPv6Loopback()
	}
	for _, fd := range []*int{&a, &b} {
		var err error
		if *fd, err = p.Socket(domain, socket.SOCK_DGRAM, 0); err != nil {
			p.note("socket: %v", err)
		}
		p.fds = append(p.fds, *fd)
	}
	to := netip.AddrPortFrom(host, uint16(p.base+10))
	p.answer("bind", p.Bind(b, to))
	p.answer("connect", p.Connect(a, to))
	return a, b
}

// drain notes the datagrams that have come, with their control messages: the sizes, as often as they come one after the other.
func (p *probe) drain(fd int) {
	p.settle()
	var got []string
	times := 0
	for {
		m := socket.Msg{Buf: [][]byte{make([]byte, 70000)}, Control: make([]byte, 100)}
		n, err := p.Recvmsg(fd, &m, socket.MSG_DONTWAIT)
		if err != nil {
			break
		}
		times++
		if s := fmt.Sprint(n, m.Control, m.Flags&^socket.MSG_CMSG_CLOEXEC); len(got) == 0 || got[len(got)-1] != s {
			got = append(got, s)
		}
	}
	p.note("%d datagrams: %s", times, strings.Join(got, ", "))
}

func (p *probe) sendWith(fd, n int, control []byte) {
	sent, err := p.Sendmsg(fd, &socket.Msg{Buf: [][]byte{make([]byte, n)}, Control: control}, 0)
	p.answer(fmt.Sprint("sendmsg ", n, control), err, sent)
}

// cmsg makes a control message.
func cmsg(level, typ int, data ...byte) []byte {
	b := make([]byte, 16, 16+(len(data)+7)&^7)
	binary.LittleEndian.PutUint64(b, uint64(16+len(data)))
	binary.LittleEndian.PutUint32(b[8:], uint32(level))
	binary.LittleEndian.PutUint32(b[12:], uint32(typ))
	b = append(b, data...)
	return b[:cap(b)]
}

var udpScenarios = []struct {
	name string
	f    func(p *probe)
}{
	{"options of UDP", func(p *probe) {
		a, _ := p.udpPair(socket.AF_INET)
		for _, name := range []int{socket.UDP_SEGMENT, socket.UDP_GRO, 99} {
			p.get(a, socket.SOL_UDP, name, 4)
			for _, v := range []int32{-1, 0, 1, 2, 65535, 65536} {
				p.set(a, socket.SOL_UDP, name, v)
				p.get(a, socket.SOL_UDP, name, 4)
				p.get(a, socket.SOL_UDP, name, 2)
			}
			for n := range 4 {
				p.answer("short", p.Setsockopt(a, socket.SOL_UDP, name, make([]byte, n)))
			}
		}
	}},
	{"segments of UDP", func(p *probe) {
		for _, domain := range []int{socket.AF_INET, socket.AF_INET6} {
			a, b := p.udpPair(domain)
			for _, c := range [][2]int{{100, 0}, {100, 99}, {100, 100}, {100, 101}, {100, 6400}, {100, 12800}, {100, 12801}, {1, 128}, {1, 129},
				{1400, 65507}, {1000, 65508}, {1000, 65527}, {1000, 65528}, {65507, 65507}, {60000, 65507}, {65535, 60000}, {65535, 10}, {100, 65535}} {
				p.set(a, socket.SOL_UDP, socket.UDP_SEGMENT, int32(c[0]))
				p.sendWith(a, c[1], nil)
				p.drain(b)
			}
			p.close(a)
			p.close(b)
		}
	}},
	{"segments of UDP over the path's MTU", func(p *probe) {
		a, b := p.udpPair(socket.AF_INET6)
		for _, discover := range []int32{socket.IP_PMTUDISC_DONT, socket.IP_PMTUDISC_WANT, socket.IP_PMTUDISC_DO, socket.IP_PMTUDISC_PROBE} {
			p.set(a, socket.IPPROTO_IPV6, socket.IPV6_MTU_DISCOVER, discover)
			for _, segment := range []int32{65486, 65487, 65489} {
				p.set(a, socket.SOL_UDP, socket.UDP_SEGMENT, segment)
				p.sendWith(a, 65500, nil)
				p.drain(b)
			}
		}
	}},
	{"control messages of UDP", func(p *probe) {
		for _, domain := range []int{socket.AF_INET, socket.AF_INET6} {
			a, b := p.udpPair(domain)
			for _, c := range [][]byte{
				cmsg(socket.SOL_UDP, socket.UDP_SEGMENT), cmsg(socket.SOL_UDP, socket.UDP_SEGMENT, 100),
				cmsg(socket.SOL_UDP, socket.UDP_SEGMENT, 100, 0), cmsg(socket.SOL_UDP, socket.UDP_SEGMENT, 100, 0, 0, 0),
				cmsg(socket.SOL_UDP, socket.UDP_SEGMENT, 0, 0), cmsg(socket.SOL_UDP, socket.UDP_GRO, 1, 0, 0, 0), cmsg(socket.SOL_UDP, 1, 1, 0, 0, 0),
				append(cmsg(socket.SOL_UDP, socket.UDP_SEGMENT, 100, 0), cmsg(socket.SOL_UDP, socket.UDP_SEGMENT, 50, 0)...),
			} {
				p.sendWith(a, 250, c)
				p.drain(b)
			}
			p.set(a, socket.SOL_UDP, socket.UDP_SEGMENT, 60)
			p.sendWith(a, 250, cmsg(socket.SOL_UDP, socket.UDP_SEGMENT, 0, 0))
			p.drain(b)
			p.close(a)
			p.close(b)
		}
		raw, err := p.Socket(socket.AF_INET, socket.SOCK_RAW, 200)
		if err != nil {
			p.note("raw: %v", err)
			return
		}
		p.fds = append(p.fds, raw)
		p.answer("connect", p.Connect(raw, netip.MustParseAddrPort("127.0.0.1:0")))
		p.sendWith(raw, 250, cmsg(socket.SOL_UDP, socket.UDP_SEGMENT, 100, 0))
		p.set(raw, socket.SOL_UDP, socket.UDP_SEGMENT, 100)
		p.get(raw, socket.SOL_UDP, socket.UDP_SEGMENT, 4)
	}},
	{"datagrams received joined", func(p *probe) {
		for _, domain := range []int{socket.AF_INET, socket.AF_INET6} {
			a, b := p.udpPair(domain)
			p.set(a, socket.SOL_UDP, socket.UDP_SEGMENT, 100)
			p.set(b, socket.SOL_UDP, socket.UDP_GRO, 1)
			for _, n := range []int{0, 50, 100, 101, 250, 12800} {
				p.sendWith(a, n, nil)
				p.settle()
				q := make([]byte, 4)
				p.answer("inq", p.Ioctl(b, socket.SIOCINQ, q), q)
				p.recv(b, 10, socket.MSG_PEEK)
				p.drain(b)
			}
			p.sendWith(a, 250, nil)
			p.settle()
			p.recv(b, 120, socket.MSG_TRUNC)
			p.recv(b, 120, 0)
			p.set(b, socket.SOL_UDP, socket.UDP_GRO, 0)
			p.sendWith(a, 250, nil)
			p.settle()
			for range 2 {
				q := make([]byte, 4)
				p.answer("inq", p.Ioctl(b, socket.SIOCINQ, q), q)
				p.poll(b)
				p.recv(b, 10, socket.MSG_PEEK)
				p.recv(b, 10, socket.MSG_TRUNC)
			}
			p.drain(b)
			p.poll(b)
			p.close(a)
			p.close(b)
		}
	}},
}
