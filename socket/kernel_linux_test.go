package socket_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/internal/packetdrill"
	"github.com/onlink-go/onlink/internal/packetdrill/kernel"
	"github.com/onlink-go/onlink/socket"
)

// probe makes the calls of a scenario and notes what they answer.
type probe struct {
	packetdrill.System
	log  strings.Builder
	fds  []int
	base int // ports of the scenario
}

func (p *probe) note(format string, args ...any) { fmt.Fprintf(&p.log, format+"\n", args...) }

// answer notes what a call returned.
func (p *probe) answer(what string, err error, v ...any) {
	if err != nil {
		p.note("%s: %d", what, socket.Errno(err))
		return
	}
	p.note("%s: ok %v", what, v)
}

func (p *probe) at(port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(p.base+port))
}

func (p *probe) socket(typ int) int {
	fd, err := p.Socket(socket.AF_INET, typ, 0)
	if err != nil {
		p.note("socket: %v", err)
	}
	p.fds = append(p.fds, fd)
	return fd
}

func (p *probe) set(fd, level, name int, v ...int32) {
	p.answer(fmt.Sprint("setsockopt ", level, name, v), p.Setsockopt(fd, level, name, words(v...)))
}

// get notes an option of the given size.
func (p *probe) get(fd, level, name, size int) {
	b := make([]byte, size)
	n, err := p.Getsockopt(fd, level, name, b)
	p.answer(fmt.Sprint("getsockopt ", level, name), err, n, b)
}

func (p *probe) soError(fd int) { p.get(fd, socket.SOL_SOCKET, socket.SO_ERROR, 4) }

func (p *probe) bind(fd, port int)    { p.answer("bind", p.Bind(fd, p.at(port))) }
func (p *probe) listen(fd, n int)     { p.answer("listen", p.Listen(fd, n)) }
func (p *probe) connect(fd, to int)   { p.answer("connect", p.Connect(fd, p.at(to))) }
func (p *probe) disconnect(fd int)    { p.answer("disconnect", p.Connect(fd, netip.AddrPort{})) }
func (p *probe) shutdown(fd, how int) { p.answer(fmt.Sprint("shutdown ", how), p.Shutdown(fd, how)) }

func (p *probe) close(fd int) {
	p.answer("close", p.Close(fd))
	for i := range p.fds {
		if p.fds[i] == fd {
			p.fds[i] = -1
		}
	}
}

func (p *probe) accept(fd int) int {
	n, _, err := p.Accept(fd, 0)
	p.answer("accept", err)
	if err == nil {
		p.fds = append(p.fds, n)
	}
	return n
}

func (p *probe) send(fd int, text string, flags int) {
	n, err := p.Sendmsg(fd, &socket.Msg{Buf: [][]byte{[]byte(text)}}, flags|socket.MSG_NOSIGNAL)
	p.answer("send", err, n)
}

func (p *probe) recv(fd, size, flags int) {
	b := make([]byte, size)
	m := socket.Msg{Buf: [][]byte{b}}
	n, err := p.Recvmsg(fd, &m, flags|socket.MSG_DONTWAIT)
	p.answer("recv", err, n, string(b[:max(min(n, size), 0)]), m.Flags&^socket.MSG_CMSG_CLOEXEC)
}

func (p *probe) poll(fd int) {
	fds := []socket.PollFD{{FD: fd, Events: 0x2fff}}
	n, err := p.Poll(fds, 0)
	p.answer("poll", err, n, fmt.Sprintf("%#x", fds[0].Revents))
}

func (p *probe) wait(epfd int) {
	ev := make([]socket.EpollEvent, 8)
	n, err := p.EpollWait(epfd, ev, 0)
	p.answer("epoll_wait", err, n, ev[:max(n, 0)])
}

// settle waits until what was sent has arrived.
func (p *probe) settle() { time.Sleep(3 * time.Millisecond) }

// name notes the two ends of a socket, ports of the scenario relative to its base, others as 1.
func (p *probe) names(fd int) {
	for what, f := range map[string]func(int) (netip.AddrPort, error){"name": p.Getsockname} {
		a, err := f(fd)
		p.answer(what, err, p.relative(a))
	}
	a, err := p.Getpeername(fd)
	p.answer("peer", err, p.relative(a))
}

func (p *probe) relative(a netip.AddrPort) string {
	port := int(a.Port())
	switch {
	case port >= p.base && port < p.base+20:
		port -= p.base
	case port != 0:
		port = 1
	}
	return fmt.Sprint(a.Addr(), port)
}

// pair makes a connection: the listener, the client, the server.
func (p *probe) pair() (l, c, s int) {
	l = p.socket(socket.SOCK_STREAM)
	p.bind(l, 0)
	p.listen(l, 5)
	c = p.socket(socket.SOCK_STREAM)
	p.connect(c, 0)
	return l, c, p.accept(l)
}

// ports gives each scenario ports of its own.
var ports = 20000 + os.Getpid()%1000*20

// TestAsKernel runs each scenario against the stack and against the kernel, over loopback, and compares the answers. Since
// both run in real time, on a machine that may be busy, a scenario that differs is given two more chances.
func TestAsKernel(t *testing.T) {
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			differ := ""
			for range 3 {
				st, err := onlink.New(onlink.Config{})
				if err != nil {
					t.Fatal(err)
				}
				ports += 20
				differ = compare(play(st.Sockets(), sc.f), play(new(kernel.System), sc.f))
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				st.Close(ctx) // what the scenario left open is reset
				if differ == "" {
					return
				}
			}
			t.Error(differ)
		})
	}
}

// play runs a scenario and returns what it noted.
func play(s packetdrill.System, f func(p *probe)) string {
	p := &probe{System: s, base: ports}
	f(p)
	for _, fd := range p.fds {
		if fd >= 0 {
			s.Close(fd)
		}
	}
	return p.log.String()
}

// compare returns the lines that differ, each with the line before it.
func compare(got, want string) string {
	var b strings.Builder
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		if at(g, i) != at(w, i) {
			fmt.Fprintf(&b, "line %d, after %q:\nours:   %s\nkernel: %s\n", i+1, at(w, i-1), at(g, i), at(w, i))
		}
	}
	return b.String()
}

func at(s []string, i int) string {
	if i >= 0 && i < len(s) {
		return s[i]
	}
	return "nothing"
}
