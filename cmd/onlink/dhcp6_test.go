package main

import (
	"strings"
	"testing"

	"github.com/onlink-go/onlink"
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
