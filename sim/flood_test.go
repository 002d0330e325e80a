package sim_test

import (
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

// forged returns a frame with the n'th SYN of a flood to port 80 of addr, from an address of its own.
func forged(b []byte, to, from wire.MAC, addr wire.Addr, n uint32) []byte {
	tcp := wire.TCPHeader{SrcPort: uint16(n), DstPort: 80, Seq: n * 2654435761, Flags: wire.SYN, Window: 65535,
		Options: wire.TCPOptions{MSS: 1460, SACKPermitted: true, HasWindowScale: true, WindowScale: 7, HasTimestamps: true, TSVal: n}}
	b = b[:wire.EthernetLen+wire.IPv4MinLen+tcp.Len()]
	src := wire.Addr4(10, byte(n>>16), byte(n>>8), byte(n))
	wire.PutEthernet(b, to, from, wire.EtherTypeIPv4)
	ip := wire.IPv4Header{TotalLen: len(b) - wire.EthernetLen, TTL: 64, Protocol: wire.ProtoTCP, Src: src, Dst: addr}
	ip.Put(b[wire.EthernetLen:])
	seg := b[wire.EthernetLen+wire.IPv4MinLen:]
	tcp.Put(seg)
	wire.FinishChecksum(seg, wire.TCPChecksumOffset, wire.ProtoTCP, src, addr)
	return b
}

// heap returns how many octets are in use once all garbage is collected.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A million forged SYNs in ten seconds take a bounded amount of memory, and a genuine client still connects at its
// first try (RFC 4987, 3.6).
func TestSYNFlood(t *testing.T) {
	syns := 1_000_000
	if testing.Short() {
		syns = 50_000
	}
	n := sim.New(1)
	defer n.Stop()
	a := n.Host("a")
	b := n.Node("b", onlink.Config{})
	cable := n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24").Gateway("192.0.2.1"), sim.Line{})
	ln := listen(t, b, ":80")
	var to, from wire.MAC
	tries := 0
	cable.Filter(func(sender *sim.Node, frame []byte) bool {
		e, err := wire.CheckEthernet(frame)
		if err != nil || e.EtherType() != wire.EtherTypeIPv4 {
			return true
		}
		if sender == a {
			to, from = e.Dst(), e.Src()
			if ip, err := wire.CheckIPv4(e.Payload()); err == nil && ip.Protocol() == wire.ProtoTCP && wire.TCP(ip.Payload()).Flags() == wire.SYN {
				tries++
			}
			return true
		}
		return e.Payload()[16] != 10 // nobody answers for the forged addresses
	})
	b.Go("server", func() {
		for {
			c, err := ln.AcceptTCP()
			if err != nil {
				return
			}
			io.Copy(c, c)
			c.Close()
		}
	})
	echo := func() {
		c := dial(t, a, "192.0.2.2:80")
		defer c.Close()
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Error(err)
		}
		var got [5]byte
		if _, err := io.ReadFull(c, got[:]); err != nil || string(got[:]) != "hello" {
			t.Errorf("%q, %v", got, err)
		}
	}
	a.Go("client", func() {
		echo()
		before := heap()
		frame := make([]byte, 128)
		for i := range syns {
			cable.Inject(b, forged(frame, to, from, wire.Addr4(192, 0, 2, 2), uint32(i)))
			if i%1000 == 999 {
				a.Sleep(10 * time.Millisecond)
			}
			if i == syns/2 {
				tries = 0
				echo()
				if tries > 3 {
					t.Errorf("a genuine client needed %d SYNs", tries)
				}
			}
		}
		if grown := heap() - before; grown > 8<<20 {
			t.Errorf("the flood takes %d octets", grown)
		} else {
			t.Logf("the flood takes %d octets; %d SYNs of the client", grown, tries)
		}
		ln.Close()
	})
	run(t, n)
	v := b.Snapshot().Counters
	if sent := v.Get(mib.TcpExtSyncookiesSent); int(sent) < syns/2 {
		t.Errorf("%d cookies sent", sent)
	}
	if v.Get(mib.TcpExtSyncookiesRecv) != 1 {
		t.Errorf("%d cookies came back, want that of the client", v.Get(mib.TcpExtSyncookiesRecv))
	}
}
