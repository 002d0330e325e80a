package dns_test

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink/dns"
)

// RFC 1123, 6.1.3.1: "a local caching function to avoid repeated remote access for identical requests, and MUST time out information
// in the cache". An answer is kept as long as the record that ends first.
func TestCache(t *testing.T) {
	for _, c := range []struct {
		name    string
		records string
		ttl     time.Duration // 0: not kept
	}{
		{"TTL", "www.example 60 A 192.0.2.1", time.Minute},
		{"the least TTL", "www.example 60 A 192.0.2.1\nwww.example 30 A 192.0.2.2", 30 * time.Second},
		{"an alias' TTL", "www.example 20 CNAME a.example\na.example 60 A 192.0.2.1", 20 * time.Second},
		{"an alias' target's TTL", "www.example 20 CNAME a.example\na.example 10 A 192.0.2.1", 10 * time.Second},
		{"no TTL", "www.example 0 A 192.0.2.1", 0},
		{"a week", "www.example 604800 A 192.0.2.1", 24 * time.Hour},
		// RFC 2308, 5: the lesser of the SOA record's MINIMUM and its TTL.
		{"no such name", "example 60 SOA a.example b.example 1 1 1 1 30", 30 * time.Second},
		{"no such name, TTL", "example 20 SOA a.example b.example 1 1 1 1 30", 20 * time.Second},
		{"no such name, long", "example 604800 SOA a.example b.example 1 1 1 1 604800", 3 * time.Hour},
		{"no data", "www.example 60 TXT x\nexample 60 SOA a.example b.example 1 1 1 1 30", 30 * time.Second},
		{"no SOA", "www.example 60 TXT x", 0},
		{"no target", "www.example 10 CNAME a.example\nexample 60 SOA a.example b.example 1 1 1 1 30", 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, dns.Options{}, func(r *rig) {
				r.serve(first, from(t, c.records))
				query := "192.0.2.53 udp edns1232 A www.example."
				one, two := r.lookup("ip4", "www.example")
				r.wantQueries(query)
				if c.ttl > 0 {
					time.Sleep(c.ttl - time.Nanosecond)
					again, err := r.lookup("ip4", "WWW.example.")
					if again != one || (err == nil) != (two == nil) {
						t.Errorf("kept %q, %v; was %q, %v", again, err, one, two)
					}
					r.wantQueries()
					time.Sleep(time.Nanosecond)
				}
				r.lookup("ip4", "www.example")
				r.wantQueries(query)
			})
		})
	}
}

// RFC 2181, 8: a TTL whose most significant bit is set is zero.
func TestNegativeTTL(t *testing.T) {
	bubble(t, dns.Options{}, func(r *rig) {
		r.serve(first, func(_ string, q *dnsmessage.Message, send func(*dnsmessage.Message)) {
			z, err := dns.ParseZone(small)
			if err != nil {
				t.Error(err)
			}
			z.Records[0].Header.TTL = 1<<31 | 60
			send(z.Answer(q))
		})
		r.want("www.example", "192.0.2.80")
		r.want("www.example", "192.0.2.80")
		if n := len(r.asked()); n != 2 {
			t.Errorf("%d queries", n)
		}
	})
}

// RFC 2308, 5: that a name does not exist holds for all types; that it has no records of a type, for this type.
func TestNegativeCacheOfTypes(t *testing.T) {
	const soa = "\nexample 60 SOA a.example b.example 1 1 1 1 60"
	bubble(t, dns.Options{}, func(r *rig) {
		r.serve(first, from(t, "www.example 60 TXT x"+soa))
		for _, name := range []string{"none.example", "www.example"} {
			r.lookup("ip4", name)
			r.lookup("ip6", name)
		}
		if _, err := r.LookupTXT(r.Context(), "www.example"); err != nil {
			t.Error(err)
		}
		r.wantQueries("192.0.2.53 udp edns1232 A none.example.", "192.0.2.53 udp edns1232 A www.example.",
			"192.0.2.53 udp edns1232 AAAA www.example.", "192.0.2.53 udp edns1232 TXT www.example.")
	})
}

// What servers fail at is asked for again.
func TestFailuresAreNotKept(t *testing.T) {
	bubble(t, dns.Options{Attempts: 1}, func(r *rig) {
		r.serve(first, code(dnsmessage.RCodeServerFailure))
		r.lookup("ip4", "www.example")
		r.serve(first, from(t, small))
		r.want("www.example", "192.0.2.80")
	})
}

// The cache is bounded: what was not used for longest goes.
func TestCacheIsBounded(t *testing.T) {
	bubble(t, dns.Options{CacheSize: 20_000}, func(r *rig) {
		r.serve(first, from(t, "*.example 3600 A 192.0.2.1"))
		name := func(i int) string { return fmt.Sprintf("host%d.example", i) }
		for i := range 100 {
			r.want(name(i), "192.0.2.1")
			r.want(name(0), "192.0.2.1")
		}
		r.asked()
		r.want(name(0), "192.0.2.1")
		r.wantQueries()
		kept := 0
		for i := 99; i >= 0; i-- {
			r.want(name(i), "192.0.2.1")
			if len(r.asked()) > 0 {
				break
			}
			kept++
		}
		if kept < 5 || kept > 40 {
			t.Errorf("%d of 100 answers were kept in 20,000 octets", kept)
		}
		r.Flush()
		r.want(name(0), "192.0.2.1")
		r.wantQueries("192.0.2.53 udp edns1232 A host0.example.")
	})
}
