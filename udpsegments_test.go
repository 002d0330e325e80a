package onlink_test

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// offloads are what a cable may take of datagrams of UDP.
var offloads = map[string]link.Offload{"nothing": 0, "checksums": link.Checksums, "super-packets": link.Checksums | link.UDP}

// numbered returns n octets that differ from their neighbors.
func numbered(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// overCables calls f for each kind of cable and each family, with the stacks at its ends and an address of b.
func overCables(t *testing.T, f func(t *testing.T, a, b *onlink.Stack, to netip.AddrPort)) {
	for name, can := range offloads {
		for _, host := range []string{server4, server6} {
			t.Run(name+"/"+family(host), func(t *testing.T) {
				a, b := newPairOn(t, mem.Config{Offload: can}, nil)
				f(t, a, b, netip.AddrPortFrom(netip.MustParseAddr(host), 7000))
			})
		}
	}
}

// One write of many datagrams arrives as these, whatever the cable takes and whatever the reader asked for.
func TestSegments(t *testing.T) {
	overCables(t, func(t *testing.T, a, b *onlink.Stack, to netip.AddrPort) {
		out, in := listenUDP(t, a, "udp", ":0"), listenUDP(t, b, "udp", ":7000")
		in.SetReadDeadline(time.Now().Add(10 * time.Second))
		for _, size := range []int{1, 7, 8, 9, 100, 1400} {
			for _, n := range []int{0, size - 1, size, size + 1, min(5*size+3, 65000), min(46*size, 65000)} {
				data := numbered(n)
				if _, err := out.WriteMsg(data, &onlink.ControlMessage{SegmentSize: size}, to); err != nil {
					t.Fatalf("%d octets in datagrams of %d: %v", n, size, err)
				}
				wantDatagrams(t, in, data, size)
			}
		}
		sent, received := a.Snapshot().Counters.Counters[mib.UdpOutDatagrams], b.Snapshot().Counters.Counters[mib.UdpInDatagrams]
		if sent != received || sent == 0 {
			t.Errorf("%d datagrams sent, %d received", sent, received)
		}
	})
}

// wantDatagrams reads the datagrams of size octets that data was cut into.
func wantDatagrams(t *testing.T, in *onlink.UDPConn, data []byte, size int) {
	t.Helper()
	buf := make([]byte, 66000)
	var m onlink.ControlMessage
	for at := 0; at == 0 || at < len(data); at += size {
		want := data[at:min(at+size, len(data))]
		n, _, err := in.ReadMsg(buf, &m)
		if err != nil || !bytes.Equal(buf[:n], want) || m.Len != n || m.SegmentSize != 0 {
			t.Fatalf("%d octets in datagrams of %d: at %d came %d octets (%+v), %v; want %d", len(data), size, at, n, m, err, len(want))
		}
	}
}

// A reader that asked for it gets them joined, where they came as one packet.
func TestCoalesced(t *testing.T) {
	for _, host := range []string{server4, server6} {
		a, b := newPairOn(t, mem.Config{Offload: link.Checksums | link.UDP}, nil)
		out, in := listenUDP(t, a, "udp", ":0"), listenUDP(t, b, "udp", ":7000")
		in.SetReadDeadline(time.Now().Add(10 * time.Second))
		if err := errors.Join(out.SetSegmentSize(1000), in.SetCoalesce(true)); err != nil {
			t.Fatal(err)
		}
		to := netip.AddrPortFrom(netip.MustParseAddr(host), 7000)
		buf := make([]byte, 66000)
		for _, n := range []int{0, 999, 1000, 1001, 64500} {
			data := numbered(n)
			if _, err := out.WriteToUDPAddrPort(data, to); err != nil {
				t.Fatal(err)
			}
			var m onlink.ControlMessage
			got, _, err := in.ReadMsg(buf, &m)
			want := 0
			if n > 1000 {
				want = 1000
			}
			if err != nil || !bytes.Equal(buf[:got], data) || m.SegmentSize != want {
				t.Errorf("%d octets: %d came, of %d in each, %v", n, got, m.SegmentSize, err)
			}
		}
		// Who has changed his mind reads what waits one by one.
		if _, err := out.WriteToUDPAddrPort(numbered(2500), to); err != nil {
			t.Fatal(err)
		}
		in.SetCoalesce(false)
		wantDatagrams(t, in, numbered(2500), 1000)
	}
}

// Datagrams that came one right behind the other are joined for who asked, whatever they came as, and for nobody else: not those for
// another socket, nor those for another host.
func TestCoalescedFromCable(t *testing.T) {
	for _, host := range []string{server4, server6} {
		a, b := newPair(t, nil)
		out, in, other := listenUDP(t, a, "udp", ":0"), listenUDP(t, b, "udp", ":7000"), listenUDP(t, b, "udp", ":7001")
		in.SetReadDeadline(time.Now().Add(10 * time.Second))
		other.SetReadDeadline(time.Now().Add(10 * time.Second))
		if err := errors.Join(out.SetSegmentSize(1000), in.SetCoalesce(true), in.SetCoalesce(true)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 66000)
		data := numbered(9500)
		var m onlink.ControlMessage
		for range 2 {
			if _, err := out.WriteToUDPAddrPort(data, netip.AddrPortFrom(netip.MustParseAddr(host), 7000)); err != nil {
				t.Fatal(err)
			}
			if n, _, err := in.ReadMsg(buf, &m); err != nil || !bytes.Equal(buf[:n], data) || m.SegmentSize != 1000 {
				t.Errorf("%s: %d octets came, of %d in each, %v", host, n, m.SegmentSize, err)
			}
			if _, err := out.WriteToUDPAddrPort(data, netip.AddrPortFrom(netip.MustParseAddr(host), 7001)); err != nil {
				t.Fatal(err)
			}
			wantDatagrams(t, other, data, 1000)
		}
		in.SetCoalesce(false)
		if _, err := out.WriteToUDPAddrPort(data, netip.AddrPortFrom(netip.MustParseAddr(host), 7000)); err != nil {
			t.Fatal(err)
		}
		wantDatagrams(t, in, data, 1000)
	}
}

// What cannot be sent in segments is refused.
func TestSegmentErrors(t *testing.T) {
	a, _ := newPair(t, nil)
	c := listenUDP(t, a, "udp", ":0")
	to := netip.MustParseAddrPort(net.JoinHostPort(server4, "9"))
	for _, row := range []struct {
		n, size int
		want    error
	}{
		{128 * 10, 10, nil},
		{128*10 + 1, 10, syscall.EINVAL},
		{65507, 1472, nil},
		{65508, 1472, syscall.EMSGSIZE},
		{3000, 1473, syscall.EMSGSIZE}, // a datagram of many is not fragmented
		{1000, 1473, nil},
		{10, -1, syscall.EINVAL},
		{10, 65536, syscall.EINVAL},
	} {
		_, err := c.WriteMsg(make([]byte, row.n), &onlink.ControlMessage{SegmentSize: row.size}, to)
		if !errors.Is(err, row.want) {
			t.Errorf("%d octets in datagrams of %d: %v, want %v", row.n, row.size, err, row.want)
		}
		if row.size < 0 || row.size > 65535 {
			if err := c.SetSegmentSize(row.size); !errors.Is(err, syscall.EINVAL) {
				t.Errorf("SetSegmentSize(%d): %v", row.size, err)
			}
		}
	}
	raw := listenRaw(t, a, "ip4:89", "")
	if _, err := raw.WriteMsg(make([]byte, 100), &onlink.ControlMessage{SegmentSize: 10}, to.Addr()); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a raw socket: %v", err)
	}
}

// Nobody wants them: the ICMP error quotes the first datagram, as it was sent.
func TestSegmentsRefused(t *testing.T) {
	for _, host := range []string{server4, server6} {
		a, _ := newPairOn(t, mem.Config{Offload: link.Checksums | link.UDP}, nil)
		c, err := a.Dial("udp", net.JoinHostPort(host, "9"))
		if err != nil {
			t.Fatal(err)
		}
		u := c.(*onlink.UDPConn)
		u.SetReadDeadline(time.Now().Add(10 * time.Second))
		if err := u.SetSegmentSize(100); err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		if _, err = u.Read(make([]byte, 10)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: %v", host, err)
		}
		e, _ := errors.AsType[*onlink.ICMPError](err)
		if e == nil || len(e.Quote) < wire.UDPLen || wire.UDP(e.Quote).Length() != wire.UDPLen+100 {
			t.Errorf("%s: it quotes %+v", host, e)
		}
	}
}
