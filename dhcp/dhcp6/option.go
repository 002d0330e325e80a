package dhcp6

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// OptionCode says what an option is.
type OptionCode uint16

// The options that are read and written here: RFC 8415, 21; RFC 3646; RFC 4704.
const (
	OptionClientID        OptionCode = 1
	OptionServerID        OptionCode = 2
	OptionIANA            OptionCode = 3
	OptionIATA            OptionCode = 4
	OptionIAAddr          OptionCode = 5
	OptionORO             OptionCode = 6
	OptionPreference      OptionCode = 7
	OptionElapsedTime     OptionCode = 8
	OptionAuth            OptionCode = 11
	OptionUnicast         OptionCode = 12
	OptionStatusCode      OptionCode = 13
	OptionRapidCommit     OptionCode = 14
	OptionReconfMsg       OptionCode = 19
	OptionReconfAccept    OptionCode = 20
	OptionDNSServers      OptionCode = 23
	OptionDomainList      OptionCode = 24
	OptionIAPD            OptionCode = 25
	OptionIAPrefix        OptionCode = 26
	OptionInformationTime OptionCode = 32
	OptionFQDN            OptionCode = 39
	OptionSolMaxRT        OptionCode = 82
	OptionInfMaxRT        OptionCode = 83
	optionHeaderLen                  = 4 // code and length
)

// eachOption calls f for each option of b, until it returns an error. Its data has the capacity that b has behind it, so that
// who wants to know where it is can.
//
// RFC 8415, 21.1: "option-len: An unsigned integer giving the length of the option-data field in this option in octets."
func eachOption(b []byte, f func(code OptionCode, data []byte) error) error {
	for len(b) > 0 {
		if len(b) < optionHeaderLen {
			return fmt.Errorf("%d octets at the end are no option", len(b))
		}
		code, n := OptionCode(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:]))
		b = b[optionHeaderLen:]
		if n > len(b) {
			return fmt.Errorf("option %d is cut off: %d octets of %d", code, len(b), n)
		}
		if err := f(code, b[:n]); err != nil {
			return fmt.Errorf("option %d: %w", code, err)
		}
		b = b[n:]
	}
	return nil
}

// option reads one option. Of what may be there once the first counts.
//
// RFC 8415, 16: "Clients, relay agents, and servers MUST NOT discard messages that contain unknown options".
func (m *Message) option(code OptionCode, data []byte) (err error) {
	switch code {
	case OptionClientID:
		return first(&m.ClientID, data)
	case OptionServerID:
		return first(&m.ServerID, data)
	case OptionIANA, OptionIATA, OptionIAPD:
		var a IA
		if a, err = parseIA(IAKind(code), data); err == nil && m.ia(a.Kind, a.ID) == nil {
			m.IAs = append(m.IAs, a)
		}
		return err
	case OptionORO:
		return m.parseRequested(data)
	case OptionPreference:
		if err = length(data, 1); err == nil {
			m.Preference = data[0]
		}
		return err
	case OptionElapsedTime:
		if err = length(data, 2); err == nil {
			m.Elapsed = binary.BigEndian.Uint16(data)
		}
		return err
	case OptionUnicast:
		if err = length(data, 16); err == nil {
			m.Unicast = netip.AddrFrom16([16]byte(data))
		}
		return err
	case OptionStatusCode:
		m.Status, err = parseStatus(data)
		return err
	case OptionRapidCommit:
		m.RapidCommit = true
		return length(data, 0)
	case OptionReconfMsg:
		if err = length(data, 1); err == nil {
			m.ReconfigureMessage = MessageType(data[0])
		}
		return err
	case OptionReconfAccept:
		m.ReconfigureAccept = true
		return length(data, 0)
	case OptionDNSServers:
		return m.parseServers(data)
	case OptionDomainList:
		m.Search, err = parseDomains(data)
		return err
	case OptionInformationTime:
		return number(&m.RefreshTime, data)
	case OptionSolMaxRT:
		return number(&m.SolMaxRT, data)
	case OptionInfMaxRT:
		return number(&m.InfMaxRT, data)
	case OptionFQDN:
		m.FQDN, err = parseFQDN(data)
		return err
	}
	m.Other = append(m.Other, Option{code, data})
	return nil
}

// first reads a DUID, and keeps the first of several.
func first(to *DUID, d DUID) error {
	if *to == nil {
		*to = d
	}
	return d.check()
}

// length checks the length of an option.
func length(data []byte, want int) error {
	if len(data) != want {
		return fmt.Errorf("%d octets, not %d", len(data), want)
	}
	return nil
}

// number reads an option that is a number of seconds.
func number(to **uint32, data []byte) error {
	if err := length(data, 4); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(data)
	*to = &n
	return nil
}

func (m *Message) parseRequested(data []byte) error {
	if len(data)%2 != 0 {
		return fmt.Errorf("%d octets are no list of option codes", len(data))
	}
	for ; len(data) > 0; data = data[2:] {
		m.Requested = append(m.Requested, OptionCode(binary.BigEndian.Uint16(data)))
	}
	return nil
}

// parseServers reads name servers (RFC 3646, 3).
func (m *Message) parseServers(data []byte) error {
	if len(data)%16 != 0 {
		return fmt.Errorf("%d octets are no list of addresses", len(data))
	}
	for ; len(data) > 0; data = data[16:] {
		m.DNS = append(m.DNS, netip.AddrFrom16([16]byte(data)))
	}
	return nil
}

// appendOptions appends the options that m has.
func (m *Message) appendOptions(b []byte) []byte {
	if m.ClientID != nil {
		b = appendOption(b, OptionClientID, m.ClientID)
	}
	if m.ServerID != nil {
		b = appendOption(b, OptionServerID, m.ServerID)
	}
	if m.fromClient() {
		b = appendOption(b, OptionElapsedTime, binary.BigEndian.AppendUint16(nil, m.Elapsed))
	}
	for i := range m.IAs {
		b = m.IAs[i].appendTo(b)
	}
	if len(m.Requested) > 0 {
		var codes []byte
		for _, c := range m.Requested {
			codes = binary.BigEndian.AppendUint16(codes, uint16(c))
		}
		b = appendOption(b, OptionORO, codes)
	}
	if m.RapidCommit {
		b = appendOption(b, OptionRapidCommit, nil)
	}
	if m.ReconfigureAccept {
		b = appendOption(b, OptionReconfAccept, nil)
	}
	if m.FQDN != nil {
		b = appendOption(b, OptionFQDN, m.FQDN.append(nil))
	}
	b = m.appendServers(b)
	for _, o := range m.Other {
		b = appendOption(b, o.Code, o.Data)
	}
	return b
}

// appendServers appends what servers alone send.
func (m *Message) appendServers(b []byte) []byte {
	if m.Preference != 0 {
		b = appendOption(b, OptionPreference, []byte{m.Preference})
	}
	if m.Unicast.Is6() {
		b = appendOption(b, OptionUnicast, m.Unicast.AsSlice())
	}
	b = m.Status.appendTo(b)
	if m.ReconfigureMessage != 0 {
		b = appendOption(b, OptionReconfMsg, []byte{byte(m.ReconfigureMessage)})
	}
	if len(m.DNS) > 0 {
		var list []byte
		for _, a := range m.DNS {
			list = append(list, a.AsSlice()...)
		}
		b = appendOption(b, OptionDNSServers, list)
	}
	if len(m.Search) > 0 {
		var list []byte
		for _, d := range m.Search {
			list = appendDomain(list, d)
		}
		b = appendOption(b, OptionDomainList, list)
	}
	for _, o := range [...]struct {
		code  OptionCode
		value *uint32
	}{{OptionInformationTime, m.RefreshTime}, {OptionSolMaxRT, m.SolMaxRT}, {OptionInfMaxRT, m.InfMaxRT}} {
		if o.value != nil {
			b = appendOption(b, o.code, binary.BigEndian.AppendUint32(nil, *o.value))
		}
	}
	if m.Auth != nil {
		b = appendOption(b, OptionAuth, m.Auth.append(nil))
	}
	return b
}

// fromClient reports whether the message is one that clients send.
func (m *Message) fromClient() bool {
	return m.Type != Advertise && m.Type != Reply && m.Type != Reconfigure
}

func appendOption(b []byte, code OptionCode, data []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(code))
	b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
	return append(b, data...)
}
