//go:build !race

package onlink_test

import (
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/wire"
)

// Nor do control messages allocate, nor raw sockets, nor ping sockets.
func TestDatagramsAllocateNothing(t *testing.T) {
	for _, host := range []string{server4, server6} {
		a, b := newPair(t, nil)
		to := netip.MustParseAddr(host)
		network, request := "6", uint8(wire.ICMPv6EchoRequest)
		if to.Is4() {
			network, request = "4", wire.ICMPv4EchoRequest
		}
		out, in := listenUDP(t, a, "udp", ":0"), listenUDP(t, b, "udp", ":7000")
		rawOut, rawIn := listenRaw(t, a, "ip"+network+":89", ""), listenRaw(t, b, "ip"+network+":89", "")
		ping, err := a.ListenPing("ping"+network, "")
		if err != nil {
			t.Fatal(err)
		}
		defer ping.Close()
		buf, oob := make([]byte, 1400), make([]byte, 200)
		message := echo(request, 0, 1, "hello")
		sent := onlink.ControlMessage{HopLimit: 7, TrafficClass: 0x48}
		var got onlink.ControlMessage
		for name, exchange := range map[string]func() error{
			"UDP with control messages": func() error {
				if _, err := out.WriteMsg(buf, &sent, netip.AddrPortFrom(to, 7000)); err != nil {
					return err
				}
				_, _, err := in.ReadMsg(buf, &got)
				return err
			},
			"UDP with octets of control messages": func() error {
				if _, _, err := out.WriteMsgUDPAddrPort(buf, nil, netip.AddrPortFrom(to, 7000)); err != nil {
					return err
				}
				_, _, _, _, err := in.ReadMsgUDPAddrPort(buf, oob)
				return err
			},
			"raw": func() error {
				if _, err := rawOut.WriteMsg(buf[:1000], &sent, to); err != nil {
					return err
				}
				_, _, err := rawIn.ReadMsg(buf, &got)
				return err
			},
			"ping": func() error {
				if _, err := ping.WriteToAddr(message, to); err != nil {
					return err
				}
				_, _, err := ping.ReadFromAddr(buf)
				return err
			},
		} {
			run := func() {
				if err := exchange(); err != nil {
					t.Fatal(name, err)
				}
			}
			for range 100 {
				run()
			}
			if n := testing.AllocsPerRun(1000, run); n != 0 {
				t.Errorf("%s to %s: %v allocations", name, host, n)
			}
		}
	}
}
