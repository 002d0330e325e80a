package itest

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/tuntap"
)

// patience is how long a test waits for what must happen. It is not reached where the code is right.
const patience = 30 * time.Second

// family is an IP version with the addresses of both ends in it.
type family struct {
	name          string // "IPv4", "IPv6"
	digit         string // "4" or "6", as in "tcp4"
	kernel, stack string
	bits          string // of the prefix
	header        int    // octets of an IP header
}

var (
	v4       = family{"IPv4", "4", "192.0.2.1", "192.0.2.2", "/24", 20}
	v6       = family{"IPv6", "6", "2001:db8::1", "2001:db8::2", "/64", 40}
	families = []family{v4, v6}

	// The same on another link.
	far4        = family{"IPv4", "4", "198.51.100.1", "198.51.100.2", "/24", 20}
	far6        = family{"IPv6", "6", "2001:db8:1::1", "2001:db8:1::2", "/64", 40}
	farFamilies = []family{far4, far6}
)

// rig is a kernel and a stack at the two ends of a device. The test's namespace is the kernel's side.
type rig struct {
	*namespace
	*onlink.Stack
	iface  *onlink.Interface
	device *tuntap.Device
	name   string // of the device
}

// with returns r for a subtest.
func (r *rig) with(t testing.TB) *rig {
	c := *r
	c.namespace = &namespace{t, r.Namespace}
	return &c
}

// eachFamily runs f for both, one after the other.
func (r *rig) eachFamily(t *testing.T, f func(t *testing.T, r *rig, v family)) {
	for _, v := range families {
		t.Run(v.name, func(t *testing.T) { f(t, r.with(t), v) })
	}
}

// setup says how a rig is to be. The zero setup is a TAP and a stack with the default Config.
type setup struct {
	tun   bool
	name  string   // of the device; empty: tap0 or tun0
	at    []family // the addresses; nil: families
	dad   bool     // do duplicate address detection, which takes a second or two
	mtu   int      // of the device; 0: 1500
	stack onlink.Config
	wrap  func(clock.Runtime, link.Link) link.Link // what to put around the device; nil: nothing

	noOffload bool // of the device
	whole     bool // the stack makes no super-packets
	queues    int  // of a TAP or TUN; 0: one
	vlan      bool // over a veth pair, frames are tagged on the way
}

// newRig makes a rig in a namespace of its own.
func newRig(t testing.TB, s setup) *rig {
	t.Helper()
	return newRigIn(t, newNamespace(t), s)
}

// newRigIn makes a rig in the namespace n.
func newRigIn(t testing.TB, n *namespace, s setup) *rig {
	t.Helper()
	r := &rig{namespace: n, name: s.name}
	switch {
	case r.name != "":
	case s.tun:
		r.name = "tun0"
	default:
		r.name = "tap0"
	}
	if s.at == nil {
		s.at = families
	}
	if s.mtu != 0 { // the device is to have it when the stack opens it
		r.ip("tuntap add dev " + r.name + " mode tap")
		r.ip("link set " + r.name + " mtu " + itoa(s.mtu))
	}
	var err error
	r.do(func() {
		r.device, err = tuntap.Open(r.name, tuntap.Config{TUN: s.tun, NoOffload: s.noOffload, Queues: s.queues})
	})
	if err != nil {
		t.Fatal(err)
	}
	r.bringUp(r.name, s.at)

	if s.stack.Runtime == nil {
		s.stack.Runtime = clock.NewReal()
	}
	var l link.Link = r.device
	if s.wrap != nil {
		l = s.wrap(s.stack.Runtime, l)
	}
	r.attach(t, s, r.name, l)
	return r
}

// attach makes r's stack, with an interface on l.
func (r *rig) attach(t testing.TB, s setup, name string, l link.Link) {
	t.Helper()
	var err error
	if r.Stack, err = onlink.New(s.stack); err != nil {
		t.Fatal(err)
	}
	cfg := onlink.InterfaceConfig{DisableDAD: !s.dad, NoOffload: s.whole}
	for _, v := range s.at {
		cfg.Addresses = append(cfg.Addresses, prefix(v.stack+v.bits))
		cfg.Gateways = append(cfg.Gateways, netip.MustParseAddr(v.kernel))
	}
	if r.iface, err = r.AddLink(name, l, cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStack(t, r.Stack) })
}

// bringUp gives the kernel's side of a device, which is open, its addresses, and waits until they are in use.
func (n *namespace) bringUp(device string, at []family) {
	n.t.Helper()
	n.address(device, at)
	n.ip("link set " + device + " up")
	for _, v := range at {
		// The kernel puts an IPv6 address to use some time after it was told to have it.
		eventually(n.t, v.kernel+" is the kernel's", func() bool { return n.isLocal(v.kernel) })
	}
}

// isLocal reports whether the kernel takes packets to the address for itself.
func (n *namespace) isLocal(address string) bool {
	n.t.Helper()
	flag := "-4"
	if strings.Contains(address, ":") {
		flag = "-6"
	}
	return strings.Contains(n.ip(flag+" route show table local type local "+address), address)
}

// address gives the kernel's side of a device its addresses.
func (n *namespace) address(device string, at []family) {
	n.t.Helper()
	for _, v := range at {
		args := "address add " + v.kernel + v.bits + " dev " + device
		if v.digit == "6" {
			args += " nodad"
		}
		n.ip(args)
	}
}

// closeStack closes s, which must not have to reset a connection.
func closeStack(t testing.TB, s *onlink.Stack) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// eachLink runs f with a TAP and with a TUN.
func eachLink(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Run("TAP", func(t *testing.T) { f(t, newRig(t, setup{})) })
	t.Run("TUN", func(t *testing.T) { f(t, newRig(t, setup{tun: true})) })
}

// linkLocal returns the stack's link-local address.
func (r *rig) linkLocal() netip.Addr {
	r.t.Helper()
	for _, p := range r.iface.Addresses() {
		if p.Addr().IsLinkLocalUnicast() {
			return p.Addr()
		}
	}
	r.t.Fatal("the stack has no link-local address")
	return netip.Addr{}
}

// kernelDial connects a socket of the kernel.
func (r *rig) kernelDial(network, address string) (c net.Conn, err error) {
	r.t.Helper()
	r.do(func() { c, err = net.DialTimeout(network, address, patience) })
	if err == nil {
		c.SetDeadline(time.Now().Add(patience))
		r.t.Cleanup(func() { c.Close() })
	}
	return c, err
}

// kernelListen makes a listener of the kernel on any port of its address.
func (r *rig) kernelListen(v family) (l net.Listener) {
	r.t.Helper()
	var err error
	r.do(func() { l, err = net.Listen("tcp"+v.digit, net.JoinHostPort(v.kernel, "0")) })
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { l.Close() })
	return l
}

// kernelPacket makes a UDP socket of the kernel on any port of its address.
func (r *rig) kernelPacket(v family) (c net.PacketConn) {
	r.t.Helper()
	var err error
	r.do(func() { c, err = net.ListenPacket("udp"+v.digit, net.JoinHostPort(v.kernel, "0")) })
	if err != nil {
		r.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	r.t.Cleanup(func() { c.Close() })
	return c
}

// stackDial connects a socket of the stack.
func (r *rig) stackDial(network, address string) (net.Conn, error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := r.DialContext(ctx, network, address)
	if err == nil {
		c.SetDeadline(time.Now().Add(patience))
		r.t.Cleanup(func() { c.Close() })
	}
	return c, err
}

// stackListen makes a listener of the stack on any port of both families.
func (r *rig) stackListen() (l net.Listener, port string) {
	r.t.Helper()
	l, err := r.Listen(r.t.Context(), "tcp", ":0")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { l.Close() })
	return l, itoa(l.Addr().(*net.TCPAddr).Port)
}

// tcpConn is what the TCP connections of both, the kernel's and the stack's, have beside net.Conn's methods.
type tcpConn interface {
	net.Conn
	CloseWrite() error
	CloseRead() error
	SetLinger(sec int) error
}

// direction says who connects.
type direction struct {
	name    string
	connect func(r *rig, v family) (kernel, stack tcpConn)
}

var directions = []direction{{"FromKernel", kernelConnects}, {"FromStack", stackConnects}}

// eachWay runs f for both families and both sides connecting, each time with a new connection.
func (r *rig) eachWay(t *testing.T, f func(t *testing.T, kernel, stack tcpConn)) {
	for _, v := range families {
		for _, d := range directions {
			t.Run(v.name+"/"+d.name, func(t *testing.T) {
				kernel, stack := d.connect(r.with(t), v)
				f(t, kernel, stack)
			})
		}
	}
}

func kernelConnects(r *rig, v family) (kernel, stack tcpConn) {
	r.t.Helper()
	l, port := r.stackListen()
	defer l.Close()
	k, err := r.kernelDial("tcp", net.JoinHostPort(v.stack, port))
	if err != nil {
		r.t.Fatal(err)
	}
	return k.(tcpConn), accept(r.t, l)
}

func stackConnects(r *rig, v family) (kernel, stack tcpConn) {
	r.t.Helper()
	l := r.kernelListen(v)
	defer l.Close()
	s, err := r.stackDial("tcp", l.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	return accept(r.t, l), s.(tcpConn)
}

func accept(t testing.TB, l net.Listener) tcpConn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { c.Close() })
	return c.(tcpConn)
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }
