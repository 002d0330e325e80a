package core6

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
	"golang.org/x/sys/unix"
)

// upCases are cases that `onlink up` is put to, in this order, on one host in real time.
var upCases = []struct{ group, name string }{
	{"messages", "echo, link-local, 64 octets"},
	{"messages", "echo, global, 1232 octets"},
	{"messages", "echo, far, 64 octets"},
	{"messages", "echo, all nodes, 64 octets"},
	{"messages", "port unreachable, far, 1452 octets"},
	{"messages", "unknown informational message 200"},
	{"messages", "ten at once"},
	{"headers", "next header 143"},
	{"headers", "option 87 in destination options"},
	{"headers", "option c7 in hop-by-hop, to a group"},
	{"headers", "routing type 0, 1 left"},
	{"headers", "hop limit 0"},
	{"headers", "padding of the frame behind the packet"},
	{"fragments", "three, in the order [2 1 0]"},
	{"fragments", "first, not a multiple of 8"},
	{"solicitations", "to the solicited-node group, link-local"},
	{"solicitations", "duplicate address detection of another, global"},
	{"resolution", "the packet waits, global"},
	{"invalid", "solicitation: unspecified source, to the address"},
	{"redirects", "to another router, with the option"},
	{"paths", "off-link: 1280"},
}

// The command does as the package: a host without any address of its own, on a TAP whose other end has no IPv6.
func TestUp(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	if testing.Short() {
		t.Skip("it runs in real time")
	}
	w := newTAP(t)
	b := &Bench{TB: t, Wire: w, slack: 10 * time.Second, shared: true, booted: true}
	w.start(t)

	// RFC 4862, 5.4: the first that is heard of the host is that it verifies its address.
	var self wire.Addr
	first := b.expect(2*time.Second, anyNS().and("of duplicate address detection", func(s *seen) bool { return s.src.IsUnspecified() }))
	self = wire.AddrFrom16(first.body[8:])
	defer func(mac wire.MAC, a, b wire.Addr) {
		conform.NodeMAC[0], nodeMAC, nodeLL, node = mac, mac, a, b
	}(nodeMAC, nodeLL, node)
	conform.NodeMAC[0], nodeMAC = first.from, first.from
	nodeLL, node = wire.Addr{Hi: 0xfe80 << 48, Lo: nodeMAC.InterfaceID()}, formed(home)
	if self != nodeLL || first.dst != self.SolicitedNode() {
		t.Fatalf("%v: of %v", first, nodeLL)
	}
	b.expect(5*time.Second, anyRS())
	b.ready()

	for _, c := range upCases {
		t.Run(c.group+"/"+c.name, func(t *testing.T) {
			for _, k := range groups[c.group]() {
				if k.Name != c.name {
					continue
				}
				b.TB, b.answers = t, nil
				b.answering(router1)
				k.Run(b)
				return
			}
			t.Fatal("there is no such case")
		})
	}
	b.TB = t
	w.stop(t)
}

// tap is the Wire to a process behind a TAP device, in a network namespace of its own.
type tap struct {
	ns      string
	fd      int
	began   time.Time
	index   int
	up      *exec.Cmd
	said    strings.Builder
	stopped bool
}

const tapName = "tap0"

func newTAP(t *testing.T) *tap {
	t.Helper()
	w := &tap{ns: fmt.Sprintf("core6-%d", os.Getpid()), began: time.Now()}
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v\n%s", args, err, out)
		}
	}
	run("netns", "add", w.ns)
	t.Cleanup(func() { run("netns", "del", w.ns) })
	run("netns", "exec", w.ns, "sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6")
	run("-n", w.ns, "tuntap", "add", tapName, "mode", "tap")
	run("-n", w.ns, "link", "set", tapName, "up")
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(w.fd) })
	return w
}

// open opens a packet socket in the namespace.
func (w *tap) open() error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the thread, which is in another namespace, ends with the goroutine
		result <- func() error {
			ns, err := os.Open("/var/run/netns/" + w.ns)
			if err != nil {
				return err
			}
			defer ns.Close()
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				return err
			}
			const all = unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8
			if w.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, all); err != nil {
				return err
			}
			ifr, err := unix.NewIfreq(tapName)
			if err == nil {
				err = unix.IoctlIfreq(w.fd, unix.SIOCGIFINDEX, ifr)
			}
			if err != nil {
				return err
			}
			w.index = int(ifr.Uint32())
			return unix.Bind(w.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: w.index})
		}()
	}()
	return <-result
}

// start starts the command.
func (w *tap) start(t *testing.T) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "onlink")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/onlink-go/onlink/cmd/onlink").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	w.up = exec.Command("ip", "netns", "exec", w.ns, path, "up", "--tap", tapName)
	w.up.Stderr = &w.said
	if err := w.up.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !w.stopped {
			w.up.Process.Kill()
			w.up.Wait()
			t.Log(w.said.String())
		}
	})
}

// stop ends the command as Ctrl-C does.
func (w *tap) stop(t *testing.T) {
	t.Helper()
	w.stopped = true
	err := w.up.Process.Signal(os.Interrupt)
	if err := errors.Join(err, w.up.Wait()); err != nil || !strings.Contains(w.said.String(), node.String()) {
		t.Errorf("%v\n%s", err, w.said.String())
	}
}

func (w *tap) Now() time.Duration { return time.Since(w.began) }

func (w *tap) Send(_ int, frame []byte) {
	if _, err := unix.Write(w.fd, frame); err != nil {
		panic(fmt.Sprintf("a TAP takes no frame: %v", err))
	}
}

func (w *tap) Next(wait time.Duration) (int, []byte, bool) {
	b := make([]byte, 65536)
	for end := time.Now().Add(wait); ; {
		left := time.Until(end)
		if left <= 0 {
			left = time.Microsecond
		}
		tv := unix.NsecToTimeval(int64(left))
		if err := unix.SetsockoptTimeval(w.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
			panic(err)
		}
		n, from, err := unix.Recvfrom(w.fd, b, 0)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, nil, false
		}
		if a, ok := from.(*unix.SockaddrLinklayer); !ok || a.Pkttype != unix.PACKET_OUTGOING {
			return 0, b[:n], true
		}
	}
}
