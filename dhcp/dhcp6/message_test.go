package dhcp6

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/onlink-go/onlink/wire"
)

// full is a message with all options that there are.
func full() *Message {
	n := func(v uint32) *uint32 { return &v }
	return &Message{Type: Solicit, TransactionID: 0xabcdef, ClientID: clientID, ServerID: serverA, Elapsed: 0x1234,
		IAs: []IA{
			{Kind: Addresses, ID: 1, T1: 2, T2: 3, Leases: []IALease{{netip.MustParsePrefix("2001:db8::5/128"), 4, 5, Status{UnspecFail, "no"}}}},
			{Kind: TemporaryAddresses, ID: 1, Leases: []IALease{{netip.MustParsePrefix("2001:db8::6/128"), 4, Infinity, Status{}}}},
			{Kind: Prefixes, ID: 9, Leases: []IALease{{netip.MustParsePrefix("2001:db8:500::/56"), 4, 5, Status{}}}, Status: Status{NoPrefixAvail, "none left"}},
		},
		Requested: []OptionCode{23, 24}, Preference: 7, Unicast: addr("2001:db8::547"), Status: Status{UseMulticast, "do"},
		RapidCommit: true, ReconfigureMessage: Rebind, ReconfigureAccept: true, DNS: []netip.Addr{addr("2001:db8::53")},
		Search: []string{"example.org", "a.example.net"}, RefreshTime: n(600), SolMaxRT: n(60), InfMaxRT: n(61), FQDN: &FQDN{1, "host.example.org"},
		Auth: &Auth{3, 1, 0, 77, []byte{1, 2, 3}, 0}, Other: []Option{{56, []byte{1, 2}}, {9999, nil}}}
}

// What is written is read, and every part of it that is cut off is an error or a message, never a panic.
func TestMessageRoundTrip(t *testing.T) {
	raw := full().Append(nil)
	m, err := ParseMessage(raw)
	if err != nil {
		t.Fatal(err)
	}
	if string(raw[m.Auth.at:m.Auth.at+3]) != "\x01\x02\x03" {
		t.Errorf("the digest is not at %d", m.Auth.at)
	}
	m.Auth.at = 0
	for i := range m.Other {
		if len(m.Other[i].Data) == 0 {
			m.Other[i].Data = nil
		}
	}
	if want := full(); !reflect.DeepEqual(m, want) {
		t.Errorf("%+v\nwant %+v", m, want)
	}
	options, whole := 0, 0
	if err := eachOption(raw[headerLen:], func(OptionCode, []byte) error { options++; return nil }); err != nil {
		t.Fatal(err)
	}
	for n := range raw {
		if _, err := ParseMessage(raw[:n]); err == nil {
			whole++
		}
	}
	if whole != options || options < 20 { // cut between two options, it is a message
		t.Errorf("%d truncations of a message with %d options are messages", whole, options)
	}
	for i := range raw {
		for _, bit := range []byte{1, 0x80, 0xff} {
			b := slices.Clone(raw)
			b[i] ^= bit
			ParseMessage(b)
		}
	}
}

// A Reply of Kea 2.2, as it was on the wire.
func TestMessageOfKea(t *testing.T) {
	raw, err := hex.DecodeString("07fef62e" + "0001000a0003000172d837084bc9" + "0002000a000300010a0b0c0d0e0f" +
		"0003002837084bc90000000a00000014" + "0005001820010db8000100000000000000000100" + "0000003c0000005a" +
		"0019002937084bc90000000a00000014" + "001a00190000003c0000005a38" + "20010db8f00000000000000000000000" +
		"0017001020010db8000100000000000000000053" + "0018000d" + "076578616d706c65036f726700")
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseMessage(raw)
	if err != nil {
		t.Fatal(err)
	}
	if s := m.String(); s != "Reply fef62e; IA_NA 37084bc9 2001:db8:1::100; IA_PD 37084bc9 2001:db8:f000::/56" {
		t.Error(s)
	}
	if m.ServerID.String() != "00:03:00:01:0a:0b:0c:0d:0e:0f" || m.IAs[1].T1 != 10 || m.IAs[0].Leases[0].Valid != 90 ||
		m.DNS[0] != addr("2001:db8:1::53") || m.Search[0] != "example.org" {
		t.Errorf("%+v", m)
	}
}

// Malformed options are named; unknown ones are no fault, nor is what is repeated (RFC 8415, 16: "MUST NOT discard messages that contain
// unknown options").
func TestMalformed(t *testing.T) {
	option := func(code uint16, data ...byte) []byte {
		b := binary.BigEndian.AppendUint16([]byte{7, 0, 0, 1}, code)
		return append(binary.BigEndian.AppendUint16(b, uint16(len(data))), data...)
	}
	long := make([]byte, 131)
	for name, row := range map[string]struct {
		raw  []byte
		want string
	}{
		"empty":           {nil, "0 octets are no message"},
		"header":          {[]byte{7, 0, 0}, "3 octets are no message"},
		"half an option":  {[]byte{7, 0, 0, 1, 0}, "Reply: 1 octets at the end are no option"},
		"cut off":         {[]byte{7, 0, 0, 1, 0, 1, 0, 9, 1}, "Reply: option 1 is cut off: 1 octets of 9"},
		"DUID":            {option(1, 0, 1), "Reply: option 1: a DUID of 2 octets"},
		"long DUID":       {option(2, long...), "Reply: option 2: a DUID of 131 octets"},
		"IA_NA":           {option(3, 1, 2, 3), "Reply: option 3: 3 octets, not 12"},
		"IA_TA":           {option(4, 1, 2, 3), "Reply: option 4: 3 octets, not 4"},
		"address":         {option(4, 0, 0, 0, 1, 0, 5, 0, 1, 9), "Reply: option 4: option 5: 1 octets are no address"},
		"prefix":          {option(25, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 26, 0, 1, 9), "Reply: option 25: option 26: 1 octets are no prefix"},
		"long prefix":     {option(25, append(append(make([]byte, 12), 0, 26, 0, 25, 0, 0, 0, 0, 0, 0, 0, 0, 129), make([]byte, 16)...)...), "Reply: option 25: option 26: a prefix of 129 bits"},
		"status":          {option(13, 0), "Reply: option 13: 1 octets are no status"},
		"preference":      {option(7), "Reply: option 7: 0 octets, not 1"},
		"elapsed":         {option(8, 1), "Reply: option 8: 1 octets, not 2"},
		"auth":            {option(11, 3), "Reply: option 11: 1 octets, not 11"},
		"unicast":         {option(12, 3), "Reply: option 12: 1 octets, not 16"},
		"rapid commit":    {option(14, 3), "Reply: option 14: 1 octets, not 0"},
		"reconfigure":     {option(19), "Reply: option 19: 0 octets, not 1"},
		"accept":          {option(20, 1), "Reply: option 20: 1 octets, not 0"},
		"name servers":    {option(23, long...), "Reply: option 23: 131 octets are no list of addresses"},
		"requested":       {option(6, 1), "Reply: option 6: 1 octets are no list of option codes"},
		"SOL_MAX_RT":      {option(82, 1), "Reply: option 82: 1 octets, not 4"},
		"domain":          {option(24, 3, 'a', 'b'), "Reply: option 24: not a domain name"},
		"compressed":      {option(24, 0xc0, 0), "Reply: option 24: not a domain name"},
		"dot in a label":  {option(24, 3, 'a', '.', 'b', 0), "Reply: option 24: not a domain name"},
		"endless":         {option(24, 1, 'a'), "Reply: option 24: not a domain name"},
		"FQDN":            {option(39), "Reply: option 39: not a domain name"},
		"between relays":  {[]byte{13, 0, 0, 1}, ErrRelay.Error()},
		"unknown":         {option(9999, 1, 2, 3), ""},
		"unknown in IA":   {option(4, 0, 0, 0, 1, 0x99, 0x99, 0, 1, 9), ""},
		"partial FQDN":    {option(39, 0, 1, 'h'), ""},
		"FQDN without":    {option(39, 4), ""},
		"root":            {option(24, 0), ""},
		"address in a PD": {option(25, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 1, 9), ""},
	} {
		_, err := ParseMessage(row.raw)
		if row.want == "" && err != nil || row.want != "" && (err == nil || err.Error() != row.want) {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
	}
	if _, err := ParseMessage([]byte{12, 0}); errors.Is(err, ErrRelay) {
		t.Error("two octets are a message of relay agents")
	}
	// The first of several counts.
	raw := answer(&Message{}, Reply, na("2001:db8::5"), na("2001:db8::6")).Append(nil)
	raw = appendOption(raw, OptionServerID, serverB)
	if m, err := ParseMessage(raw); err != nil || len(m.IAs) != 1 || !m.ServerID.Equal(serverA) {
		t.Errorf("%v, %v", m, err)
	}
	// A message for people is text.
	if s, err := parseStatus([]byte("\x00\x01a\x00b\x1b[\xff")); err != nil || s.String() != "UnspecFail (ab[\uFFFD)" {
		t.Errorf("%q, %v", s.String(), err)
	}
}

// DUIDs as RFC 8415, 11, has them.
func TestDUID(t *testing.T) {
	mac := wire.MAC{2, 0, 0, 0, 0, 1}
	for want, d := range map[string]DUID{
		"00:01:00:01:00:00:00:0a:02:00:00:00:00:01":             NewDUIDLLT(mac, time.Date(2000, 1, 1, 0, 0, 10, 0, time.UTC)),
		"00:03:00:01:02:00:00:00:00:01":                         NewDUIDLL(mac),
		"00:04:00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f": NewDUIDUUID([16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}),
	} {
		var again DUID
		if err := again.UnmarshalText([]byte(d.String())); d.String() != want || err != nil || !again.Equal(d) {
			t.Errorf("%v, %v, want %s", d, err, want)
		}
	}
	var d DUID
	for _, bad := range []string{"", "00:01", "zz", "00:0", string(bytes.Repeat([]byte("00"), 131))} {
		if err := d.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is a DUID", bad)
		}
	}
}

// FuzzParseMessage looks for messages that are read otherwise when they are written again, and that a machine does not stand.
func FuzzParseMessage(f *testing.F) {
	f.Add(full().Append(nil))
	f.Add(answer(&Message{}, Advertise, na("2001:db8::5"), pd("2001:db8::/56")).Append(nil))
	f.Add([]byte{10, 0, 0, 1, 0, 11, 0, 11, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := ParseMessage(raw)
		if err != nil {
			return
		}
		once := m.Append(nil)
		again, err := ParseMessage(once)
		if err != nil || !bytes.Equal(again.Append(nil), once) {
			t.Fatalf("%v, %v", again, err)
		}
		// Whatever a server says, in answer to whatever is asked: the machine comes to rest.
		b := newBench(t, MachineConfig{}, wantNA, wantPD)
		for range 20 {
			b.advance()
			for len(b.sent) > 0 {
				m.TransactionID, m.ClientID, m.ServerID = b.sent[0].Message.TransactionID, clientID, serverA
				b.sent, b.at = b.sent[1:], b.at[1:]
				b.m.Receive(b.now, m, raw, true)
				b.drain()
			}
		}
	})
}
