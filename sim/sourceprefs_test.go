package sim_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

// localOf returns the address that node connects to address from, by TCP's next of kin without a handshake.
func localOf(t *testing.T, node *sim.Node, address string, p onlink.SourcePreference) (local netip.Addr) {
	t.Helper()
	d := onlink.Dialer{Stack: node.Stack, Source: p}
	c, err := d.DialContext(context.Background(), "udp", address)
	if err != nil {
		t.Error(err)
		return local
	}
	defer c.Close()
	return netip.MustParseAddrPort(c.LocalAddr().String()).Addr()
}

// Two routers advertise different prefixes. RFC 6724, 5, rule 5.5: "If SA or SA's prefix is assigned by the selected next-hop that
// will be used to send to D and SB or SB's prefix is assigned by a different next-hop, then prefer SA": a provider's network does
// not take packets with another one's addresses (RFC 8028, 1).
func TestSourceOfNextHop(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a := n.Host("a")
	cable := n.Wire(a.Port("eth0"), n.Host("b").Port("eth0"), sim.Line{})
	n.RunFor(5 * time.Second)
	routers := []struct {
		mac    wire.MAC
		addr   wire.Addr
		prefix string
	}{
		{wire.MAC{2, 0xff, 0, 0, 0, 1}, wire.AddrFrom(netip.MustParseAddr("fe80::1:1")), "2001:db8:a::/64"},
		{wire.MAC{2, 0xff, 0, 0, 0, 2}, wire.AddrFrom(netip.MustParseAddr("fe80::2:2")), "2001:db8:b::/64"},
	}
	tell := func(k int, p wire.Preference) {
		r := routers[k]
		cable.Inject(a, advertisement(r.mac, r.addr, wire.RouterAdvertisement{RouterLifetime: 1800, SourceLink: r.mac, Preference: p,
			Prefixes: []wire.PrefixInformation{prefix(r.prefix, time.Hour, time.Hour)}}))
		n.RunFor(3 * time.Second)
	}
	tell(0, 0)
	tell(1, 0)
	if got := len(slaac(a)); got != 2 {
		t.Fatalf("%d addresses", got)
	}
	// The destinations have most in common with the addresses of one prefix, so that rule 8 alone would always choose that.
	for _, dst := range []string{"[2001:db8:a:1::1]:9", "[2001:db8:b:1::1]:9"} {
		for k := range routers {
			tell(k, 1) // this one is preferred
			tell(1-k, -1)
			e, err := a.Explain("udp", "", dst)
			if err != nil || e.Err != nil {
				t.Fatal(err, e)
			}
			if !netip.MustParsePrefix(routers[k].prefix).Contains(e.Source) || e.NextHop != routers[k].addr.Netip() {
				t.Errorf("to %s by the router of %s:\n%v", dst, routers[k].prefix, e)
			}
			other := 0
			for _, c := range e.Steps[3].Candidates {
				if strings.Contains(c.Rule, "rule 5.5") {
					other++
				}
			}
			if other != 1 {
				t.Errorf("%d candidates lost by rule 5.5: %+v", other, e.Steps[3].Candidates)
			}
			a.Go("app", func() {
				if l := localOf(t, a, dst, onlink.AnySource); l != e.Source {
					t.Errorf("%s is sent from %v\n%v", dst, l, e)
				}
			})
			run(t, n)
		}
	}
}

// RFC 5014, 3: a socket says whether it wants to leave from a temporary or from a public address; what the interface prefers
// (RFC 6724, 5, rule 7) is for those who do not.
func TestSourcePreference(t *testing.T) {
	for _, mode := range []onlink.TemporaryMode{onlink.UseTemporary, onlink.PreferTemporary} {
		n := sim.New(2)
		a := n.Host("a")
		port := a.Port("eth0")
		port.Config.IPv6.Temporary = mode
		cable := n.Wire(port, n.Host("b").Port("eth0"), sim.Line{})
		n.RunFor(5 * time.Second)
		cable.Inject(a, advertisement(ghostMAC, ghost, wire.RouterAdvertisement{RouterLifetime: 1800, SourceLink: ghostMAC,
			Prefixes: []wire.PrefixInformation{prefix("2001:db8:7::/64", 48*time.Hour, 24*time.Hour)}}))
		n.RunFor(5 * time.Second)
		temporary := make(map[netip.Addr]bool)
		for _, x := range slaac(a) {
			temporary[x.Prefix.Addr()] = x.Temporary
		}
		if len(temporary) != 2 {
			t.Fatalf("%v", a.Interface("eth0").State())
		}
		a.Go("app", func() {
			const dst = "[2001:db8:9::9]:9"
			for p, want := range map[onlink.SourcePreference]bool{onlink.AnySource: mode == onlink.PreferTemporary,
				onlink.PublicSource: false, onlink.TemporarySource: true} {
				l := localOf(t, a, dst, p)
				if got, ours := temporary[l]; got != want || !ours {
					t.Errorf("mode %d, preference %d: from %v", mode, p, l)
				}
			}
			pc, err := a.ListenPacket(context.Background(), "udp", ":77")
			if err != nil {
				t.Error(err)
				return
			}
			var from []netip.Addr
			cable.Filter(func(node *sim.Node, f []byte) bool {
				if node == a && f[12] == 0x86 && f[20] == wire.ProtoUDP {
					from = append(from, netip.AddrFrom16([16]byte(f[22:38])))
				}
				return true
			})
			u := pc.(*onlink.UDPConn)
			for _, p := range []onlink.SourcePreference{onlink.PublicSource, onlink.TemporarySource, onlink.PublicSource} {
				u.SetSourcePreference(p)
				if _, err := u.WriteToUDPAddrPort([]byte("x"), netip.MustParseAddrPort(dst)); err != nil {
					t.Error(err)
				}
			}
			a.Sleep(time.Second)
			if len(from) != 3 || temporary[from[0]] || !temporary[from[1]] || temporary[from[2]] {
				t.Errorf("mode %d: datagrams from %v", mode, from)
			}
		})
		run(t, n)
		n.Stop()
	}
}
