package wire

import "encoding/binary"

// The options of RFC 8106, 5.1 and 5.2, which tell of recursive DNS servers and of the DNS search list:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| Type = 25, 31 |     Length    |           Reserved            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                           Lifetime                            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	:        addresses of 16 octets, or domain names, padded        :
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const (
	ndDNSLifetime = 4
	ndDNSData     = 8

	maxLabelLen = 63  // RFC 1035, 2.3.4
	maxNameLen  = 255 // RFC 1035, 2.3.4: on the wire
)

// RDNSS is a Recursive DNS Server option.
type RDNSS struct {
	Lifetime uint32 // seconds, or InfiniteLifetime; 0: use them no more
	Servers  []Addr // at least one, at most 127
}

// parseRDNSS reads an option. It returns false if it is to be ignored.
func parseRDNSS(option []byte) (RDNSS, bool) {
	data := option[ndDNSData:]
	// "The minimum value is 3 if one IPv6 address is contained in the option. Every additional RDNSS address increases
	// the length by 2."
	if len(data) == 0 || len(data)%16 != 0 {
		return RDNSS{}, false
	}
	s := RDNSS{binary.BigEndian.Uint32(option[ndDNSLifetime:]), make([]Addr, 0, len(data)/16)}
	for ; len(data) > 0; data = data[16:] {
		s.Servers = append(s.Servers, AddrFrom16(data))
	}
	return s, true
}

func (s *RDNSS) len() int { return ndDNSData + 16*len(s.Servers) }

func (s *RDNSS) put(b []byte) []byte {
	option, rest := putNDOption(b, ndRDNSS, s.len())
	binary.BigEndian.PutUint32(option[ndDNSLifetime:], s.Lifetime)
	for i, a := range s.Servers {
		a.Put16(option[ndDNSData+16*i:])
	}
	return rest
}

// DNSSL is a DNS Search List option.
type DNSSL struct {
	Lifetime uint32   // seconds, or InfiniteLifetime; 0: use them no more
	Domains  []string // valid names as "corp.example", without a dot at the end; at least one, in 2,032 octets encoded
}

// parseDNSSL reads an option. It returns false if it is to be ignored.
func parseDNSSL(option []byte) (DNSSL, bool) {
	s := DNSSL{Lifetime: binary.BigEndian.Uint32(option[ndDNSLifetime:])}
	for data := option[ndDNSData:]; len(data) > 0; {
		// "the remaining octets other than the encoding parts of the domain name representations MUST be padded with
		// zeros."
		if data[0] == 0 {
			data = data[1:]
			continue
		}
		name, n := parseName(data)
		if n == 0 {
			return DNSSL{}, false
		}
		s.Domains = append(s.Domains, name)
		data = data[n:]
	}
	return s, len(s.Domains) > 0
}

// parseName reads the domain name at the beginning of b and returns how many octets it takes, 0 if it is none.
//
// RFC 8106, 5.2: "each domain name is represented as a sequence of labels ending in a zero octet [...] the domain
// names MUST NOT be encoded in the compressed form". A label that would not be the same again in a string, with a
// dot or what does not print in it, is none here.
func parseName(b []byte) (string, int) {
	var name []byte
	for i := 0; i < len(b) && i < maxNameLen; {
		n := int(b[i])
		i++
		if n == 0 {
			return string(name), i
		}
		if n > maxLabelLen || n > len(b)-i {
			return "", 0
		}
		if len(name) > 0 {
			name = append(name, '.')
		}
		for _, c := range b[i : i+n] {
			if c == '.' || c <= ' ' || c >= 0x7f {
				return "", 0
			}
			name = append(name, c)
		}
		i += n
	}
	return "", 0
}

// putName writes the labels of name to b and returns what follows them.
func putName(b []byte, name string) []byte {
	length := 0 // where the length of the label goes
	at := 1
	for i := range len(name) {
		if name[i] == '.' {
			b[length] = uint8(at - length - 1)
			length = at
		} else {
			b[at] = name[i]
		}
		at++
	}
	b[length] = uint8(at - length - 1)
	b[at] = 0
	return b[at+1:]
}

func (s *DNSSL) len() int {
	n := ndDNSData
	for _, name := range s.Domains {
		n += len(name) + 2 // a length for each dot, one more, and the zero octet
	}
	return (n + ndOptionUnit - 1) &^ (ndOptionUnit - 1)
}

func (s *DNSSL) put(b []byte) []byte {
	option, rest := putNDOption(b, ndDNSSL, s.len())
	binary.BigEndian.PutUint32(option[ndDNSLifetime:], s.Lifetime)
	data := option[ndDNSData:]
	for _, name := range s.Domains {
		data = putName(data, name)
	}
	return rest
}
