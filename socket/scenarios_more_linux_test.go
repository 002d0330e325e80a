package socket_test

import (
	"net/netip"

	"github.com/onlink-go/onlink/socket"
)

func init() {
	scenarios = append(scenarios, moreScenarios...)
}

var moreScenarios = []struct {
	name string
	f    func(p *probe)
}{
	{"urgent", func(p *probe) {
		_, c, s := p.pair()
		p.send(c, "abc", 0)
		p.send(c, "defg", socket.MSG_OOB)
		p.settle()
		p.poll(s)
		b := make([]byte, 4)
		p.answer("inq", p.Ioctl(s, socket.SIOCINQ, b), b)
		p.answer("atmark", p.Ioctl(s, socket.SIOCATMARK, b), b)
		p.recv(s, 10, socket.MSG_PEEK)
		p.recv(s, 10, socket.MSG_OOB|socket.MSG_PEEK)
		p.recv(s, 10, socket.MSG_OOB)
		p.recv(s, 10, socket.MSG_OOB)
		p.poll(s)
		p.recv(s, 10, 0)
		p.answer("atmark", p.Ioctl(s, socket.SIOCATMARK, b), b)
		p.recv(s, 10, 0)
		p.send(c, "hi", 0)
		p.settle()
		p.recv(s, 10, 0)
		p.set(s, sol, socket.SO_OOBINLINE, 1)
		p.send(c, "xy", socket.MSG_OOB)
		p.settle()
		p.poll(s)
		p.recv(s, 10, socket.MSG_OOB)
		p.recv(s, 10, 0)
		p.answer("atmark", p.Ioctl(s, socket.SIOCATMARK, b), b)
		p.recv(s, 10, 0)
	}},
	{"low-water mark", func(p *probe) {
		_, c, s := p.pair()
		p.set(s, sol, socket.SO_RCVLOWAT, 4)
		p.send(c, "abc", 0)
		p.settle()
		p.poll(s)
		p.send(c, "de", 0)
		p.settle()
		p.poll(s)
		p.recv(s, 3, 0)
		p.poll(s)
		p.recv(s, 3, 0)
		p.recv(s, 3, 0)
		p.set(c, 6, socket.TCP_NOTSENT_LOWAT, 1000)
		p.poll(c)
	}},
	{"options of a connection", func(p *probe) {
		l, c, s := p.pair()
		for _, fd := range []int{l, c, s} {
			p.set(fd, 6, socket.TCP_WINDOW_CLAMP, 0)
			p.set(fd, 6, socket.TCP_FASTOPEN, 5)
			p.set(fd, 6, socket.TCP_FASTOPEN, -1)
			p.set(fd, 6, socket.TCP_FASTOPEN_NO_COOKIE, 1)
			p.set(fd, 6, socket.TCP_FASTOPEN_CONNECT, 2)
			p.set(fd, 6, socket.TCP_LINGER2, 0)
			p.get(fd, 6, socket.TCP_LINGER2, 4)
			p.set(fd, 6, socket.TCP_USER_TIMEOUT, -1)
			p.set(fd, 6, socket.TCP_KEEPCNT, 0)
			p.set(fd, 6, socket.TCP_NODELAY, 1)
			p.get(fd, 6, socket.TCP_NODELAY, 4)
			p.answer("congestion", p.Setsockopt(fd, 6, socket.TCP_CONGESTION, []byte("nonesuch")))
			p.answer("congestion", p.Setsockopt(fd, 6, socket.TCP_CONGESTION, []byte("reno")))
			p.get(fd, 6, socket.TCP_CONGESTION, 16)
			p.get(fd, 6, socket.TCP_CONGESTION, 3)
			p.set(fd, ipprot, socket.IP_TTL, 300)
			p.set(fd, ipprot, socket.IP_TTL, 30)
			p.get(fd, ipprot, socket.IP_TTL, 4)
			p.set(fd, ipprot, socket.IP_MTU_DISCOVER, 2)
			p.get(fd, ipprot, socket.IP_MTU_DISCOVER, 4)
			p.set(fd, sol, socket.SO_PEERCRED+1000, 2)
			n, err := p.Getsockopt(fd, 6, socket.TCP_INFO, make([]byte, 500))
			p.answer("info", err, n)
			b := make([]byte, 1)
			n, err = p.Getsockopt(fd, 6, socket.TCP_INFO, b)
			p.answer("info", err, n, b)
		}
		p.shutdown(c, 1)
		p.settle()
		p.shutdown(s, 1)
		p.settle()
		for _, fd := range []int{c, s} {
			b := make([]byte, 1)
			n, err := p.Getsockopt(fd, 6, socket.TCP_INFO, b)
			p.answer("info", err, n, b)
			p.set(fd, 6, socket.TCP_NODELAY, 0)
			p.set(fd, sol, socket.SO_KEEPALIVE, 1)
			p.get(fd, sol, socket.SO_KEEPALIVE, 4)
			p.names(fd)
		}
	}},
	{"IPv6", func(p *probe) {
		v6 := netip.MustParseAddr("::1")
		any6, any4 := netip.IPv6Unspecified(), netip.IPv4Unspecified()
		mapped := netip.MustParseAddr("::ffff:127.0.0.1")
		at := func(a netip.Addr, port int) netip.AddrPort { return netip.AddrPortFrom(a, uint16(p.base+port)) }
		sock := func(domain, typ int) int {
			fd, err := p.Socket(domain, typ, 0)
			p.answer("socket", err)
			p.fds = append(p.fds, fd)
			return fd
		}
		l := sock(socket.AF_INET6, tcp)
		p.get(l, 41, socket.IPV6_V6ONLY, 4)
		p.answer("bind", p.Bind(l, at(any6, 0)))
		p.set(l, 41, socket.IPV6_V6ONLY, 1)
		p.listen(l, 5)
		p.names(l)
		for _, c := range []struct {
			domain int
			a      netip.Addr
		}{{socket.AF_INET, p.at(0).Addr()}, {socket.AF_INET6, v6}, {socket.AF_INET6, mapped}, {socket.AF_INET6, any6}, {socket.AF_INET, any4},
			{socket.AF_INET6, p.at(0).Addr()}, {socket.AF_INET, v6}} {
			fd := sock(c.domain, tcp)
			p.answer("connect", p.Connect(fd, at(c.a, 0)))
			p.names(fd)
			s, peer, err := p.Accept(l, socket.SOCK_NONBLOCK)
			if err == nil {
				p.answer("accept", nil, p.relative(peer))
				p.fds = append(p.fds, s)
				p.names(s)
				p.get(s, 41, socket.IPV6_V6ONLY, 4)
			}
			_, err = p.Fcntl(l, socket.F_SETFL, socket.O_NONBLOCK)
			p.answer("setfl", err)
		}
		for _, o := range []struct {
			a, b netip.Addr
			only int32
		}{{any6, any4, 0}, {any6, any4, 1}, {any4, any6, 0}, {any4, any6, 1}, {v6, any6, 1}, {mapped, any4, 0}, {v6, any4, 0}, {mapped, any6, 1}} {
			bindOne := func(a netip.Addr) int {
				domain := socket.AF_INET6
				if a.Is4() {
					domain = socket.AF_INET
				}
				fd := sock(domain, tcp)
				if domain == socket.AF_INET6 {
					p.set(fd, 41, socket.IPV6_V6ONLY, o.only)
				}
				p.answer("bind "+a.String(), p.Bind(fd, at(a, 7)))
				return fd
			}
			x, y := bindOne(o.a), bindOne(o.b)
			p.close(x)
			p.close(y)
		}
		u := sock(socket.AF_INET6, udp)
		p.answer("connect", p.Connect(u, at(mapped, 3)))
		p.names(u)
		p.answer("connect", p.Connect(u, at(v6, 3)))
		p.names(u)
		p.answer("connect", p.Connect(u, p.at(3)))
		p.names(u)
		p.send(u, "x", 0)
		p.set(u, 41, socket.IPV6_V6ONLY, 1)
		p.set(u, 41, socket.IPV6_UNICAST_HOPS, 256)
		p.set(u, 41, socket.IPV6_UNICAST_HOPS, 5)
		p.get(u, 41, socket.IPV6_UNICAST_HOPS, 4)
		p.set(u, 41, socket.IPV6_TCLASS, -2)
		p.set(u, 41, socket.IPV6_TCLASS, 255)
		p.get(u, 41, socket.IPV6_TCLASS, 4)
		p.get(u, 41, 999, 4)
		for _, v := range []int32{0, 1, 2, 0x100, 3, 0x101, 4, 0x400, 0x404, 8, 0x800, 0x808, 1, 0x802, 0x1000, 0x501, -1} {
			p.set(u, 41, socket.IPV6_ADDR_PREFERENCES, v)
			p.get(u, 41, socket.IPV6_ADDR_PREFERENCES, 4)
		}
		p.get(u, 6, 1, 4)
		p.set(u, 6, 1, 1)
		p.set(u, 41, 999, 4)
		o := sock(socket.AF_INET6, udp)
		p.set(o, 41, socket.IPV6_V6ONLY, 1)
		p.answer("connect", p.Connect(o, at(mapped, 3)))
		p.answer("connect", p.Connect(o, p.at(3)))
		b := sock(socket.AF_INET, tcp)
		p.answer("bind", p.Bind(b, at(v6, 4)))
		p.answer("bind", p.Bind(b, netip.MustParseAddrPort("198.51.100.1:1")))
		b6 := sock(socket.AF_INET6, tcp)
		p.answer("bind", p.Bind(b6, p.at(4)))
		p.answer("bind", p.Bind(b6, netip.MustParseAddrPort("[2001:db8:1234::1]:1")))
	}},
	{"closing with a full pipe", func(p *probe) {
		_, c, s := p.pair()
		p.send(c, "abc", 0)
		p.close(c)
		p.settle()
		p.poll(s)
		p.recv(s, 10, 0)
		p.recv(s, 10, 0)
		p.send(s, "x", 0)
		p.settle()
		p.poll(s)
		p.send(s, "x", 0)
		p.soError(s)
		p.recv(s, 10, 0)
	}},
	{"listener closed", func(p *probe) {
		l := p.socket(tcp)
		p.bind(l, 0)
		p.listen(l, 5)
		c := p.socket(tcp)
		p.connect(c, 0)
		p.close(l)
		p.settle()
		p.poll(c)
		p.recv(c, 1, 0)
		p.recv(c, 1, 0)
		l = p.socket(tcp)
		p.bind(l, 0)
		p.listen(l, 0)
		c = p.socket(tcpNB)
		d := p.socket(tcpNB)
		p.connect(c, 0)
		p.settle()
		p.connect(d, 0)
		p.settle()
		p.poll(c)
		p.poll(d)
		p.poll(l)
		p.accept(l)
		p.settle()
		p.poll(l)
	}},
	{"flags", func(p *probe) {
		_, c, s := p.pair()
		p.send(c, "abc", socket.MSG_MORE)
		p.send(c, "def", socket.MSG_EOR)
		p.settle()
		p.recv(s, 10, 0)
		p.send(c, "abc", socket.MSG_DONTROUTE)
		p.send(c, "abc", socket.MSG_CONFIRM)
		p.send(c, "", 0)
		p.settle()
		p.recv(s, 4, socket.MSG_WAITALL|socket.MSG_PEEK)
		p.recv(s, 10, socket.MSG_WAITALL)
		m := socket.Msg{Buf: [][]byte{[]byte("x")}, Name: p.at(9)}
		n, err := p.Sendmsg(c, &m, 0)
		p.answer("send to another", err, n)
		m = socket.Msg{Buf: [][]byte{make([]byte, 4)}}
		n, err = p.Recvmsg(s, &m, socket.MSG_DONTWAIT)
		p.answer("recv from", err, n, m.Name.IsValid())
		m = socket.Msg{Buf: [][]byte{[]byte("x")}, Control: []byte{1, 2, 3}}
		n, err = p.Sendmsg(c, &m, 0)
		p.answer("control", err, n)
		for _, control := range [][]byte{words(17, 0, 0, 2, 1), words(20, 0, 0, 2, 5), words(20, 0, 1, 2, 5), words(12, 0, 0, 2, 5), words(24, 0, 0, 2, 5)} {
			m = socket.Msg{Buf: [][]byte{[]byte("x")}, Control: control}
			n, err = p.Sendmsg(c, &m, 0)
			p.answer("control", err, n)
			u := p.socket(udp)
			m.Name = p.at(11)
			n, err = p.Sendmsg(u, &m, 0)
			p.answer("control of a datagram", err, n)
		}
	}},
}
