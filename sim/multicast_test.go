package sim_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
)

// party is a sender and two receivers at a switch.
type party struct {
	testing.TB
	node  [3]*sim.Node
	group netip.Addr
	peer  netip.Addr // node 0
}

// hears reports whether c receives text within a second.
func (p *party) hears(c *onlink.UDPConn, text string) bool {
	p.Helper()
	var b [100]byte
	c.SetReadDeadline(p.node[0].Wall().Add(time.Second))
	for {
		n, _, err := c.ReadFromUDPAddrPort(b[:])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
		if err != nil {
			p.Error(err)
			return false
		}
		if string(b[:n]) == text {
			return true
		}
	}
}

// say sends a text to the group and checks who hears it.
func (p *party) say(from *onlink.UDPConn, text string, want map[*onlink.UDPConn]bool, who ...*onlink.UDPConn) {
	p.Helper()
	if _, err := from.WriteToUDPAddrPort([]byte(text), netip.AddrPortFrom(p.group, 5000)); err != nil {
		p.Errorf("%s: %v", text, err)
	}
	for i, c := range who {
		if got := p.hears(c, text); got != want[c] {
			p.Errorf("%s: receiver %d: %v", text, i, got)
		}
	}
}

func (p *party) listen(i int) *onlink.UDPConn {
	p.Helper()
	c, err := p.node[i].ListenPacket(p.Context(), "udp", ":5000")
	if err != nil {
		p.Fatal(err)
	}
	return c.(*onlink.UDPConn)
}

func (p *party) ok(err error) {
	p.Helper()
	if err != nil {
		p.Error(err)
	}
}

func TestMulticast(t *testing.T) {
	for _, c := range []struct{ name, group, peer string }{{"IPv4", "239.1.2.3", "192.0.2.1"}, {"IPv6", "ff0e::1:2:3", "2001:db8::1"},
		{"link-local", "ff02::1:2:3%eth0", "fe80::1"}} {
		t.Run(c.name, func(t *testing.T) {
			n := sim.New(3)
			p := &party{TB: t, group: netip.MustParseAddr(c.group), peer: netip.MustParseAddr(c.peer)}
			var ports []sim.Port
			for i := range p.node {
				p.node[i] = n.Host(fmt.Sprint("h", i))
				ports = append(ports, p.node[i].Port("eth0", fmt.Sprintf("192.0.2.%d/24", i+1), fmt.Sprintf("2001:db8::%d/64", i+1)))
			}
			n.Switch(sim.Line{}, ports...)
			n.RunFor(10 * time.Second)
			p.node[0].Go("test", p.run)
			run(t, n)
		})
	}
}

func (p *party) run() {
	a, b, c := p.listen(0), p.listen(1), p.listen(2)
	eth := func(i int) *onlink.Interface { return p.node[i].Interface("eth0") }
	peer := p.peer
	if peer.IsLinkLocalUnicast() {
		for _, q := range eth(0).Addresses() {
			if q.Addr().IsLinkLocalUnicast() {
				peer = q.Addr()
			}
		}
	}
	p.ok(a.SetMulticastInterface(eth(0)))

	p.say(a, "nobody", nil, b, c)
	p.ok(b.JoinGroup(eth(1), p.group))
	p.say(a, "one", map[*onlink.UDPConn]bool{b: true}, a, b, c)
	wantErr(p, "joined twice", b.JoinGroup(eth(1), p.group), syscall.EADDRINUSE)
	p.ok(c.JoinSourceGroup(eth(2), p.group, peer))
	p.say(a, "both", map[*onlink.UDPConn]bool{b: true, c: true}, b, c)

	// Source filters.
	p.ok(b.BlockSource(eth(1), p.group, peer))
	p.say(a, "blocked", map[*onlink.UDPConn]bool{c: true}, b, c)
	wantErr(p, "blocked twice", b.BlockSource(eth(1), p.group, peer), syscall.EADDRNOTAVAIL)
	p.ok(b.UnblockSource(eth(1), p.group, peer))
	wantErr(p, "another mode", c.BlockSource(eth(2), p.group, peer), syscall.EINVAL)
	p.ok(c.LeaveSourceGroup(eth(2), p.group, peer))
	p.say(a, "left", map[*onlink.UDPConn]bool{b: true}, b, c)
	wantErr(p, "left twice", c.LeaveGroup(eth(2), p.group), syscall.EADDRNOTAVAIL)

	// Loopback: a member hears its own host, unless told otherwise; a TTL of 0 goes no farther.
	p.ok(a.JoinGroup(eth(0), p.group))
	p.say(a, "loop", map[*onlink.UDPConn]bool{a: true, b: true}, a, b)
	p.ok(a.SetMulticastLoopback(false))
	p.say(a, "no loop", map[*onlink.UDPConn]bool{b: true}, a, b)
	p.ok(a.SetMulticastLoopback(true))
	p.ok(a.SetMulticastHopLimit(0))
	p.say(a, "host", map[*onlink.UDPConn]bool{a: true}, a, b)
	p.ok(a.SetMulticastHopLimit(3))

	// Of a host's sockets every one gets its copy; one that hears what others joined, unless told otherwise.
	c.Close()
	x, err := p.node[1].ListenMulticastUDP("udp", eth(1), net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.group.WithZone(""), 6000)))
	p.ok(err)
	y, err := p.node[1].ListenMulticastUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.group, 6000)))
	p.ok(err)
	if _, err := a.WriteToUDPAddrPort([]byte("x and y"), netip.AddrPortFrom(p.group, 6000)); err != nil || !p.hears(x, "x and y") || !p.hears(y, "x and y") {
		p.Errorf("two sockets on one port: %v", err)
	}
	p.ok(b.LeaveGroup(eth(1), p.group))
	p.say(a, "joined by others", map[*onlink.UDPConn]bool{b: true}, b)
	p.ok(b.SetHearAll(false))
	p.say(a, "not by itself", nil, b)
	if !p.lists(2) {
		p.Errorf("groups %v", p.node[1].Snapshot().Groups)
	}
	for _, s := range []*onlink.UDPConn{x, y} {
		p.ok(s.Close())
	}
	if p.lists(0) {
		p.Error("still in the group after Close")
	}
	leave, err := eth(1).JoinGroup(p.group)
	p.ok(err)
	if !p.lists(1) {
		p.Errorf("groups %v", p.node[1].Snapshot().Groups)
	}
	leave()

	for what, err := range map[string]error{
		"no group": b.JoinGroup(eth(1), peer), "LeaveGroup of no group": b.LeaveGroup(eth(1), peer),
		"a source without a group": b.BlockSource(eth(1), p.group, peer),
	} {
		wantErr(p, what, err, syscall.EINVAL)
	}
	a.Close()
	b.Close()
}

// lists reports whether node 1 lists the group with so many users; 0: at all.
func (p *party) lists(users int) bool {
	return slices.ContainsFunc(p.node[1].Snapshot().Groups, func(g onlink.GroupState) bool {
		return g.Interface == "eth0" && g.Group == p.group.WithZone("") && (users == 0 || g.Users == users) && g.Exclude
	})
}

// TestBroadcast: every form of an IPv4 broadcast address reaches every socket on the port, that of the sender too.
func TestBroadcast(t *testing.T) {
	n := sim.New(3)
	p := &party{TB: t}
	var ports []sim.Port
	for i := range p.node {
		p.node[i] = n.Host(fmt.Sprint("h", i))
		ports = append(ports, p.node[i].Port("eth0", fmt.Sprintf("192.0.2.%d/24", i+1)))
	}
	n.Switch(sim.Line{}, ports...)
	n.RunFor(5 * time.Second)
	p.node[0].Go("test", func() {
		a, b, c := p.listen(0), p.listen(1), p.listen(2)
		for _, to := range []string{"255.255.255.255", "192.0.2.255", "192.0.2.0"} {
			p.group = netip.MustParseAddr(to)
			p.say(a, to, map[*onlink.UDPConn]bool{a: true, b: true, c: true}, a, b, c)
		}
		for _, s := range []*onlink.UDPConn{a, b, c} {
			s.Close()
		}
	})
	run(t, n)
}
