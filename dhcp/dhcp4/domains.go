package dhcp4

import "strings"

// domains reads a list of domain names in the encoding of RFC 1035, 4.1.4 (RFC 3397, 2). A pointer is counted from the
// beginning of the option. ok is false if anything is wrong with any of them.
func domains(b []byte) (all []string, ok bool) {
	for at := 0; at < len(b); {
		name, next, ok := domain(b, at)
		if !ok || !IsName(name) {
			return nil, false
		}
		if len(all) == maxDomains {
			break
		}
		all = append(all, name)
		at = next
	}
	return all, len(all) > 0
}

// maxDomains is how many domains of a list are used. Pointers make two octets a name of 255: it is a bound on memory.
const maxDomains = 64

// domain reads the name at b[at:]; next is what follows it.
//
// RFC 1035, 4.1.4: "a pointer to a prior occurance of the same name": pointing backwards only, they cannot loop.
func domain(b []byte, at int) (name string, next int, ok bool) {
	var labels []string
	limit := at // pointers go below it
	for length := 0; at < len(b); {
		n := int(b[at])
		switch {
		case n == 0:
			if next == 0 {
				next = at + 1
			}
			return strings.Join(labels, "."), next, true
		case n < 64 && at+1+n <= len(b):
			if length += n + 1; length > 254 {
				return "", 0, false
			}
			labels = append(labels, string(b[at+1:at+1+n]))
			at += 1 + n
		case n >= 192 && at+2 <= len(b):
			if next == 0 {
				next = at + 2
			}
			if at = (n-192)<<8 | int(b[at+1]); at >= limit {
				return "", 0, false
			}
			limit = at
		default:
			return "", 0, false
		}
	}
	return "", 0, false
}

// SetDomains is Set with domain names in the encoding of RFC 1035, 3.1.
func (o *Options) SetDomains(code uint8, names ...string) {
	var b []byte
	for _, name := range names {
		for label := range strings.SplitSeq(name, ".") {
			b = append(append(b, byte(len(label))), label...)
		}
		b = append(b, 0)
	}
	o.Set(code, b...)
}

// IsName reports whether s is a host or domain name in text: labels of letters, digits, hyphens and underscores. What a
// server says may end in files and on terminals, where other characters would do harm.
func IsName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, labelCharacters) != "" {
			return false
		}
	}
	return true
}

const labelCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
