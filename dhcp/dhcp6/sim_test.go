package dhcp6_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/dhcp/dhcp6"
	"github.com/onlink-go/onlink/sim"
)

var serverID = dhcp6.DUID{0, 3, 0, 1, 2, 0, 0, 0, 0, 0xa}

// office is a router with a server, a host with a client, and a link behind the host with another host on it.
type office struct {
	*testing.T
	*sim.Network
	router, host, guest *sim.Node
	cable               *sim.Cable
	client              *dhcp6.Client
	news                []string
	end                 context.CancelFunc // of the client
	ended               bool

	// Of the server.
	deaf     bool
	heard    []string // the messages, as "Solicit"
	lifetime uint32   // valid, in seconds; half of it preferred, T1 a quarter
	address  string
	prefix   string
	servers  []netip.Addr
	last     netip.AddrPort       // the client's
	edit     func(*dhcp6.Message) // of what it says; nil: nothing
	global   bool                 // clients may speak from other addresses than link-local ones
	mute     bool                 // what is discarded is no fault
}

// newOffice makes the network; the host is a router if it is to have a prefix.
func newOffice(t *testing.T, cfg dhcp6.Config) *office {
	n := sim.New(1)
	o := &office{T: t, Network: n, router: n.Router("router"), lifetime: 400, address: "2001:db8:1::5", prefix: "2001:db8:500::/56",
		servers: []netip.Addr{netip.MustParseAddr("2001:db8:1::53")}}
	t.Cleanup(n.Stop)
	if o.host = n.Host("host"); cfg.PrefixLength > 0 {
		o.host = n.Router("gate")
	}
	o.guest = n.Host("guest")
	line := sim.Line{Delay: time.Millisecond}
	wan := o.host.Port("wan")
	wan.Config.IPv6.RouterAdvertisements = onlink.RAAlways
	o.cable = n.Wire(wan, o.router.Port("lan", "2001:db8:1::1/64"), line)
	n.Wire(o.host.Port("lan"), o.guest.Port("eth0"), line)
	if cfg.PrefixLength > 0 {
		cfg.Downstream = []dhcp6.Downstream{{Interface: o.host.Interface("lan"), Subnet: 7, Advertise: &onlink.RouterAdvertisement{MaxInterval: 10 * time.Second}}}
	}
	cfg.Tell = func(e dhcp6.Event) {
		switch e.Kind {
		case dhcp6.LeaseAdded, dhcp6.LeaseRemoved:
			o.news = append(o.news, map[dhcp6.EventKind]string{dhcp6.LeaseAdded: "+", dhcp6.LeaseRemoved: "-"}[e.Kind]+e.Lease.String())
		case dhcp6.Discarded, dhcp6.Failed:
			if o.mute && e.Kind == dhcp6.Discarded {
				return
			}
			t.Errorf("%v: %s", o.Now(), e.Reason)
		}
	}
	var err error
	if o.client, err = dhcp6.New(o.host.Stack, o.host.Interface("wan"), cfg); err != nil {
		t.Fatal(err)
	}
	o.router.Go("server", func() { o.serveOn("lan") })
	ctx, cancel := o.host.WithCancel(context.Background())
	o.end = cancel
	o.host.Go("client", func() {
		if err := o.client.Run(ctx); err != nil {
			t.Error(err)
		}
		o.ended = true
	})
	return o
}

// advertise has the router say M and O, and tell of a prefix.
func (o *office) advertise(managed, other bool) {
	o.Helper()
	ra := &onlink.RouterAdvertisement{Managed: managed, Other: other, MaxInterval: 10 * time.Second,
		Prefixes: []onlink.AdvertisedPrefix{{Prefix: netip.MustParsePrefix("2001:db8:1::/64"), NoAutoconf: true}}}
	if err := o.router.Interface("lan").Advertise(ra); err != nil {
		o.Fatal(err)
	}
}

// serve is a server that leases one address and one prefix.
func (o *office) serveOn(name string) {
	c, err := o.router.ListenPacket(context.Background(), "udp6", "[::]:547")
	if err != nil {
		o.Error(err)
		return
	}
	conn := c.(*onlink.UDPConn)
	if err := conn.JoinGroup(o.router.Interface(name), dhcp6.Servers); err != nil {
		o.Error(err)
		return
	}
	b := make([]byte, 2000)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		m, err := dhcp6.ParseMessage(b[:n])
		if err != nil || from.Port() != dhcp6.ClientPort || !from.Addr().IsLinkLocalUnicast() && !o.global {
			o.Errorf("from %v: %v", from, err)
			continue
		}
		o.heard, o.last = append(o.heard, m.Type.String()), from
		if reply := o.answer(m); reply != nil && !o.deaf {
			if _, err := conn.WriteToUDPAddrPort(reply.Append(nil), from); err != nil {
				o.Error(err)
			}
		}
	}
}

// answer returns what the server says to m.
func (o *office) answer(m *dhcp6.Message) *dhcp6.Message {
	r := &dhcp6.Message{Type: dhcp6.Reply, TransactionID: m.TransactionID, ClientID: m.ClientID, ServerID: serverID, DNS: o.servers,
		Search: []string{"example.org"}}
	if m.Type == dhcp6.Solicit {
		r.Type = dhcp6.Advertise
	}
	if o.edit != nil {
		o.edit(r)
	}
	if m.Type == dhcp6.Confirm || m.Type == dhcp6.Release || m.Type == dhcp6.Decline {
		r.DNS, r.Search = nil, nil
		return r
	}
	for _, a := range m.IAs {
		lease := dhcp6.IALease{Prefix: netip.MustParsePrefix(o.prefix), Preferred: o.lifetime / 2, Valid: o.lifetime}
		if a.Kind == dhcp6.Addresses {
			lease.Prefix = netip.PrefixFrom(netip.MustParseAddr(o.address), 128)
		}
		r.IAs = append(r.IAs, dhcp6.IA{Kind: a.Kind, ID: a.ID, T1: o.lifetime / 4, T2: o.lifetime * 2 / 5, Leases: []dhcp6.IALease{lease}})
	}
	return r
}

// address returns an address of a node's interface as it is, or nil.
func address(n *sim.Node, on, addr string) *onlink.AddressState {
	for _, a := range n.Interface(on).State().Addresses {
		if a.Prefix.Addr().String() == addr {
			return &a
		}
	}
	return nil
}

// expect compares what was heard, or told, since the last time.
func (o *office) expect(what string, got *[]string, want ...string) {
	o.Helper()
	if !slices.Equal(*got, want) {
		o.Errorf("%v: %s: %q, want %q", o.Now(), what, *got, want)
	}
	*got = nil
}

// A host follows M: it gets an address and name servers, keeps them, and gives them back.
func TestManagedHost(t *testing.T) {
	o := newOffice(t, dhcp6.Config{NoRapidCommit: true})
	o.RunFor(10 * time.Second)
	o.expect("without M", &o.heard)
	if s := o.host.Snapshot().Sockets; len(s) > 0 {
		t.Errorf("it has a socket that it does not need: %v", s)
	}
	o.advertise(true, false)
	o.RunFor(10 * time.Second)
	o.expect("heard", &o.heard, "Solicit", "Request")
	o.expect("news", &o.news, "+address 2001:db8:1::5")
	a := address(o.host, "wan", "2001:db8:1::5")
	if a == nil || a.Prefix.Bits() != 128 || a.State != "preferred" || a.Origin != "dhcp" || a.Valid > 400*time.Second || a.Valid < 385*time.Second {
		t.Fatalf("%+v", a)
	}
	want := fmt.Sprint([]onlink.NameServer{{Addr: netip.MustParseAddrPort("[2001:db8:1::53]:53"), Origin: "dhcp6", Interface: "wan"}})
	if got := fmt.Sprint(o.host.NameServers()); got != want {
		t.Errorf("name servers %s, want %s", got, want)
	}
	if s := o.client.State(); s.State != dhcp6.Bound || !s.Server.Equal(serverID) || len(s.Leases) != 1 || len(s.Information.Search) != 1 {
		t.Errorf("%+v", s)
	}
	// It is used: the router answers to it.
	o.host.Go("ping", func() {
		if _, err := o.host.Ping(context.Background(), netip.MustParseAddr("2001:db8:1::1"), onlink.PingConfig{}); err != nil {
			t.Error(err)
		}
	})
	o.RunFor(100 * time.Second)
	o.expect("after T1", &o.heard, "Renew")
	if a := address(o.host, "wan", "2001:db8:1::5"); a == nil || a.Valid < 385*time.Second {
		t.Errorf("not renewed: %+v", a)
	}
	// M is no longer said: what there is stays.
	o.advertise(false, false)
	o.RunFor(100 * time.Second)
	o.expect("after T1", &o.heard, "Renew")
	o.end()
	o.RunFor(time.Second)
	o.expect("in the end", &o.heard, "Release")
	o.expect("news", &o.news, "-address 2001:db8:1::5")
	if !o.ended || address(o.host, "wan", "2001:db8:1::5") != nil || len(o.host.NameServers()) > 0 {
		t.Errorf("something is left: %v, %v", o.ended, o.host.NameServers())
	}
}

// The link has another prefix: the server is asked whether that changes anything (RFC 8415, 18.2.12). That one is told of again does not.
func TestAnotherPrefix(t *testing.T) {
	o := newOffice(t, dhcp6.Config{NoRapidCommit: true})
	o.advertise(true, false)
	o.RunFor(50 * time.Second)
	o.expect("heard", &o.heard, "Solicit", "Request")
	ra := &onlink.RouterAdvertisement{Managed: true, Prefixes: []onlink.AdvertisedPrefix{
		{Prefix: netip.MustParsePrefix("2001:db8:1::/64"), NoAutoconf: true}, {Prefix: netip.MustParsePrefix("2001:db8:2::/64"), NoAutoconf: true}}}
	if err := o.router.Interface("lan").Advertise(ra); err != nil {
		t.Fatal(err)
	}
	o.RunFor(20 * time.Second)
	o.expect("heard", &o.heard, "Renew")
}

// A host follows O, and then M.
func TestOtherHost(t *testing.T) {
	o := newOffice(t, dhcp6.Config{})
	o.advertise(false, true)
	o.RunFor(10 * time.Second)
	o.expect("heard", &o.heard, "Information-request")
	if len(o.host.NameServers()) != 1 {
		t.Errorf("%v", o.host.NameServers())
	}
	o.RunFor(24 * time.Hour)
	o.expect("a day later", &o.heard, "Information-request")
	o.servers = append(o.servers, netip.MustParseAddr("2001:db8:1::54"))
	// The link changes.
	o.cable.SetUp(false)
	o.RunFor(time.Second)
	o.cable.SetUp(true)
	o.RunFor(10 * time.Second)
	o.expect("on the link again", &o.heard, "Information-request")
	if len(o.host.NameServers()) != 2 {
		t.Errorf("%v", o.host.NameServers())
	}
	o.advertise(true, true)
	o.RunFor(20 * time.Second)
	o.expect("with M", &o.heard, "Solicit", "Request")
	o.end()
	o.RunFor(time.Second)
}

// The server is gone: T1, T2, the end of the lease, and it is looked for; then it is back.
func TestServerGone(t *testing.T) {
	o := newOffice(t, dhcp6.Config{Mode: dhcp6.Stateful})
	o.RunFor(10 * time.Second)
	o.expect("heard", &o.heard, "Solicit", "Request")
	o.deaf = true
	o.RunFor(500 * time.Second)
	o.news = o.news[1:]
	o.expect("news", &o.news, "-address 2001:db8:1::5")
	all := strings.Join(slices.Compact(o.heard), " ")
	if o.heard = nil; all != "Renew Rebind Solicit" {
		t.Error(all)
	}
	if address(o.host, "wan", "2001:db8:1::5") != nil {
		t.Error("the address is left")
	}
	o.deaf, o.address = false, "2001:db8:1::6"
	o.RunFor(300 * time.Second)
	o.expect("news", &o.news, "+address 2001:db8:1::6")
	o.end()
	o.RunFor(10 * time.Second)
	if !o.ended {
		t.Error("it goes on")
	}
}

// Another node has the address: it is declined, and another one taken.
func TestDuplicate(t *testing.T) {
	o := newOffice(t, dhcp6.Config{Mode: dhcp6.Stateful, NoRapidCommit: true})
	if err := o.router.Interface("lan").AddAddressWith(netip.MustParsePrefix("2001:db8:1::5/128"), onlink.AddressOptions{NoDAD: true}); err != nil {
		t.Fatal(err)
	}
	o.RunFor(4 * time.Second)
	o.address = "2001:db8:1::6"
	o.RunFor(20 * time.Second)
	o.expect("heard", &o.heard, "Solicit", "Request", "Decline", "Solicit", "Request")
	o.expect("news", &o.news, "+address 2001:db8:1::5", "-address 2001:db8:1::5", "+address 2001:db8:1::6")
	if a := address(o.host, "wan", "2001:db8:1::6"); a == nil || a.State != "preferred" || address(o.host, "wan", "2001:db8:1::5") != nil {
		t.Errorf("%+v", a)
	}
}

// The carrier goes and comes back: the server is asked whether the address is good there.
func TestCarrierReturns(t *testing.T) {
	o := newOffice(t, dhcp6.Config{Mode: dhcp6.Stateful, NoRapidCommit: true})
	o.RunFor(10 * time.Second)
	o.heard = nil
	o.cable.SetUp(false)
	o.RunFor(20 * time.Second)
	o.cable.SetUp(true)
	o.RunFor(10 * time.Second)
	o.expect("heard", &o.heard, "Confirm")
	if address(o.host, "wan", "2001:db8:1::5") == nil {
		t.Error("the address is lost")
	}
}

// A gate gets a prefix, gives its link a part of it, and ends what is in no part (RFC 7084, 4.2 and 4.3).
func TestDelegation(t *testing.T) {
	o := newOffice(t, dhcp6.Config{PrefixLength: 56, NoRapidCommit: true})
	o.advertise(false, true) // WPD-4: "when either the M or O flags are set to 1"
	o.RunFor(20 * time.Second)
	o.expect("news", &o.news, "+prefix 2001:db8:500::/56")
	if a := address(o.host, "lan", "2001:db8:500:7::1"); a == nil || a.Prefix.Bits() != 64 || a.Valid > 400*time.Second {
		t.Errorf("the gate's: %+v", a)
	}
	guest := func() (found *onlink.AddressState) {
		for _, a := range o.guest.Interface("eth0").State().Addresses {
			if a.Origin == "slaac" {
				found = &a
			}
		}
		return found
	}
	a := guest()
	if a == nil || !netip.MustParsePrefix("2001:db8:500:7::/64").Contains(a.Prefix.Addr()) || a.Valid > 400*time.Second || a.Preferred > 200*time.Second {
		t.Fatalf("the guest's: %+v", a)
	}
	// L-3: the route to all of it, and a default router that is one.
	learned := o.guest.Interface("eth0").State().Learned
	routes := fmt.Sprint(o.guest.Routes())
	if len(learned.Routers) != 1 || !strings.Contains(routes, "2001:db8:500::/56 via fe80::") {
		t.Errorf("%+v, %s", learned, routes)
	}
	if len(learned.NameServers) != 1 || len(learned.SearchDomains) != 1 { // L-11
		t.Errorf("%+v", learned)
	}
	// WPD-5: what is in no part is unreachable, and does not go back to the router.
	if err := o.router.AddRoute(onlink.Route{Prefix: netip.MustParsePrefix("2001:db8:500::/56"), Gateway: linkLocal(o.host, "wan"), Interface: "lan"}); err != nil {
		t.Fatal(err)
	}
	pinged := false
	o.router.Go("ping", func() {
		if _, err := o.router.Ping(context.Background(), a.Prefix.Addr(), onlink.PingConfig{}); err != nil {
			t.Error("the guest:", err)
		}
		_, err := o.router.Ping(context.Background(), netip.MustParseAddr("2001:db8:500:8::1"), onlink.PingConfig{HopLimit: 9})
		if err == nil || !strings.Contains(err.Error(), "no route, says 2001:db8:500:7::1") {
			t.Error("another part:", err)
		}
		pinged = true
	})
	if o.RunFor(10 * time.Second); !pinged {
		t.Error("another part: no answer")
	}

	// RFC 8415, 18.2.10.1: "the advertised preferred and valid lifetimes MUST NOT exceed the corresponding remaining lifetimes of the
	// delegated prefix", though nobody renews it.
	o.deaf = true
	for range 30 {
		o.RunFor(10 * time.Second)
		for _, l := range o.client.State().Leases {
			if a := guest(); a != nil && (a.Valid > l.Valid.Sub(o.Now())+time.Second || a.Preferred > max(0, l.Preferred.Sub(o.Now()))+time.Second) {
				t.Errorf("%v: the guest has %v and %v, the prefix %v and %v", o.Now(), a.Valid, a.Preferred, l.Valid.Sub(o.Now()), l.Preferred.Sub(o.Now()))
			}
		}
	}
	o.RunFor(200 * time.Second)
	// L-13, RFC 9096, 3.5, and L-4: it is over, and hosts are told so.
	if a := guest(); a != nil && a.State != "deprecated" || address(o.host, "lan", "2001:db8:500:7::1") != nil {
		t.Errorf("%+v", a)
	}
	if l := o.guest.Interface("eth0").State().Learned; len(l.Routers) != 0 || strings.Contains(fmt.Sprint(o.host.Routes()), "2001:db8:500::/56") {
		t.Errorf("%+v, %v", l, o.host.Routes())
	}
	// Another one comes.
	o.deaf, o.prefix = false, "2001:db8:600::/56"
	o.RunFor(600 * time.Second)
	if a := guest(); a == nil || !netip.MustParsePrefix("2001:db8:600:7::/64").Contains(a.Prefix.Addr()) {
		t.Errorf("%+v", a)
	}
	o.end()
	o.RunFor(20 * time.Second)
	if a := guest(); a != nil && a.State != "deprecated" || !o.ended {
		t.Errorf("%+v", a)
	}
}

func linkLocal(n *sim.Node, on string) netip.Addr {
	for _, a := range n.Interface(on).State().Addresses {
		if a.Prefix.Addr().IsLinkLocalUnicast() {
			return a.Prefix.Addr()
		}
	}
	return netip.Addr{}
}

// Everything is the same when it is done again.
func TestReplays(t *testing.T) {
	run := func() string {
		o := newOffice(t, dhcp6.Config{PrefixLength: 56})
		o.advertise(true, true)
		o.RunFor(30 * time.Minute)
		o.end()
		o.RunFor(5 * time.Second)
		return fmt.Sprintf("%s %d %q", o.Hash(), len(o.heard), o.news)
	}
	if a, b := run(), run(); a != b {
		t.Errorf("%s\n%s", a, b)
	}
}
