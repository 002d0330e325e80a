package itest

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/capture"
	"github.com/onlink-go/onlink/link/impair"
	"github.com/onlink-go/onlink/packet"
)

// spy keeps what is sent on a link.
type spy struct {
	link.Link
	mu     sync.Mutex
	frames [][]byte
}

func (s *spy) Send(q int, b *packet.Batch) error {
	s.mu.Lock()
	for p := b.Front(); p != nil; p = p.Next() {
		s.frames = append(s.frames, bytes.Clone(p.Bytes()))
	}
	s.mu.Unlock()
	return s.Link.Send(q, b)
}

// On a bad line, with all kinds of traffic, every frame of the stack is one that gopacket and tshark find nothing
// wrong with: where it is sent, and where the kernel gets it. So is the stack's own capture file.
func TestFramesAreClean(t *testing.T) {
	t.Parallel()
	need(t, "tshark")
	need(t, "tcpdump")
	if os.Getenv(inside) != "" {
		t.Skip("needs root: tcpdump wants to be another user")
	}
	var sent spy
	var own bytes.Buffer
	var w *capture.Writer
	r := newRig(t, setup{dad: true, noOffload: true, wrap: func(rt clock.Runtime, l link.Link) link.Link {
		sent.Link = l
		w = capture.NewWriter(&own, capture.Config{})
		way := impair.Path{Delay: time.Millisecond, Loss: 0.02, Reorder: 0.02, Duplicate: 0.01}
		return impair.New(rt, capture.New(rt, &sent, w, "tap0"), impair.Config{Egress: way, Ingress: way, Seed: 3})
	}})
	theirs := filepath.Join(t.TempDir(), "kernel.pcap")
	tcpdump := r.start(nil, "tcpdump", "-i", "tap0", "-Z", "root", "-U", "-w", theirs)
	eventually(t, "tcpdump listens", func() bool { return strings.Contains(tcpdump.stderr.String(), "listening on") })
	busy(t, r)
	closeStack(t, r.Stack)
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	tcpdump.Process.Signal(os.Interrupt)
	tcpdump.Wait()

	for _, f := range sent.frames {
		decode(t, f, layers.LayerTypeEthernet)
	}
	ours := filepath.Join(t.TempDir(), "stack.pcapng")
	if err := os.WriteFile(ours, own.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{ours, theirs} {
		if n := wantCleanCapture(t, r.namespace, file); n < len(sent.frames) {
			t.Errorf("%s has %d frames, of which the stack alone sent %d", filepath.Base(file), n, len(sent.frames))
		}
	}
}

// checksums makes tshark verify all checksums.
var checksums = []string{"-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"}

// wantCleanCapture fails the test if tshark finds a malformed frame or a bad checksum in the file. It returns how many
// frames there are.
func wantCleanCapture(t *testing.T, n *namespace, file string) (frames int) {
	t.Helper()
	// Where TCP and UDP found their payload, what is malformed is what tshark took that for: the content is random.
	// The kernel now and then writes a TCP checksum as 0xffff that tshark wants to be 0.
	bad := "(_ws.malformed && !tcp.payload && !udp.payload) || _ws.unreassembled || ip.checksum.status == 0 || " +
		"(tcp.checksum.status == 0 && !(tcp.checksum == 0xffff && (ip.src == " + v4.kernel + " || ipv6.src == " + v6.kernel + "))) || " +
		"udp.checksum.status == 0 || icmp.checksum.status == 0 || icmpv6.checksum.status == 0"
	args := append([]string{"-r", file}, checksums...)
	if out := n.run("tshark", append(args, "-Y", bad)...); out != "" {
		t.Errorf("%s: bad frames:\n%s", filepath.Base(file), out)
	}
	return strings.Count(n.run("tshark", append(args, "-T", "fields", "-e", "frame.number")...), "\n")
}

// busy makes traffic of all kinds.
func busy(t *testing.T, r *rig) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	if err := r.iface.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	s, err := r.ListenPacket(ctx, "udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	go echoPackets(s)
	defer s.Close()
	port := itoa(s.LocalAddr().(*net.UDPAddr).Port)
	for _, v := range families {
		for _, size := range pingSizes {
			r.try("ping", "-c", "5", "-i", "0.01", "-W", "1", "-s", itoa(size), v.stack) // answers may be lost
			r.Ping(ctx, netip.MustParseAddr(v.kernel), onlink.PingConfig{Size: size, Timeout: 50 * time.Millisecond})
		}
		for _, dial := range []func(network, address string) (net.Conn, error){r.kernelDial, r.stackDial} {
			dial("tcp", net.JoinHostPort(v.stack, "9"))
			dial("tcp", net.JoinHostPort(v.kernel, "9"))
		}
		u, err := r.kernelDial("udp", net.JoinHostPort(v.stack, port))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 1, 1472, 1473, 8000} {
			u.Write(make([]byte, n))
			u.SetReadDeadline(soon())
			u.Read(make([]byte, 8000))
		}
		for _, host := range []string{v.kernel, v.stack} {
			c, err := r.stackDial("udp", net.JoinHostPort(host, "9"))
			if err != nil {
				t.Fatal(err)
			}
			c.Write([]byte("to a closed port"))
			many := c.(*onlink.UDPConn)
			many.SetSegmentSize(1000)
			many.SetMTUDiscovery(onlink.DiscoverNot) // so that each has an Identification of its own
			many.Write(make([]byte, 20_500))         // many to one
			c.Close()
		}
	}
	r.eachWay(t, func(t *testing.T, kernel, stack tcpConn) {
		const n = 1 << 20
		for _, way := range [][2]tcpConn{{kernel, stack}, {stack, kernel}} {
			go func() {
				io.Copy(way[0], content(n))
				way[0].CloseWrite()
			}()
			if sum, m, err := sumOf(way[1]); err != nil || m != n || sum != contentSum(n) {
				t.Errorf("%d octets of %d, %v", m, n, err)
			}
		}
	})
	r.eachWay(t, func(t *testing.T, kernel, stack tcpConn) {
		exchange(t, kernel, stack)
		stack.SetLinger(0)
		stack.Close()
	})
}
