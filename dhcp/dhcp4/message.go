package dhcp4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/onlink-go/onlink/wire"
)

// The format of a message (RFC 2131, 2):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+---------------+---------------+---------------+---------------+
//	|     op (1)    |   htype (1)   |   hlen (1)    |   hops (1)    |
//	+---------------+---------------+---------------+---------------+
//	|                            xid (4)                            |
//	+-------------------------------+-------------------------------+
//	|           secs (2)            |           flags (2)           |
//	+-------------------------------+-------------------------------+
//	|                          ciaddr  (4)                          |
//	|                          yiaddr  (4)                          |
//	|                          siaddr  (4)                          |
//	|                          giaddr  (4)                          |
//	|                          chaddr  (16)                         |
//	|                          sname   (64)                         |
//	|                          file    (128)                        |
//	|                          options (variable)                   |
//	+---------------------------------------------------------------+
const (
	atOp, atHType, atHLen, atHops, atXID, atSecs, atFlags        = 0, 1, 2, 3, 4, 8, 10
	atClient, atYour, atServer, atRelay, atHardware              = 12, 16, 20, 24, 28
	atServerName, atBootFile, atCookie, atOptions                = 44, 108, 236, 240
	flagBroadcast                                         uint16 = 1 << 15
)

// cookie begins the options. RFC 2131, 3: "The first four octets of the 'options' field of the DHCP message contain the
// (decimal) values 99, 130, 83 and 99, respectively (this is the same magic cookie as is defined in RFC 1497 [17])."
const cookie uint32 = 99<<24 | 130<<16 | 83<<8 | 99

// minMessage is how many octets a message has at least, because relays may drop shorter ones: BOOTP's have 300
// (RFC 1542, 2.1).
const minMessage = 300

// Op says which way a message goes.
type Op uint8

// The values of 'op'.
const (
	BootRequest Op = 1 // from a client
	BootReply   Op = 2 // from a server
)

// Type is the DHCP message type (RFC 2132, 9.6).
type Type uint8

// The types.
const (
	Discover Type = iota + 1
	Offer
	Request
	Decline
	ACK
	NAK
	Release
	Inform
)

// String returns the name that RFC 2131 has for the type, "DHCPDISCOVER".
func (t Type) String() string {
	if t < Discover || t > Inform {
		return fmt.Sprintf("DHCP message type %d", uint8(t))
	}
	return "DHCP" + [...]string{"DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"}[t-1]
}

// ethernet is the hardware type of Ethernet in the "Assigned Numbers".
const ethernet = 1

// Message is a DHCP message between a client on Ethernet and a server. Addresses that are 0.0.0.0 in the packet are
// the zero Addr here.
type Message struct {
	Op           Op
	Hops         uint8
	XID          uint32
	Secs         uint16 // since the client began
	Broadcast    bool   // the client cannot receive unicasts yet
	ClientAddr   netip.Addr
	YourAddr     netip.Addr
	ServerAddr   netip.Addr // of the next server in bootstrap, which need not be the DHCP server
	RelayAddr    netip.Addr
	HardwareAddr wire.MAC
	ServerName   string // "" if the field has options
	BootFile     string // likewise
	Options      Options
}

// errMessage is what Parse's errors wrap.
var errMessage = errors.New("malformed DHCP message")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errMessage}, args...)...)
}

// Parse reads a message. It keeps nothing of b. Errors say what is wrong with it; a message of BOOTP alone, without the
// magic cookie, is wrong too.
func Parse(b []byte) (*Message, error) {
	switch {
	case len(b) < atOptions:
		return nil, malformed("%d octets", len(b))
	case b[atOp] != byte(BootRequest) && b[atOp] != byte(BootReply):
		return nil, malformed("op %d", b[atOp])
	case b[atHType] != ethernet || b[atHLen] != 6:
		return nil, malformed("hardware type %d with addresses of %d octets", b[atHType], b[atHLen])
	case binary.BigEndian.Uint32(b[atCookie:]) != cookie:
		return nil, malformed("no magic cookie")
	}
	m := &Message{Op: Op(b[atOp]), Hops: b[atHops], XID: binary.BigEndian.Uint32(b[atXID:]),
		Secs:      binary.BigEndian.Uint16(b[atSecs:]),
		Broadcast: binary.BigEndian.Uint16(b[atFlags:])&flagBroadcast != 0, ClientAddr: addrAt(b[atClient:]),
		YourAddr: addrAt(b[atYour:]), ServerAddr: addrAt(b[atServer:]), RelayAddr: addrAt(b[atRelay:]),
		HardwareAddr: wire.MAC(b[atHardware:])}
	serverName, bootFile := b[atServerName:atBootFile], b[atBootFile:atCookie]
	// RFC 2131, 4.1: "The options in the 'options' field MUST be interpreted first, so that any 'option overload' options
	// may be interpreted. The 'file' field MUST be interpreted next (if the 'option overload' option indicates that the
	// 'file' field contains DHCP options), followed by the 'sname' field."
	err := m.Options.parse(b[atOptions:])
	overload, found := m.Options.Get(OptOverload)
	m.Options.Delete(OptOverload)
	switch {
	case err != nil:
		return nil, err
	case !found:
		overload = []byte{0}
	case len(overload) != 1 || overload[0] < 1 || overload[0] > 3:
		return nil, malformed("option overload %x", overload)
	}
	if overload[0]&1 != 0 {
		err = m.Options.parse(bootFile)
	} else {
		m.BootFile = untilZero(bootFile)
	}
	if overload[0]&2 != 0 {
		err = errors.Join(err, m.Options.parse(serverName))
	} else {
		m.ServerName = untilZero(serverName)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Append appends the message as it is sent to b. Options longer than 255 octets are split (RFC 3396).
func (m *Message) Append(b []byte) []byte {
	begin := len(b)
	b = append(b, make([]byte, atOptions)...)
	h := b[begin:]
	h[atOp], h[atHType], h[atHLen], h[atHops] = byte(m.Op), ethernet, 6, m.Hops
	binary.BigEndian.PutUint32(h[atXID:], m.XID)
	binary.BigEndian.PutUint16(h[atSecs:], m.Secs)
	if m.Broadcast {
		binary.BigEndian.PutUint16(h[atFlags:], flagBroadcast)
	}
	putAddr(h[atClient:], m.ClientAddr)
	putAddr(h[atYour:], m.YourAddr)
	putAddr(h[atServer:], m.ServerAddr)
	putAddr(h[atRelay:], m.RelayAddr)
	copy(h[atHardware:], m.HardwareAddr[:])
	copy(h[atServerName:atBootFile-1], m.ServerName)
	copy(h[atBootFile:atCookie-1], m.BootFile)
	binary.BigEndian.PutUint32(h[atCookie:], cookie)
	b = m.Options.append(b)
	if short := minMessage - (len(b) - begin); short > 0 {
		b = append(b, make([]byte, short)...) // pad options
	}
	return b
}

// Type returns the message's type; 0 if it has none, or not one octet of it.
func (m *Message) Type() Type {
	if v, _ := m.Options.Get(OptMessageType); len(v) == 1 {
		return Type(v[0])
	}
	return 0
}

// ServerID returns the server identifier (RFC 2132, 9.7): the server's address to the client.
func (m *Message) ServerID() (netip.Addr, bool) {
	a, ok := m.Options.Addr(OptServerID)
	return a, ok && isHost(a)
}

// addrAt reads an address; 0.0.0.0 is the zero Addr.
func addrAt(b []byte) netip.Addr {
	a := netip.AddrFrom4([4]byte(b))
	if a.IsUnspecified() {
		return netip.Addr{}
	}
	return a
}

// putAddr writes an address; the zero Addr is 0.0.0.0.
func putAddr(b []byte, a netip.Addr) {
	if a.IsValid() {
		v := a.As4()
		copy(b, v[:])
	}
}

func untilZero(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// isHost reports whether a can be the address of a station (RFC 1122, 3.2.1.3).
func isHost(a netip.Addr) bool {
	return a.Is4() && a.As4()[0] != 0 && a.As4()[0] < 224 && !a.IsLoopback()
}
