package onlink_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/wire"
)

// listenRaw opens a raw socket that must open.
func listenRaw(t *testing.T, s *onlink.Stack, network, address string) *onlink.IPConn {
	t.Helper()
	c, err := s.ListenPacket(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(5 * time.Second))
	return c.(*onlink.IPConn)
}

// echo returns an echo request with the given payload, its checksum set as IPv4 has it.
func echo(typ uint8, id, seq uint16, payload string) []byte {
	b := make([]byte, wire.ICMPLen+len(payload))
	wire.PutICMP(b, typ, 0, uint32(id)<<16|uint32(seq))
	copy(b[wire.ICMPLen:], payload)
	wire.FinishICMPv4(b)
	return b
}

// A raw socket of ICMP sends echo requests and reads their replies: with Read the header of IPv4 is there, with ReadFrom it
// is not, as net.IPConn has it; with IPv6 it never is (RFC 3542, 3).
func TestRawEcho(t *testing.T) {
	a, _ := newPair(t, nil)
	for _, c := range []struct {
		network, to    string
		request, reply uint8
	}{
		{"ip4:icmp", "192.0.2.2", wire.ICMPv4EchoRequest, wire.ICMPv4EchoReply},
		{"ip6:ipv6-icmp", "2001:db8::2", wire.ICMPv6EchoRequest, wire.ICMPv6EchoReply},
	} {
		conn := listenRaw(t, a, c.network, "")
		conn.SetICMPFilter(c.reply)
		to := &net.IPAddr{IP: net.ParseIP(c.to)}
		if _, err := conn.WriteTo(echo(c.request, 7, 1, "payload"), to); err != nil {
			t.Fatal(c.network, err)
		}
		buf := make([]byte, 100)
		n, from, err := conn.ReadFrom(buf)
		if err != nil || from.String() != c.to || buf[0] != c.reply || string(buf[wire.ICMPLen:n]) != "payload" {
			t.Fatalf("%s: %x from %v, %v", c.network, buf[:n], from, err)
		}
		dialed, err := a.Dial(c.network, c.to)
		if err != nil {
			t.Fatal(c.network, err)
		}
		defer dialed.Close()
		dialed.(*onlink.IPConn).SetICMPFilter(c.reply)
		if _, err := dialed.Write(echo(c.request, 7, 2, "more")); err != nil {
			t.Fatal(c.network, err)
		}
		n, err = dialed.Read(buf)
		if err != nil {
			t.Fatal(c.network, err)
		}
		m := buf[:n]
		if c.network == "ip4:icmp" {
			h, err := wire.CheckIPv4(m)
			if err != nil || h.Protocol() != wire.ProtoICMP {
				t.Fatalf("%s: %x: %v", c.network, m, err)
			}
			m = h.Payload()
		}
		if m[0] != c.reply || string(m[wire.ICMPLen:]) != "more" {
			t.Errorf("%s: read %x", c.network, m)
		}
		if dialed.RemoteAddr().String() != c.to || dialed.LocalAddr().Network() != "ip" {
			t.Errorf("%s: ends %v, %v", c.network, dialed.LocalAddr(), dialed.RemoteAddr())
		}
		if _, err := dialed.(*onlink.IPConn).WriteTo(nil, to); !errors.Is(err, syscall.EISCONN) {
			t.Errorf("%s: WriteTo of a connected one: %v", c.network, err)
		}
	}
}

// RFC 1122, 3.2.2.1: "2 (Protocol Unreachable), when the designated transport protocol is not supported": one that a raw socket
// hears is. RFC 8200, 4: a Parameter Problem likewise.
func TestRawProtocolIsKnown(t *testing.T) {
	a, b := newPair(t, nil)
	for _, c := range []struct {
		network, addr string
		errno         syscall.Errno
	}{{"ip4:ospf", "192.0.2.2", syscall.ENOPROTOOPT}, {"ip6:89", "2001:db8::2", syscall.EPROTO}} {
		d, err := a.Dial(c.network, c.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		d.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := d.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Read(make([]byte, 10)); !errors.Is(err, c.errno) {
			t.Errorf("%s: without a raw socket there: %v", c.network, err)
		}
		there := listenRaw(t, b, c.network, "")
		if _, err := d.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		if n, from, err := there.ReadFromAddr(buf); err != nil || string(buf[:n]) != "hello" {
			t.Errorf("%s: %q from %v, %v", c.network, buf[:n], from, err)
		}
		d.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := d.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: with a raw socket there: %v", c.network, err)
		}
	}
}

// With a header of the user's, the stack fills in the total length and the checksum, and the source and the identification where they
// are zero: as Linux's raw(7) has it.
func TestHeaderIncluded(t *testing.T) {
	a, b := newPair(t, nil)
	out := listenRaw(t, a, "ip4:raw", "")
	in := listenRaw(t, b, "ip4:200", "")
	h := wire.IPv4Header{TrafficClass: 0x48, TTL: 9, Protocol: 200, Dst: wire.Addr4(192, 0, 2, 2), Options: []byte{1, 1, 1, 0}}
	p := make([]byte, h.Len()+4)
	h.Put(p)
	copy(p[h.Len():], "data")
	to := &net.IPAddr{IP: net.IPv4(192, 0, 2, 2)}
	if _, err := out.WriteToIP(p, to); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, err := in.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.CheckIPv4(buf[:n])
	if err != nil || !got.ChecksumOK() || got.TotalLen() != len(p) || got.ID() == 0 || got.Src() != wire.Addr4(192, 0, 2, 1) ||
		got.TTL() != 9 || got.TrafficClass() != 0x48 || string(got.Payload()) != "data" {
		t.Errorf("%x: %v", buf[:n], err)
	}
	binary.BigEndian.PutUint16(p[4:], 77)
	wire.Addr4(198, 51, 100, 7).Put4(p[12:])
	if _, err := out.WriteToIP(p, to); err != nil {
		t.Fatal(err)
	}
	if n, from, err := in.ReadFromAddr(buf); err != nil || from.String() != "198.51.100.7" || string(buf[:n]) != "data" {
		t.Errorf("what is not zero is not touched: %q from %v, %v", buf[:n], from, err)
	}
	for name, bad := range map[string][]byte{"short": p[:19], "no header": make([]byte, 40), "options cut off": {0x4f, 19: 0}} {
		if _, err := out.WriteToIP(bad, to); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := out.WriteToIP(make([]byte, 1501), to); !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("too big: %v", err)
	}
}

// RFC 3542, 3.1: "compute and store a checksum for output, and … verify the received checksum on input, discarding the packet if
// the checksum is in error".
func TestChecksumOffset(t *testing.T) {
	a, b := newPair(t, nil)
	out, in := listenRaw(t, a, "ip6:89", ""), listenRaw(t, b, "ip6:89", "")
	if err := in.SetChecksumOffset(12); err != nil {
		t.Fatal(err)
	}
	to := &net.IPAddr{IP: net.ParseIP("2001:db8::2")}
	ospf := make([]byte, 20)
	if _, err := out.WriteTo(ospf, to); err != nil { // it has no checksum
		t.Fatal(err)
	}
	if err := out.SetChecksumOffset(12); err != nil {
		t.Fatal(err)
	}
	ospf[0] = 3
	if _, err := out.WriteTo(ospf, to); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, _, err := in.ReadFrom(buf)
	if err != nil || n != 20 || buf[0] != 3 || binary.BigEndian.Uint16(buf[12:]) == 0 {
		t.Errorf("read %x, %v", buf[:n], err)
	}
	if _, err := out.WriteTo(ospf[:13], to); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("an offset behind the end: %v", err)
	}
	if err := out.SetChecksumOffset(3); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("an odd offset: %v", err)
	}
	if err := listenRaw(t, a, "ip6:58", "").SetChecksumOffset(2); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("of ICMPv6: %v", err)
	}
}

func TestRawNetworks(t *testing.T) {
	a, _ := newPair(t, nil)
	for _, network := range []string{"ip", "ip4", "ip4:", "ip4:256", "ip4:0", "ip5:1", "ip6:nosuch", "ping5"} {
		if c, err := a.ListenPacket(context.Background(), network, ""); err == nil {
			t.Errorf("%s: %v", network, c.LocalAddr())
		}
	}
	if _, err := a.ListenPacket(context.Background(), "ip4:1", "192.0.2.9"); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("an address of somebody else: %v", err)
	}
	if _, err := a.ListenPacket(context.Background(), "ip4:1", "2001:db8::1"); err == nil {
		t.Error("an address of the other family")
	}
}
