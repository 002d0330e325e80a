package itest

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink"
)

// Streams of datagrams, many with one call, arrive as they were sent, whichever end makes super-packets of them, leaves
// checksums to the other, gets them joined, or does none of that.
func TestUDPSegments(t *testing.T) {
	t.Parallel()
	need(t, "ethtool")
	for _, s := range []struct {
		name   string
		set    setup
		kernel string // what the kernel's side is told
	}{
		{"everything left to others", setup{}, ""},
		{"our segments whole", setup{whole: true}, ""},
		{"no virtio-net header", setup{noOffload: true}, ""},
		{"the kernel's segments whole", setup{}, "tx-udp-segmentation off gro off"},
		{"no checksums left by the kernel", setup{}, "tx off"},
		{"nothing left by anybody", setup{noOffload: true, whole: true}, "tx off gro off"},
		{"TUN", setup{tun: true}, ""},
		{"TUN, the kernel's segments whole", setup{tun: true}, "tx-udp-segmentation off"},
		{"TUN, no virtio-net header", setup{tun: true, noOffload: true}, ""},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, s.set)
			r.features(r.name, s.kernel)
			streams(t, r)
			if s.name != "everything left to others" {
				return
			}
			// Nobody has cut what both can take whole.
			if st := r.device.Stats(); st.OutOctets/st.OutFrames < 4000 || st.InOctets/st.InFrames < 4000 {
				t.Errorf("super-packets did not cross the device as they are: %+v", st)
			}
		})
	}
}

// The same on a veth pair.
func TestVethUDPSegments(t *testing.T) {
	t.Parallel()
	need(t, "ethtool")
	for _, s := range []struct {
		name        string
		set         setup
		kernel, far string // what each end is told
	}{
		{"everything left to others", setup{}, "", ""},
		{"frames as on a wire", setup{noOffload: true}, "", ""},
		{"nothing left to our end of the pair", setup{}, "", "tx-udp-segmentation off gso off tx off"},
		{"nothing left to anybody", setup{noOffload: true, whole: true}, "tx off tx-udp-segmentation off gso off", "tx off gso off"},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			r, far, _ := newVethRig(t, s.set)
			r.features("veth0", s.kernel)
			far.features("veth1", s.far)
			streams(t, r)
		})
	}
}

// streams sends streams both ways, of both families, of datagrams of several sizes, to readers who want them joined and one by one.
func streams(t *testing.T, r *rig) {
	const n = 1 << 20
	r.eachFamily(t, func(t *testing.T, r *rig, v family) {
		k := r.with(t).kernelPacket(v).(*net.UDPConn)
		c, err := r.with(t).stackDial("udp", k.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		s := c.(*onlink.UDPConn)
		if _, err := s.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		_, peer, err := k.ReadFrom(make([]byte, 10))
		if err != nil {
			t.Fatal(err)
		}
		kernel := kernelUDP{t, k, peer}
		for _, size := range []int{64, 1000, 1500 - v.header - 8} {
			for _, joined := range []bool{false, true} {
				kernel.set(unix.UDP_GRO, b2i(joined))
				kernel.set(unix.UDP_SEGMENT, size)
				if err := s.SetSegmentSize(size); err != nil {
					t.Fatal(err)
				}
				if err := s.SetCoalesce(joined); err != nil {
					t.Fatal(err)
				}
				streamDatagrams(t, "stack to kernel", s, kernel, size, joined, n)
				streamDatagrams(t, "kernel to stack", kernel, s, size, joined, n)
			}
		}
	})
}

// kernelUDP is a UDP socket of the kernel that talks to one peer.
type kernelUDP struct {
	t testing.TB
	*net.UDPConn
	peer net.Addr
}

func (k kernelUDP) Write(b []byte) (int, error) { return k.WriteTo(b, k.peer) }

func (k kernelUDP) set(option, v int) {
	raw, err := k.SyscallConn()
	if err == nil {
		raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), unix.SOL_UDP, option, v) })
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// streamDatagrams sends n octets in datagrams of size, as many as go with each call, the last of which is short, and reads them before the next
// call.
func streamDatagrams(t *testing.T, way string, from, to net.Conn, size int, joined bool, n int64) {
	t.Helper()
	burst, got, in := make([]byte, min(128*size, 65000)-size/2), sha256.New(), make([]byte, 66000)
	stream := content(n)
	to.SetReadDeadline(time.Now().Add(patience))
	reads := 0
	for {
		m, err := io.ReadFull(stream, burst)
		if err == io.EOF {
			break
		}
		if k, err := from.Write(burst[:m]); err != nil || k != m {
			t.Fatalf("%s, datagrams of %d octets: wrote %d of %d octets: %v", way, size, k, m, err)
		}
		for at := 0; at < m; reads++ {
			k, err := to.Read(in)
			if err != nil {
				t.Fatalf("%s, datagrams of %d octets: after %d of %d: %v", way, size, at, m, err)
			}
			got.Write(in[:k])
			if at += k; at != m && k%size != 0 || !joined && k > size {
				t.Fatalf("%s, datagrams of %d octets: one of %d came, up to octet %d of %d", way, size, k, at, m)
			}
		}
	}
	if sum := hex.EncodeToString(got.Sum(nil)); sum != contentSum(n) {
		t.Errorf("%s, datagrams of %d octets, joined %v: what came is not what was sent", way, size, joined)
	}
}
