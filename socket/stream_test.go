package socket_test

import (
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/socket"
)

// pair runs f in virtual time, as a process on each of two hosts of one link.
func pair(t *testing.T, client, server func(p *process)) {
	t.Helper()
	n := sim.New(1)
	defer n.Stop()
	a, b := n.Node("a", onlink.Config{}), n.Node("b", onlink.Config{})
	n.Wire(a.Port("eth0", "192.0.2.1/24", "2001:db8::1/64"), b.Port("eth0", "192.0.2.2/24", "2001:db8::2/64"), sim.Line{})
	n.RunFor(5e9)
	for _, p := range []*process{{T: t, Node: b}, {T: t, Node: a}} {
		p.Table = p.Node.Sockets()
		p.Node.Go("process", func() {
			if p.Node == b {
				server(p)
			} else {
				client(p)
			}
		})
	}
	if err := n.Run(); err != nil {
		t.Fatal(err)
	}
}

// process is a process with its descriptors.
type process struct {
	*testing.T
	*socket.Table
	Node *sim.Node
}

// must fails the test if err is not nil.
func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

func (p *process) ok(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

var server4 = netip.MustParseAddrPort("192.0.2.2:80")

func TestEcho(t *testing.T) {
	pair(t, func(p *process) {
		fd := must(p.Socket(socket.AF_INET, socket.SOCK_STREAM, 0))
		p.ok(p.Connect(fd, server4))
		must(p.Sendmsg(fd, &socket.Msg{Buf: [][]byte{[]byte("hel"), []byte("lo")}}, 0))
		b := make([]byte, 16)
		if n := must(p.Recvmsg(fd, &socket.Msg{Buf: [][]byte{b}}, 0)); string(b[:n]) != "hello" {
			t.Errorf("got %q", b[:n])
		}
		p.ok(p.Shutdown(fd, socket.SHUT_WR))
		if n := must(p.Recvmsg(fd, &socket.Msg{Buf: [][]byte{b}}, 0)); n != 0 {
			t.Errorf("got %q", b[:n])
		}
		p.ok(p.Close(fd))
	}, func(p *process) {
		l := must(p.Socket(socket.AF_INET, socket.SOCK_STREAM, 0))
		p.ok(p.Bind(l, server4))
		p.ok(p.Listen(l, 5))
		fd, peer, err := p.Accept(l, 0)
		p.ok(err)
		if peer.Addr() != netip.MustParseAddr("192.0.2.1") {
			t.Errorf("peer %v", peer)
		}
		b := make([]byte, 16)
		for {
			n := must(p.Recvmsg(fd, &socket.Msg{Buf: [][]byte{b}}, 0))
			if n == 0 {
				break
			}
			must(p.Sendmsg(fd, &socket.Msg{Buf: [][]byte{b[:n]}}, 0))
		}
		p.ok(p.Close(fd))
		p.ok(p.Close(l))
	})
}
