package dhcp6

import (
	"errors"
	"strings"
)

// FQDN is a Client FQDN option (RFC 4704, 4).
type FQDN struct {
	Flags uint8  // ServerUpdates, ServerOverrides, NoUpdate
	Name  string // without a dot at the end
}

// The flags of a Client FQDN option (RFC 4704, 4.1).
const (
	ServerUpdates   = 1 << 0 // S: the server is to make the AAAA record
	ServerOverrides = 1 << 1 // O: the server did not do as the client asked
	NoUpdate        = 1 << 2 // N: the server is to make no record
)

var errName = errors.New("not a domain name")

// parseDomains reads domain names, one after the other.
//
// RFC 8415, 10: "A domain name, or list of domain names, in DHCP MUST NOT be stored in compressed form".
func parseDomains(b []byte) (all []string, err error) {
	for len(b) > 0 {
		var name string
		if name, b, err = parseDomain(b); err != nil {
			return nil, err
		}
		if name != "" {
			all = append(all, name)
		}
	}
	return all, nil
}

// parseDomain reads one domain name, which ends with an empty label, and returns what is behind it.
func parseDomain(b []byte) (name string, rest []byte, err error) {
	var labels []string
	for size := 1; ; {
		if len(b) == 0 {
			return "", nil, errName
		}
		n := int(b[0])
		if n == 0 {
			return strings.Join(labels, "."), b[1:], nil
		}
		if size += 1 + n; n > 63 || n >= len(b) || size > 255 {
			return "", nil, errName
		}
		label := string(b[1 : 1+n])
		if strings.ContainsFunc(label, func(r rune) bool { return r <= ' ' || r == '.' || r >= 0x7f }) {
			return "", nil, errName
		}
		labels, b = append(labels, label), b[1+n:]
	}
}

// isName reports whether a name can be written as a domain name, and is the same when it is read.
func isName(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		if len(label) < 1 || len(label) > 63 {
			return false
		}
	}
	again, _, err := parseDomain(appendDomain(nil, name))
	return err == nil && again == name
}

// appendDomain appends a name that parseDomain could have returned.
func appendDomain(b []byte, name string) []byte {
	for label := range strings.SplitSeq(name, ".") {
		if label != "" {
			b = append(append(b, byte(len(label))), label...)
		}
	}
	return append(b, 0)
}

// parseFQDN reads the option. RFC 4704, 4.2: a name that is not ended by an empty label is partial.
func parseFQDN(b []byte) (*FQDN, error) {
	if len(b) < 1 {
		return nil, errName
	}
	f := &FQDN{Flags: b[0]}
	if len(b) == 1 {
		return f, nil
	}
	name := b[1:]
	if name[len(name)-1] != 0 {
		name = append(append([]byte(nil), name...), 0)
	}
	var err error
	f.Name, _, err = parseDomain(name)
	return f, err
}

func (f *FQDN) append(b []byte) []byte {
	b = append(b, f.Flags)
	if !strings.Contains(f.Name, ".") {
		// RFC 4704, 4.2: a partial name does not end with an empty label.
		name := appendDomain(nil, f.Name)
		return append(b, name[:len(name)-1]...)
	}
	return appendDomain(b, f.Name)
}
