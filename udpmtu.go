package onlink

import (
	"errors"
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/dgram"
)

// MTUDiscovery says what becomes of datagrams that are larger than their path takes: Linux's IP_MTU_DISCOVER.
type MTUDiscovery uint8

// The ways of MTU discovery (RFC 1191, RFC 8201).
const (
	// DiscoverWant fragments larger datagrams here; smaller ones of IPv4 have DF, so that routers tell of a smaller path.
	DiscoverWant MTUDiscovery = iota
	// DiscoverNot lets datagrams of IPv4 be fragmented on the way, and fragments larger ones here.
	DiscoverNot
	// DiscoverDo fails to send larger datagrams, with EMSGSIZE and a [PathMTUError].
	DiscoverDo
	// DiscoverProbe sends with DF whatever the interface takes, though the path is known to take less: for programs
	// that find out by themselves (RFC 8899).
	DiscoverProbe
	// DiscoverInterface heeds nothing that is told of the path, which may be forged, and fails with EMSGSIZE over the
	// interface's MTU.
	DiscoverInterface
	// DiscoverOmit is DiscoverInterface, but fragments here what is larger.
	DiscoverOmit
)

var discoveries = [...]dgram.Discover{DiscoverWant: dgram.Want, DiscoverNot: dgram.Dont, DiscoverDo: dgram.Do,
	DiscoverProbe: dgram.Probe, DiscoverInterface: dgram.Interface, DiscoverOmit: dgram.Omit}

// PathMTUError is in the error of a datagram that is larger than its path takes, and may not be fragmented. It unwraps to
// EMSGSIZE.
type PathMTUError struct {
	MTU int // of the path, in octets: of packets with their internet header
}

// Error says what the path takes.
func (e *PathMTUError) Error() string { return (&dgram.TooBig{MTU: e.MTU}).Error() }

// Unwrap returns EMSGSIZE.
func (e *PathMTUError) Unwrap() error { return syscall.EMSGSIZE }

// sizeError makes the public error of a datagram that is too big.
func sizeError(err error) error {
	if e, ok := errors.AsType[*dgram.TooBig](err); ok {
		return &PathMTUError{e.MTU}
	}
	return err
}

// SetMTUDiscovery says what becomes of datagrams that are larger than their path takes. The error is EINVAL.
func (c *datagramConn) SetMTUDiscovery(d MTUDiscovery) error {
	if int(d) >= len(discoveries) {
		return c.err("set", syscall.EINVAL)
	}
	c.sock.SetDiscover(discoveries[d])
	return nil
}

// SetDontFragment forbids fragments of what is sent, or allows them again: DiscoverDo, DiscoverWant.
func (c *datagramConn) SetDontFragment(on bool) error {
	if on {
		return c.SetMTUDiscovery(DiscoverDo)
	}
	return c.SetMTUDiscovery(DiscoverWant)
}

// PathMTU returns the largest packet, in octets with its internet header, that the path of a connected socket is known to
// take. The error is ENOTCONN if it is not connected, or that of the route.
func (c *datagramConn) PathMTU() (int, error) {
	if c.peer == nil {
		return 0, c.err("get", syscall.ENOTCONN)
	}
	return c.PathMTUTo(netip.AddrPort{})
}

// PathMTUTo is PathMTU of the path to addr, which need not be connected.
func (c *datagramConn) PathMTUTo(addr netip.AddrPort) (int, error) {
	to := c.sock.Remote()
	if addr.IsValid() {
		var err error
		if to, err = c.stack.endpoint(addr); err != nil {
			return 0, c.err("get", err)
		}
	}
	n, err := c.sock.PathMTUTo(to)
	return n, c.err("get", err)
}
