package dns

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// Zone is what a Server answers from: records, in no order. Where there is none of a name or below it, the name does not exist.
// Names that begin with "*." stand for those below, where there is nothing else (RFC 1034, 4.3.3).
type Zone struct{ Records []dnsmessage.Resource }

// ParseZone reads records, one a line: "NAME [TTL] [IN] TYPE DATA", as in a master file (RFC 1035, 5.1), but with names that are
// complete with or without a dot at their end, and without its directives and parentheses. What is after ";" is a comment. The TTL
// is an hour if not given. Types: A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT. Errors name the line.
func ParseZone(text string) (*Zone, error) {
	z := &Zone{}
	for n, line := range strings.Split(text, "\n") {
		fields, err := splitFields(line)
		if err == nil && len(fields) > 0 {
			var r dnsmessage.Resource
			r, err = parseRecord(fields)
			z.Records = append(z.Records, r)
		}
		if err != nil {
			return nil, fmt.Errorf("dns: line %d: %w", n+1, err)
		}
	}
	return z, nil
}

// splitFields splits a line at blanks that are not within quotation marks, and cuts the comment off.
func splitFields(line string) (fields []string, err error) {
	field, some, quoted := "", false, false
	end := func() {
		if some {
			fields = append(fields, field)
		}
		field, some = "", false
	}
scan:
	for i := range len(line) {
		switch c := line[i]; {
		case c == '"':
			quoted, some = !quoted, true
		case quoted:
			field += string(c)
		case c == ';':
			break scan
		case c == ' ' || c == '\t' || c == '\r':
			end()
		default:
			field, some = field+line[i:i+1], true
		}
	}
	if quoted {
		return nil, errors.New("a quotation mark is missing")
	}
	end()
	return fields, nil
}

// parseRecord reads a record from its fields.
func parseRecord(f []string) (r dnsmessage.Resource, err error) {
	r.Header = dnsmessage.ResourceHeader{Class: dnsmessage.ClassINET, TTL: 3600}
	if r.Header.Name, err = parseName(f[0]); err != nil {
		return r, err
	}
	f = f[1:]
	if len(f) > 0 {
		if ttl, err := strconv.ParseUint(f[0], 10, 31); err == nil {
			r.Header.TTL, f = uint32(ttl), f[1:]
		}
	}
	if len(f) > 0 && strings.EqualFold(f[0], "IN") {
		f = f[1:]
	}
	if len(f) == 0 {
		return r, errors.New("there is no type")
	}
	r.Body, err = parseBody(strings.ToUpper(f[0]), f[1:])
	return r, err
}

// fieldsOf are how many fields the data of the types have.
func fieldsOf(typ string) int {
	switch typ {
	case "A", "AAAA", "CNAME", "NS", "PTR":
		return 1
	case "MX":
		return 2
	case "SRV":
		return 4
	case "SOA":
		return 7
	}
	return 0
}

// body makes the data of a type of its fields.
func (f *fieldReader) body(typ string) dnsmessage.ResourceBody {
	switch typ {
	case "A":
		return &dnsmessage.AResource{A: f.addr(true).As4()}
	case "AAAA":
		return &dnsmessage.AAAAResource{AAAA: f.addr(false).As16()}
	case "CNAME":
		return &dnsmessage.CNAMEResource{CNAME: f.name()}
	case "NS":
		return &dnsmessage.NSResource{NS: f.name()}
	case "PTR":
		return &dnsmessage.PTRResource{PTR: f.name()}
	case "MX":
		return &dnsmessage.MXResource{Pref: uint16(f.number(16)), MX: f.name()}
	case "SRV":
		return &dnsmessage.SRVResource{Priority: uint16(f.number(16)), Weight: uint16(f.number(16)), Port: uint16(f.number(16)), Target: f.name()}
	}
	return &dnsmessage.SOAResource{NS: f.name(), MBox: f.name(), Serial: f.number(32), Refresh: f.number(32), Retry: f.number(32),
		Expire: f.number(32), MinTTL: f.number(32)}
}

func parseBody(typ string, fields []string) (dnsmessage.ResourceBody, error) {
	if typ == "TXT" {
		if len(fields) == 0 {
			return nil, errors.New("TXT has no text")
		}
		for _, f := range fields {
			if len(f) > 255 {
				return nil, fmt.Errorf("a text of %d octets: a part has at most 255", len(f))
			}
		}
		return &dnsmessage.TXTResource{TXT: fields}, nil
	}
	want := fieldsOf(typ)
	if want == 0 {
		return nil, fmt.Errorf("type %q is not one that can be read", typ)
	}
	if len(fields) != want {
		return nil, fmt.Errorf("%s has %d fields, not %d", typ, want, len(fields))
	}
	f := &fieldReader{fields: fields}
	body := f.body(typ)
	return body, f.err
}

// fieldReader reads fields one after the other, and keeps the first error.
type fieldReader struct {
	fields []string
	err    error
}

func (f *fieldReader) next() string {
	s := f.fields[0]
	f.fields = f.fields[1:]
	return s
}

func (f *fieldReader) note(err error) {
	if f.err == nil {
		f.err = err
	}
}

func (f *fieldReader) addr(is4 bool) netip.Addr {
	s := f.next()
	a, err := netip.ParseAddr(s)
	if err != nil || a.Is4() != is4 || a.Zone() != "" {
		f.note(fmt.Errorf("%q is not an address of the type", s))
		return netip.IPv4Unspecified()
	}
	return a
}

func (f *fieldReader) name() dnsmessage.Name {
	n, err := parseName(f.next())
	f.note(err)
	return n
}

func (f *fieldReader) number(bits int) uint32 {
	s := f.next()
	n, err := strconv.ParseUint(s, 10, bits)
	if err != nil {
		f.note(fmt.Errorf("%q is not a number of %d bits", s, bits))
	}
	return uint32(n)
}

func parseName(s string) (dnsmessage.Name, error) {
	if !IsName(s) {
		return dnsmessage.Name{}, fmt.Errorf("%q is not a domain name", s)
	}
	return dnsmessage.NewName(strings.TrimSuffix(s, ".") + ".")
}

// Answer returns the response to a query, as an authority for all there is would give it.
//
// RFC 1034, 4.3.2, 3 (a): "If the data at the node is a CNAME, and QTYPE doesn't match CNAME, copy the CNAME RR into the answer
// section of the response, change QNAME to the canonical name in the CNAME RR, and go back to step 1."
func (z *Zone) Answer(query *dnsmessage.Message) *dnsmessage.Message {
	m, ok := begin(query)
	if !ok {
		return m
	}
	m.Authoritative = true
	name, typ := m.Questions[0].Name, m.Questions[0].Type
	for range maxAliases {
		here, exists := z.at(name)
		if !exists {
			m.RCode = dnsmessage.RCodeNameError
			break
		}
		var alias *dnsmessage.CNAMEResource
		for _, r := range here {
			r.Header.Name = name // a wildcard's is another
			c, ok := r.Body.(*dnsmessage.CNAMEResource)
			if t := typeOf(r.Body); t == typ || typ == dnsmessage.TypeALL || ok {
				m.Answers = append(m.Answers, r)
			}
			if ok && typ != dnsmessage.TypeCNAME && typ != dnsmessage.TypeALL {
				alias = c
			}
		}
		if alias == nil {
			break
		}
		name = alias.CNAME
	}
	if !answersAt(m.Answers, name, typ) {
		z.addSOA(m, name)
	}
	return m
}

// answersAt reports whether answers has what was asked for at the end of the chain.
func answersAt(answers []dnsmessage.Resource, name dnsmessage.Name, typ dnsmessage.Type) bool {
	for i := range answers {
		if answers[i].Header.Name == name && (typ == dnsmessage.TypeALL || typeOf(answers[i].Body) == typ) {
			return true
		}
	}
	return false
}

// at returns what there is at name, and whether it exists. A name exists too if there is one below it.
func (z *Zone) at(name dnsmessage.Name) (here []dnsmessage.Resource, exists bool) {
	want := lower(name.String())
	for i := range z.Records {
		owner := lower(z.Records[i].Header.Name.String())
		if owner == want {
			here = append(here, z.Records[i])
		}
		exists = exists || owner == want || strings.HasSuffix(owner, "."+want)
	}
	for !exists {
		_, above, ok := strings.Cut(want, ".")
		if !ok || above == "" {
			break
		}
		for i := range z.Records {
			if lower(z.Records[i].Header.Name.String()) == "*."+above {
				here, exists = append(here, z.Records[i]), true
			}
		}
		want = above
	}
	return here, exists
}

// addSOA tells how long it may be kept that there is nothing at name (RFC 2308, 3): with the SOA record of the zone that it is in,
// if there is one.
func (z *Zone) addSOA(m *dnsmessage.Message, name dnsmessage.Name) {
	best := -1
	for i := range z.Records {
		r := &z.Records[i]
		owner := lower(r.Header.Name.String())
		if _, ok := r.Body.(*dnsmessage.SOAResource); !ok || owner != "." && !within(lower(name.String()), owner) {
			continue
		}
		if best < 0 || len(owner) > len(z.Records[best].Header.Name.String()) {
			best = i
		}
	}
	if best >= 0 {
		m.Authorities = append(m.Authorities, z.Records[best])
	}
}

// typeOf returns the type of a record.
func typeOf(b dnsmessage.ResourceBody) dnsmessage.Type {
	switch b := b.(type) {
	case *dnsmessage.AResource:
		return dnsmessage.TypeA
	case *dnsmessage.AAAAResource:
		return dnsmessage.TypeAAAA
	case *dnsmessage.CNAMEResource:
		return dnsmessage.TypeCNAME
	case *dnsmessage.MXResource:
		return dnsmessage.TypeMX
	case *dnsmessage.NSResource:
		return dnsmessage.TypeNS
	case *dnsmessage.PTRResource:
		return dnsmessage.TypePTR
	case *dnsmessage.SOAResource:
		return dnsmessage.TypeSOA
	case *dnsmessage.SRVResource:
		return dnsmessage.TypeSRV
	case *dnsmessage.TXTResource:
		return dnsmessage.TypeTXT
	case *dnsmessage.UnknownResource:
		return b.Type
	}
	return 0
}
