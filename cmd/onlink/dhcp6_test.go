package main

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/dhcp/dhcp6"
)

// --prefix-delegation has a value or none, finds the device that looks to the network, and has it listen to routers.
func TestPrefixDelegationFlag(t *testing.T) {
	for _, row := range []struct {
		args   string
		up     string
		length int
		fault  string
	}{
		{args: "--tap a --prefix-delegation", up: "a"},
		{args: "--tap a --prefix-delegation=56", up: "a", length: 56},
		{args: "--tap a --tap b --forward --advertise b=pd --prefix-delegation=60", up: "a", length: 60},
		{args: "--tap a --tap b --prefix-delegation=b=48", up: "b", length: 48},
		{args: "--tap a --tap b --prefix-delegation=b", up: "b"},
		{args: "--tap a --tap b --prefix-delegation", fault: "several devices"},
		{args: "--tap a --prefix-delegation=65", fault: "from 1 to 64"},
		{args: "--tap a --prefix-delegation=c=56", fault: "is called c"},
		{args: "--tap a --prefix-delegation --no-dhcp6", fault: "contradicts"},
		{args: "--tap a --dhcp6 --no-dhcp6", fault: "contradicts"},
		{args: "--tap a --forward --advertise pd", fault: "needs --prefix-delegation"},
		{args: "--tap a --forward --advertise pd:x --prefix-delegation", fault: "pd:3"},
		{args: "--tap a --forward --advertise pd --prefix-delegation", fault: "every device advertises"},
		{args: "--tun a --addr 192.0.2.1/24 --prefix-delegation=a", fault: "needs a TAP"},
		{args: "--tap a --duid 00", fault: "DUID"},
	} {
		c, err := parseUp(t, row.args)
		if err == nil {
			c.dhcp6 = &c.dhcp6Flags
			var all []*port
			if all, err = c.ports(); err == nil {
				var p *port
				if p, err = c.dhcp6.upstream(all, &c.router); err == nil && (p.name != row.up || c.PrefixDelegation.length != row.length ||
					p.cfg.IPv6.RouterAdvertisements != onlink.RAAlways) {
					t.Errorf("%s: on %s, of %d bits, %+v", row.args, p.name, c.PrefixDelegation.length, p.cfg.IPv6)
				}
			}
		}
		if row.fault == "" && err != nil || row.fault != "" && (err == nil || !strings.Contains(err.Error(), row.fault)) {
			t.Errorf("%s: %v, want %q", row.args, err, row.fault)
		}
	}
}

// Parts of what is delegated that have no number get those that are left.
func TestDelegatedParts(t *testing.T) {
	c, err := parseUp(t, "--tap w --tap a --tap b --tap c --tap d --forward --advertise a=pd --advertise b=pd:0x1 --advertise c=pd --advertise d=none --prefix-delegation=w")
	if err != nil {
		t.Fatal(err)
	}
	c.dhcp6 = &c.dhcp6Flags
	all, err := c.ports()
	if err != nil {
		t.Fatal(err)
	}
	var got []uint64
	for _, a := range c.router.Advertise {
		if a.delegated {
			got = append(got, a.subnet)
		}
	}
	if len(got) != 3 || got[0] != 0 || got[1] != 1 || got[2] != 2 {
		t.Errorf("parts %v", got)
	}
	// Nothing is told before there is a prefix, where there is no other.
	for i, advertises := range []bool{false, true, true, true, true} {
		if c.router.advertises(all, all[i]) != advertises || (c.router.advertisement(all, all[i]) != nil) != (i == 4) {
			t.Errorf("%s: %v", all[i].name, c.router.advertisement(all, all[i]))
		}
	}
}

// What happens is told in a line, or not at all.
func TestDHCP6News(t *testing.T) {
	server := dhcp6.DUID{0, 3, 0, 1}
	address := dhcp6.Lease{Kind: dhcp6.Addresses, Prefix: netip.MustParsePrefix("2001:db8::5/128"), Preferred: 70e9, Valid: clock.Never}
	prefix := dhcp6.Lease{Kind: dhcp6.Prefixes, Prefix: netip.MustParsePrefix("2001:db8::/56"), Preferred: 5e9, Valid: 100e9}
	for want, e := range map[string]dhcp6.Event{
		"address 2001:db8::5, preferred for 1m0s, valid for ever": {Kind: dhcp6.LeaseAdded, Lease: address},
		"prefix 2001:db8::/56, preferred for 0s, valid for 1m30s": {Kind: dhcp6.LeaseAdded, Lease: prefix},
		"prefix 2001:db8::/56 is gone: it expired":                {Kind: dhcp6.LeaseRemoved, Lease: prefix, Reason: "it expired"},
		"name server 2001:db8::53, search domain example.org":     {Kind: dhcp6.Informed, Information: &dhcp6.Information{DNS: []netip.Addr{netip.MustParseAddr("2001:db8::53")}, Search: []string{"example.org"}}},
		"search domain example.org":                               {Kind: dhcp6.Informed, Information: &dhcp6.Information{Search: []string{"example.org"}}},
		"server 00:03:00:01: NoAddrsAvail (none)":                 {Kind: dhcp6.Refused, Server: server, Status: dhcp6.Status{Code: dhcp6.NoAddrsAvail, Message: "none"}},
		"server 00:03:00:01 offers nothing that was asked for":    {Kind: dhcp6.Refused, Server: server},
		"server 00:03:00:01 does not answer Renew":                {Kind: dhcp6.Unanswered, Server: server, Message: dhcp6.Renew},
		"server 00:03:00:01 asks for Information-request":         {Kind: dhcp6.Reconfigured, Server: server, Message: dhcp6.InformationRequest},
		"name servers: no": {Kind: dhcp6.Failed, Reason: "name servers: no"},
		"":                 {Kind: dhcp6.LeaseChanged, Lease: address},
	} {
		if got := dhcp6News(10e9, &e); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
