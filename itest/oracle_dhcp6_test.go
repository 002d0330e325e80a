package itest

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/rfc1035label"
	"pgregory.net/rapid"

	"github.com/onlink-go/onlink/dhcp/dhcp6"
)

// drawMessage6 draws a message of a server.
func drawMessage6(t *rapid.T) *dhcp6.Message {
	address := func(what string) netip.Addr {
		return netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, what)))
	}
	m := &dhcp6.Message{Type: dhcp6.Reply, TransactionID: rapid.Uint32Max(1<<24-1).Draw(t, "xid"),
		ClientID: append(dhcp6.DUID{0, 9}, rapid.SliceOfN(rapid.Byte(), 1, 128).Draw(t, "client")...),
		ServerID: append(dhcp6.DUID{0, 9}, rapid.SliceOfN(rapid.Byte(), 1, 128).Draw(t, "server")...)}
	for i := range rapid.IntRange(0, 3).Draw(t, "associations") {
		kind := rapid.SampledFrom([]dhcp6.IAKind{dhcp6.Addresses, dhcp6.Prefixes}).Draw(t, "kind")
		a := dhcp6.IA{Kind: kind, ID: uint32(i), T1: rapid.Uint32().Draw(t, "T1"), T2: rapid.Uint32().Draw(t, "T2")}
		for range rapid.IntRange(0, 3).Draw(t, "leases") {
			bits := 128
			if kind == dhcp6.Prefixes {
				bits = rapid.IntRange(1, 127).Draw(t, "bits")
			}
			a.Leases = append(a.Leases, dhcp6.IALease{Prefix: netip.PrefixFrom(address("lease"), bits).Masked(),
				Preferred: rapid.Uint32().Draw(t, "preferred"), Valid: rapid.Uint32().Draw(t, "valid")})
		}
		m.IAs = append(m.IAs, a)
	}
	for range rapid.IntRange(0, 3).Draw(t, "name servers") {
		m.DNS = append(m.DNS, address("name server"))
	}
	m.Search = rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,20}(\.[a-z]{1,20}){0,3}`), 0, 3).Draw(t, "search")
	return m
}

// What we write another implementation reads as we meant it, and what it makes of that we read.
func TestOracleDHCP6(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMessage6(t)
		raw := m.Append(nil)
		d, err := dhcpv6.FromBytes(raw)
		if err != nil {
			t.Fatalf("%v\n%x", err, raw)
		}
		o := d.(*dhcpv6.Message)
		if uint8(o.MessageType) != uint8(m.Type) || !bytes.Equal(o.Options.ClientID().ToBytes(), m.ClientID) ||
			!bytes.Equal(o.Options.ServerID().ToBytes(), m.ServerID) || uint32(o.TransactionID[0])<<16|uint32(o.TransactionID[1])<<8|uint32(o.TransactionID[2]) != m.TransactionID {
			t.Errorf("%v, want %v", o, m)
		}
		nas, pds := o.Options.IANA(), o.Options.IAPD()
		for _, a := range m.IAs {
			if a.Kind == dhcp6.Addresses {
				sameAddresses(t, nas[0], &a)
				nas = nas[1:]
			} else {
				samePrefixes(t, pds[0], &a)
				pds = pds[1:]
			}
		}
		if len(nas)+len(pds) > 0 {
			t.Errorf("%d associations too many", len(nas)+len(pds))
		}
		for i, ip := range o.Options.DNS() {
			if !ip.Equal(m.DNS[i].AsSlice()) {
				t.Errorf("name server %v, want %v", ip, m.DNS[i])
			}
		}
		if l := o.Options.DomainSearchList(); l != nil && !slices.Equal(l.Labels, m.Search) || l == nil && len(m.Search) > 0 {
			t.Errorf("domains %v, want %v", l, m.Search)
		}
		again, err := dhcp6.ParseMessage(o.ToBytes())
		if err != nil || !bytes.Equal(again.Append(nil), raw) {
			t.Errorf("%v, %v", again, err)
		}
	})
}

// seconds is how the other implementation has a lifetime.
func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

func sameAddresses(t *rapid.T, o *dhcpv6.OptIANA, a *dhcp6.IA) {
	addrs := o.Options.Addresses()
	if o.T1 != seconds(a.T1) || o.T2 != seconds(a.T2) || len(addrs) != len(a.Leases) {
		t.Errorf("%v, want %v", o, a)
		return
	}
	for i, l := range a.Leases {
		if x := addrs[i]; !x.IPv6Addr.Equal(l.Prefix.Addr().AsSlice()) || x.PreferredLifetime != seconds(l.Preferred) || x.ValidLifetime != seconds(l.Valid) {
			t.Errorf("%v, want %v", x, l)
		}
	}
}

func samePrefixes(t *rapid.T, o *dhcpv6.OptIAPD, a *dhcp6.IA) {
	prefixes := o.Options.Prefixes()
	if o.T1 != seconds(a.T1) || o.T2 != seconds(a.T2) || len(prefixes) != len(a.Leases) {
		t.Errorf("%v, want %v", o, a)
		return
	}
	for i, l := range a.Leases {
		x := prefixes[i]
		// It has ::/n as no prefix at all, and keeps its length nowhere.
		if l.Prefix.Addr().IsUnspecified() {
			continue
		}
		if x.Prefix.String() != l.Prefix.String() || x.PreferredLifetime != seconds(l.Preferred) || x.ValidLifetime != seconds(l.Valid) {
			t.Errorf("%v, want %v", x, l)
		}
	}
}

// A message that another implementation makes as a server does.
func TestOracleDHCP6Reads(t *testing.T) {
	duid := &dhcpv6.DUIDLL{HWType: 1, LinkLayerAddr: net.HardwareAddr{2, 0, 0, 0, 0, 1}}
	o, err := dhcpv6.NewMessage(dhcpv6.WithClientID(duid), dhcpv6.WithServerID(duid), dhcpv6.WithRapidCommit,
		dhcpv6.WithDNS(net.ParseIP("2001:db8::53")), dhcpv6.WithIAID([4]byte{0, 0, 0, 7}),
		dhcpv6.WithIANA(dhcpv6.OptIAAddress{IPv6Addr: net.ParseIP("2001:db8::5"), PreferredLifetime: 60 * time.Second, ValidLifetime: 90 * time.Second}))
	if err != nil {
		t.Fatal(err)
	}
	o.MessageType = dhcpv6.MessageTypeReply
	o.AddOption(dhcpv6.OptDomainSearchList(&rfc1035label.Labels{Labels: []string{"corp.example"}}))
	o.AddOption(&dhcpv6.OptStatusCode{StatusCode: 1, StatusMessage: "not today"})
	m, err := dhcp6.ParseMessage(o.ToBytes())
	if err != nil {
		t.Fatal(err)
	}
	l := m.IAs[0].Leases[0]
	if m.Type != dhcp6.Reply || m.ClientID.String() != "00:03:00:01:02:00:00:00:00:01" || !m.RapidCommit || m.DNS[0].String() != "2001:db8::53" ||
		m.IAs[0].ID != 7 || l.Prefix.String() != "2001:db8::5/128" || l.Preferred != 60 || l.Valid != 90 || m.Search[0] != "corp.example" ||
		m.Status.String() != "UnspecFail (not today)" {
		t.Errorf("%+v", m)
	}
}
