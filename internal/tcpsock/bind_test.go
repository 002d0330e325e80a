package tcpsock

import (
	"syscall"
	"testing"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// bound is a port of us4, or with wildcard of all addresses.
func bound(port uint16, wildcard bool) flow.Bound {
	e := flow.Endpoint{Addr: us4, Port: port}
	if wildcard {
		e.Addr = wire.Unspecified4
	}
	return flow.Bound{Local: e, Family: flow.Only4}
}

// claim claims a port, and fails the test if it cannot.
func (r *rig) claim(b flow.Bound, s Sharing) *Claim {
	r.Helper()
	c, err := r.tcp.Bind(b, s)
	if err != nil {
		r.Fatal(err)
	}
	return c
}

// Two sockets may be bound to one port as with Linux: both with SO_REUSEPORT, or both with SO_REUSEADDR and none listens.
func TestSharing(t *testing.T) {
	const none, addr, port, both = Sharing(0), ReuseAddr, ReusePort, ReuseAddr | ReusePort
	for _, row := range []struct {
		first, second Sharing
		bind, listen  bool // whether the second can, the first being bound
		listening     bool // whether the second can be bound, the first listening
	}{
		{none, none, false, false, false},
		{addr, none, false, false, false},
		{none, both, false, false, false},
		{addr, addr, true, true, false},
		{port, port, true, true, true},
		{addr, port, false, false, false},
		{both, both, true, true, true},
		{both, addr, true, true, false},
	} {
		for _, wildcard := range []bool{false, true} {
			r := newRig(t, 1)
			r.claim(bound(80, false), row.first)
			b, err := r.tcp.Bind(bound(80, wildcard), row.second)
			if row.bind != (err == nil) || !row.bind && err != syscall.EADDRINUSE {
				t.Errorf("%+v, wildcard %v: %v", row, wildcard, err)
			}
			if err == nil {
				if _, err := r.tcp.Listen(ListenConfig{Bound: b.bound, Claim: b}); row.listen != (err == nil) {
					t.Errorf("%+v: the second listens: %v", row, err)
				}
				b.Release()
			}
			r = newRig(t, 1)
			a := r.claim(bound(80, false), row.first)
			if _, err := r.tcp.Listen(ListenConfig{Bound: a.bound, Claim: a}); err != nil {
				t.Fatal(err)
			}
			_, err = r.tcp.Bind(bound(80, wildcard), row.second)
			if row.listening != (err == nil) {
				t.Errorf("%+v, the first listening: %v", row, err)
			}
			if a.Local() != a.bound.Local || a.Sharing() != row.first {
				t.Errorf("claimed %+v, sharing %v", a.Local(), a.Sharing())
			}
		}
	}
}

// Of two that are bound with SO_REUSEADDR the one that listens first keeps the other from it, until it is closed.
func TestOneListens(t *testing.T) {
	r := newRig(t, 1)
	a, b := r.claim(bound(80, false), ReuseAddr), r.claim(bound(80, true), ReuseAddr)
	l, err := r.tcp.Listen(ListenConfig{Bound: a.bound, Claim: a})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.tcp.Listen(ListenConfig{Bound: b.bound, Claim: b}); err != syscall.EADDRINUSE {
		t.Errorf("a second one listens: %v", err)
	}
	if _, err := r.tcp.Listen(ListenConfig{Bound: bound(80, false)}); err != syscall.EADDRINUSE {
		t.Errorf("one without a claim listens: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.tcp.Listen(ListenConfig{Bound: b.bound, Claim: b}); err != nil {
		t.Errorf("after Close: %v", err)
	}
}

// A port that connections use is free only for those that share it; that of a listener without a claim for nobody.
func TestPortsInUse(t *testing.T) {
	for _, state := range []string{"established", "TIME-WAIT"} {
		r := newRig(t, 2)
		l := r.listen(80, 1)
		a := r.syn(peer4, 5000, 80)
		r.ack(peer4, a)
		c, err := r.accept(l)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.tcp.Bind(bound(80, false), ReuseAddr|ReusePort); err != syscall.EADDRINUSE {
			t.Errorf("with a listener: %v", err)
		}
		l.Close()
		c.SetSharing(ReusePort)
		if state == "TIME-WAIT" {
			c.Close()
			r.send(peer4, wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 1001, Ack: a.Seq + 2, Flags: wire.ACK | wire.FIN})
			if r.conns() != 0 || r.tcp.waiting.Load() != 1 {
				t.Fatal("not in TIME-WAIT")
			}
		}
		for s, want := range map[Sharing]error{0: syscall.EADDRINUSE, ReuseAddr: syscall.EADDRINUSE, ReusePort: nil} {
			for _, wildcard := range []bool{false, true} {
				b, err := r.tcp.Bind(bound(80, wildcard), s)
				if err != want {
					t.Errorf("%s, sharing %v, wildcard %v: %v, want %v", state, s, wildcard, err, want)
				}
				if err == nil {
					b.SetSharing(0)
					if _, err := r.tcp.Listen(ListenConfig{Bound: b.bound, Claim: b}); err != syscall.EADDRINUSE {
						t.Errorf("%s: listens without sharing: %v", state, err)
					}
					b.Release()
				}
			}
		}
		if _, err := r.tcp.Bind(bound(81, false), 0); err != nil {
			t.Errorf("another port: %v", err)
		}
	}
}

// Port 0 is an ephemeral one that nobody has claimed; an address that is not ours cannot be bound to.
func TestBindEphemeral(t *testing.T) {
	r := newRig(t, 1)
	r.tcp.Configure(func(s *Settings) { s.Limits.LocalPorts = PortRange{First: 40000, Last: 40002} })
	seen := make(map[uint16]bool)
	for range 3 {
		seen[r.claim(bound(0, false), ReuseAddr).Local().Port] = true
	}
	if len(seen) != 3 || !seen[40000] || !seen[40001] || !seen[40002] {
		t.Errorf("ports %v", seen)
	}
	if _, err := r.tcp.Bind(bound(0, false), ReuseAddr); err != syscall.EADDRINUSE {
		t.Errorf("a fourth port of three: %v", err)
	}
	if _, err := r.tcp.Bind(flow.Bound{Local: flow.Endpoint{Addr: far4, Port: 80}}, 0); err != syscall.EADDRNOTAVAIL {
		t.Errorf("another's address: %v", err)
	}
	if r.tcp.Ports() != r.tcp.ports {
		t.Error("Ports are others")
	}
}

// SO_REUSEPORT: each listener of a group gets its part of the connections, always the same one those of a flow.
func TestReusePortGroup(t *testing.T) {
	r := newRig(t, 1)
	const members, flows = 4, 400
	var group []*Listener
	for range members {
		c := r.claim(bound(80, false), ReusePort)
		l, err := r.tcp.Listen(ListenConfig{Bound: c.bound, Claim: c})
		if err != nil {
			t.Fatal(err)
		}
		group = append(group, l)
	}
	wild := r.claim(bound(80, true), ReusePort)
	l, err := r.tcp.Listen(ListenConfig{Bound: wild.bound, Claim: wild})
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[*Listener]int)
	for port := range uint16(flows) {
		k := flow.Key{Local: us4, Remote: peer4, Ports: flow.Ports(80, 1000+port), Proto: wire.ProtoTCP}
		l := r.tcp.listen.find(&k, 0, false)
		if l != r.tcp.listen.find(&k, 0, false) {
			t.Fatal("a flow changes its listener")
		}
		count[l]++
	}
	for i, l := range group {
		if n := count[l]; n < flows/members/2 || n > flows/members*2 {
			t.Errorf("listener %d of %d gets %d of %d flows", i, members, n, flows)
		}
	}
	if count[l] != 0 {
		t.Error("the wildcard gets what is for the address")
	}
	answer := r.syn(peer4, 5000, 80)
	r.ack(peer4, answer)
	queued := 0
	for _, l := range group {
		queued += l.Waiting()
	}
	if queued != 1 {
		t.Errorf("%d connections in the queues", queued)
	}
}
