package socket_test

import (
	"net/netip"

	"github.com/onlink-go/onlink/socket"
)

func init() { scenarios = append(scenarios, multicastScenarios...) }

const (
	ipLevel  = socket.IPPROTO_IP
	ip6Level = socket.IPPROTO_IPV6
)

// quad returns the octets of IPv4 addresses, one after the other.
func quad(addrs ...string) (b []byte) {
	for _, a := range addrs {
		b = append(b, netip.MustParseAddr(a).AsSlice()...)
	}
	return b
}

func (p *probe) option(fd, level, name int, b []byte) {
	p.answer("option "+string(rune('a'+name%26)), p.Setsockopt(fd, level, name, b))
}

// groupReq returns a struct group_req or group_source_req about the loopback interface.
func groupReq(addrs ...string) []byte {
	b := make([]byte, 8+128*len(addrs))
	b[0] = 1
	for i, s := range addrs {
		a := netip.MustParseAddr(s)
		at := b[8+128*i:]
		if a.Is4() {
			at[0] = socket.AF_INET
			copy(at[4:], a.AsSlice())
		} else {
			at[0] = socket.AF_INET6
			copy(at[8:], a.AsSlice())
		}
	}
	return b
}

func (p *probe) socket6() int {
	fd, err := p.Socket(socket.AF_INET6, socket.SOCK_DGRAM, 0)
	p.answer("socket", err)
	p.fds = append(p.fds, fd)
	return fd
}

func (p *probe) sendTo(fd int, to string, port int, text string) {
	n, err := p.Sendmsg(fd, &socket.Msg{Buf: [][]byte{[]byte(text)}, Name: netip.AddrPortFrom(netip.MustParseAddr(to), uint16(p.base+port))}, 0)
	p.answer("send to "+to, err, n)
}

var multicastScenarios = []struct {
	name string
	f    func(p *probe)
}{
	{"multicast options", func(p *probe) {
		fd := p.socket(socket.SOCK_DGRAM)
		for _, name := range []int{socket.IP_MULTICAST_IF, socket.IP_MULTICAST_TTL, socket.IP_MULTICAST_LOOP, socket.IP_MULTICAST_ALL} {
			p.get(fd, ipLevel, name, 4)
			p.get(fd, ipLevel, name, 1)
		}
		for _, v := range []int32{-2, -1, 0, 1, 2, 255, 256} {
			for _, name := range []int{socket.IP_MULTICAST_TTL, socket.IP_MULTICAST_LOOP, socket.IP_MULTICAST_ALL} {
				p.set(fd, ipLevel, name, v)
				p.get(fd, ipLevel, name, 4)
			}
		}
		p.option(fd, ipLevel, socket.IP_MULTICAST_TTL, nil)
		p.option(fd, ipLevel, socket.IP_MULTICAST_TTL, []byte{7})
		p.get(fd, ipLevel, socket.IP_MULTICAST_TTL, 1)
		for _, b := range [][]byte{quad("127.0.0.1"), quad("203.0.113.77"), quad("0.0.0.0"), quad("0.0.0.0", "127.0.0.1"), quad("0.0.0.0")[:3],
			append(quad("0.0.0.0", "0.0.0.0"), 1, 0, 0, 0), append(quad("0.0.0.0", "0.0.0.0"), 99, 0, 0, 0)} {
			p.option(fd, ipLevel, socket.IP_MULTICAST_IF, b)
			p.get(fd, ipLevel, socket.IP_MULTICAST_IF, 4)
		}
		s := p.socket(socket.SOCK_STREAM)
		p.set(s, ipLevel, socket.IP_MULTICAST_TTL, 1)
		p.option(s, ipLevel, socket.IP_MULTICAST_IF, quad("127.0.0.1"))
		p.option(s, ipLevel, socket.IP_ADD_MEMBERSHIP, quad("239.1.1.1", "127.0.0.1"))
	}},
	{"memberships", func(p *probe) {
		fd := p.socket(socket.SOCK_DGRAM)
		const add, drop = socket.IP_ADD_MEMBERSHIP, socket.IP_DROP_MEMBERSHIP
		for _, b := range [][]byte{quad("239.1.1.1", "127.0.0.1"), quad("239.1.1.1", "127.0.0.1"), quad("192.0.2.1", "127.0.0.1"),
			quad("239.1.1.1", "203.0.113.77"), quad("239.1.1.1"), append(quad("239.1.1.2", "0.0.0.0"), 1, 0, 0, 0),
			append(quad("239.1.1.3", "0.0.0.0"), 99, 0, 0, 0)} {
			p.option(fd, ipLevel, add, b)
		}
		for _, b := range [][]byte{quad("239.1.1.1", "127.0.0.1"), quad("239.1.1.1", "127.0.0.1"), quad("192.0.2.1", "127.0.0.1"), quad("239.1.1.1"),
			append(quad("239.1.1.2", "0.0.0.0"), 1, 0, 0, 0)} {
			p.option(fd, ipLevel, drop, b)
		}
		for i := range byte(22) {
			b := quad("239.2.0.0", "127.0.0.1")
			b[3] = i
			p.option(fd, ipLevel, add, b)
		}
	}},
	{"source filters", func(p *probe) {
		fd := p.socket(socket.SOCK_DGRAM)
		const add, drop, block, unblock = socket.IP_ADD_SOURCE_MEMBERSHIP, socket.IP_DROP_SOURCE_MEMBERSHIP, socket.IP_BLOCK_SOURCE, socket.IP_UNBLOCK_SOURCE
		req := func(src string) []byte { return quad("239.1.1.1", "127.0.0.1", src) }
		for _, c := range []struct {
			name int
			b    []byte
		}{{block, req("192.0.2.1")}, {drop, req("192.0.2.1")}, {add, req("192.0.2.1")}, {add, req("192.0.2.1")}, {add, req("192.0.2.2")},
			{block, req("192.0.2.3")}, {drop, req("192.0.2.3")}, {drop, req("192.0.2.2")}, {drop, req("192.0.2.1")}, {drop, req("192.0.2.1")},
			{socket.IP_ADD_MEMBERSHIP, quad("239.1.1.1", "127.0.0.1")}, {block, req("192.0.2.1")}, {block, req("192.0.2.1")}, {unblock, req("192.0.2.2")},
			{add, req("192.0.2.1")}, {unblock, req("192.0.2.1")}, {unblock, req("192.0.2.1")}, {add, req("192.0.2.1")}, {block, req("192.0.2.1")},
			{add, req("192.0.2.1")[:11]}, {add, quad("10.0.0.1", "127.0.0.1", "192.0.2.1")}} {
			p.option(fd, ipLevel, c.name, c.b)
		}
		p.option(fd, ipLevel, socket.IP_DROP_MEMBERSHIP, quad("239.1.1.1", "127.0.0.1"))
		for i := range byte(12) {
			b := req("192.0.2.0")
			b[11] = i
			p.option(fd, ipLevel, add, b)
		}
		filter := func(mode, n byte, srcs ...string) []byte {
			return append(append(quad("239.1.1.1", "127.0.0.1"), mode, 0, 0, 0, n, 0, 0, 0), quad(srcs...)...)
		}
		look := func() {
			b := filter(9, 4, "0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")
			n, err := p.Getsockopt(fd, ipLevel, socket.IP_MSFILTER, b)
			p.answer("filter", err, n, b[8:max(n, 8)])
		}
		for _, b := range [][]byte{filter(1, 2, "192.0.2.7", "192.0.2.8"), filter(0, 1, "192.0.2.7"), filter(0, 0), filter(2, 0), filter(1, 2, "192.0.2.7"),
			filter(1, 99), filter(1, 0), filter(1, 0)} {
			p.option(fd, ipLevel, socket.IP_MSFILTER, b)
			look()
		}
	}},
	{"group requests", func(p *probe) {
		fd := p.socket(socket.SOCK_DGRAM)
		const join, leave = socket.MCAST_JOIN_GROUP, socket.MCAST_LEAVE_GROUP
		for _, b := range [][]byte{groupReq("239.1.1.1"), groupReq("239.1.1.1"), groupReq("10.0.0.1"), groupReq("ff02::5"), groupReq("239.1.1.1")[:100]} {
			p.option(fd, ipLevel, join, b)
		}
		p.option(fd, ipLevel, socket.MCAST_BLOCK_SOURCE, groupReq("239.1.1.1", "192.0.2.1"))
		p.option(fd, ipLevel, socket.MCAST_UNBLOCK_SOURCE, groupReq("239.1.1.1", "192.0.2.1"))
		p.option(fd, ipLevel, leave, groupReq("239.1.1.1"))
		p.option(fd, ipLevel, leave, groupReq("239.1.1.1"))
		p.option(fd, ipLevel, socket.MCAST_JOIN_SOURCE_GROUP, groupReq("239.1.1.1", "192.0.2.1"))
		p.option(fd, ipLevel, socket.MCAST_JOIN_SOURCE_GROUP, groupReq("239.1.1.1", "2001:db8::1"))
		p.option(fd, ipLevel, socket.MCAST_LEAVE_SOURCE_GROUP, groupReq("239.1.1.1", "192.0.2.1"))
		fd = p.socket6()
		for _, b := range [][]byte{groupReq("ff0e::5"), groupReq("ff0e::5"), groupReq("2001:db8::1"), groupReq("239.1.1.1"), groupReq("ff0e::5")[:100]} {
			p.option(fd, ip6Level, join, b)
		}
		p.option(fd, ip6Level, socket.MCAST_BLOCK_SOURCE, groupReq("ff0e::5", "2001:db8::1"))
		p.option(fd, ip6Level, socket.MCAST_BLOCK_SOURCE, groupReq("ff0e::5", "2001:db8::1"))
		p.option(fd, ip6Level, socket.MCAST_JOIN_SOURCE_GROUP, groupReq("ff0e::5", "2001:db8::1"))
		p.option(fd, ip6Level, socket.MCAST_UNBLOCK_SOURCE, groupReq("ff0e::5", "2001:db8::1"))
		p.option(fd, ip6Level, leave, groupReq("ff0e::5"))
		p.option(fd, ip6Level, leave, groupReq("ff0e::5"))
	}},
	{"IPv6 multicast options", func(p *probe) {
		fd := p.socket6()
		names := []int{socket.IPV6_MULTICAST_IF, socket.IPV6_MULTICAST_HOPS, socket.IPV6_MULTICAST_LOOP, socket.IPV6_MULTICAST_ALL}
		for _, name := range names {
			p.get(fd, ip6Level, name, 4)
			for _, v := range []int32{-2, -1, 0, 1, 255, 256} {
				p.set(fd, ip6Level, name, v)
				p.get(fd, ip6Level, name, 4)
			}
		}
		mreq := func(a string, index byte) []byte {
			return append(netip.MustParseAddr(a).AsSlice(), index, 0, 0, 0)
		}
		for _, b := range [][]byte{mreq("ff0e::5", 1), mreq("ff0e::5", 1), mreq("2001:db8::1", 1), mreq("ff0e::5", 99), mreq("ff0e::5", 1)[:19]} {
			p.option(fd, ip6Level, socket.IPV6_JOIN_GROUP, b)
		}
		for _, b := range [][]byte{mreq("ff0e::5", 99), mreq("ff0e::5", 1), mreq("ff0e::5", 1), mreq("2001:db8::1", 1)} {
			p.option(fd, ip6Level, socket.IPV6_LEAVE_GROUP, b)
		}
	}},
	{"multicast over the loopback interface", func(p *probe) {
		a, b, c := p.socket(socket.SOCK_DGRAM), p.socket(socket.SOCK_DGRAM), p.socket(socket.SOCK_DGRAM)
		for _, fd := range []int{a, b, c} {
			p.set(fd, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		}
		any, group := netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("239.1.1.1")
		p.answer("bind", p.Bind(a, netip.AddrPortFrom(any, uint16(p.base))))
		p.answer("bind", p.Bind(b, netip.AddrPortFrom(group, uint16(p.base))))
		p.answer("bind", p.Bind(c, netip.AddrPortFrom(any, uint16(p.base))))
		p.option(b, ipLevel, socket.IP_ADD_MEMBERSHIP, quad("239.1.1.1", "127.0.0.1"))
		p.set(c, ipLevel, socket.IP_MULTICAST_ALL, 0)
		s := p.socket(socket.SOCK_DGRAM)
		p.option(s, ipLevel, socket.IP_MULTICAST_IF, quad("127.0.0.1"))
		say := func(text string) {
			p.sendTo(s, "239.1.1.1", 0, text)
			p.settle()
			for _, fd := range []int{a, b, c} {
				p.recv(fd, 100, 0)
			}
		}
		say("all but one")
		p.option(c, ipLevel, socket.IP_ADD_SOURCE_MEMBERSHIP, quad("239.1.1.1", "127.0.0.1", "127.0.0.1"))
		say("all")
		p.option(b, ipLevel, socket.IP_BLOCK_SOURCE, quad("239.1.1.1", "127.0.0.1", "127.0.0.1"))
		say("two")
		p.option(b, ipLevel, socket.IP_DROP_MEMBERSHIP, quad("239.1.1.1", "127.0.0.1"))
		p.option(c, ipLevel, socket.IP_DROP_SOURCE_MEMBERSHIP, quad("239.1.1.1", "127.0.0.1", "127.0.0.1"))
		say("nobody")
	}},
}
