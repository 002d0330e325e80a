package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
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

// manyFiles is how many descriptors a process may have at most on a kernel with its own settings.
const manyFiles = 1 << 20

// isolated is set in the environment of a process that has a network namespace of its own, to a descriptor of the one that it
// came from.
const isolated = "ONLINK_PEERS_ISOLATED"

// isolate has the program run in a network namespace of its own, which is the kernel's client: so its sockets are made as any
// program makes them. Where that is not permitted, the program goes on where it is.
func isolate() {
	if os.Getenv(isolated) != "" {
		// Where this is not permitted, the kernel has no more connections than files were before, and the case says so.
		unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: manyFiles, Max: manyFiles})
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	outer, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY, 0) // which stays open across exec
	if err != nil || unix.Unshare(unix.CLONE_NEWNET) != nil {
		return
	}
	self, err := os.Executable()
	if err == nil {
		err = syscall.Exec(self, os.Args, append(os.Environ(), fmt.Sprintf("%s=%d", isolated, outer)))
	}
	fmt.Fprintln(os.Stderr, "peers:", err)
	os.Exit(1)
}

// atHome calls f in the namespace that the program was started in.
func atHome(f func()) error {
	outer, err := strconv.Atoi(os.Getenv(isolated))
	if err != nil { // not isolated
		f()
		return nil
	}
	return netns.Namespace(outer).Do(f)
}

// kernelVeth is the kernel in two namespaces that a veth pair joins.
func kernelVeth(mtu int, features string) opener {
	return func(f family) (*pair, error) {
		space, unplug, err := veth(mtu)
		if err != nil {
			return nil, err
		}
		err = errors.Join(address(here, deviceName, clientAddrs), address(space.Do, farName, serverAddrs))
		if features != "" {
			err = errors.Join(err, command(here, "ethtool -K "+deviceName+" "+features), command(space.Do, "ethtool -K "+farName+" "+features))
		}
		if err != nil {
			unplug()
			return nil, err
		}
		return &pair{client: kernelHost(here), server: kernelHost(space.Do), addr: serverAddrs.of(f), kernel: true, close: unplug}, nil
	}
}

// noOffload has each segment of the kernel's be a packet of its own, with its checksum made and verified.
const noOffload = "tso off gso off gro off tx off rx off"

// kernelHost is the kernel in a namespace.
func kernelHost(in func(func()) error) host {
	return host{
		dial: func(to netip.AddrPort) (net.Conn, error) {
			return within(in, func() (net.Conn, error) { return net.Dial("tcp", to.String()) })
		},
		listen: func(at netip.AddrPort) (net.Listener, error) {
			return within(in, func() (net.Listener, error) { return net.Listen("tcp", at.String()) })
		},
		dialUDP: func(to netip.AddrPort) (net.Conn, error) {
			return within(in, func() (net.Conn, error) { return net.Dial("udp", to.String()) })
		},
		listenUDP: func(at netip.AddrPort) (net.Conn, error) {
			return within(in, func() (net.Conn, error) { return net.ListenUDP("udp", net.UDPAddrFromAddrPort(at)) })
		},
		close: func() {},
	}
}

// within makes a socket in a namespace, to which it belongs from then on.
func within[S any](in func(func()) error, make func() (S, error)) (s S, err error) {
	if fault := in(func() { s, err = make() }); fault != nil {
		return s, fault
	}
	return s, err
}

// kernelSuper has the kernel cut what is written to a socket, and join what comes to it.
func kernelSuper(c *net.UDPConn, size int) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var fault error
	err = raw.Control(func(fd uintptr) {
		fault = errors.Join(unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT, size), unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_GRO, 1))
	})
	return errors.Join(err, fault)
}
