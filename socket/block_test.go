package socket_test

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/socket"
)

// timeval is a struct timeval.
func timeval(d time.Duration) []byte {
	return words(int32(d/time.Second), 0, int32(d%time.Second/time.Microsecond), 0)
}

// took fails the test unless f takes d of virtual time.
func (p *process) took(what string, d time.Duration, f func()) {
	p.Helper()
	began := p.Node.Now()
	f()
	if got := p.Node.Now().Sub(began); got != d {
		p.Errorf("%s took %v, want %v", what, got, d)
	}
}

// stream connects p to server4 and returns the descriptor.
func (p *process) stream() int {
	p.Helper()
	fd := must(p.Socket(socket.AF_INET, socket.SOCK_STREAM, 0))
	p.ok(p.Connect(fd, server4))
	return fd
}

// serve accepts one connection at server4.
func (p *process) serve() (l, fd int) {
	p.Helper()
	l = must(p.Socket(socket.AF_INET, socket.SOCK_STREAM, 0))
	p.ok(p.Bind(l, server4))
	p.ok(p.Listen(l, 5))
	fd, _, err := p.Accept(l, 0)
	p.ok(err)
	return l, fd
}

func (p *process) read(fd, n, flags int) (string, error) {
	b := make([]byte, n)
	k, err := p.Recvmsg(fd, &socket.Msg{Buf: [][]byte{b}}, flags)
	return string(b[:max(k, 0)]), err
}

func (p *process) write(fd int, text string) {
	p.Helper()
	if n, err := p.Sendmsg(fd, &socket.Msg{Buf: [][]byte{[]byte(text)}}, 0); n != len(text) || err != nil {
		p.Errorf("sendmsg: %d, %v", n, err)
	}
}

// Blocking calls wait for what they want, as long as SO_RCVTIMEO lets them.
func TestBlockingReads(t *testing.T) {
	pair(t, func(p *process) {
		fd := p.stream()
		p.took("a read without a time-out", 10*time.Second, func() {
			if got, err := p.read(fd, 10, 0); got != "one" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
		p.ok(p.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(1500*time.Millisecond)))
		p.took("a read with a time-out", 1500*time.Millisecond, func() {
			_, err := p.read(fd, 10, 0)
			wantErrno(t, "time-out", err, syscall.EAGAIN)
		})
		p.took("a read that waits for all", 1200*time.Millisecond, func() {
			if got, err := p.read(fd, 6, socket.MSG_WAITALL); got != "twothr" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
		p.took("a read that waits for more than comes", 1500*time.Millisecond, func() {
			if got, err := p.read(fd, 60, socket.MSG_WAITALL); got != "ee" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
		p.ok(p.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(0)))
		p.ok(p.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_RCVLOWAT, words(4)))
		p.took("a read up to the low-water mark", 2500*time.Millisecond, func() {
			fds := []socket.PollFD{{FD: fd, Events: socket.POLLIN}}
			if n, err := p.Poll(fds, 1900*time.Millisecond); n != 0 || err != nil {
				t.Errorf("poll: %d, %v, %#x", n, err, fds[0].Revents)
			}
			if got, err := p.read(fd, 60, 0); got != "fourfive" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
		p.ok(p.Close(fd))
	}, func(p *process) {
		l, fd := p.serve()
		p.Node.Sleep(10 * time.Second)
		p.write(fd, "one")
		p.Node.Sleep(1700 * time.Millisecond)
		p.write(fd, "two")
		p.Node.Sleep(time.Second)
		p.write(fd, "three") // at 12.7 s
		p.Node.Sleep(1800 * time.Millisecond)
		p.write(fd, "fou")
		p.Node.Sleep(2200 * time.Millisecond)
		p.write(fd, "rfive") // at 16.7 s
		p.ok(p.Close(fd))
		p.ok(p.Close(l))
	})
}

// Poll and EpollWait wait in virtual time, for whatever comes first.
func TestPollTimes(t *testing.T) {
	pair(t, func(p *process) {
		a, b := p.stream(), p.stream()
		fds := []socket.PollFD{{FD: a, Events: socket.POLLIN}, {FD: b, Events: socket.POLLIN}, {FD: -1, Events: -1}, {FD: 99}}
		if n, err := p.Poll(fds, -1); n != 1 || err != nil || fds[3].Revents != socket.POLLNVAL {
			t.Errorf("a bad descriptor: %d, %v, %v", n, err, fds)
		}
		p.took("poll", time.Second, func() {
			if n, err := p.Poll(fds[:3], time.Second); n != 0 || err != nil {
				t.Errorf("poll: %d, %v", n, err)
			}
		})
		p.took("poll", time.Second, func() {
			if n, err := p.Poll(fds[:3], -1); n != 1 || err != nil || fds[1].Revents != socket.POLLIN {
				t.Errorf("poll: %d, %v, %v", n, err, fds)
			}
		})
		ep := must(p.EpollCreate(0))
		p.ok(p.EpollCtl(ep, socket.EPOLL_CTL_ADD, a, socket.EpollEvent{Events: socket.EPOLLIN, Data: 1}))
		outer := must(p.EpollCreate(0))
		p.ok(p.EpollCtl(outer, socket.EPOLL_CTL_ADD, ep, socket.EpollEvent{Events: socket.EPOLLIN, Data: 2}))
		wantErrno(t, "a circle", p.EpollCtl(ep, socket.EPOLL_CTL_ADD, outer, socket.EpollEvent{}), syscall.ELOOP)
		ev := make([]socket.EpollEvent, 4)
		p.took("epoll_wait", 500*time.Millisecond, func() {
			if n, err := p.EpollWait(outer, ev, 500*time.Millisecond); n != 0 || err != nil {
				t.Errorf("epoll_wait: %d, %v", n, err)
			}
		})
		p.took("epoll_wait", 500*time.Millisecond, func() {
			if n, err := p.EpollWait(outer, ev, -1); n != 1 || err != nil || ev[0] != (socket.EpollEvent{Events: socket.EPOLLIN, Data: 2}) {
				t.Errorf("epoll_wait: %d, %v, %v", n, err, ev)
			}
		})
		if n, err := p.EpollWait(ep, ev, 0); n != 1 || err != nil || ev[0] != (socket.EpollEvent{Events: socket.EPOLLIN, Data: 1}) {
			t.Errorf("epoll_wait: %d, %v, %v", n, err, ev)
		}
		for _, fd := range []int{a, b, ep, outer} {
			p.ok(p.Close(fd))
		}
	}, func(p *process) {
		l, a := p.serve()
		b, _, err := p.Accept(l, 0)
		p.ok(err)
		p.Node.Sleep(2 * time.Second)
		p.write(b, "b")
		p.Node.Sleep(time.Second)
		p.write(a, "a")
		p.Node.Sleep(time.Second)
	})
}

// A full send buffer makes a blocking write wait and another one write less.
func TestFullBuffer(t *testing.T) {
	const size = 3 << 20
	pair(t, func(p *process) {
		fd := p.stream()
		p.ok(p.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(time.Second)))
		big := socket.Msg{Buf: [][]byte{make([]byte, 1000), make([]byte, size*2)}}
		n := must(p.Sendmsg(fd, &big, 0)) // in part, after a second
		for {
			k, err := p.Sendmsg(fd, &big, socket.MSG_DONTWAIT)
			if err != nil {
				wantErrno(t, "full", err, syscall.EAGAIN)
				break
			}
			n += k
		}
		fds := []socket.PollFD{{FD: fd, Events: socket.POLLOUT}}
		if n, err := p.Poll(fds, 0); n != 0 || err != nil {
			t.Errorf("poll: %d, %v", n, err)
		}
		if n, err := p.Poll(fds, -1); n != 1 || err != nil || fds[0].Revents != socket.POLLOUT {
			t.Errorf("poll: %d, %v", n, err)
		}
		p.ok(p.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(0)))
		if k, err := p.Sendmsg(fd, &socket.Msg{Buf: [][]byte{make([]byte, size*4-n)}}, 0); k != size*4-n || err != nil {
			t.Errorf("sendmsg: %d, %v", k, err)
		}
		p.ok(p.Close(fd))
	}, func(p *process) {
		l, fd := p.serve()
		p.Node.Sleep(10 * time.Second)
		total := 0
		b := socket.Msg{Buf: [][]byte{make([]byte, 100000)}}
		for {
			n := must(p.Recvmsg(fd, &b, 0))
			if n == 0 {
				break
			}
			total += n
		}
		if total != size*4 {
			t.Errorf("%d octets came, want %d", total, size*4)
		}
		p.ok(p.Close(fd))
		p.ok(p.Close(l))
	})
}

// With SO_LINGER, close waits until all is acknowledged, or the time is over.
func TestLinger(t *testing.T) {
	pair(t, func(p *process) {
		fd := p.stream()
		p.ok(p.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_LINGER, words(1, 3)))
		p.ok(p.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(time.Second)))
		must(p.Sendmsg(fd, &socket.Msg{Buf: [][]byte{make([]byte, 16<<20)}}, 0))
		p.took("close", 3*time.Second, func() { p.ok(p.Close(fd)) })

		fd = p.stream()
		p.ok(p.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_LINGER, words(1, 3)))
		p.write(fd, "little")
		began := p.Node.Now()
		p.ok(p.Close(fd))
		if took := p.Node.Now().Sub(began); took > time.Second {
			t.Errorf("close took %v, though all was acknowledged", took)
		}
	}, func(p *process) {
		l, fd := p.serve()
		p.Accept(l, 0)
		p.Node.Sleep(10 * time.Second)
		p.ok(p.Close(fd))
	})
}

// A socket that is closed while a call waits on it lives on until the call returns, and its descriptor is free.
func TestCloseUnderCall(t *testing.T) {
	pair(t, func(p *process) {
		fd := p.stream()
		p.Node.Go("reader", func() {
			if got, err := p.read(fd, 10, 0); got != "late" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
		p.Node.Sleep(time.Second)
		p.ok(p.Close(fd))
		wantErrno(t, "close again", p.Close(fd), syscall.EBADF)
		if again := must(p.Socket(socket.AF_INET, socket.SOCK_STREAM, 0)); again != fd {
			t.Errorf("the new descriptor is %d, want %d", again, fd)
		}
	}, func(p *process) {
		_, fd := p.serve()
		p.Node.Sleep(5 * time.Second)
		p.write(fd, "late")
		if got, err := p.read(fd, 10, 0); got != "" || err != nil {
			t.Errorf("%q, %v: want the end", got, err)
		}
	})
}

// A blocking connect gives up when SO_SNDTIMEO is over, and the attempt goes on.
func TestConnectTimeout(t *testing.T) {
	pair(t, func(p *process) {
		fd := must(p.Socket(socket.AF_INET, socket.SOCK_STREAM, 0))
		p.ok(p.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(2*time.Second)))
		nowhere := netip.MustParseAddrPort("192.0.2.77:80")
		p.took("connect", 2*time.Second, func() {
			wantErrno(t, "connect", p.Connect(fd, nowhere), syscall.EINPROGRESS)
		})
		start := p.Node.Now()
		p.ok(p.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(0)))
		wantErrno(t, "connect again", p.Connect(fd, nowhere), syscall.EHOSTUNREACH)
		if p.Node.Now() == start {
			t.Error("connect did not wait")
		}
		p.ok(p.Close(fd))
	}, func(p *process) {})
}

// Zero-copy sends are copies, and the error queue says when they are complete: those in a row as one.
func TestZerocopy(t *testing.T) {
	pair(t, func(p *process) {
		fd := p.stream()
		m := socket.Msg{Buf: [][]byte{[]byte("x")}}
		must(p.Sendmsg(fd, &m, socket.MSG_ZEROCOPY)) // not allowed: a plain one
		p.ok(p.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_ZEROCOPY, words(1)))
		for range 3 {
			must(p.Sendmsg(fd, &m, socket.MSG_ZEROCOPY))
		}
		fds := []socket.PollFD{{FD: fd}}
		if n := must(p.Poll(fds, 0)); n != 1 || fds[0].Revents != socket.POLLERR {
			t.Errorf("poll: %d, %#x", n, fds[0].Revents)
		}
		got := socket.Msg{Control: make([]byte, 100)}
		if n := must(p.Recvmsg(fd, &got, socket.MSG_ERRQUEUE)); n != 0 || got.Flags != socket.MSG_ERRQUEUE {
			t.Errorf("%d octets, flags %#x", n, got.Flags)
		}
		want := "\x30\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0b\x00\x00\x00" + // a message of 48 octets, SOL_IP, IP_RECVERR
			"\x00\x00\x00\x00\x05\x00\x01\x00\x00\x00\x00\x00\x02\x00\x00\x00" + strings.Repeat("\x00", 16)
		if string(got.Control) != want {
			t.Errorf("control % x\nwant    % x", got.Control, want)
		}
		_, err := p.Recvmsg(fd, &got, socket.MSG_ERRQUEUE)
		wantErrno(t, "empty", err, syscall.EAGAIN)
	}, func(p *process) {
		_, fd := p.serve()
		p.ok(p.Setsockopt(fd, socket.IPPROTO_TCP, socket.TCP_INQ, words(1)))
		p.Node.Sleep(time.Second)
		m := socket.Msg{Buf: [][]byte{make([]byte, 1)}, Control: make([]byte, 24)}
		must(p.Recvmsg(fd, &m, 0))
		if want := "\x14\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00\x24\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00"; string(m.Control) != want {
			t.Errorf("control % x\nwant    % x", m.Control, want)
		}
	})
}
