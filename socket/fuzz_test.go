package socket_test

import (
	"net/netip"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/socket"

	"github.com/onlink-go/onlink"
)

// FuzzCalls gives options and messages of any kind to sockets in any state: every call answers, with a known errno or a
// length that is within what it was given.
func FuzzCalls(f *testing.F) {
	f.Add(uint8(0), 1, 13, []byte{1, 0, 0, 0, 0, 0, 0, 0}, 0, []byte{})
	f.Add(uint8(1), 6, 11, []byte{}, 2, make([]byte, 24))
	f.Add(uint8(4), 0, 8, []byte{1, 0, 0, 0}, 0x20, []byte{20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 7, 0, 0, 0})
	f.Add(uint8(5), 41, 50, []byte{1, 0, 0, 0}, 0x2000, []byte{36, 0, 0, 0, 0, 0, 0, 0, 41, 0, 0, 0, 50, 0, 0, 0})
	f.Fuzz(func(t *testing.T, kind uint8, level, name int, value []byte, flags int, control []byte) {
		if len(value) > 4096 || len(control) > 4096 {
			return
		}
		sim := clock.NewSim(1)
		defer sim.Stop()
		st, err := onlink.New(onlink.Config{Runtime: sim.Runtime(1)})
		if err != nil {
			t.Fatal(err)
		}
		sim.Start("calls", func() { fuzzCalls(t, st.Sockets(), kind, level, name, value, flags, control) })
		sim.Run(sim.Now().Add(1e12))
	})
}

func fuzzCalls(t *testing.T, p *socket.Table, kind uint8, level, name int, value []byte, flags int, control []byte) {
	known := func(what string, n, limit int, err error) {
		if _, ok := err.(syscall.Errno); err != nil && !ok {
			t.Errorf("%s: %v is a %T", what, err, err)
		}
		if err == nil && (n < 0 || n > limit) {
			t.Errorf("%s: %d of %d", what, n, limit)
		}
	}
	lo := netip.MustParseAddrPort("127.0.0.1:9")
	domain, typ := socket.AF_INET, socket.SOCK_STREAM
	if kind&1 != 0 {
		domain, lo = socket.AF_INET6, netip.MustParseAddrPort("[::1]:9")
	}
	if kind&4 != 0 {
		typ = socket.SOCK_DGRAM
	}
	fd := must(p.Socket(domain, typ|socket.SOCK_NONBLOCK, 0))
	peer := must(p.Socket(domain, typ|socket.SOCK_NONBLOCK, 0))
	known("bind", 0, 0, p.Bind(peer, lo))
	if kind&2 != 0 {
		known("listen", 0, 0, p.Listen(peer, 1))
		known("connect", 0, 0, p.Connect(fd, lo))
	}
	set := p.Setsockopt(fd, level, name, value)
	known("setsockopt", 0, 0, set)
	b := make([]byte, len(value))
	n, err := p.Getsockopt(fd, level, name, b)
	known("getsockopt", n, len(b), err)
	known("ioctl", 0, 0, p.Ioctl(fd, uint(level)<<8|uint(name), value))
	m := socket.Msg{Buf: [][]byte{value, control}, Control: control, Name: lo}
	if kind&8 != 0 {
		m.Name = netip.AddrPort{}
	}
	n, err = p.Sendmsg(fd, &m, flags|socket.MSG_DONTWAIT)
	known("sendmsg", n, len(value)+len(control), err)
	got := socket.Msg{Buf: [][]byte{b}, Control: append([]byte(nil), control...)}
	for _, at := range []int{fd, peer} {
		n, err = p.Recvmsg(at, &got, flags|socket.MSG_DONTWAIT)
		known("recvmsg", n, 1<<16, err)
		if len(got.Control) > len(control) {
			t.Errorf("%d octets of control, room for %d", len(got.Control), len(control))
		}
	}
	for _, at := range []int{fd, peer} {
		known("close", 0, 0, p.Close(at))
	}
}
