package udp

import (
	"slices"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// sock is a socket as far as the table looks at it.
func sock(local wire.Addr, scope uint32, f flow.Family, remote flow.Endpoint) *Socket {
	s := new(Socket)
	s.Place(flow.Bound{Local: flow.Endpoint{Addr: local, Scope: scope}, Family: f}, remote)
	return s
}

// kinds are all the ways a socket can be bound that differ in what they claim.
var kinds = []struct {
	name string
	make func() *Socket
}{
	{"dual", func() *Socket { return sock(wire.Addr{}, 0, flow.Dual, flow.Endpoint{}) }},
	{"any4", func() *Socket { return sock(wire.Unspecified4, 0, flow.Only4, flow.Endpoint{}) }},
	{"any6", func() *Socket { return sock(wire.Addr{}, 0, flow.Only6, flow.Endpoint{}) }},
	{"us4", func() *Socket { return sock(us4, 0, flow.Only4, flow.Endpoint{}) }},
	{"us6", func() *Socket { return sock(us6, 0, flow.Dual, flow.Endpoint{}) }},
	{"link6 on 2", func() *Socket { return sock(link6, 2, flow.Dual, flow.Endpoint{}) }},
	{"link6 on 3", func() *Socket { return sock(link6, 3, flow.Dual, flow.Endpoint{}) }},
	{"us4 to peer", func() *Socket { return sock(us4, 0, flow.Dual, flow.Endpoint{Addr: peer4, Port: 53}) }},
	{"us4 to peer's other port", func() *Socket { return sock(us4, 0, flow.Dual, flow.Endpoint{Addr: peer4, Port: 54}) }},
}

// conflicts are the pairs of kinds that cannot have one port, besides each with itself.
var conflicts = [][2]string{
	{"dual", "any4"}, {"dual", "any6"}, {"dual", "us4"}, {"dual", "us6"}, {"dual", "link6 on 2"}, {"dual", "link6 on 3"},
	{"any4", "us4"}, {"any6", "us6"}, {"any6", "link6 on 2"}, {"any6", "link6 on 3"},
}

// bindTo binds s to a port of its own choice.
func bindTo(tab *table, s *Socket, port uint16, rt clock.Runtime) syscall.Errno {
	s.Binding().Local.Port = port
	return tab.Bind(s, flow.NewEphemeral(rt))
}

func TestBindConflicts(t *testing.T) {
	rt := clock.NewSim(1).Runtime(1)
	for _, a := range kinds {
		for _, b := range kinds {
			want := a.name == b.name || slices.Contains(conflicts, [2]string{a.name, b.name}) ||
				slices.Contains(conflicts, [2]string{b.name, a.name})
			var tab table
			first, second := a.make(), b.make()
			if e := bindTo(&tab, first, 7, rt); e != 0 {
				t.Fatal(e)
			}
			if e := bindTo(&tab, sock(wire.Addr{}, 0, flow.Dual, flow.Endpoint{}), 8, rt); e != 0 {
				t.Errorf("%s on port 7 keeps port 8: %v", a.name, e)
			}
			e := bindTo(&tab, second, 7, rt)
			if e != 0 && e != syscall.EADDRINUSE || want != (e == syscall.EADDRINUSE) {
				t.Errorf("%s, then %s: %v, want a conflict: %v", a.name, b.name, e, want)
			}
			// The port is free again when the first is gone.
			tab.Unbind(first)
			if e != 0 {
				if e := bindTo(&tab, second, 7, rt); e != 0 {
					t.Errorf("%s after %s is gone: %v", b.name, a.name, e)
				}
			}
			tab.Unbind(second)
			if s := tab.On(7); s != nil || len(tab.All()) != 1 {
				t.Errorf("%v left on the port, %d sockets in all", s, len(tab.All()))
			}
		}
	}
}

// A datagram goes to the socket connected to its sender, else to the one bound to its destination, else to a wildcard.
func TestBestMatch(t *testing.T) {
	rt := clock.NewSim(1).Runtime(1)
	var tab table
	name := map[*Socket]string{nil: "nobody"}
	for _, k := range kinds {
		if k.name == "dual" || k.name == "link6 on 3" {
			continue
		}
		s := k.make()
		// The wildcards share their port with nobody here but the connected.
		port := map[string]uint16{"any4": 1, "any6": 1, "us4": 2, "us6": 2, "link6 on 2": 2}[k.name]
		if port == 0 {
			for _, port := range []uint16{1, 2} {
				s := k.make()
				name[s] = k.name
				if e := bindTo(&tab, s, port, rt); e != 0 {
					t.Fatal(k.name, e)
				}
			}
			continue
		}
		name[s] = k.name
		if e := bindTo(&tab, s, port, rt); e != 0 {
			t.Fatal(k.name, e)
		}
	}
	for _, row := range []struct {
		local, remote wire.Addr
		lport, rport  uint16
		scope         uint32
		want          string
	}{
		{us4, peer4, 1, 53, 0, "us4 to peer"},
		{us4, peer4, 2, 53, 0, "us4 to peer"},
		{us4, peer4, 1, 54, 0, "us4 to peer's other port"},
		{us4, peer4, 1, 55, 0, "any4"},
		{us4, peer4, 2, 55, 0, "us4"},
		{us4, far, 2, 53, 0, "us4"},
		{far, peer4, 1, 53, 0, "any4"}, // to another address of ours
		{far, peer4, 2, 53, 0, "nobody"},
		{us6, peer6, 1, 53, 0, "any6"},
		{us6, peer6, 2, 53, 0, "us6"},
		{link6, linkPeer6, 1, 53, 3, "any6"},
		{link6, linkPeer6, 2, 53, 2, "link6 on 2"},
		{link6, linkPeer6, 2, 53, 3, "nobody"},
		{us4, peer4, 3, 53, 0, "nobody"},
		{us4, peer4, 1 + 64, 53, 0, "nobody"}, // 64 ports on: the same stripe of the Table
	} {
		if got := name[tab.find(row.local, row.remote, row.lport, row.rport, row.scope, 0, false)]; got != row.want {
			t.Errorf("%v from %v, ports %d %d, scope %d: %s, want %s", row.local, row.remote, row.lport, row.rport, row.scope, got, row.want)
		}
	}
}

// When all ephemeral ports are taken there is EADDRINUSE, and the one that becomes free is found. Others that do not
// claim the same datagrams are not concerned.
func TestEphemeralPortsRunOut(t *testing.T) {
	rt := clock.NewSim(1).Runtime(1)
	var tab table
	var all []*Socket
	seen := map[uint16]bool{}
	for range flow.LastEphemeral - flow.FirstEphemeral + 1 {
		s := sock(wire.Unspecified4, 0, flow.Only4, flow.Endpoint{})
		if e := bindTo(&tab, s, 0, rt); e != 0 {
			t.Fatalf("after %d: %v", len(all), e)
		}
		if p := s.Binding().Local.Port; seen[p] || p < flow.FirstEphemeral {
			t.Fatalf("port %d, again: %v", p, seen[p])
		}
		seen[s.Binding().Local.Port] = true
		all = append(all, s)
		if len(all) == 200 {
			break // the rest is bound by number, which is quicker
		}
	}
	for p := flow.FirstEphemeral; p <= flow.LastEphemeral; p++ {
		if !seen[uint16(p)] {
			s := sock(wire.Unspecified4, 0, flow.Only4, flow.Endpoint{})
			s.Binding().Local.Port = uint16(p)
			if e := tab.Bind(s, flow.NewEphemeral(rt)); e != 0 {
				t.Fatalf("port %d: %v", p, e)
			}
			all = append(all, s)
		}
	}
	late := sock(us4, 0, flow.Only4, flow.Endpoint{})
	if e := tab.Bind(late, flow.NewEphemeral(rt)); e != syscall.EADDRINUSE {
		t.Errorf("with no port free: %v", e)
	}
	if e := bindTo(&tab, sock(wire.Addr{}, 0, flow.Only6, flow.Endpoint{}), 0, rt); e != 0 {
		t.Errorf("IPv6 with no IPv4 port free: %v", e)
	}
	tab.Unbind(all[12345])
	if e := tab.Bind(late, flow.NewEphemeral(rt)); e != 0 || late.Binding().Local.Port != all[12345].Binding().Local.Port {
		t.Errorf("with one port free: %v, port %d, want %d", e, late.Binding().Local.Port, all[12345].Binding().Local.Port)
	}
}
