package afpacket

import (
	"bytes"
	"fmt"
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/internal/netns"
	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/linktest"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// A program's super-packets of UDP come in as they are, or where no offloads are wanted as the datagrams that they stand for,
// with right checksums.
func TestUDPSegments(t *testing.T) {
	for _, no := range []bool{false, true} {
		t.Run(fmt.Sprintf("NoOffload %v", no), func(t *testing.T) {
			inNamespace(t)
			d := openDevice(t, "ov1", Config{NoOffload: no})
			c := make(catcher, 100)
			attach(t, d, c)
			netns.IP(t, "address add 192.0.2.1/24 dev ov0")
			netns.IP(t, "neighbor add 192.0.2.2 lladdr "+d.Info().Addr.String()+" dev ov0")
			conn, err := net.Dial("udp4", "192.0.2.2:5000")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			raw, err := conn.(*net.UDPConn).SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			const size, n = 1000, 7
			raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT, size) })
			if err != nil {
				t.Skipf("needs UDP_SEGMENT: %v", err)
			}
			data := make([]byte, size*n-size/2)
			for i := range data {
				data[i] = byte(i * i >> 8)
			}
			if _, err := conn.Write(data); err != nil {
				t.Fatal(err)
			}
			var got []byte
			whole := 0 // super-packets
			for len(got) < len(data) {
				p := wait(t, c, "a datagram")
				if no && (p.GSOSize != 0 || p.Flags&packet.ChecksumLater != 0) {
					t.Fatalf("a frame with %d octets to a segment, flags %v", p.GSOSize, p.Flags)
				}
				limit := size
				if p.GSOSize != 0 {
					whole++
					limit = len(data)
				}
				offload.Finish(p, wire.EthernetLen)
				b := p.Bytes()[wire.EthernetLen:]
				if b[9] != wire.ProtoUDP {
					p.Free()
					continue // the kernel's, as IGMP
				}
				h := wire.IPv4(b)
				u := b[h.HeaderLen():]
				if !wire.TransportChecksumOK(u, wire.ProtoUDP, h.Src(), h.Dst()) {
					t.Errorf("a wrong checksum after %d octets", len(got))
				}
				if len(u)-wire.UDPLen > limit {
					t.Errorf("a datagram of %d octets, want %d at most", len(u)-wire.UDPLen, limit)
				}
				got = append(got, u[wire.UDPLen:]...)
				p.Free()
			}
			if takes()&link.UDP != 0 && !no && whole == 0 {
				t.Error("no super-packet came")
			}
			if !bytes.Equal(got, data) {
				t.Error("what came is not what was sent")
			}
		})
	}
}

// What the kernel refuses of a batch is dropped and counted; the rest goes, in order.
func TestSendRefused(t *testing.T) {
	a, b := pair(t)
	var rb linktest.Recorder
	attach(t, b, &rb)
	f := func(seq uint32, n int) *packet.Buffer { return linktest.Frame(a.Info(), b.Info(), 0, seq, n) }
	send(t, a, f(9, 1514+1), f(0, 60), packet.From(make([]byte, 5)), f(1, 60), f(2, 1514), f(9, 1514+1), packet.From(make([]byte, 13)), f(3, 60))
	eventually(t, "the others come", func() bool { return len(rb.Frames()) == 4 })
	rb.Check(t, 4)
	if s := a.Stats(); s.OutFrames != 4 || s.OutDrops != 4 {
		t.Errorf("Stats = %+v, want four frames sent and four dropped", s)
	}
}
