package dns

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// How questions and records are written: as in master files (RFC 1035, 5.1).

// types are the types that have names here.
var types = [...]struct {
	typ  dnsmessage.Type
	name string
}{
	{dnsmessage.TypeA, "A"}, {dnsmessage.TypeNS, "NS"}, {dnsmessage.TypeCNAME, "CNAME"}, {dnsmessage.TypeSOA, "SOA"},
	{dnsmessage.TypePTR, "PTR"}, {dnsmessage.TypeHINFO, "HINFO"}, {dnsmessage.TypeMX, "MX"}, {dnsmessage.TypeTXT, "TXT"},
	{dnsmessage.TypeAAAA, "AAAA"}, {dnsmessage.TypeSRV, "SRV"}, {35, "NAPTR"}, {dnsmessage.TypeOPT, "OPT"}, {43, "DS"}, {44, "SSHFP"},
	{46, "RRSIG"}, {47, "NSEC"}, {48, "DNSKEY"}, {50, "NSEC3"}, {51, "NSEC3PARAM"}, {52, "TLSA"}, {59, "CDS"}, {60, "CDNSKEY"},
	{dnsmessage.TypeSVCB, "SVCB"}, {dnsmessage.TypeHTTPS, "HTTPS"}, {dnsmessage.TypeAXFR, "AXFR"}, {dnsmessage.TypeALL, "ANY"},
	{typeCAA, "CAA"},
}

const typeCAA = dnsmessage.Type(257) // RFC 8659

// TypeName returns the name of a type, "AAAA", or "TYPE1234" (RFC 3597, 5).
func TypeName(t dnsmessage.Type) string {
	for i := range types {
		if types[i].typ == t {
			return types[i].name
		}
	}
	return "TYPE" + strconv.Itoa(int(t))
}

// ParseType reads what TypeName writes, in any case.
func ParseType(text string) (t dnsmessage.Type, ok bool) {
	text = strings.ToUpper(text)
	for i := range types {
		if types[i].name == text {
			return types[i].typ, true
		}
	}
	if number, ok := strings.CutPrefix(text, "TYPE"); ok {
		n, err := strconv.ParseUint(number, 10, 16)
		return dnsmessage.Type(n), err == nil
	}
	return 0, false
}

// ClassName returns the name of a class, "IN", or "CLASS1234" (RFC 3597, 5).
func ClassName(c dnsmessage.Class) string {
	switch c {
	case dnsmessage.ClassINET:
		return "IN"
	case dnsmessage.ClassCHAOS:
		return "CH"
	case dnsmessage.ClassHESIOD:
		return "HS"
	case dnsmessage.ClassANY:
		return "ANY"
	}
	return "CLASS" + strconv.Itoa(int(c))
}

// StatusName returns the name of a response code as the registry of RFC 6895 has it: "NOERROR", "NXDOMAIN".
func StatusName(c dnsmessage.RCode) string {
	names := [...]string{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE"}
	switch {
	case int(c) < len(names):
		return names[c]
	case c == rcodeBadVersion:
		return "BADVERS"
	}
	return "RESERVED" + strconv.Itoa(int(c))
}

// NameText returns a name as text, octets that are not printed as "\DDD" (RFC 1035, 5.1).
func NameText(n dnsmessage.Name) string { return escape(n.String(), `"();@$\`) }

// escape writes special and unprintable octets with a backslash.
func escape(s, special string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case strings.IndexByte(special, c) >= 0:
			b.Write([]byte{'\\', c})
		case c < ' ' || c > '~' || c == ' ' && special != quotes:
			fmt.Fprintf(&b, `\%03d`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

const quotes = `"\`

// quoted writes a character string.
func quoted(s string) string { return `"` + escape(s, quotes) + `"` }

// DataText returns the data of a record as text; that of types not known here as "\# LENGTH HEX" (RFC 3597, 5).
func DataText(body dnsmessage.ResourceBody) string {
	switch b := body.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(b.A).String()
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(b.AAAA).String()
	case *dnsmessage.CNAMEResource:
		return NameText(b.CNAME)
	case *dnsmessage.NSResource:
		return NameText(b.NS)
	case *dnsmessage.PTRResource:
		return NameText(b.PTR)
	case *dnsmessage.MXResource:
		return fmt.Sprint(b.Pref, " ", NameText(b.MX))
	case *dnsmessage.SRVResource:
		return fmt.Sprint(b.Priority, " ", b.Weight, " ", b.Port, " ", NameText(b.Target))
	case *dnsmessage.SOAResource:
		return fmt.Sprint(NameText(b.NS), " ", NameText(b.MBox), " ", b.Serial, " ", b.Refresh, " ", b.Retry, " ", b.Expire, " ", b.MinTTL)
	case *dnsmessage.TXTResource:
		parts := make([]string, len(b.TXT))
		for i, part := range b.TXT {
			parts[i] = quoted(part)
		}
		return strings.Join(parts, " ")
	case *dnsmessage.SVCBResource:
		return serviceText(b)
	case *dnsmessage.HTTPSResource:
		return serviceText(&b.SVCBResource)
	case *dnsmessage.UnknownResource:
		if b.Type == typeCAA && len(b.Data) >= 2 && len(b.Data) >= 2+int(b.Data[1]) {
			n := 2 + int(b.Data[1])
			return fmt.Sprint(b.Data[0], " ", escape(string(b.Data[2:n]), quotes), " ", quoted(string(b.Data[n:])))
		}
		return fmt.Sprintf(`\# %d %X`, len(b.Data), b.Data)
	}
	return ""
}

// serviceText writes the data of SVCB and HTTPS records (RFC 9460, 2.1).
func serviceText(b *dnsmessage.SVCBResource) string {
	s := fmt.Sprint(b.Priority, " ", NameText(b.Target))
	for _, p := range b.Params {
		s += " " + parameterText(p)
	}
	return s
}

// parameterText writes a parameter, "key=value".
func parameterText(p dnsmessage.SVCParam) string {
	v := p.Value
	switch {
	case p.Key == dnsmessage.SVCParamALPN:
		var ids []string
		for len(v) > 0 && int(v[0]) < len(v) {
			ids = append(ids, escape(string(v[1:1+v[0]]), quotes))
			v = v[1+v[0]:]
		}
		return `alpn="` + strings.Join(ids, ",") + `"`
	case p.Key == dnsmessage.SVCParamPort && len(v) == 2:
		return fmt.Sprint("port=", int(v[0])<<8|int(v[1]))
	case p.Key == dnsmessage.SVCParamIPv4Hint && len(v)%4 == 0, p.Key == dnsmessage.SVCParamIPv6Hint && len(v)%16 == 0:
		key, size := "ipv4hint=", 4
		if p.Key == dnsmessage.SVCParamIPv6Hint {
			key, size = "ipv6hint=", 16
		}
		var addrs []string
		for ; len(v) > 0; v = v[size:] {
			a, _ := netip.AddrFromSlice(v[:size]) // it has the size of one
			addrs = append(addrs, a.String())
		}
		return key + strings.Join(addrs, ",")
	case len(v) == 0:
		return fmt.Sprint("key", uint16(p.Key))
	}
	return fmt.Sprint("key", uint16(p.Key), "=", quoted(string(v)))
}
