package dgram

import (
	"strconv"
	"syscall"

	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/wire"
)

// Discover says what becomes of a datagram that is larger than its path takes.
type Discover uint8

// The ways of Linux's IP_MTU_DISCOVER.
const (
	Want      Discover = iota // it is fragmented here; smaller ones have DF
	Dont                      // it is fragmented wherever need be
	Do                        // TooBig
	Probe                     // DF, and what was learned of the path is not heeded: TooBig over the interface's MTU
	Interface                 // no DF, and what was learned is not heeded: TooBig over the interface's MTU
	Omit                      // as Interface, but larger ones are fragmented here
)

// TooBig is the error of a datagram that may not be fragmented. It is EMSGSIZE, and says what would fit.
type TooBig struct {
	MTU int // of the path, in octets
}

// Error says what the path takes.
func (e *TooBig) Error() string {
	return syscall.EMSGSIZE.Error() + ": the path takes packets of " + strconv.Itoa(e.MTU) + " octets"
}

// Unwrap returns EMSGSIZE.
func (e *TooBig) Unwrap() error { return syscall.EMSGSIZE }

// fit finds out how n octets behind the internet header, sent as o says, go over path, and says so in pr. The error is
// *TooBig. One of many datagrams of a call is not fragmented, as with Linux.
func (s *Socket) fit(path *ip.Path, n int, o *SendOptions, pr *ip.Params) error {
	d := o.Discover
	size := wire.IPv6Len + n
	if path.Dst.Is4() {
		size = wire.IPv4MinLen + n
	}
	mtu := path.MTU
	if d >= Probe {
		if mtu = path.LinkMTU(); mtu != path.MTU {
			pr.MTU = uint16(min(mtu, 65535))
		}
	}
	fits := size <= mtu
	if !fits && (d == Do || d == Probe || d == Interface || o.Segment != 0) {
		return &TooBig{mtu}
	}
	pr.DontFragment = fits && (d == Want || d == Do || d == Probe)
	return nil
}

// SetDiscover says what becomes of datagrams of Send that are larger than their path takes.
func (s *Socket) SetDiscover(d Discover) { s.mtud.Store(uint32(d)) }
