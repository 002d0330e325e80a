package dhcp4_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/dhcp/dhcp4"
	"github.com/onlink-go/onlink/sim"
)

// A host leases an address in a simulated network, from a server that is a few lines over UDP.
func Example() {
	n := sim.New(1)
	defer n.Stop()
	h, s := n.Host("host"), n.Host("server")
	n.Wire(h.Port("eth0"), s.Port("eth0", "192.0.2.1/24"), sim.Line{Delay: time.Millisecond})
	s.Go("server", func() { serve(s.Stack) })

	client, err := dhcp4.New(h.Stack, h.Interface("eth0"), dhcp4.Config{
		OnEvent: func(e dhcp4.Event) { fmt.Println(e) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := h.WithCancel(context.Background())
	h.Go("dhcp", func() { client.Run(ctx) })
	h.Go("program", func() {
		lease, err := client.Wait(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(lease.Address, lease.Routes, lease.NameServers)
		cancel()
	})
	if n.RunFor(time.Minute); client.Status().State != dhcp4.Halted {
		fmt.Println("it goes on")
	}
	// Output:
	// acquired 192.0.2.7/24 of 192.0.2.1 for 1h0m0s
	// 192.0.2.7/24 [{0.0.0.0/0 192.0.2.1}] [192.0.2.53]
	// lost 192.0.2.7/24: released
}

// serve gives the same address to whoever asks.
func serve(stack *onlink.Stack) {
	router := netip.MustParseAddr("192.0.2.1")
	conn, err := (&onlink.ListenConfig{Stack: stack, Interface: "eth0"}).ListenPacket(context.Background(), "udp4", ":67")
	if err != nil {
		fmt.Println(err)
		return
	}
	for b := make([]byte, 1500); ; {
		size, _, err := conn.ReadFrom(b)
		if err != nil {
			return // the simulation ends
		}
		m, err := dhcp4.Parse(b[:size])
		if err != nil {
			continue
		}
		answer := &dhcp4.Message{Op: dhcp4.BootReply, XID: m.XID, HardwareAddr: m.HardwareAddr, YourAddr: netip.MustParseAddr("192.0.2.7")}
		o := &answer.Options
		switch m.Type() {
		case dhcp4.Discover:
			o.Set(dhcp4.OptMessageType, byte(dhcp4.Offer))
		case dhcp4.Request:
			o.Set(dhcp4.OptMessageType, byte(dhcp4.ACK))
		default:
			continue
		}
		o.SetAddrs(dhcp4.OptServerID, router)
		o.SetSeconds(dhcp4.OptLeaseTime, time.Hour)
		o.Set(dhcp4.OptSubnetMask, 255, 255, 255, 0)
		o.SetAddrs(dhcp4.OptRouters, router)
		o.SetAddrs(dhcp4.OptNameServers, netip.MustParseAddr("192.0.2.53"))
		if _, err := conn.WriteTo(answer.Append(nil), &net.UDPAddr{IP: net.IPv4bcast, Port: dhcp4.ClientPort}); err != nil {
			fmt.Println(err)
		}
	}
}
