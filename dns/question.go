package dns

import (
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// question is what is asked, of class IN.
type question struct {
	name string // lower case, with a dot at the end
	typ  dnsmessage.Type
}

// newQuestion makes the question for a name that IsName takes.
func newQuestion(name string, typ dnsmessage.Type) question {
	if !strings.HasSuffix(name, ".") {
		name += "."
	}
	return question{lower(name), typ}
}

// lower returns name with ASCII letters in lower case. RFC 1034, 3.1: "domain name comparisons for all present domain functions
// are done in a case-insensitive manner, assuming an ASCII character set".
func lower(name string) string {
	for i := range len(name) {
		if 'A' <= name[i] && name[i] <= 'Z' {
			b := []byte(name)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return name
}

// IsName reports whether name, with or without a dot at its end, can be asked for.
//
// RFC 1035, 2.3.4: "labels          63 octets or less"; "names           255 octets or less", which is 253 of the name as text.
// What is in the labels is the servers' affair, but for what would be read as something else.
func IsName(name string) bool {
	if name == "." {
		return true
	}
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.ContainsAny(label, "\x00 \t\r\n%:\\\"") {
			return false
		}
	}
	return true
}

// IsHostName reports whether name, with or without a dot at its end, is one that a host or domain may have: letters, digits,
// hyphens but for the ends (RFC 1123, 2.1), and underscores, which services have (RFC 2782). What is said to be a host's name
// goes on into all sorts of programs.
func IsHostName(name string) bool {
	if !IsName(name) || name == "." {
		return name == "."
	}
	letters := false
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		for i := range len(label) {
			switch c := label[i]; {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
				letters = true
			case '0' <= c && c <= '9':
			case c == '-' && i > 0 && i < len(label)-1:
				letters = true
			default:
				return false
			}
		}
	}
	return letters // else it is an address, if anything
}

// ReverseName returns the name that the names of an address are found under: "1.2.0.192.in-addr.arpa." (RFC 1035, 3.5), or 32
// digits in "ip6.arpa." (RFC 3596, 2.5).
func ReverseName(a netip.Addr) string {
	const digits = "0123456789abcdef"
	if a = a.Unmap(); a.Is4() {
		b := a.As4()
		return netip.AddrFrom4([4]byte{b[3], b[2], b[1], b[0]}).String() + ".in-addr.arpa."
	}
	b := a.As16()
	var s strings.Builder
	for i := len(b) - 1; i >= 0; i-- {
		s.Write([]byte{digits[b[i]&15], '.', digits[b[i]>>4], '.'})
	}
	return s.String() + "ip6.arpa."
}

// within reports whether name is domain or below it; both without a dot at the end.
func within(name, domain string) bool {
	return name == domain || strings.HasSuffix(name, "."+domain)
}

// unasked reports whether no server is to be asked for a name, because what there is to know of it is known: that it does not
// exist, but for the addresses of localhost.
//
// RFC 6762, 3: "Any DNS query for a name ending with ".local." MUST be sent to the mDNS IPv4 link-local multicast address", not
// to these servers. RFC 6761, 6.3 and 6.4, says the like of "localhost" and "invalid", RFC 7686, 2, of "onion".
func unasked(name string) bool {
	name = lower(strings.TrimSuffix(name, "."))
	for _, domain := range [...]string{"localhost", "invalid", "local", "onion"} {
		if within(name, domain) {
			return true
		}
	}
	return false
}

// candidates returns the names to ask for in place of name, in order.
//
// RFC 1123, 6.1.4.3: a name with a dot at its end is complete; another is tried as it is first if it has as many dots as Ndots
// says, and last if it has not.
func (r *Resolver) candidates(name string) (all []string) {
	if !IsName(name) {
		return nil
	}
	if strings.HasSuffix(name, ".") {
		return []string{name}
	}
	first := strings.Count(name, ".") >= r.cfg.Ndots
	if first {
		all = append(all, name+".")
	}
	if r.cfg.Search != nil {
		for _, domain := range r.cfg.Search() {
			if full := name + "." + strings.TrimSuffix(domain, ".") + "."; IsName(full) {
				all = append(all, full)
			}
		}
	}
	if !first {
		all = append(all, name+".")
	}
	return all
}
