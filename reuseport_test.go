package onlink_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
)

// sharers opens n sockets on one port of s.
func sharers(t testing.TB, s *onlink.Stack, n int) []*onlink.UDPConn {
	t.Helper()
	l := onlink.ListenConfig{Stack: s, ReusePort: true}
	all := make([]*onlink.UDPConn, n)
	for i := range all {
		c, err := l.ListenPacket(t.Context(), "udp", ":7000")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		all[i] = c.(*onlink.UDPConn)
	}
	return all
}

// Sockets that share a port get a part of the flows each, all of a flow in its order; who does not share gets no place there.
func TestReusePort(t *testing.T) {
	const members, flows, each = 4, 200, 5
	a, b := newPairOn(t, mem.Config{Offload: link.Checksums | link.UDP}, nil)
	all := sharers(t, b, members)
	if _, err := b.ListenPacket(t.Context(), "udp", ":7000"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("without ReusePort: %v", err)
	}
	type datagram struct {
		member, seq int
		from        uint16
	}
	got := make(chan datagram)
	for i, c := range all {
		go func() {
			buf := make([]byte, 10)
			for {
				n, from, err := c.ReadFromUDPAddrPort(buf)
				if err != nil || n != 1 {
					return
				}
				got <- datagram{i, int(buf[0]), from.Port()}
			}
		}()
	}
	for _, host := range []string{server4, server6} {
		owner, next, share := map[uint16]int{}, map[uint16]int{}, [members]int{}
		to := netip.MustParseAddrPort(net.JoinHostPort(host, "7000"))
		for range flows {
			out := listenUDP(t, a, "udp", ":0")
			if _, err := out.WriteMsg([]byte{0, 1, 2, 3, 4}, &onlink.ControlMessage{SegmentSize: 1}, to); err != nil {
				t.Fatal(err)
			}
			for range each {
				select {
				case d := <-got:
					if m, known := owner[d.from]; known && m != d.member || d.seq != next[d.from] {
						t.Fatalf("%v, after %d of the flow at %d", d, next[d.from], m)
					}
					owner[d.from] = d.member
					next[d.from]++
				case <-time.After(10 * time.Second):
					t.Fatal("a datagram is missing")
				}
			}
		}
		for _, m := range owner {
			share[m]++
		}
		for _, n := range share {
			if n < flows/members-30 || n > flows/members+30 { // five standard deviations
				t.Errorf("%s: the flows are shared as %v", host, share)
			}
		}
	}
}

// BenchmarkReusePort has a datagram find its socket among many that share its port.
func BenchmarkReusePort(b *testing.B) {
	for _, members := range []int{1, 2, 8, 64} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			client, server := newPair(b, nil)
			all := sharers(b, server, members)
			out := listenUDP(b, client, "udp", ":0")
			to := netip.MustParseAddrPort(net.JoinHostPort(server4, "7000"))
			buf := make([]byte, 64)
			if _, err := out.WriteToUDPAddrPort(buf, to); err != nil {
				b.Fatal(err)
			}
			var in *onlink.UDPConn
			for _, c := range all {
				if n, _ := c.ReadBatch(room(1), 0x40); n == 1 { // MSG_DONTWAIT
					in = c
				}
			}
			if in == nil {
				b.Fatal("nobody got it")
			}
			for b.Loop() {
				if _, err := out.WriteToUDPAddrPort(buf, to); err != nil {
					b.Fatal(err)
				}
				if _, _, err := in.ReadFromUDPAddrPort(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
