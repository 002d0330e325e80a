package sim_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
)

// What leaves one end of a wire that loses nothing comes in at the other; a frame for another station, and one that the queue
// has no room for, are discarded.
func TestLinkStats(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b := n.Host("a"), n.Host("b")
	n.Wire(a.Port("eth0", "192.0.2.1/24", "2001:db8::1/64"), b.Port("eth0", "192.0.2.2/24", "2001:db8::2/64"), sim.Line{Delay: time.Millisecond})
	n.RunFor(5 * time.Second)
	const pings, octets = 5, 1000
	before, _ := b.Interface("eth0").Stats()
	_, said := a.Interface("eth0").Stats()
	unheard := onlink.LinkStats{Frames: said.Frames - before.Frames, Octets: said.Octets - before.Octets} // while b was not there yet
	a.Go("ping", func() {
		for seq := range pings {
			if _, err := a.Ping(context.Background(), netip.MustParseAddr("192.0.2.2"), onlink.PingConfig{Seq: uint16(seq), Size: octets, Timeout: time.Second}); err != nil {
				t.Error(err)
			}
		}
		if _, err := a.Ping(context.Background(), netip.MustParseAddr("192.0.2.1"), onlink.PingConfig{Timeout: time.Second}); err != nil {
			t.Error(err)
		}
	})
	if err := n.Run(); err != nil {
		t.Fatal(err)
	}
	n.RunFor(time.Second)
	ain, aout := a.Interface("eth0").Stats()
	bin, bout := b.Interface("eth0").Stats()
	if ain.Frames != bout.Frames || ain.Octets != bout.Octets || bin.Frames+unheard.Frames != aout.Frames || bin.Octets+unheard.Octets != aout.Octets || unheard.Frames > 1 {
		t.Errorf("a received %+v, sent %+v; b received %+v, sent %+v", ain, aout, bin, bout)
	}
	// An echo request is the 14 octets of an Ethernet header, 20 of IPv4, 8 of ICMP, and the data.
	if got := bin.Octets - before.Octets; got < pings*(14+20+8+octets) || got > pings*(14+20+8+octets)+200 {
		t.Errorf("%d octets for %d pings of %d", got, pings, octets)
	}
	if bin.Multicast == 0 || bin.Multicast >= bin.Frames || ain.Errors+ain.Discarded+aout.Errors+aout.Discarded != 0 {
		t.Errorf("%+v, %+v", bin, aout)
	}
	if in, out := a.Stack.Interface("lo").Stats(); in.Frames != 2 || in.Octets != out.Octets || out.Frames != 2 {
		t.Errorf("lo: %+v, %+v", in, out)
	}
	a.Interface("eth0").SetUp(false)
	b.Go("ping", func() {
		b.Ping(context.Background(), netip.MustParseAddr("192.0.2.1"), onlink.PingConfig{Timeout: 100 * time.Millisecond})
	})
	if err := n.Run(); err != nil {
		t.Fatal(err)
	}
	if in, _ := a.Interface("eth0").Stats(); in.Discarded == 0 {
		t.Errorf("down, %+v", in)
	}
	gone := a.Interface("eth0")
	if err := gone.Remove(); err != nil {
		t.Error(err)
	}
	if in, out := gone.Stats(); in != (onlink.LinkStats{}) || out != in {
		t.Errorf("removed, %+v, %+v", in, out)
	}
}

// A gateway that no prefix of the link holds is a neighbor all the same if the route says so.
func TestOnLinkGateway(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, r, b := n.Host("a"), n.Router("r"), n.Host("b")
	n.Wire(a.Port("eth0", "192.0.2.1/32", "2001:db8::1/128"), r.Port("lan", "203.0.113.1/32", "2001:db8:f::1/128"), sim.Line{})
	n.Wire(r.Port("wan", "198.51.100.1/24", "2001:db8:2::1/64"), b.Port("eth0", "198.51.100.2/24", "2001:db8:2::2/64").Gateway("198.51.100.1", "2001:db8:2::1"), sim.Line{})
	n.RunFor(5 * time.Second)
	for _, x := range []struct{ gateway, to, back string }{{"203.0.113.1", "198.51.100.2", "192.0.2.1/32"}, {"2001:db8:f::1", "2001:db8:2::2", "2001:db8::1/128"}} {
		way := onlink.Route{Prefix: netip.PrefixFrom(netip.MustParseAddr(x.to), 0), Gateway: netip.MustParseAddr(x.gateway), Interface: "eth0"}
		if err := a.AddRoute(way); err == nil {
			t.Errorf("%v: a gateway that is nowhere was taken", way)
		}
		way.OnLink = true
		if err := a.AddRoute(way); err != nil {
			t.Fatal(err)
		}
		if err := r.AddRoute(onlink.Route{Prefix: netip.MustParsePrefix(x.back), Interface: "lan"}); err != nil {
			t.Fatal(err)
		}
		a.Go("ping", func() {
			if _, err := a.Ping(context.Background(), netip.MustParseAddr(x.to), onlink.PingConfig{Timeout: time.Second}); err != nil {
				t.Errorf("%s: %v", x.to, err)
			}
		})
		if err := n.Run(); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, o := range a.Routes() {
			found = found || o.OnLink && o.Gateway == way.Gateway
		}
		if !found {
			t.Errorf("%v is not told to be on the link", way)
		}
	}
}
