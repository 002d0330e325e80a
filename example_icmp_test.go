package onlink_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"

	"github.com/onlink-go/onlink"
)

// A program made for package net and golang.org/x/net/icmp pings over a raw socket of a stack, and over a ping socket.
func ExampleStack_ListenPacket_icmp() {
	ctx := context.Background()
	stack, err := onlink.New(onlink.Config{})
	if err != nil {
		panic(err)
	}
	defer stack.Close(ctx)
	request := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 7, Seq: 1, Data: []byte("HELLO-R-U-THERE")}}
	b, err := request.Marshal(nil)
	if err != nil {
		panic(err)
	}
	for _, network := range []string{"ip4:icmp", "ping4"} {
		c, err := stack.ListenPacket(ctx, network, "127.0.0.1")
		if err != nil {
			panic(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Minute))
		if raw, ok := c.(*onlink.IPConn); ok {
			raw.SetICMPFilter(uint8(ipv4.ICMPTypeEchoReply)) // it would hear the request, too
		}
		if _, err := c.WriteTo(b, &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			panic(err)
		}
		reply := make([]byte, 1500)
		n, from, err := c.ReadFrom(reply)
		if err != nil {
			panic(err)
		}
		m, err := icmp.ParseMessage(1, reply[:n])
		if err != nil {
			panic(err)
		}
		echo := m.Body.(*icmp.Echo)
		host, _, err := net.SplitHostPort(from.String())
		if err != nil {
			host = from.String() // a raw socket's have no ports
		}
		fmt.Printf("%s: %v %d from %s: %s\n", network, m.Type, echo.Seq, host, echo.Data)
	}
	// Output:
	// ip4:icmp: echo reply 1 from 127.0.0.1: HELLO-R-U-THERE
	// ping4: echo reply 1 from 127.0.0.1: HELLO-R-U-THERE
}
