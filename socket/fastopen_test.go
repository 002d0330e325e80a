package socket_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/socket"
)

// The first send with MSG_FASTOPEN gets a cookie, and later ones go in the SYN; so does the first data of a socket whose
// connect was deferred. RFC 7413, 4.2.
func TestFastOpen(t *testing.T) {
	hello := socket.Msg{Buf: [][]byte{[]byte("hel"), []byte("lo")}, Name: server4}
	pair(t, func(p *process) {
		fast := func(typ int) (int, error) {
			fd := must(p.Socket(socket.AF_INET, socket.SOCK_STREAM|typ, 0))
			return p.Sendmsg(fd, &hello, socket.MSG_FASTOPEN)
		}
		p.ok(p.Node.SetSysctl("net.ipv4.tcp_fastopen", "0"))
		_, err := fast(0)
		wantErrno(t, "not allowed", err, syscall.EOPNOTSUPP)
		p.ok(p.Node.SetSysctl("net.ipv4.tcp_fastopen", "1"))
		_, err = fast(socket.SOCK_NONBLOCK)
		wantErrno(t, "no cookie, and not to block", err, syscall.EINPROGRESS)
		p.Node.Sleep(time.Second)
		if n, err := fast(socket.SOCK_NONBLOCK); n != 5 || err != nil {
			t.Errorf("with a cookie: %d, %v", n, err)
		}
		if n, err := fast(0); n != 5 || err != nil {
			t.Errorf("with a cookie: %d, %v", n, err)
		}

		fd := must(p.Socket(socket.AF_INET, socket.SOCK_STREAM, 0))
		p.ok(p.Setsockopt(fd, socket.IPPROTO_TCP, socket.TCP_FASTOPEN_CONNECT, words(1)))
		p.ok(p.Connect(fd, server4))
		wantErrno(t, "connect again", p.Connect(fd, server4), syscall.EISCONN)
		fds := []socket.PollFD{{FD: fd, Events: socket.POLLIN | socket.POLLOUT}}
		if n := must(p.Poll(fds, 0)); n != 1 || fds[0].Revents != socket.POLLOUT {
			t.Errorf("poll: %d, %#x", n, fds[0].Revents)
		}
		_, err = p.read(fd, 1, socket.MSG_DONTWAIT)
		wantErrno(t, "nothing to read", err, syscall.EAGAIN)
		p.write(fd, "hello")
		info := make([]byte, 8)
		must(p.Getsockopt(fd, socket.IPPROTO_TCP, socket.TCP_INFO, info))
		if info[0] != 1 || info[5]&32 == 0 { // ESTABLISHED, TCPI_OPT_SYN_DATA
			t.Errorf("tcp_info % x", info)
		}
		_, err = p.Sendmsg(fd, &hello, socket.MSG_FASTOPEN)
		wantErrno(t, "connected already", err, syscall.EISCONN)
		p.ok(p.Close(fd))
	}, func(p *process) {
		p.ok(p.Node.SetSysctl("net.ipv4.tcp_fastopen", "2"))
		l := must(p.Socket(socket.AF_INET, socket.SOCK_STREAM, 0))
		p.ok(p.Setsockopt(l, socket.IPPROTO_TCP, socket.TCP_FASTOPEN, words(5)))
		p.ok(p.Bind(l, server4))
		p.ok(p.Listen(l, 5))
		for i := range 4 {
			fd, _, err := p.Accept(l, 0)
			p.ok(err)
			if i == 0 {
				continue // the one that got the cookie sent nothing
			}
			if got, err := p.read(fd, 10, 0); got != "hello" || err != nil {
				t.Errorf("connection %d: %q, %v", i, got, err)
			}
		}
	})
}
