package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/netns"
	"golang.org/x/sys/unix"
)

// processorTime returns what this process has used of the processors, in the kernel too.
func processorTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// isolated is set in the environment of a process that has a network namespace of its own.
const isolated = "ONLINK_PEERS_ISOLATED"

// isolate has the program run in a network namespace of its own, which is the kernel's client: so its sockets are made as any
// program makes them. Where that is not permitted, the program goes on where it is.
func isolate() {
	if os.Getenv(isolated) != "" {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if unix.Unshare(unix.CLONE_NEWNET) != nil {
		return
	}
	self, err := os.Executable()
	if err == nil {
		err = syscall.Exec(self, os.Args, append(os.Environ(), isolated+"=1"))
	}
	fmt.Fprintln(os.Stderr, "peers:", err)
	os.Exit(1)
}

// kernelVeth is the kernel in two namespaces that a veth pair joins; kernelPlain is that without any offload.
func kernelVeth() (*pair, error) { return kernelPair("") }

func kernelPlain() (*pair, error) { return kernelPair("tso off gso off gro off tx off rx off") }

func kernelPair(features string) (*pair, error) {
	if os.Getenv(isolated) == "" {
		return nil, errors.New("needs root, for network namespaces")
	}
	server, err := netns.New()
	if err != nil {
		return nil, err
	}
	here := func(f func()) error { f(); return nil }
	steps := []struct {
		in   func(func()) error
		args string
	}{
		{here, "ip link set lo up"},
		{here, "ip link add eth0 type veth peer name eth0 netns " + server.Path()},
		{here, "ip address add " + clientPrefix.String() + " dev eth0"},
		{here, "ip link set eth0 up"},
		{server.Do, "ip address add " + serverPrefix.String() + " dev eth0"},
		{server.Do, "ip link set eth0 up"},
	}
	p := &pair{close: func() {
		exec.Command("ip", "link", "delete", "eth0").Run() // it goes with the namespace otherwise
		server.Close()
	}}
	for _, step := range steps {
		if err := command(step.in, step.args); err != nil {
			p.close()
			return nil, err
		}
	}
	if features != "" {
		for _, in := range []func(func()) error{here, server.Do} {
			if err := command(in, "ethtool -K eth0 "+features); err != nil {
				p.close()
				return nil, err
			}
		}
	}
	p.dial = func() (net.Conn, error) { return net.Dial("tcp", serverTCP) }
	p.listen = func() (l net.Listener, err error) {
		return l, errors.Join(server.Do(func() { l, err = net.Listen("tcp", serverTCP) }), err)
	}
	p.udp = func() (from, to net.Conn, err error) {
		addr := net.UDPAddrFromAddrPort(netip.AddrPortFrom(serverPrefix.Addr(), udpPort))
		if err := errors.Join(server.Do(func() { to, err = net.ListenUDP("udp", addr) }), err); err != nil {
			return nil, nil, err
		}
		from, err = net.DialUDP("udp", nil, addr)
		return from, to, err
	}
	return p, nil
}

func command(in func(func()) error, line string) error {
	args := strings.Fields(line)
	var out []byte
	var err error
	if fault := in(func() { out, err = exec.Command(args[0], args[1:]...).CombinedOutput() }); fault != nil {
		return fault
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", line, err, out)
	}
	return nil
}
