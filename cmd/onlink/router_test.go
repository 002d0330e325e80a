package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// parseUp reads the flags of `onlink up`.
func parseUp(t *testing.T, args string) (*upCmd, error) {
	t.Helper()
	var c cli
	parser, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(append([]string{"up"}, strings.Fields(args)...))
	c.Up.router = c.Up.routerFlags
	return &c.Up, err
}

// Flags say which device they are about where there are several.
func TestDeviceFlags(t *testing.T) {
	c, err := parseUp(t, "--tap a --tap b --tun c --addr a=192.0.2.1/24 --addr b=2001:db8::1/64 --addr c=2001:db8:1::1/64 "+
		"--gateway a=192.0.2.9 --forward --advertise b=2001:db8::5/64 --advertise a=none --advertise-interval 10s "+
		"--advertise-mtu 1400 --advertise-dns 2001:db8::53 --advertise-preference low --route default=fe80::1%b --route 2001:db8:5::/48=2001:db8::9")
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.ports()
	if err != nil || len(all) != 3 {
		t.Fatal(all, err)
	}
	for i, want := range []struct{ name, addr string }{{"a", "192.0.2.1/24"}, {"b", "2001:db8::1/64"}, {"c", "2001:db8:1::1/64"}} {
		if p := all[i]; p.name != want.name || len(p.cfg.Addresses) != 1 || p.cfg.Addresses[0].String() != want.addr || p.tun != (i == 2) {
			t.Errorf("%+v, want %v", p, want)
		}
	}
	if g := all[0].cfg.Gateways; len(g) != 1 || g[0].String() != "192.0.2.9" {
		t.Errorf("gateways %v", g)
	}
	a, b := c.advertisement(all, all[0]), c.advertisement(all, all[1])
	if a == nil || len(a.Prefixes) != 0 || b == nil || len(b.Prefixes) != 1 || b.Prefixes[0].Prefix.String() != "2001:db8::/64" ||
		b.MTU != 1400 || b.Preference != -1 || b.MaxInterval.Seconds() != 10 || len(b.NameServers) != 1 {
		t.Errorf("advertised %+v, %+v", a, b)
	}
	if c.advertisement(all, all[2]) != nil {
		t.Error("the TUN advertises")
	}
	if r := c.Route; len(r) != 2 || r[0].prefix.String() != "::/0" || r[0].gateway.Zone() != "b" || r[1].prefix.String() != "2001:db8:5::/48" {
		t.Errorf("routes %v", r)
	}
	// One device needs no name.
	c, err = parseUp(t, "--tap a --addr 192.0.2.1/24 --addr a=2001:db8::1/64")
	if err != nil {
		t.Fatal(err)
	}
	if all, err := c.ports(); err != nil || len(all[0].cfg.Addresses) != 2 {
		t.Error(all, err)
	}
}

// Each fault of the command line is told.
func TestDeviceFlagErrors(t *testing.T) {
	for args, want := range map[string]string{
		"":                                    "which device",
		"--tap a --tun a --addr a=10.0.0.1/8": "twice",
		"--tap a --tap b --addr 10.0.0.1/8":   "several devices",
		"--tap a --addr b=10.0.0.1/8":         "no --tap, --tun or --dev is called b",
		"--tun a":                             "which address",
		"--tap a --queues 257":                "1 to 256",
		"--tap a --queues=-1":                 "1 to 256",
		"--dev a --queues 2":                  "only a --tap or --tun",
		"--tap a --addr a=x":                  "not an address",
		"--tap a --gateway a=x":               "not an address",
		"--tap a --advertise 2001:db8::/64":   "--forward",
		"--tap a --advertise-mtu 1400":        "--advertise PREFIX",
		"--tun a --addr 10.0.0.1/8 --forward --advertise none":       "TUN",
		"--tap a --forward --advertise 10.0.0.0/8":                   "not an IPv6 prefix",
		"--tap a --route 10.0.0.0/8":                                 "not a prefix and a router",
		"--tap a --route x=10.0.0.1":                                 "not a prefix and a router",
		"--tap a --forward --advertise none --advertise-dns 1.1.1.1": "not an IPv6 address",
		"--tap a --forward --advertise-preference best":              "not high, medium or low",
	} {
		c, err := parseUp(t, args)
		if err == nil {
			_, err = c.ports()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
}
