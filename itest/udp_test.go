package itest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Datagrams of every interesting size come back unchanged: empty, as long as a packet, one octet longer, in six
// fragments, and the longest of all.
func TestUDPEcho(t *testing.T) {
	t.Parallel()
	eachLink(t, func(t *testing.T, r *rig) {
		r.eachFamily(t, func(t *testing.T, r *rig, v family) {
			onePacket := 1500 - v.header - 8
			sizes := []int{0, 1, 1000, onePacket, onePacket + 1, 8000, 65507}

			t.Run("KernelToStack", func(t *testing.T) {
				s, err := r.ListenPacket(t.Context(), "udp", ":0")
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				go echoPackets(s)
				c, err := r.with(t).kernelDial("udp", net.JoinHostPort(v.stack, itoa(s.LocalAddr().(*net.UDPAddr).Port)))
				if err != nil {
					t.Fatal(err)
				}
				wantEchoes(t, c, sizes)
			})
			t.Run("StackToKernel", func(t *testing.T) {
				k := r.with(t).kernelPacket(v)
				defer k.Close()
				go echoPackets(k)
				c, err := r.with(t).stackDial("udp", k.LocalAddr().String())
				if err != nil {
					t.Fatal(err)
				}
				wantEchoes(t, c, sizes)
			})
		})
	})
}

// echoPackets sends back what comes until c is closed.
func echoPackets(c net.PacketConn) {
	b := make([]byte, 65536)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		c.WriteTo(b[:n], from)
	}
}

func wantEchoes(t *testing.T, c net.Conn, sizes []int) {
	t.Helper()
	in := make([]byte, 65536)
	for _, n := range sizes {
		out, _ := io.ReadAll(content(int64(n)))
		if _, err := c.Write(out); err != nil {
			t.Fatalf("%d octets: %v", n, err)
		}
		m, err := c.Read(in)
		if err != nil || !bytes.Equal(in[:m], out) {
			t.Fatalf("%d octets: %d came back, %v", n, m, err)
		}
	}
}

// A link-local peer is told apart by its interface.
func TestUDPLinkLocal(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	s, err := r.ListenPacket(t.Context(), "udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	go echoPackets(s)
	kernelHost := r.kernelLinkLocal().String()
	host := r.linkLocal().WithZone("tap0").String()
	c, err := r.kernelDial("udp", net.JoinHostPort(host, strconv.Itoa(s.LocalAddr().(*net.UDPAddr).Port)))
	if err != nil {
		t.Fatal(err)
	}
	wantEchoes(t, c, []int{10, 8000})

	var k net.PacketConn
	r.do(func() { k, err = net.ListenPacket("udp6", "[::]:0") })
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	go echoPackets(k)
	port := strconv.Itoa(k.LocalAddr().(*net.UDPAddr).Port)
	d, err := r.stackDial("udp", net.JoinHostPort(kernelHost, port))
	if err != nil {
		t.Fatal(err)
	}
	wantEchoes(t, d, []int{10, 8000})
}

// RFC 768 has no flow control: a reader who does not read loses datagrams, but the socket goes on.
func TestUDPOverrun(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	s, err := r.ListenPacket(t.Context(), "udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := r.kernelDial("udp", net.JoinHostPort(v4.stack, strconv.Itoa(s.LocalAddr().(*net.UDPAddr).Port)))
	if err != nil {
		t.Fatal(err)
	}
	for range 3000 {
		if _, err := c.Write(make([]byte, 1400)); err != nil && !errors.Is(err, syscall.ENOBUFS) {
			t.Fatal(err)
		}
	}
	b := make([]byte, 2000)
	eventually(t, "a datagram gets through again", func() bool {
		c.Write([]byte("last"))
		for {
			s.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			n, _, err := s.ReadFrom(b)
			if err != nil {
				return false
			}
			if string(b[:n]) == "last" {
				return true
			}
		}
	})
}
