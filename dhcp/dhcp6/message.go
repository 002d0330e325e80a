package dhcp6

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// UDP ports and the group that clients send to (RFC 8415, 7.1 and 7.2).
const (
	ClientPort = 546
	ServerPort = 547
)

// Servers is All_DHCP_Relay_Agents_and_Servers (RFC 8415, 7.1).
var Servers = netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 13: 1, 15: 2})

// MessageType is the msg-type field of a message (RFC 8415, 7.3).
type MessageType uint8

// The messages that clients and servers exchange.
const (
	Solicit            MessageType = 1
	Advertise          MessageType = 2
	Request            MessageType = 3
	Confirm            MessageType = 4
	Renew              MessageType = 5
	Rebind             MessageType = 6
	Reply              MessageType = 7
	Release            MessageType = 8
	Decline            MessageType = 9
	Reconfigure        MessageType = 10
	InformationRequest MessageType = 11
)

// messageNames are the names as RFC 8415 writes them.
var messageNames = [...]string{Solicit: "Solicit", Advertise: "Advertise", Request: "Request", Confirm: "Confirm", Renew: "Renew",
	Rebind: "Rebind", Reply: "Reply", Release: "Release", Decline: "Decline", Reconfigure: "Reconfigure",
	InformationRequest: "Information-request"}

// String returns the name that RFC 8415 gives the type.
func (t MessageType) String() string {
	if int(t) < len(messageNames) && messageNames[t] != "" {
		return messageNames[t]
	}
	return fmt.Sprintf("message type %d", uint8(t))
}

// Message is a message between a client and a server, its options as values (RFC 8415, 8). The zero value of a field says that
// the option is not there, but where the field says otherwise.
type Message struct {
	Type          MessageType
	TransactionID uint32 // 24 bits

	ClientID, ServerID DUID
	IAs                []IA         // identity associations, of all kinds
	Requested          []OptionCode // the Option Request option
	Preference         uint8        // 0 if it is not there (RFC 8415, 18.2.1)
	Elapsed            uint16       // hundredths of a second; written into what clients send
	Auth               *Auth
	Unicast            netip.Addr // Server Unicast
	Status             Status     // Success if it is not there
	RapidCommit        bool
	ReconfigureMessage MessageType // Renew, Rebind or Information-request: what a Reconfigure asks for
	ReconfigureAccept  bool

	DNS         []netip.Addr // name servers (RFC 3646, 3)
	Search      []string     // search domains (RFC 3646, 4), without a dot at the end
	RefreshTime *uint32      // Information Refresh Time, in seconds
	SolMaxRT    *uint32      // SOL_MAX_RT, in seconds
	InfMaxRT    *uint32      // INF_MAX_RT, in seconds
	FQDN        *FQDN        // RFC 4704

	Other []Option // what is none of these, in the order it came
}

// Option is an option whose contents nobody here reads.
type Option struct {
	Code OptionCode
	Data []byte
}

//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|    msg-type   |               transaction-id                  |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	.                            options                            .

// headerLen is the length of what is before the options.
const headerLen = 4

// ErrRelay is the error of ParseMessage for what relay agents and servers say to each other, whose format is another one (RFC
// 8415, 9).
var ErrRelay = errors.New("a message between a relay agent and a server")

// ParseMessage reads a message. What it returns refers to b. Errors name the option that is malformed, and ErrRelay.
func ParseMessage(b []byte) (*Message, error) {
	if len(b) < headerLen {
		return nil, fmt.Errorf("%d octets are no message", len(b))
	}
	m := &Message{Type: MessageType(b[0]), TransactionID: binary.BigEndian.Uint32(b) & 0xffffff}
	if m.Type == 12 || m.Type == 13 {
		return nil, ErrRelay
	}
	err := eachOption(b[headerLen:], func(code OptionCode, data []byte) error {
		if code == OptionAuth && m.Auth == nil {
			// Where it is in the message matters: the digest is of all of it.
			auth, err := parseAuth(data, cap(b)-cap(data))
			m.Auth = auth
			return err
		}
		return m.option(code, data)
	})
	if err != nil {
		return nil, fmt.Errorf("%v: %w", m.Type, err)
	}
	return m, nil
}

// Append appends the message to b.
func (m *Message) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(m.Type)<<24|m.TransactionID&0xffffff)
	return m.appendOptions(b)
}

// ia returns the identity association of the given kind and number, or nil.
func (m *Message) ia(kind IAKind, id uint32) *IA {
	for i := range m.IAs {
		if a := &m.IAs[i]; a.Kind == kind && a.ID == id {
			return a
		}
	}
	return nil
}

// String says what kind of message it is, from whom, as logs want it.
func (m *Message) String() string {
	s := fmt.Sprintf("%v %06x", m.Type, m.TransactionID)
	for _, a := range m.IAs {
		s += "; " + a.String()
	}
	if m.Status.Code != Success {
		s += "; " + m.Status.String()
	}
	return s
}
