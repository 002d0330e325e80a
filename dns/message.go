package dns

import (
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink/clock"
)

// newQuery returns the message that asks q, with or without EDNS(0).
func newQuery(id uint16, q question, edns bool) ([]byte, error) {
	name, err := dnsmessage.NewName(q.name)
	if err != nil {
		return nil, err
	}
	b := dnsmessage.NewBuilder(make([]byte, 0, 512), dnsmessage.Header{ID: id, RecursionDesired: true})
	if err := b.StartQuestions(); err != nil {
		return nil, err
	}
	if err := b.Question(dnsmessage.Question{Name: name, Type: q.typ, Class: dnsmessage.ClassINET}); err != nil {
		return nil, err
	}
	if edns {
		if err := b.StartAdditionals(); err != nil {
			return nil, err
		}
		var h dnsmessage.ResourceHeader
		if err := h.SetEDNS0(Payload, dnsmessage.RCodeSuccess, false); err != nil {
			return nil, err
		}
		if err := b.OPTResource(h, dnsmessage.OPTResource{}); err != nil {
			return nil, err
		}
	}
	return b.Finish()
}

// The response codes that package dnsmessage has no names for.
const (
	rcodeBadVersion = dnsmessage.RCode(16) // RFC 6891, 9
)

// response is what a server said.
type response struct {
	dnsmessage.Header  // with the RCode that EDNS(0) extends
	answers, authority []dnsmessage.Resource
	edns               bool // there is an OPT record
}

// parseResponse reads a message. RFC 1035, 7.3: "Parse the sections of the message, and insure that all RRs are correctly
// formatted." What is in the additional section is not used, and not read but for the OPT record.
func parseResponse(b []byte) (r response, err error) {
	var p dnsmessage.Parser
	if r.Header, err = p.Start(b); err != nil {
		return r, err
	}
	if err = p.SkipAllQuestions(); err != nil {
		return r, err
	}
	if r.answers, err = p.AllAnswers(); err != nil {
		return r, err
	}
	if r.authority, err = p.AllAuthorities(); err != nil {
		return r, err
	}
	for {
		h, err := p.AdditionalHeader()
		if err == dnsmessage.ErrSectionDone {
			return r, nil
		}
		if err != nil {
			return r, err
		}
		if h.Type == dnsmessage.TypeOPT {
			r.edns, r.RCode = true, h.ExtendedRCode(r.RCode)
		}
		if err := p.SkipAdditional(); err != nil {
			return r, err
		}
	}
}

// Answer is what there is of one type under a name.
type Answer struct {
	// Name is where it is: the name asked for with a dot at its end, or the one that this is an alias of (CNAME).
	Name string
	// Records are those of the type asked for; none: the name has none, or does not exist.
	Records []dnsmessage.Resource
	// Server is who said so; not valid: nobody was asked.
	Server netip.AddrPort

	rcode   dnsmessage.RCode // success or name error
	expires clock.Instant    // until when it may be kept; not after now: not at all
	partial bool             // Name is an alias' target of which the server did not tell what there is
}

// maxTTL is how long an answer is kept at most. RFC 1035, 7.3: "excessively long TTL, say greater than 1 week, either discard the
// whole response, or limit all TTLs in the response to 1 week". A day is what it takes to be better than the server's own cache.
const maxTTL = 24 * 60 * 60

// maxNegativeTTL is how long it is kept at most that there is no answer: RFC 2308, 5, finds one to three hours sensible.
const maxNegativeTTL = 3 * 60 * 60

// seconds returns a TTL. RFC 2181, 8: one whose most significant bit is set is to be treated as zero.
func seconds(ttl, most uint32) uint32 {
	if ttl>>31 != 0 {
		return 0
	}
	return min(ttl, most)
}

// maxAliases is how many aliases are followed.
const maxAliases = 16

// answer takes what answers q from r, whose code is success or name error: the records of its type at the end of the chain of
// aliases that begins with its name. All else is passed over. Errors: that the chain does not end.
func (r *response) answer(now clock.Instant, q question) (Answer, error) {
	a := Answer{Name: q.name, rcode: r.RCode}
	ttl := uint32(maxTTL)
	for range maxAliases {
		records, alias, least := r.at(a.Name, q.typ)
		ttl = min(ttl, least)
		if r.RCode == dnsmessage.RCodeNameError {
			records = nil // RFC 1035, 4.1.1: "the domain name referenced in the query does not exist"
		}
		if a.Records = records; alias != "" && len(records) == 0 {
			a.Name = alias
			continue
		}
		if len(records) == 0 {
			negative, known := r.negativeTTL()
			a.partial = !known && r.RCode == dnsmessage.RCodeSuccess && lower(a.Name) != q.name
			if !a.partial {
				ttl = min(ttl, negative)
			}
		}
		a.expires = now.Add(time.Duration(ttl) * time.Second)
		return a, nil
	}
	return Answer{}, errAliases
}

// at returns what the answer section has under a name: the records of a type, what it is an alias of, and the least TTL of these.
func (r *response) at(name string, typ dnsmessage.Type) (records []dnsmessage.Resource, alias string, ttl uint32) {
	name, ttl = lower(name), maxTTL
	for i := range r.answers {
		h := &r.answers[i].Header
		if h.Class != dnsmessage.ClassINET || lower(h.Name.String()) != name {
			continue
		}
		c, aliased := r.answers[i].Body.(*dnsmessage.CNAMEResource)
		switch {
		case h.Type == typ:
			records = append(records, r.answers[i])
		case aliased && alias == "":
			alias = c.CNAME.String()
		default:
			continue
		}
		ttl = min(ttl, seconds(h.TTL, maxTTL))
	}
	return records, alias, ttl
}

// negative reports whether the response tells that there is no answer.
func (r *response) negative() bool {
	_, known := r.negativeTTL()
	return known
}

// negativeTTL returns how long it may be kept that there is no answer; known reports that the response tells so.
//
// RFC 2308, 5: the lesser of the MINIMUM field of the SOA record in the authority section and its own TTL; without one it should
// not be kept.
func (r *response) negativeTTL() (ttl uint32, known bool) {
	for i := range r.authority {
		if soa, ok := r.authority[i].Body.(*dnsmessage.SOAResource); ok {
			return min(seconds(soa.MinTTL, maxNegativeTTL), seconds(r.authority[i].Header.TTL, maxNegativeTTL)), true
		}
	}
	return 0, false
}
