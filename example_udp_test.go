package onlink_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
)

// Ten thousand octets go as datagrams of 1200 with one call, and are read first one at a time, then with one call.
func ExampleUDPConn_SetSegmentSize() {
	a, b := mem.Pair(mem.Config{Offload: link.Checksums | link.UDP})
	out, in := udpOn(a, "192.0.2.1/24"), udpOn(b, "192.0.2.2/24")
	to := netip.MustParseAddrPort("192.0.2.2:7000")
	if err := out.SetSegmentSize(1200); err != nil {
		panic(err)
	}
	buf := make([]byte, 1<<16)
	for _, joined := range []bool{false, true} {
		if err := in.SetCoalesce(joined); err != nil {
			panic(err)
		}
		if _, err := out.WriteToUDPAddrPort(make([]byte, 10_000), to); err != nil {
			panic(err)
		}
		for n := 0; n < 10_000; {
			var m onlink.ControlMessage
			k, _, err := in.ReadMsg(buf, &m)
			if err != nil {
				panic(err)
			}
			fmt.Printf("%d octets", k)
			if m.SegmentSize != 0 {
				fmt.Printf(" in datagrams of %d", m.SegmentSize)
			}
			fmt.Print(", ")
			n += k
		}
		fmt.Println("done")
	}
	// Output:
	// 1200 octets, 1200 octets, 1200 octets, 1200 octets, 1200 octets, 1200 octets, 1200 octets, 1200 octets, 400 octets, done
	// 10000 octets in datagrams of 1200, done
}

// Three datagrams are written with one call, and read with another.
func ExampleUDPConn_ReadBatch() {
	a, b := mem.Pair(mem.Config{})
	out, in := udpOn(a, "2001:db8::1/64"), udpOn(b, "2001:db8::2/64")
	to := &net.UDPAddr{IP: net.ParseIP("2001:db8::2"), Port: 7000}
	var write []onlink.Message
	for _, text := range []string{"one", "two", "three"} {
		write = append(write, onlink.Message{Buffers: [][]byte{[]byte(text)}, Addr: to})
	}
	if _, err := out.WriteBatch(write, 0); err != nil {
		panic(err)
	}
	read := make([]onlink.Message, 8)
	for i := range read {
		read[i].Buffers = [][]byte{make([]byte, 1500)}
	}
	for got := 0; got < len(write); {
		n, err := in.ReadBatch(read, 0) // those that are there
		if err != nil {
			panic(err)
		}
		for _, m := range read[:n] {
			fmt.Printf("%s from %v\n", m.Buffers[0][:m.N], m.Addr.(*net.UDPAddr).IP)
		}
		got += n
	}
	// Output:
	// one from 2001:db8::1
	// two from 2001:db8::1
	// three from 2001:db8::1
}

// udpOn returns a socket on port 7000 of a new host on l.
func udpOn(l link.Link, address string) *onlink.UDPConn {
	s, err := onlink.New(onlink.Config{})
	if err != nil {
		panic(err)
	}
	cfg := onlink.InterfaceConfig{DisableDAD: true, Addresses: []netip.Prefix{netip.MustParsePrefix(address)}}
	if _, err := s.AddLink("eth0", l, cfg); err != nil {
		panic(err)
	}
	c, err := s.ListenPacket(context.Background(), "udp", ":7000")
	if err != nil {
		panic(err)
	}
	return c.(*onlink.UDPConn)
}
