package socket_test

import (
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink/socket"
)

// Sending and receiving allocate nothing, over TCP and UDP.
func TestDataPathAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("pools drop what they are given under the race detector")
	}
	p := newTable(t)
	lo := netip.MustParseAddrPort("127.0.0.1:9")
	for _, typ := range []int{socket.SOCK_STREAM, socket.SOCK_DGRAM} {
		to := must(p.Socket(socket.AF_INET, typ, 0))
		from := must(p.Socket(socket.AF_INET, typ, 0))
		if err := p.Bind(to, lo); err != nil {
			t.Fatal(err)
		}
		if typ == socket.SOCK_STREAM {
			if err := p.Listen(to, 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Connect(from, lo); err != nil {
			t.Fatal(err)
		}
		if typ == socket.SOCK_STREAM {
			fd, _, err := p.Accept(to, 0)
			if err != nil {
				t.Fatal(err)
			}
			to = fd
		}
		if typ == socket.SOCK_STREAM {
			if err := p.Setsockopt(from, socket.IPPROTO_TCP, socket.TCP_NODELAY, words(1)); err != nil {
				t.Fatal(err)
			}
		}
		data, room := make([]byte, 1000), make([]byte, 1000)
		out := socket.Msg{Buf: [][]byte{data[:10], data[10:]}}
		in := socket.Msg{Buf: [][]byte{room}}
		round := func() {
			if n, err := p.Sendmsg(from, &out, 0); n != 1000 || err != nil {
				t.Fatalf("sendmsg: %d, %v", n, err)
			}
			if n, err := p.Recvmsg(to, &in, 0); n != 1000 || err != nil {
				t.Fatalf("recvmsg: %d, %v", n, err)
			}
		}
		for range 100 {
			round()
		}
		if n := testing.AllocsPerRun(200, round); n > 0 {
			t.Errorf("type %d: %v allocations a round", typ, n)
		}
	}
}
