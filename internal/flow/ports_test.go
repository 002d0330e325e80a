package flow

import (
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

func ephemeral(node uint64) *Ephemeral { return NewEphemeral(clock.NewSim(1).Runtime(node)) }

// Every ephemeral port comes once, for sockets and for connections, the first one at random, and the sequence ends when
// asked to.
func TestEphemeralPorts(t *testing.T) {
	for name, ports := range map[string]func(e *Ephemeral, yield func(uint16) bool){
		"bound":     func(e *Ephemeral, yield func(uint16) bool) { e.Bind()(yield) },
		"connected": func(e *Ephemeral, yield func(uint16) bool) { e.Connect(Key{})(yield) },
	} {
		firsts := map[uint16]bool{}
		for node := range uint64(20) {
			var seen [1 << 16]bool
			n := 0
			for p := range func(yield func(uint16) bool) { ports(ephemeral(node), yield) } {
				if n == 0 {
					firsts[p] = true
				}
				if seen[p] || p < FirstEphemeral || p > LastEphemeral {
					t.Fatalf("%s: port %d, again: %v", name, p, seen[p])
				}
				seen[p] = true
				n++
			}
			if n != LastEphemeral-FirstEphemeral+1 {
				t.Errorf("%s: %d ports", name, n)
			}
			for range ephemeral(node).Bind() {
				break
			}
		}
		if len(firsts) < 18 {
			t.Errorf("%s: %d first ports in 20", name, len(firsts))
		}
	}
}

// RFC 6056, 3.3.4: the ports towards one destination follow each other, so that none comes again soon; those towards
// others tell nothing of them. Even ones are for connections, odd ones for sockets.
func TestConnectPorts(t *testing.T) {
	e := ephemeral(1)
	first := func(k Key) uint16 {
		for p := range e.Connect(k) {
			return p
		}
		return 0
	}
	to := func(n uint64) Key { return Key{Remote: wire.Addr{Lo: n}, Ports: Ports(uint16(n), 80)} }
	seen := map[uint16]bool{}
	last := first(to(1))
	for range 1000 {
		p := first(to(1))
		step := (int(p) - int(last) + LastEphemeral - FirstEphemeral + 1) % (LastEphemeral - FirstEphemeral + 1)
		if step < 2 || step > 16 || p%2 != 0 || seen[p] {
			t.Fatalf("after port %d comes %d, again: %v", last, p, seen[p])
		}
		seen[p], last = true, p
	}
	spread := map[uint16]bool{}
	for n := range uint64(200) {
		spread[first(to(n+2))] = true
	}
	if len(spread) < 190 {
		t.Errorf("200 destinations begin with %d ports", len(spread))
	}
	for p := range e.Bind() {
		if p%2 == 0 {
			t.Errorf("a socket is bound to %d", p)
		}
		break
	}
}

// ip_local_port_range and ip_local_reserved_ports.
func TestConfigurePorts(t *testing.T) {
	e := ephemeral(1)
	e.Configure(PortRange{1001, 1007}, []PortRange{{1002, 1003}, {1007, 1007}})
	got := map[uint16]int{}
	for p := range e.Connect(Key{}) {
		got[p]++
	}
	for p := range e.Bind() {
		got[p]++
	}
	if len(got) != 4 || got[1001] != 2 || got[1004] != 2 || got[1005] != 2 || got[1006] != 2 {
		t.Errorf("ports %v", got)
	}
	e.Configure(PortRange{9, 8}, nil)
	for p := range e.Bind() {
		if p < FirstEphemeral {
			t.Errorf("port %d of an empty range", p)
		}
		break
	}
	e.Configure(PortRange{65535, 65535}, nil)
	n := 0
	for range e.Bind() {
		n++
	}
	if n != 1 {
		t.Errorf("%d ports of a range of one", n)
	}
}
