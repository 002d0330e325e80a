package main

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/onlink-go/onlink"
)

// onDevice is which device the value of a flag is about: what is before the "=" in "tap0=192.0.2.2/24"; empty: the only one
// there is.
type onDevice struct{ device string }

// cut takes the device off the text of a flag.
func (d *onDevice) cut(b []byte) (rest string) {
	before, after, found := strings.Cut(string(b), "=")
	if !found {
		return before
	}
	d.device = before
	return after
}

// hostAddr is an address of the host with its prefix length, written "192.0.2.2/24" or "tap0=192.0.2.2/24".
type hostAddr struct {
	onDevice
	netip.Prefix
}

// UnmarshalText reads "192.0.2.2/24" or "tap0=192.0.2.2/24".
func (a *hostAddr) UnmarshalText(b []byte) (err error) {
	if a.Prefix, err = netip.ParsePrefix(a.cut(b)); err != nil {
		return fmt.Errorf("%q is not an address with its prefix length, like 192.0.2.2/24, 2001:db8::2/64 or tap0=192.0.2.2/24", b)
	}
	return nil
}

// gateway is the address of a router, written "192.0.2.1" or "tap0=fe80::1".
type gateway struct {
	onDevice
	netip.Addr
}

// UnmarshalText reads "192.0.2.1" or "tap0=fe80::1".
func (g *gateway) UnmarshalText(b []byte) (err error) {
	if g.Addr, err = netip.ParseAddr(g.cut(b)); err != nil {
		return fmt.Errorf("%q is not an address like 192.0.2.1, fe80::1 or tap0=fe80::1", b)
	}
	return nil
}

// nameServer is the address of a name server, written "192.0.2.53" or "192.0.2.53:5353".
type nameServer struct{ netip.AddrPort }

// UnmarshalText reads "192.0.2.53" or "192.0.2.53:5353".
func (s *nameServer) UnmarshalText(b []byte) (err error) {
	if s.AddrPort, err = onlink.ParseNameServer(string(b)); err != nil {
		return fmt.Errorf("%q is not an address like 192.0.2.53, 2001:db8::53 or [2001:db8::53]:5353", b)
	}
	return nil
}
