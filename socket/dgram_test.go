package socket_test

import (
	"bytes"
	"errors"
	"net/netip"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink/socket"
)

// wantErrno fails the test unless err is want.
func wantErrno(t testing.TB, what string, err error, want syscall.Errno) {
	t.Helper()
	if want == 0 && err == nil {
		return
	}
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

var server6 = netip.MustParseAddrPort("[2001:db8::2]:80")

// A datagram goes there and back, on both families and on an AF_INET6 socket with an IPv4-mapped address, with the
// control messages asked for.
func TestDatagrams(t *testing.T) {
	mapped := netip.MustParseAddrPort("[::ffff:192.0.2.2]:80")
	for _, c := range []struct {
		domain int
		to     netip.AddrPort
		from   string
		opts   [][2]int // of the server's, level and name
		cmsgs  [][]byte // what follows of them
	}{
		{socket.AF_INET, server4, "192.0.2.1", [][2]int{{socket.IPPROTO_IP, socket.IP_RECVTTL}, {socket.IPPROTO_IP, socket.IP_RECVTOS},
			{socket.IPPROTO_IP, socket.IP_PKTINFO}},
			[][]byte{{28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 2, 0, 0, 0, 192, 0, 2, 2, 192, 0, 2, 2, 0, 0, 0, 0},
				{20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0},
				{17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x41, 0, 0, 0, 0, 0, 0, 0}}},
		{socket.AF_INET6, server6, "2001:db8::1", [][2]int{{socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT}, {socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS},
			{socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO}},
			[][]byte{{36, 0, 0, 0, 0, 0, 0, 0, 41, 0, 0, 0, 50, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0},
				{20, 0, 0, 0, 0, 0, 0, 0, 41, 0, 0, 0, 52, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0},
				{20, 0, 0, 0, 0, 0, 0, 0, 41, 0, 0, 0, 67, 0, 0, 0, 0x41, 0, 0, 0, 0, 0, 0, 0}}},
		{socket.AF_INET6, mapped, "::ffff:192.0.2.1", [][2]int{{socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO}, {socket.IPPROTO_IP, socket.IP_RECVTTL}},
			[][]byte{{36, 0, 0, 0, 0, 0, 0, 0, 41, 0, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0},
				{20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0}}},
	} {
		pair(t, func(p *process) {
			fd := must(p.Socket(c.domain, socket.SOCK_DGRAM, 0))
			p.Node.Sleep(1e6)
			if c.to.Addr().Is6() && !c.to.Addr().Is4In6() {
				p.ok(p.Setsockopt(fd, socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, words(7)))
				p.ok(p.Setsockopt(fd, socket.IPPROTO_IPV6, socket.IPV6_TCLASS, words(0x41)))
			} else {
				p.ok(p.Setsockopt(fd, socket.IPPROTO_IP, socket.IP_TTL, words(7)))
				p.ok(p.Setsockopt(fd, socket.IPPROTO_IP, socket.IP_TOS, words(0x41)))
			}
			must(p.Sendmsg(fd, &socket.Msg{Name: c.to, Buf: [][]byte{[]byte("hel"), []byte("lo")}}, 0))
			b := make([]byte, 3)
			m := socket.Msg{Buf: [][]byte{b}}
			if n := must(p.Recvmsg(fd, &m, socket.MSG_PEEK|socket.MSG_TRUNC)); n != 5 || string(b) != "HEL" || m.Flags != socket.MSG_TRUNC {
				t.Errorf("peeked %q, %d octets, flags %#x", b, n, m.Flags)
			}
			if n := must(p.Recvmsg(fd, &m, 0)); n != 3 || m.Flags != socket.MSG_TRUNC || m.Name != c.to {
				t.Errorf("received %d octets, flags %#x, from %v", n, m.Flags, m.Name)
			}
			_, err := p.Recvmsg(fd, &m, socket.MSG_DONTWAIT)
			wantErrno(t, "recvmsg", err, syscall.EAGAIN)
			p.ok(p.Close(fd))
		}, func(p *process) {
			fd := must(p.Socket(c.domain, socket.SOCK_DGRAM, 0))
			p.ok(p.Bind(fd, netip.AddrPortFrom(c.to.Addr(), 80)))
			for _, o := range c.opts {
				p.ok(p.Setsockopt(fd, o[0], o[1], words(1)))
			}
			m := socket.Msg{Buf: [][]byte{make([]byte, 10)}, Control: make([]byte, 100)}
			n := must(p.Recvmsg(fd, &m, 0))
			if m.Name.Addr() != netip.MustParseAddr(c.from) {
				t.Errorf("from %v, want %s", m.Name, c.from)
			}
			if want := bytes.Join(c.cmsgs, nil); !bytes.Equal(m.Control, want) {
				t.Errorf("control % x\nwant    % x", m.Control, want)
			}
			must(p.Sendmsg(fd, &socket.Msg{Name: m.Name, Buf: [][]byte{bytes.ToUpper(m.Buf[0][:n])}}, 0))
			p.ok(p.Close(fd))
		})
	}
}

// A port nobody listens on refuses a connected socket's datagram, once; with IP_RECVERR the error queue tells more.
func TestDatagramRefused(t *testing.T) {
	pair(t, func(p *process) {
		for _, queue := range []bool{false, true} {
			fd := must(p.Socket(socket.AF_INET, socket.SOCK_DGRAM, 0))
			if queue {
				p.ok(p.Setsockopt(fd, socket.IPPROTO_IP, socket.IP_RECVERR, words(1)))
			} else {
				p.ok(p.Connect(fd, server4))
			}
			m := socket.Msg{Name: server4, Buf: [][]byte{[]byte("hello")}}
			must(p.Sendmsg(fd, &m, 0))
			p.Node.Sleep(1e9)
			fds := []socket.PollFD{{FD: fd, Events: socket.POLLIN}}
			if n := must(p.Poll(fds, 0)); n != 1 || fds[0].Revents != socket.POLLERR {
				t.Errorf("poll: %d, %#x", n, fds[0].Revents)
			}
			if queue {
				got := socket.Msg{Buf: [][]byte{make([]byte, 3)}, Control: make([]byte, 100)}
				n := must(p.Recvmsg(fd, &got, socket.MSG_ERRQUEUE))
				want := []byte{48, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0,
					111, 0, 0, 0, 2, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 192, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0}
				if n != 3 || got.Flags != socket.MSG_ERRQUEUE|socket.MSG_TRUNC || got.Name != server4 || !bytes.Equal(got.Control, want) {
					t.Errorf("error queue: %d octets, flags %#x, to %v, control\n% x, want\n% x", n, got.Flags, got.Name, got.Control, want)
				}
				_, err := p.Recvmsg(fd, &got, socket.MSG_ERRQUEUE)
				wantErrno(t, "empty error queue", err, syscall.EAGAIN)
			} else {
				_, err := p.Recvmsg(fd, &m, 0)
				wantErrno(t, "recvmsg", err, syscall.ECONNREFUSED)
			}
			_, err := p.Recvmsg(fd, &m, socket.MSG_DONTWAIT)
			wantErrno(t, "recvmsg again", err, syscall.EAGAIN)
			p.ok(p.Close(fd))
		}
	}, func(p *process) {})
}
