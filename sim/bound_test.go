package sim_test

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
)

// twoLinks is a host that is on two links, with the same neighbor address on each.
type twoLinks struct {
	*sim.Network
	host  *sim.Node
	peers [2]*sim.Node
}

func newTwoLinks(t testing.TB, vrf [2]int) *twoLinks {
	n := sim.New(1)
	t.Cleanup(n.Stop)
	w := &twoLinks{Network: n, host: n.Host("host")}
	for i, name := range []string{"eth0", "eth1"} {
		w.peers[i] = n.Host("peer-" + name)
		p := w.host.Port(name, []string{"192.0.2.1/24", "192.0.2.11/24"}[i], []string{"2001:db8::1/64", "2001:db8::11/64"}[i])
		p.Config.VRF = vrf[i]
		n.Wire(p, w.peers[i].Port("eth0", "192.0.2.2/24", "2001:db8::2/64"), sim.Line{Delay: time.Millisecond})
	}
	n.RunFor(5 * time.Second)
	return w
}

// name sends what a peer is called to everybody who connects.
func (w *twoLinks) name(t testing.TB, node *sim.Node, ln *onlink.TCPListener) {
	node.Go("server", func() {
		for {
			c, err := ln.AcceptTCP()
			if err != nil {
				return
			}
			if _, err := io.WriteString(c, node.Name); err != nil {
				t.Error(err)
			}
			c.Close()
		}
	})
}

// A socket that is bound to an interface sends by it, whatever the routes say, and hears by it alone (SO_BINDTODEVICE): so do
// two hosts with one address differ by their links, with VRFs and without.
func TestBoundSockets(t *testing.T) {
	for name, vrf := range map[string][2]int{"one table": {}, "VRFs": {10, 20}} {
		t.Run(name, func(t *testing.T) {
			w := newTwoLinks(t, vrf)
			for _, p := range w.peers {
				w.name(t, p, listen(t, p, ":80"))
			}
			w.host.Go("client", func() {
				for i, link := range []string{"eth0", "eth1", "eth0"} {
					for _, peer := range []string{"192.0.2.2:80", "[2001:db8::2]:80"} {
						d := onlink.Dialer{Stack: w.host.Stack, Interface: link}
						c, err := d.DialContext(t.Context(), "tcp", peer)
						if err != nil {
							t.Fatalf("%s by %s: %v", peer, link, err)
						}
						got, err := io.ReadAll(c)
						if string(got) != "peer-"+link || err != nil {
							t.Errorf("%d: %s by %s is %q, %v", i, peer, link, got, err)
						}
						c.Close()
					}
				}
				d := onlink.Dialer{Stack: w.host.Stack, Interface: "eth9"}
				if _, err := d.DialContext(t.Context(), "tcp", "192.0.2.2:80"); err == nil {
					t.Error("by an interface that is not there")
				}
			})
			w.RunFor(30 * time.Second)
		})
	}
}

// Listeners on one port, one for each interface, get the connections of their own link. What is bound to no interface gets what
// is left; but nothing of a VRF (Linux's net.ipv4.tcp_l3mdev_accept and udp_l3mdev_accept are 0).
func TestBoundListeners(t *testing.T) {
	w := newTwoLinks(t, [2]int{0, 0})
	first := onlink.ListenConfig{Stack: w.host.Stack, Interface: "eth0"}
	ln, err := first.Listen(t.Context(), "tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Listen(t.Context(), "tcp", ":80"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the same interface twice: %v", err)
	}
	second := onlink.ListenConfig{Stack: w.host.Stack, Interface: "eth1"}
	other, err := second.Listen(t.Context(), "tcp", ":80")
	if err != nil {
		t.Fatalf("the other interface: %v", err)
	}
	for i, l := range []*onlink.TCPListener{ln.(*onlink.TCPListener), other.(*onlink.TCPListener)} {
		w.peers[i].Go("client", func() {
			c := dial(t, w.peers[i], []string{"192.0.2.1:80", "[2001:db8::11]:80"}[i])
			c.Write([]byte("hello"))
			c.Close()
		})
		w.host.Go("server", func() {
			for range 1 {
				c := accept(t, l)
				if got, err := io.ReadAll(c); string(got) != "hello" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
				if from, want := netip.MustParseAddrPort(c.LocalAddr().String()).Addr().String(), []string{"192.0.2.1", "2001:db8::11"}[i]; from != want {
					t.Errorf("listener %d: %s, want %s", i, from, want)
				}
				c.Close()
			}
		})
	}
	run(t, w.Network)
}

func TestUnboundIsOutsideVRF(t *testing.T) {
	w := newTwoLinks(t, [2]int{10, 0})
	ln := listen(t, w.host, ":80")
	w.name(t, w.host, ln)
	everywhere, err := w.host.ListenPacket(t.Context(), "udp", ":9")
	if err != nil {
		t.Fatal(err)
	}
	bound := onlink.ListenConfig{Stack: w.host.Stack, Interface: "eth0"}
	inside, err := bound.ListenPacket(t.Context(), "udp", ":7")
	if err != nil {
		t.Fatal(err)
	}
	w.host.Go("echo", func() {
		for _, u := range []*onlink.UDPConn{everywhere.(*onlink.UDPConn), inside.(*onlink.UDPConn)} {
			w.host.Go("echo", func() {
				b := make([]byte, 100)
				u.SetReadDeadline(w.host.Wall().Add(20 * time.Second))
				for {
					n, from, err := u.ReadFrom(b)
					if err != nil {
						return
					}
					if _, err := u.WriteTo(b[:n], from); err != nil {
						t.Error(err)
					}
				}
			})
		}
	})
	ask := func(node *sim.Node, address string) error {
		u := dialUDP(t, node, address)
		defer u.Close()
		u.SetReadDeadline(node.Wall().Add(time.Second))
		u.Write([]byte("x"))
		_, err := u.Read(make([]byte, 1))
		return err
	}
	w.peers[0].Go("from the VRF", func() {
		for _, own := range []string{"192.0.2.1", "2001:db8::1"} {
			a := netip.MustParseAddr(own)
			if _, err := w.peers[0].DialContext(context.Background(), "tcp", netip.AddrPortFrom(a, 80).String()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("TCP to %s, nobody bound there: %v", own, err)
			}
			if err := ask(w.peers[0], netip.AddrPortFrom(a, 9).String()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("UDP to %s, nobody bound there: %v", own, err)
			}
			if err := ask(w.peers[0], netip.AddrPortFrom(a, 7).String()); err != nil {
				t.Errorf("UDP to %s, bound there: %v", own, err)
			}
		}
	})
	w.peers[1].Go("from outside", func() {
		if err := ask(w.peers[1], "192.0.2.11:9"); err != nil {
			t.Errorf("UDP, bound nowhere: %v", err)
		}
		if err := ask(w.peers[1], "192.0.2.11:7"); !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("UDP, bound elsewhere: %v", err)
		}
		c := dial(t, w.peers[1], "192.0.2.11:80")
		if got, err := io.ReadAll(c); string(got) != "host" || err != nil {
			t.Errorf("TCP, bound nowhere: %q, %v", got, err)
		}
		c.Close()
	})
	w.RunFor(30 * time.Second)
}
