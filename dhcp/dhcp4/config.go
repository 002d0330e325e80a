package dhcp4

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/wire"
)

// MachineConfig is how a client behaves. HardwareAddr and Entropy must be given; the zero values of the others are usable.
type MachineConfig struct {
	HardwareAddr wire.MAC
	Entropy      func(b []byte) // fills b with random octets

	// ClientID is the client identifier (RFC 2132, 9.14), type octet included; nil: that of RFC 4361, made of DUID and the
	// hardware address. Empty but not nil: none, so that servers go by the hardware address.
	ClientID    []byte
	DUID        []byte // that the host has in DHCPv6 too; nil: one made of the hardware address (DUID-LL)
	HostName    string // told to the server, which may put it into the DNS; empty: none
	VendorClass string // vendor class identifier; empty: none

	// Parameters are the codes of the options to ask for; nil: those that a Lease has fields for.
	Parameters []byte
	// LeaseTime is what to ask for; 0: what the server likes.
	LeaseTime time.Duration
	// MaxMessageSize is how many octets of an IP packet a server may send; 0: 576, more is not said.
	MaxMessageSize int

	// StartDelay is the most that the client waits before its first message.
	//
	// RFC 2131, 4.4.1: "The client SHOULD wait a random time between one and ten seconds to desynchronize the use of DHCP at
	// startup." That is for many hosts that get power at once. 0: it does not wait, as Linux's clients do not.
	StartDelay time.Duration
	// OfferWait is how long offers are collected from the first on; 0: the first is taken. Of several, one of the address
	// that the client had is preferred, then one of the server that it had, then the first.
	OfferWait time.Duration

	Broadcast bool // ask servers to broadcast their replies
}

// parameters are the options that a Lease has fields for.
//
// RFC 3442: "The Classless Static Routes option code MUST appear in the parameter request list prior to both the Router option
// code and the Static Routes option code, if present."
var parameters = []byte{OptSubnetMask, OptClasslessRoutes, OptRouters, OptStaticRoutes, OptNameServers, OptDomainName,
	OptDomainSearch, OptHostName, OptInterfaceMTU, OptBroadcast, OptNTPServers, OptLeaseTime, OptRenewalTime, OptRebindingTime}

// complete checks c and fills in defaults.
func (c MachineConfig) complete() (MachineConfig, error) {
	bad := func(field string, v any) (MachineConfig, error) {
		return c, fmt.Errorf("dhcp4: MachineConfig.%s is %v: out of range", field, v)
	}
	switch {
	case c.HardwareAddr == (wire.MAC{}) || c.HardwareAddr.IsMulticast():
		return bad("HardwareAddr", c.HardwareAddr)
	case c.Entropy == nil:
		return bad("Entropy", "nil")
	case c.HostName != "" && !IsName(c.HostName):
		return bad("HostName", fmt.Sprintf("%q", c.HostName))
	case len(c.ClientID) == 1 || len(c.ClientID) > 255: // RFC 2132, 9.14: "The code for this option is 61, and its minimum length is 2."
		return bad("ClientID", fmt.Sprintf("of %d octets", len(c.ClientID)))
	case len(c.VendorClass) > 255:
		return bad("VendorClass", fmt.Sprintf("of %d octets", len(c.VendorClass)))
	case len(c.Parameters) > 255:
		return bad("Parameters", fmt.Sprintf("of %d octets", len(c.Parameters)))
	case c.LeaseTime < 0:
		return bad("LeaseTime", c.LeaseTime)
	case c.StartDelay < 0:
		return bad("StartDelay", c.StartDelay)
	case c.OfferWait < 0:
		return bad("OfferWait", c.OfferWait)
	case c.DUID != nil && (len(c.DUID) < 3 || len(c.DUID) > 130): // RFC 3315, 9.1
		return bad("DUID", fmt.Sprintf("of %d octets", len(c.DUID)))
	case c.MaxMessageSize != 0 && (c.MaxMessageSize < 576 || c.MaxMessageSize > 65535): // RFC 2132, 9.10: "The minimum legal value is 576 octets."
		return bad("MaxMessageSize", c.MaxMessageSize)
	}
	if c.ClientID == nil {
		c.ClientID = clientID(c.HardwareAddr, c.DUID)
	}
	if c.Parameters == nil {
		c.Parameters = parameters
	}
	return c, nil
}

// clientID makes a client identifier.
//
// RFC 4361, 6.1: "the type of the 'client identifier' option is set to 255. The type field is immediately followed by the
// IAID, which is an opaque 32-bit quantity. The IAID is immediately followed by the DUID". The IAID is the end of the hardware
// address, which tells the interfaces of a host apart. Without a DUID, which takes a place to keep it, that is made of the
// address too.
func clientID(mac wire.MAC, duid []byte) []byte {
	id := append([]byte{255}, mac[2:]...)
	if duid != nil {
		return append(id, duid...)
	}
	const duidLL = 3 // RFC 3315, 9.4
	return append(append(id, 0, duidLL, 0, ethernet), mac[:]...)
}

// broadcastAddr is where a client sends what it has no server for.
var broadcastAddr = netip.AddrFrom4([4]byte{255, 255, 255, 255})
