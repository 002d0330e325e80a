package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/tuntap"
)

// direction says which side of a wire to the kernel is the client, whose octets are counted.
type direction bool

const (
	toKernel   direction = false
	fromKernel direction = true
)

// ends makes a pair of the kernel, whose address is the client's, and of a stack, which has the server's.
func (d direction) ends(dial func(addr string) (net.Conn, error), listen func(addr string) (net.Listener, error), closed func()) *pair {
	kernel := net.JoinHostPort(clientPrefix.Addr().String(), fmt.Sprint(tcpPort))
	p := &pair{close: closed, udp: func() (from, to net.Conn, err error) { return nil, nil, errors.ErrUnsupported }}
	if d == toKernel {
		p.dial = func() (net.Conn, error) { return dial(kernel) }
		p.listen = func() (net.Listener, error) { return net.Listen("tcp", kernel) }
		return p
	}
	p.dial = func() (net.Conn, error) { return net.Dial("tcp", serverTCP) }
	p.listen = func() (net.Listener, error) { return listen(serverTCP) }
	return p
}

// onlinkTap is our stack on a TAP or TUN of the kernel's.
func onlinkTap(d direction, tun, noOffload bool) func() (*pair, error) {
	return func() (*pair, error) {
		if os.Getenv(isolated) == "" {
			return nil, errors.New("needs root, for a device")
		}
		device, err := tuntap.Open("peers0", tuntap.Config{TUN: tun, NoOffload: noOffload})
		if err != nil {
			return nil, err
		}
		here := func(f func()) error { f(); return nil }
		for _, line := range []string{"ip link set lo up", "ip address add " + clientPrefix.String() + " dev peers0", "ip link set peers0 up"} {
			if err := command(here, line); err != nil {
				device.Close()
				return nil, err
			}
		}
		s, err := onlinkHost(device, serverPrefix)
		if err != nil {
			return nil, err
		}
		return d.ends(func(addr string) (net.Conn, error) { return s.Dial("tcp", addr) },
			func(addr string) (net.Listener, error) { return s.Listen(context.Background(), "tcp", addr) },
			func() { closeNow(s) }), nil
	}
}

func closeNow(s *onlink.Stack) {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	s.Close(done)
}
