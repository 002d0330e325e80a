package socket_test

import "github.com/onlink-go/onlink/socket"

const (
	tcp    = socket.SOCK_STREAM
	tcpNB  = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
	udp    = socket.SOCK_DGRAM
	sol    = socket.SOL_SOCKET
	ipprot = socket.IPPROTO_IP
)

var scenarios = []struct {
	name string
	f    func(p *probe)
}{
	{"sockets that do not exist", func(p *probe) {
		for _, a := range [][3]int{{1 << 20, 1, 0}, {3, 1, 0}, {2, 1, 17}, {2, 2, 6}, {2, 5, 0}, {2, 0, 0}, {2, 11, 0}, {2, 1, -1},
			{2, 1 | 1<<10, 0}, {2, 1, 300}, {10, 1, 6}, {10, 2, 17}, {2, 4, 0}} {
			fd, err := p.Socket(a[0], a[1], a[2])
			p.answer("socket", err)
			if err == nil {
				p.Close(fd)
			}
		}
		p.answer("bind", p.Bind(1<<20, p.at(0)))
		p.answer("close", p.Close(1<<20))
		p.answer("close", p.Close(-1))
	}},
	{"unconnected", func(p *probe) {
		fd := p.socket(tcp)
		p.poll(fd)
		p.names(fd)
		p.recv(fd, 5, 0)
		p.send(fd, "x", 0)
		p.shutdown(fd, 0)
		p.poll(fd)
		p.shutdown(fd, 1)
		p.poll(fd)
		p.recv(fd, 5, 0)
		p.accept(fd)
		p.disconnect(fd)
		p.poll(fd)
		p.soError(fd)
	}},
	{"refused", func(p *probe) {
		fd := p.socket(tcp)
		p.connect(fd, 1)
		p.names(fd)
		p.soError(fd)
		p.poll(fd)
		p.connect(fd, 1)
		p.recv(fd, 1, 0)
		p.send(fd, "x", 0)
	}},
	{"refused, not blocking", func(p *probe) {
		for _, how := range []string{"error", "connect", "recv", "send", "shutdown"} {
			fd := p.socket(tcpNB)
			p.connect(fd, 1)
			p.settle()
			p.poll(fd)
			switch how {
			case "error":
				p.soError(fd)
			case "recv":
				p.recv(fd, 1, 0)
			case "send":
				p.send(fd, "x", 0)
			case "shutdown":
				p.shutdown(fd, 2)
			}
			p.poll(fd)
			p.soError(fd)
			p.recv(fd, 1, 0)
			p.connect(fd, 1)
			p.connect(fd, 1)
		}
	}},
	{"connected", func(p *probe) {
		l, c, s := p.pair()
		p.connect(c, 0)
		p.connect(l, 0)
		p.listen(c, 1)
		p.bind(c, 5)
		p.bind(s, 5)
		p.names(c)
		p.names(s)
		p.names(l)
		p.poll(c)
		p.poll(l)
		p.recv(l, 1, 0)
		p.send(l, "x", 0)
		p.listen(l, 3)
		p.send(c, "hello", 0)
		p.settle()
		p.poll(s)
		p.recv(s, 2, socket.MSG_PEEK)
		p.recv(s, 2, 0)
		p.recv(s, 10, socket.MSG_PEEK|socket.MSG_TRUNC)
		p.recv(s, 2, socket.MSG_TRUNC)
		p.recv(s, 0, 0)
		p.recv(s, 10, 0)
		p.recv(s, 10, 0)
		p.recv(s, 0, 0)
		p.recv(s, 10, socket.MSG_OOB)
		p.recv(s, 10, socket.MSG_ERRQUEUE)
	}},
	{"not blocking", func(p *probe) {
		l := p.socket(tcpNB)
		p.bind(l, 0)
		p.listen(l, 5)
		p.accept(l)
		c := p.socket(tcpNB)
		p.connect(c, 0)
		p.settle()
		p.poll(c)
		p.connect(c, 0)
		p.connect(c, 0)
		p.poll(l)
		s := p.accept(l)
		f, err := p.Fcntl(s, socket.F_GETFL, 0)
		p.answer("getfl", err, f)
		f, err = p.Fcntl(c, socket.F_GETFL, 0)
		p.answer("getfl", err, f)
		f, err = p.Fcntl(c, socket.F_SETFL, 0)
		p.answer("setfl", err, f)
		f, err = p.Fcntl(c, socket.F_GETFL, 0)
		p.answer("getfl", err, f)
		f, err = p.Fcntl(c, socket.F_GETFD, 0)
		p.answer("getfd", err, f)
		f, err = p.Fcntl(c, socket.F_SETFD, 1)
		p.answer("setfd", err, f)
		f, err = p.Fcntl(c, socket.F_GETFD, 0)
		p.answer("getfd", err, f)
	}},
	{"half closed", func(p *probe) {
		_, c, s := p.pair()
		p.send(c, "abc", 0)
		p.shutdown(c, 1)
		p.settle()
		p.poll(c)
		p.poll(s)
		p.send(c, "x", 0)
		p.recv(s, 10, 0)
		p.recv(s, 10, 0)
		p.send(s, "y", 0)
		p.settle()
		p.recv(c, 10, 0)
		p.shutdown(c, 1)
		p.shutdown(s, 1)
		p.settle()
		p.poll(c)
		p.poll(s)
		p.recv(c, 10, 0)
		p.recv(c, 10, 0)
		p.recv(s, 10, 0)
		p.send(s, "x", 0)
		p.shutdown(s, 2)
		p.shutdown(c, 2)
		p.soError(c)
		p.names(c)
		p.names(s)
	}},
	{"reading shut", func(p *probe) {
		_, c, s := p.pair()
		p.send(c, "abc", 0)
		p.settle()
		p.shutdown(s, 0)
		p.poll(s)
		p.recv(s, 2, 0)
		p.recv(s, 2, 0)
		p.recv(s, 2, 0)
		p.send(c, "def", 0)
		p.settle()
		p.poll(s)
		p.recv(s, 5, 0)
		p.recv(s, 5, 0)
		p.poll(c)
	}},
	{"both shut, then data", func(p *probe) {
		_, c, s := p.pair()
		p.shutdown(s, 2)
		p.settle()
		p.poll(s)
		p.poll(c)
		p.send(c, "abc", 0)
		p.settle()
		p.poll(c)
		p.recv(c, 1, 0)
		p.send(c, "abc", 0)
		p.soError(c)
		p.recv(s, 1, 0)
	}},
	{"reset", func(p *probe) {
		for _, how := range []string{"error", "recv", "send", "poll"} {
			l, c, s := p.pair()
			p.send(c, "unread", 0)
			p.send(s, "left", 0)
			p.settle()
			p.close(s)
			p.settle()
			p.poll(c)
			switch how {
			case "error":
				p.soError(c)
				p.soError(c)
			case "recv":
				p.recv(c, 2, 0)
				p.recv(c, 9, 0)
				p.recv(c, 9, 0)
				p.recv(c, 9, 0)
			case "send":
				p.send(c, "x", 0)
				p.send(c, "x", 0)
			}
			p.poll(c)
			p.recv(c, 9, 0)
			p.names(c)
			p.shutdown(c, 2)
			p.connect(c, 0)
			p.close(c)
			p.close(l)
		}
	}},
	{"reset after the end", func(p *probe) {
		_, c, s := p.pair()
		p.shutdown(s, 1)
		p.settle()
		p.send(c, "x", 0)
		p.set(s, sol, socket.SO_LINGER, 1, 0)
		p.close(s)
		p.settle()
		p.poll(c)
		p.soError(c)
		p.recv(c, 1, 0)
		p.send(c, "x", 0)
	}},
	{"linger 0", func(p *probe) {
		_, c, s := p.pair()
		p.set(s, sol, socket.SO_LINGER, 1, 0)
		p.get(s, sol, socket.SO_LINGER, 8)
		p.close(s)
		p.settle()
		p.poll(c)
		p.recv(c, 1, 0)
		p.recv(c, 1, 0)
	}},
	{"disconnect", func(p *probe) {
		l, c, s := p.pair()
		p.disconnect(c)
		p.poll(c)
		p.soError(c)
		p.names(c)
		p.settle()
		p.poll(s)
		p.recv(s, 1, 0)
		p.connect(c, 0)
		p.names(c)
		p.accept(l)
		p.disconnect(l)
		p.names(l)
		p.poll(l)
		p.listen(l, 2)
		p.shutdown(l, 1)
		p.poll(l)
		p.shutdown(l, 0)
		p.poll(l)
		p.accept(l)
		p.names(l)
		p.listen(l, 2)
		p.disconnect(c)
		p.disconnect(c)
	}},
	{"listening", func(p *probe) {
		a := p.socket(tcp)
		p.listen(a, 1)
		n, err := p.Getsockname(a)
		p.answer("name", err, n.Addr(), n.Port() != 0)
		p.bind(a, 3)
		p.get(a, sol, socket.SO_ACCEPTCONN, 4)
		b := p.socket(tcp)
		p.get(b, sol, socket.SO_ACCEPTCONN, 4)
		p.bind(b, 3)
		p.bind(b, 3)
		u := p.socket(udp)
		p.listen(u, 1)
		p.accept(u)
	}},
	{"port in use", func(p *probe) {
		for _, opt := range [][2]int32{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
			a, b, c := p.socket(tcp), p.socket(tcp), p.socket(tcp)
			p.set(a, sol, socket.SO_REUSEADDR, opt[0])
			p.set(b, sol, socket.SO_REUSEADDR, opt[1])
			p.set(c, sol, socket.SO_REUSEADDR, 1)
			p.bind(a, 4)
			p.bind(b, 4)
			p.listen(a, 1)
			p.bind(c, 4)
			p.listen(b, 1)
			p.close(a)
			p.bind(b, 4)
			p.listen(b, 1)
			p.close(b)
			p.bind(c, 4)
			p.close(c)
		}
		for _, opt := range [][2]int32{{1, 0}, {1, 1}} {
			a, b := p.socket(tcp), p.socket(tcp)
			p.set(a, sol, socket.SO_REUSEPORT, opt[0])
			p.set(b, sol, socket.SO_REUSEPORT, opt[1])
			p.bind(a, 5)
			p.listen(a, 1)
			p.bind(b, 5)
			p.listen(b, 1)
			p.close(a)
			p.close(b)
		}
	}},
	{"port in use by connections", func(p *probe) {
		for _, reuse := range []int32{0, 1} {
			l := p.socket(tcp)
			p.set(l, sol, socket.SO_REUSEADDR, reuse)
			p.bind(l, 6+int(reuse))
			p.listen(l, 1)
			c := p.socket(tcp)
			p.connect(c, 6+int(reuse))
			s := p.accept(l)
			p.close(l)
			for _, reuse2 := range []int32{0, 1} {
				n := p.socket(tcp)
				p.set(n, sol, socket.SO_REUSEADDR, reuse2)
				p.bind(n, 6+int(reuse))
				p.listen(n, 1)
				p.close(n)
			}
			p.close(s) // first: TIME-WAIT is here
			p.settle()
			p.close(c)
			p.settle()
			for _, reuse2 := range []int32{0, 1} {
				n := p.socket(tcp)
				p.set(n, sol, socket.SO_REUSEADDR, reuse2)
				p.bind(n, 6+int(reuse))
				p.listen(n, 1)
				p.close(n)
			}
		}
	}},
	{"connect from a bound port", func(p *probe) {
		l := p.socket(tcp)
		p.bind(l, 0)
		p.listen(l, 5)
		a, b := p.socket(tcp), p.socket(tcp)
		p.set(a, sol, socket.SO_REUSEADDR, 1)
		p.set(b, sol, socket.SO_REUSEADDR, 1)
		p.bind(a, 2)
		p.bind(b, 2)
		p.connect(a, 0)
		p.connect(b, 0)
		p.names(a)
	}},
	{"out queue", func(p *probe) {
		_, c, s := p.pair()
		b := make([]byte, 4)
		for _, fd := range []int{c, s} {
			for _, req := range []uint{socket.SIOCINQ, socket.SIOCOUTQ, socket.SIOCOUTQNSD, socket.SIOCATMARK, 0x1234} {
				p.answer("ioctl", p.Ioctl(fd, req, b), b)
			}
			p.send(c, "hello", 0)
			p.settle()
		}
		l := p.socket(tcp)
		p.answer("ioctl", p.Ioctl(l, socket.SIOCINQ, b), b)
		p.listen(l, 1)
		p.answer("ioctl", p.Ioctl(l, socket.SIOCINQ, b))
		p.answer("ioctl", p.Ioctl(l, socket.SIOCOUTQ, b))
	}},
	{"epoll", func(p *probe) {
		l, c, s := p.pair()
		ep, err := p.EpollCreate(0)
		p.answer("epoll_create", err)
		p.fds = append(p.fds, ep)
		ctl := func(op, fd int, events uint32) {
			p.answer("epoll_ctl", p.EpollCtl(ep, op, fd, socket.EpollEvent{Events: events, Data: 7}))
		}
		ctl(socket.EPOLL_CTL_ADD, s, socket.EPOLLIN|socket.EPOLLRDHUP)
		ctl(socket.EPOLL_CTL_ADD, s, socket.EPOLLIN)
		ctl(socket.EPOLL_CTL_DEL, c, 0)
		ctl(socket.EPOLL_CTL_MOD, c, 0)
		ctl(9, s, 0)
		ctl(socket.EPOLL_CTL_ADD, ep, 0)
		p.answer("epoll_ctl", p.EpollCtl(s, socket.EPOLL_CTL_ADD, c, socket.EpollEvent{}))
		p.wait(ep)
		p.send(c, "one", 0)
		p.settle()
		p.wait(ep)
		p.wait(ep)
		ctl(socket.EPOLL_CTL_MOD, s, socket.EPOLLIN|1<<31)
		p.wait(ep)
		p.wait(ep)
		p.send(c, "two", 0)
		p.settle()
		p.wait(ep)
		p.wait(ep)
		p.recv(s, 1, 0)
		p.wait(ep)
		ctl(socket.EPOLL_CTL_MOD, s, socket.EPOLLIN|socket.EPOLLOUT|1<<31)
		p.wait(ep)
		p.wait(ep)
		p.send(c, "three", 0)
		p.settle()
		p.wait(ep)
		ctl(socket.EPOLL_CTL_MOD, s, socket.EPOLLIN|1<<30)
		p.wait(ep)
		p.wait(ep)
		p.send(c, "four", 0)
		p.settle()
		p.wait(ep)
		ctl(socket.EPOLL_CTL_MOD, s, socket.EPOLLIN|1<<30)
		p.wait(ep)
		ctl(socket.EPOLL_CTL_MOD, s, socket.EPOLLIN|socket.EPOLLRDHUP|1<<31)
		p.wait(ep)
		p.shutdown(c, 1)
		p.settle()
		p.wait(ep)
		p.wait(ep)
		p.close(s)
		p.wait(ep)
		ctl(socket.EPOLL_CTL_ADD, l, socket.EPOLLIN)
		p.wait(ep)
		d := p.socket(tcp)
		p.connect(d, 0)
		p.settle()
		p.wait(ep)
		p.poll(ep)
		p.accept(l)
		p.wait(ep)
		p.poll(ep)
		ctl(socket.EPOLL_CTL_ADD, 1<<20, 0)
		ctl(socket.EPOLL_CTL_DEL, l, 0)
		n, err := p.EpollWait(ep, nil, 0)
		p.answer("epoll_wait", err, n)
		n, err = p.EpollWait(l, make([]socket.EpollEvent, 1), 0)
		p.answer("epoll_wait", err, n)
	}},
	{"epoll of a connecting socket", func(p *probe) {
		l := p.socket(tcp)
		p.bind(l, 0)
		p.listen(l, 5)
		ep, _ := p.EpollCreate(0)
		p.fds = append(p.fds, ep)
		c := p.socket(tcpNB)
		p.answer("epoll_ctl", p.EpollCtl(ep, socket.EPOLL_CTL_ADD, c, socket.EpollEvent{Events: 0x2fff | 1<<31, Data: 1}))
		p.wait(ep)
		p.connect(c, 0)
		p.settle()
		p.wait(ep)
		p.wait(ep)
		d := p.socket(tcpNB)
		p.answer("epoll_ctl", p.EpollCtl(ep, socket.EPOLL_CTL_ADD, d, socket.EpollEvent{Events: 0x2fff | 1<<31, Data: 2}))
		p.wait(ep)
		p.connect(d, 1)
		p.settle()
		p.wait(ep)
		p.wait(ep)
	}},
	{"datagrams", func(p *probe) {
		u := p.socket(udp)
		p.poll(u)
		p.names(u)
		p.send(u, "x", 0)
		p.recv(u, 1, 0)
		p.shutdown(u, 2)
		p.poll(u)
		p.recv(u, 1, 0)
		u = p.socket(udp)
		p.connect(u, 8)
		p.names(u)
		p.send(u, "x", 0)
		p.settle()
		p.poll(u)
		p.soError(u)
		p.soError(u)
		p.send(u, "x", 0)
		p.settle()
		p.send(u, "x", 0)
		p.settle()
		p.recv(u, 1, 0)
		p.recv(u, 1, 0)
		v := p.socket(udp)
		p.bind(v, 8)
		p.bind(v, 8)
		p.send(u, "hello", 0)
		p.settle()
		p.poll(v)
		b := make([]byte, 4)
		p.answer("ioctl", p.Ioctl(v, socket.SIOCINQ, b), b)
		p.answer("ioctl", p.Ioctl(v, socket.SIOCOUTQ, b), b)
		p.answer("ioctl", p.Ioctl(v, socket.SIOCATMARK, b))
		p.recv(v, 2, socket.MSG_PEEK)
		p.recv(v, 2, socket.MSG_PEEK|socket.MSG_TRUNC)
		p.recv(v, 2, 0)
		p.recv(v, 2, 0)
		p.recv(v, 2, socket.MSG_OOB)
		p.send(v, "x", socket.MSG_OOB)
		p.send(u, "", 0)
		p.settle()
		p.poll(v)
		p.recv(v, 2, 0)
		p.disconnect(u)
		p.names(u)
		p.send(u, "x", 0)
		p.shutdown(v, 0)
		p.connect(v, 3)
		p.shutdown(v, 0)
		p.poll(v)
		p.shutdown(v, 1)
		p.poll(v)
		p.send(v, "x", 0)
		p.recv(v, 1, 0)
		big := string(make([]byte, 65508))
		w := p.socket(udp)
		p.connect(w, 3)
		p.send(w, big, 0)
		p.send(w, big[1:], 0)
		p.send(w, string(make([]byte, 70000)), 0)
	}},
	{"datagram ports", func(p *probe) {
		for _, opt := range [][2]int32{{0, 0}, {1, 0}, {1, 1}} {
			for _, name := range []int{socket.SO_REUSEADDR, socket.SO_REUSEPORT} {
				a, b := p.socket(udp), p.socket(udp)
				p.set(a, sol, name, opt[0])
				p.set(b, sol, name, opt[1])
				p.bind(a, 9)
				p.bind(b, 9)
				p.close(a)
				p.close(b)
			}
		}
	}},
	{"options of sizes", func(p *probe) {
		l, c, _ := p.pair()
		for _, fd := range []int{p.socket(tcp), l, c} {
			for _, o := range [][2]int{{sol, socket.SO_ERROR}, {sol, socket.SO_TYPE}, {sol, socket.SO_LINGER}, {sol, socket.SO_RCVTIMEO}, {ipprot, socket.IP_TTL},
				{ipprot, socket.IP_TOS}, {ipprot, socket.IP_MTU_DISCOVER}, {6, socket.TCP_NODELAY}, {6, socket.TCP_KEEPIDLE}, {6, socket.TCP_SYNCNT + 100},
				{41, socket.IPV6_V6ONLY}, {17, 1}, {sol, 999}, {ipprot, 999}, {6, socket.TCP_DEFER_ACCEPT}, {6, socket.TCP_LINGER2}, {6, socket.TCP_CORK},
				{6, socket.TCP_USER_TIMEOUT}, {6, socket.TCP_NOTSENT_LOWAT}, {sol, socket.SO_RCVLOWAT}, {sol, socket.SO_KEEPALIVE}} {
				for _, n := range []int{0, 1, 3, 4, 8, 16, 20} {
					p.get(fd, o[0], o[1], n)
				}
			}
		}
		for _, o := range [][2]int{{sol, socket.SO_REUSEADDR}, {sol, socket.SO_LINGER}, {sol, socket.SO_RCVTIMEO}, {sol, socket.SO_SNDBUF}, {ipprot, socket.IP_TTL}, {ipprot, socket.IP_TOS},
			{6, socket.TCP_NODELAY}, {6, socket.TCP_MAXSEG}, {6, socket.TCP_CONGESTION}, {sol, 999}, {6, 999}, {ipprot, 999}, {41, 26}, {sol, socket.SO_TYPE}} {
			fd := p.socket(tcp)
			for _, n := range []int{0, 1, 2, 3, 4, 7, 8, 15, 16, 20} {
				v := make([]byte, n)
				if n > 0 {
					v[0] = 100
				}
				p.answer("setsockopt "+string(rune('0'+n)), p.Setsockopt(fd, o[0], o[1], v))
			}
		}
	}},
	{"times", func(p *probe) {
		fd := p.socket(tcp)
		for _, v := range [][4]int32{{1, 0, 500000, 0}, {0, 0, 0, 0}, {0, 0, 1000000, 0}, {0, 0, -1, -1}, {-1, -1, 0, 0}, {5, 0, 0, 0}} {
			p.set(fd, sol, socket.SO_RCVTIMEO, v[:]...)
			p.get(fd, sol, socket.SO_RCVTIMEO, 16)
		}
	}},
}
