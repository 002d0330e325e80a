package dns_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink/dns"
)

const small = "www.example 60 A 192.0.2.80"

// RFC 1035, 4.2.1: "The client should try other servers and server addresses before repeating a query to a specific address of a
// server." What is no answer is followed by another server at once.
func TestNextServer(t *testing.T) {
	for name, c := range map[string]struct {
		first behavior
		after time.Duration
	}{
		"silent":           {silent, 5 * time.Second},
		"server failure":   {code(dnsmessage.RCodeServerFailure), 0},
		"refused":          {code(dnsmessage.RCodeRefused), 0},
		"a lame referral":  {lame, 0},
		"malformed answer": {malformed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, dns.Options{}, func(r *rig) {
				r.serve(first, c.first)
				r.serve(second, from(t, small))
				began := time.Now()
				r.want("www.example", "192.0.2.80")
				r.wantTook(began, c.after)
				r.wantQueries("192.0.2.53 udp edns1232 A www.example.", "2001:db8::53 udp edns1232 A www.example.")
			})
		})
	}
}

// lame neither knows nor asks others.
func lame(_ string, q *dnsmessage.Message, send func(*dnsmessage.Message)) {
	m := (&dns.Zone{}).Answer(q)
	m.RCode, m.Authoritative, m.RecursionAvailable = dnsmessage.RCodeSuccess, false, false
	send(m)
}

// malformed answers with a record whose name points to nowhere.
func malformed(_ string, q *dnsmessage.Message, send func(*dnsmessage.Message)) {
	m := (&dns.Zone{}).Answer(q)
	m.RCode = dnsmessage.RCodeSuccess
	m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Class: dnsmessage.ClassINET},
		Body: &dnsmessage.UnknownResource{Type: dnsmessage.TypeMX, Data: []byte{0, 1, 0xff, 0xff}}}}
	send(m)
}

// A server that does not answer is asked last for a minute, and a server that is back is asked as before.
func TestSilentServerIsAskedLast(t *testing.T) {
	bubble(t, dns.Options{CacheSize: -1}, func(r *rig) {
		r.serve(first, silent)
		r.serve(second, from(t, small))
		r.want("www.example", "192.0.2.80")
		r.asked()
		began := time.Now()
		r.want("www.example", "192.0.2.80")
		r.wantTook(began, 0)
		r.wantQueries("2001:db8::53 udp edns1232 A www.example.")
		time.Sleep(time.Minute)
		r.serve(first, from(t, small))
		r.want("www.example", "192.0.2.80")
		r.wantQueries("192.0.2.53 udp edns1232 A www.example.")
	})
}

// Nobody answers: each server is asked twice, the second time without EDNS(0), and the error is a time-out.
func TestNobodyAnswers(t *testing.T) {
	bubble(t, dns.Options{Timeout: time.Second}, func(r *rig) {
		r.serve(first, silent)
		r.serve(second, silent)
		began := time.Now()
		_, err := r.lookup("ip4", "www.example")
		r.wantTook(began, 4*time.Second)
		e, ok := errors.AsType[*net.DNSError](err)
		if !ok || !e.IsTimeout || !e.IsTemporary || e.IsNotFound || e.Err != "i/o timeout" || e.Name != "www.example" || e.Server != second.String() {
			t.Errorf("%#v", err)
		}
		r.wantQueries("192.0.2.53 udp edns1232 A www.example.", "2001:db8::53 udp edns1232 A www.example.",
			"192.0.2.53 udp plain A www.example.", "2001:db8::53 udp plain A www.example.")
	})
}

func TestRotate(t *testing.T) {
	bubble(t, dns.Options{Rotate: true, CacheSize: -1}, func(r *rig) {
		r.serve(first, from(t, small))
		r.serve(second, from(t, small))
		for range 3 {
			r.want("www.example", "192.0.2.80")
		}
		r.wantQueries("192.0.2.53 udp edns1232 A www.example.", "2001:db8::53 udp edns1232 A www.example.", "192.0.2.53 udp edns1232 A www.example.")
	})
}

// RFC 6891, 7: "Responders that choose not to implement the protocol extensions defined in this document MUST respond with a
// return code (RCODE) of FORMERR to messages containing an OPT record in the additional section and MUST NOT include an OPT record
// in the response." 6.2.2: "it MAY issue queries without an OPT record. It MAY cache this knowledge for a brief time".
func TestEDNSFallback(t *testing.T) {
	for name, refuse := range map[string]func(m *dnsmessage.Message){
		"format error":    func(m *dnsmessage.Message) { m.RCode, m.Additionals = dnsmessage.RCodeFormatError, nil },
		"not implemented": func(m *dnsmessage.Message) { m.RCode, m.Additionals = dnsmessage.RCodeNotImplemented, nil },
		"no question": func(m *dnsmessage.Message) {
			m.RCode, m.Additionals, m.Questions = dnsmessage.RCodeFormatError, nil, nil
		},
		"another version": func(m *dnsmessage.Message) { m.Additionals[0].Header.TTL = 1 << 24 }, // the upper bits of BADVERS
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, dns.Options{CacheSize: -1}, func(r *rig) {
				z, err := dns.ParseZone(small)
				if err != nil {
					t.Fatal(err)
				}
				r.serve(first, func(_ string, q *dnsmessage.Message, send func(*dnsmessage.Message)) {
					m := z.Answer(q)
					if len(q.Additionals) > 0 {
						m.Answers = nil
						refuse(m)
					}
					send(m)
				})
				edns, plain := "192.0.2.53 udp edns1232 A www.example.", "192.0.2.53 udp plain A www.example."
				r.want("www.example", "192.0.2.80")
				r.wantQueries(edns, plain)
				r.want("www.example", "192.0.2.80")
				r.wantQueries(plain)
				time.Sleep(15 * time.Minute)
				r.want("www.example", "192.0.2.80")
				r.wantQueries(edns, plain)
			})
		})
	}
}

// RFC 1123, 6.1.3.2: "If the Answer section of the response is truncated and if the requester supports TCP, it SHOULD try the
// query again using TCP." "Truncated responses MUST NOT be saved".
func TestTruncated(t *testing.T) {
	z, err := dns.ParseZone(`long.example 60 TXT "` + strings.Repeat("x", 200) + `"` + "\nlong.example 60 TXT short")
	if err != nil {
		t.Fatal(err)
	}
	cut := func(network string, q *dnsmessage.Message, send func(*dnsmessage.Message)) {
		m := z.Answer(q)
		if network == "udp" {
			m.Truncated, m.Answers = true, m.Answers[:1]
		}
		send(m)
	}
	bubble(t, dns.Options{}, func(r *rig) {
		r.serve(first, cut)
		for range 2 {
			texts, err := r.LookupTXT(context.Background(), "long.example")
			if err != nil || len(texts) != 2 {
				t.Errorf("%q, %v", texts, err)
			}
		}
		r.wantQueries("192.0.2.53 udp edns1232 TXT long.example.", "192.0.2.53 tcp edns1232 TXT long.example.")
	})
	// No TCP there: the next server is asked.
	bubble(t, dns.Options{}, func(r *rig) {
		r.serve(first, func(network string, q *dnsmessage.Message, send func(*dnsmessage.Message)) {
			if network == "udp" {
				cut(network, q, send)
			}
		})
		r.serve(second, cut)
		texts, err := r.LookupTXT(context.Background(), "long.example")
		if err != nil || len(texts) != 2 {
			t.Errorf("%q, %v", texts, err)
		}
	})
}

// RFC 5452, 9.1: a response is taken only if its identifier and question are the query's.
func TestSpoofing(t *testing.T) {
	evil, err := dns.ParseZone("www.example 60 A 192.0.2.66\nwww.evil 60 A 192.0.2.66")
	if err != nil {
		t.Fatal(err)
	}
	z := from(t, small)
	for name, forge := range map[string]func(m *dnsmessage.Message){
		"identifier":     func(m *dnsmessage.Message) { m.ID++ },
		"name":           func(m *dnsmessage.Message) { m.Questions[0].Name = dnsmessage.MustNewName("www.evil.") },
		"type":           func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeAAAA },
		"class":          func(m *dnsmessage.Message) { m.Questions[0].Class = dnsmessage.ClassCHAOS },
		"a query":        func(m *dnsmessage.Message) { m.Response = false },
		"operation":      func(m *dnsmessage.Message) { m.OpCode = 5 },
		"no question":    func(m *dnsmessage.Message) { m.Questions = nil },
		"two questions":  func(m *dnsmessage.Message) { m.Questions = append(m.Questions, m.Questions[0]) },
		"other question": func(m *dnsmessage.Message) { m.Questions[0].Name = dnsmessage.MustNewName("www.exampl.") },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, dns.Options{}, func(r *rig) {
				r.serve(first, func(network string, q *dnsmessage.Message, send func(*dnsmessage.Message)) {
					forged := evil.Answer(q)
					forged.Questions = append([]dnsmessage.Question(nil), q.Questions...)
					forge(forged)
					send(forged)
					time.Sleep(time.Second)
					z(network, q, send)
				})
				began := time.Now()
				r.want("www.example", "192.0.2.80")
				r.wantTook(began, time.Second)
			})
		})
	}
	// The same letters in another case are the same name (RFC 1034, 3.1).
	bubble(t, dns.Options{}, func(r *rig) {
		r.serve(first, func(network string, q *dnsmessage.Message, send func(*dnsmessage.Message)) {
			q.Questions[0].Name = dnsmessage.MustNewName("WWW.eXample.")
			z(network, q, send)
		})
		r.want("www.example", "192.0.2.80")
	})
}

// Identifiers are random: of 64 no two are in sequence, nor are many equal.
func TestIdentifiers(t *testing.T) {
	bubble(t, dns.Options{CacheSize: -1}, func(r *rig) {
		var ids []uint16
		z := from(t, small)
		r.serve(first, func(network string, q *dnsmessage.Message, send func(*dnsmessage.Message)) {
			ids = append(ids, q.ID)
			z(network, q, send)
		})
		seen := map[uint16]bool{}
		for range 64 {
			r.want("www.example", "192.0.2.80")
		}
		for i, id := range ids {
			if i > 0 && id == ids[i-1]+1 {
				t.Errorf("%d follows %d", id, ids[i-1])
			}
			seen[id] = true
		}
		if len(seen) < 60 {
			t.Errorf("%d identifiers of 64 queries", len(seen))
		}
	})
}

// Other servers: what the old ones said is forgotten.
func TestServersChange(t *testing.T) {
	bubble(t, dns.Options{}, func(r *rig) {
		r.serve(first, from(t, small))
		r.want("www.example", "192.0.2.80")
		r.want("www.example", "192.0.2.80")
		r.asked()
		r.mu.Lock()
		r.answer = map[netip.AddrPort]behavior{second: from(t, "www.example 60 A 192.0.2.81")}
		r.mu.Unlock()
		r.want("www.example", "192.0.2.81")
		r.wantQueries("2001:db8::53 udp edns1232 A www.example.")
		r.mu.Lock()
		r.answer = nil
		r.mu.Unlock()
		if _, err := r.lookup("", "www.example"); !errors.Is(err, dns.ErrNoServer) {
			t.Errorf("no server: %v", err)
		}
	})
}
