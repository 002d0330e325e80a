package onlink_test

import (
	"bytes"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
)

// A batch of datagrams to several ends, some of one size in a row, arrives as it was written; hooks see them one by one.
func TestRuns(t *testing.T) {
	overCables(t, func(t *testing.T, a, b *onlink.Stack, to netip.AddrPort) {
		out := listenUDP(t, a, "udp", ":0")
		readers := []*onlink.UDPConn{listenUDP(t, b, "udp", ":7000"), listenUDP(t, b, "udp", ":7001")}
		var send []onlink.Message
		var want [2][][]byte
		add := func(reader, size, n int) {
			for range n {
				data := numbered(size + len(send))[len(send):]
				addr := net.UDPAddrFromAddrPort(netip.AddrPortFrom(to.Addr(), to.Port()+uint16(reader)))
				send = append(send, onlink.Message{Buffers: [][]byte{data[:size/2], data[size/2:]}, Addr: addr})
				want[reader] = append(want[reader], data)
			}
		}
		add(0, 64, 5)
		add(0, 20, 2) // a shorter one ends a run
		add(0, 64, 100)
		add(1, 64, 3)
		add(0, 0, 3) // nothing cannot be in one
		add(1, 1400, 90)
		add(0, 3000, 3) // fragmented, and so read last
		write := func() {
			t.Helper()
			before := a.Snapshot().Counters.Counters[mib.UdpOutDatagrams]
			if n, err := out.WriteBatch(send, 0); n != len(send) || err != nil {
				t.Fatalf("%d of %d written, %v", n, len(send), err)
			}
			if n := a.Snapshot().Counters.Counters[mib.UdpOutDatagrams] - before; n != uint64(len(send)) {
				t.Errorf("%d sent, of %d", n, len(send))
			}
			for i, m := range send {
				if n := len(bytes.Join(m.Buffers, nil)); m.N != n || m.NN != 0 {
					t.Errorf("wrote %d octets and %d of control messages of the %dth, want %d and 0", m.N, m.NN, i, n)
				}
			}
			buf := make([]byte, 4000)
			for k, in := range readers {
				in.SetReadDeadline(time.Now().Add(10 * time.Second))
				for i, data := range want[k] {
					n, _, err := in.ReadFromUDPAddrPort(buf)
					if err != nil || !bytes.Equal(buf[:n], data) {
						t.Fatalf("reader %d: the %dth has %d octets, %v; want %d", k, i, n, err, len(data))
					}
				}
			}
		}
		write()
		var seen atomic.Int64
		a.Hook(hook.Output).Add(0, "counts", func(_ clock.Instant, p *packet.Buffer) hook.Verdict {
			if seen.Add(1); p.GSOSize != 0 {
				t.Errorf("a hook is shown many datagrams as one")
			}
			return hook.Continue
		})
		if write(); seen.Load() != int64(len(send)) {
			t.Errorf("the hook was called %d times for %d datagrams", seen.Load(), len(send))
		}
	})
}

// What is of one size and goes to one end is one packet on a link that takes it, whether the socket is connected or not.
func TestRunIsOnePacket(t *testing.T) {
	a, b := newPairOn(t, mem.Config{Offload: link.Checksums | link.UDP}, nil)
	in := listenUDP(t, b, "udp", ":7000")
	if err := in.SetCoalesce(true); err != nil {
		t.Fatal(err)
	}
	to := netip.MustParseAddrPort(net.JoinHostPort(server4, "7000"))
	connected, err := a.DialContext(t.Context(), "udp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer connected.Close()
	for _, c := range []struct {
		out  *onlink.UDPConn
		addr net.Addr
	}{{listenUDP(t, a, "udp", ":0"), net.UDPAddrFromAddrPort(to)}, {connected.(*onlink.UDPConn), nil}} {
		ms := make([]onlink.Message, 10)
		for i := range ms {
			ms[i] = onlink.Message{Buffers: [][]byte{numbered(100)}, Addr: c.addr}
		}
		if n, err := c.out.WriteBatch(ms, 0); n != len(ms) || err != nil {
			t.Fatal(n, err)
		}
		var m onlink.ControlMessage
		in.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, _, err := in.ReadMsg(make([]byte, 2000), &m)
		if err != nil || n != 1000 || m.SegmentSize != 100 {
			t.Errorf("to %v: %d octets in datagrams of %d, %v", c.addr, n, m.SegmentSize, err)
		}
	}
}
