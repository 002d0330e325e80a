package ip

import (
	"testing"

	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// RFC 3704, 2.2: a source is looked up, and its packet is dropped if the way there is not by the interface that it came in by; 2.4: or
// if there is none. Linux's rp_filter 1 and 2.
func TestReversePath(t *testing.T) {
	const anywhere, elsewhere, near, nobody = "a far source", "the other link's source", "a neighbor", "nobody"
	sources := map[string]wire.Addr{anywhere: far4, elsewhere: other4, near: peer4, nobody: wire.Unspecified4}
	for _, c := range []struct {
		name    string
		how     int
		noRoute bool // to far sources
		dropped []string
	}{
		{"off", backNot, true, nil},
		{"strict", backStrict, false, []string{elsewhere}},
		{"strict, no default route", backStrict, true, []string{anywhere, elsewhere}},
		{"loose", backLoose, false, nil},
		{"loose, no default route", backLoose, true, []string{anywhere}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t, setup{forwarding: true})
			if c.noRoute {
				for _, r := range b.l.Routes() {
					if r.Prefix.String() == "0.0.0.0/0" {
						if err := b.l.RemoveRoute(r); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			b.l.Configure(func(s *Settings) { s.ReversePath = c.how })
			for _, name := range []string{anywhere, elsewhere, near, nobody} {
				before := b.values().Dropped(mib.Ip4NoWayBack)
				f := in4(ip4(sources[name], us4, wire.ProtoUDP, udp(sources[name], us4, "x")))
				if name == nobody {
					f = eth(wire.BroadcastMAC, peerMAC, wire.EtherTypeIPv4, ip4(wire.Unspecified4, wire.Broadcast4, wire.ProtoUDP, udp(wire.Unspecified4, wire.Broadcast4, "x")))
				}
				b.in(b.eth0, f)
				want := 0
				for _, n := range c.dropped {
					if n == name {
						want = 1
					}
				}
				if n := b.values().Dropped(mib.Ip4NoWayBack) - before; n != uint64(want) {
					t.Errorf("%s: %d dropped, want %d", name, n, want)
				}
			}
		})
	}
}

// What was decided about a source before the setting changed is decided anew.
func TestReversePathChanges(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	for i, how := range []int{backNot, backStrict, backNot, backStrict} {
		b.l.Configure(func(s *Settings) { s.ReversePath = how })
		before := b.values().Dropped(mib.Ip4NoWayBack)
		b.in(b.eth0, in4(ip4(other4, us4, wire.ProtoUDP, udp(other4, us4, "x"))))
		want := uint64(0)
		if how == backStrict {
			want = 1
		}
		if n := b.values().Dropped(mib.Ip4NoWayBack) - before; n != want {
			t.Errorf("packet %d: %d dropped, want %d", i, n, want)
		}
	}
}
