package onlink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestICMPObjectString(t *testing.T) {
	for _, c := range []struct {
		o    ICMPObject
		want string
	}{
		{ICMPObject{1, 1, []byte{0, 1, 0x0a, 1, 0xff, 0xff, 0xf1, 0xfe}}, "MPLS label 16 class 5 TTL 1, label 1048575 class 0 TTL 254 bottom"},
		{ICMPObject{1, 1, []byte{0, 1}}, "class 1 type 1: 0001"},
		{ICMPObject{2, 15, []byte("\x00\x00\x00\x03\x00\x01\x00\x00\xc0\x00\x02\x01\x08eth0\x00\x00\x00\x00\x00\x05\xdc")},
			"arrived by eth0, index 3, address 192.0.2.1, MTU 1500"},
		{ICMPObject{2, 3<<6 | 4, []byte{0, 1, 0, 0, 192, 0, 2, 9}}, "to go to the next hop, address 192.0.2.9"},
		{ICMPObject{2, 2<<6 | 2, []byte{4, 'a', 0xff, 'b'}}, "to leave by a?b"},
		{ICMPObject{2, 8, []byte{1}}, "class 2 type 8: 01"},
		{ICMPObject{200, 7, []byte{1, 2}}, "class 200 type 7: 0102"},
	} {
		if got := c.o.String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// RFC 1122, 4.1.3.3: "UDP MUST pass to the application layer all ICMP error messages that it receives from the IP layer." A
// socket that is not connected is told when it asks, and of which destination.
func TestReceiveErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(context.Background())
		for _, host := range []string{"127.0.0.1", "::1"} {
			pc, err := s.ListenPacket(t.Context(), "udp", net.JoinHostPort(host, "0"))
			if err != nil {
				t.Fatal(err)
			}
			c := pc.(*UDPConn)
			to := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(host), port) }
			read := func() error {
				c.SetReadDeadline(time.Now().Add(time.Second))
				_, _, err := c.ReadFromUDPAddrPort(make([]byte, 10))
				return err
			}
			c.WriteToUDPAddrPort([]byte("x"), to(9))
			if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("not asked: %v", err)
			}
			c.SetReceiveErrors(true)
			for _, port := range []uint16{9, 10} {
				if _, err := c.WriteToUDPAddrPort([]byte("x"), to(port)); err != nil {
					t.Error(err)
				}
			}
			for _, port := range []uint16{9, 10} {
				err := read()
				e, ok := errors.AsType[*ICMPError](err)
				if !ok || e.Dst != to(port) || e.From.String() != host || !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("read: %v (%+v), want that port %d is refused", err, e, port)
				}
				if want := fmt.Sprintf("%04x0009", port); ok && (len(e.Quote) != 9 || fmt.Sprintf("%x", e.Quote[2:6]) != want || e.Quote[8] != 'x' || e.HopLimit == 0) {
					t.Errorf("it quotes %x, hop limit %d", e.Quote, e.HopLimit)
				}
			}
			c.WriteToUDPAddrPort([]byte("x"), to(9))
			time.Sleep(time.Second)
			c.SetReceiveErrors(false)
			if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("asked no more: %v", err)
			}
			c.Close()
		}
	})
}
