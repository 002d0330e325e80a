package dhcp6

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// IAKind says what an identity association is for: the code of its option.
type IAKind uint16

// The kinds of identity associations (RFC 8415, 12).
const (
	Addresses          = IAKind(OptionIANA) // IA_NA
	TemporaryAddresses = IAKind(OptionIATA) // IA_TA
	Prefixes           = IAKind(OptionIAPD) // IA_PD
)

// String returns the kind's name in RFC 8415.
func (k IAKind) String() string {
	switch k {
	case Addresses:
		return "IA_NA"
	case TemporaryAddresses:
		return "IA_TA"
	case Prefixes:
		return "IA_PD"
	}
	return fmt.Sprintf("IA of option %d", uint16(k))
}

// Infinity is the number of seconds that never are over (RFC 8415, 7.7).
const Infinity = 0xffffffff

// IA is an identity association as a message has it: IA_NA, IA_TA or IA_PD (RFC 8415, 21.4, 21.5 and 21.21).
type IA struct {
	Kind   IAKind
	ID     uint32 // IAID
	T1, T2 uint32 // seconds until Renew and Rebind; 0: the client's choice; an IA_TA has none
	Leases []IALease
	Status Status
}

// IALease is an address or a delegated prefix as a message has it (RFC 8415, 21.6 and 21.22).
type IALease struct {
	Prefix           netip.Prefix // of an address: all of it, /128; ::/n asks for a prefix of n bits
	Preferred, Valid uint32       // seconds
	Status           Status
}

// String writes the association as logs want it.
func (a *IA) String() string {
	s := fmt.Sprintf("%v %08x", a.Kind, a.ID)
	for _, l := range a.Leases {
		if a.Kind == Prefixes {
			s += " " + l.Prefix.String()
		} else {
			s += " " + l.Prefix.Addr().String()
		}
	}
	if a.Status.Code != Success {
		s += " " + a.Status.String()
	}
	return s
}

// parseIA reads what an option of an identity association has in it.
func parseIA(kind IAKind, b []byte) (a IA, err error) {
	a.Kind = kind
	n := 12
	if kind == TemporaryAddresses {
		n = 4
	}
	if len(b) < n {
		return a, fmt.Errorf("%d octets, not %d", len(b), n)
	}
	a.ID = binary.BigEndian.Uint32(b)
	if n == 12 {
		a.T1, a.T2 = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	}
	return a, eachOption(b[n:], func(code OptionCode, data []byte) (err error) {
		var l IALease
		switch {
		case code == OptionStatusCode:
			a.Status, err = parseStatus(data)
			return err
		case code == OptionIAAddr && kind != Prefixes:
			l, err = parseAddress(data)
		case code == OptionIAPrefix && kind == Prefixes:
			l, err = parsePrefix(data)
		default:
			return nil
		}
		if err == nil {
			a.Leases = append(a.Leases, l)
		}
		return err
	})
}

//	|                         IPv6-address                          |  16 octets
//	|                      preferred-lifetime                       |
//	|                        valid-lifetime                         |
//	.                        IAaddr-options                         .

func parseAddress(b []byte) (l IALease, err error) {
	if len(b) < 24 {
		return l, fmt.Errorf("%d octets are no address", len(b))
	}
	l.Prefix = netip.PrefixFrom(netip.AddrFrom16([16]byte(b)), 128)
	l.Preferred, l.Valid = binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(b[20:])
	l.Status, err = statusIn(b[24:])
	return l, err
}

//	|                      preferred-lifetime                       |
//	|                        valid-lifetime                         |
//	| prefix-length |                                               |
//	+-+-+-+-+-+-+-+-+          IPv6-prefix                          |  16 octets
//	.                       IAprefix-options                        .

func parsePrefix(b []byte) (l IALease, err error) {
	if len(b) < 25 {
		return l, fmt.Errorf("%d octets are no prefix", len(b))
	}
	l.Preferred, l.Valid = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if b[8] > 128 {
		return l, errors.New("a prefix of " + fmt.Sprint(b[8]) + " bits")
	}
	l.Prefix = netip.PrefixFrom(netip.AddrFrom16([16]byte(b[9:])), int(b[8])).Masked()
	l.Status, err = statusIn(b[25:])
	return l, err
}

// statusIn reads the Status Code option among options.
func statusIn(b []byte) (s Status, err error) {
	return s, eachOption(b, func(code OptionCode, data []byte) (err error) {
		if code == OptionStatusCode {
			s, err = parseStatus(data)
		}
		return err
	})
}

// appendTo appends the association as an option.
func (a *IA) appendTo(b []byte) []byte {
	data := binary.BigEndian.AppendUint32(nil, a.ID)
	if a.Kind != TemporaryAddresses {
		data = binary.BigEndian.AppendUint32(data, a.T1)
		data = binary.BigEndian.AppendUint32(data, a.T2)
	}
	for i := range a.Leases {
		data = a.Leases[i].appendTo(data, a.Kind)
	}
	return appendOption(b, OptionCode(a.Kind), a.Status.appendTo(data))
}

func (l *IALease) appendTo(b []byte, kind IAKind) []byte {
	var data []byte
	code := OptionIAAddr
	if kind == Prefixes {
		code = OptionIAPrefix
	} else {
		data = l.Prefix.Addr().AsSlice()
	}
	data = binary.BigEndian.AppendUint32(data, l.Preferred)
	data = binary.BigEndian.AppendUint32(data, l.Valid)
	if kind == Prefixes {
		data = append(data, byte(l.Prefix.Bits()))
		data = append(data, l.Prefix.Addr().AsSlice()...)
	}
	return appendOption(b, code, l.Status.appendTo(data))
}
