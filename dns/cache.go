package dns

import (
	"container/list"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink/clock"
)

// cache keeps answers until they expire, or are those not used for longest when there is no room.
//
// RFC 1123, 6.1.3.1: "a local caching function to avoid repeated remote access for identical requests, and MUST time out
// information in the cache".
type cache struct {
	limit   int // octets
	octets  int
	entries map[question]*list.Element // of *cached
	used    list.List                  // the latest first
}

// cached is an answer kept.
type cached struct {
	q      question
	a      Answer
	octets int
}

// anyType stands for all types, in the question of a name that does not exist.
const anyType = dnsmessage.TypeALL

func (c *cache) init(limit int) {
	c.limit = limit
	c.flush()
}

func (c *cache) flush() {
	c.octets, c.entries = 0, map[question]*list.Element{}
	c.used.Init()
}

// find returns the answer to q, if it is kept and has not expired. RFC 2308, 5: that a name does not exist holds for all types.
func (c *cache) find(now clock.Instant, q question) (Answer, bool) {
	for _, q := range [...]question{q, {q.name, anyType}} {
		e := c.entries[q]
		if e == nil {
			continue
		}
		if k := e.Value.(*cached); now < k.a.expires {
			c.used.MoveToFront(e)
			return k.a, true
		}
		c.delete(e)
	}
	return Answer{}, false
}

// keep keeps an answer to q.
func (c *cache) keep(now clock.Instant, q question, a Answer) {
	if a.expires <= now {
		return
	}
	if a.rcode == dnsmessage.RCodeNameError && lower(a.Name) == q.name {
		q.typ = anyType
	}
	if old := c.entries[q]; old != nil {
		c.delete(old)
	}
	k := &cached{q, a, sizeOf(q, &a)}
	if k.octets > c.limit {
		return
	}
	for c.octets+k.octets > c.limit {
		c.delete(c.used.Back())
	}
	c.entries[q] = c.used.PushFront(k)
	c.octets += k.octets
}

func (c *cache) delete(e *list.Element) {
	k := c.used.Remove(e).(*cached)
	delete(c.entries, k.q)
	c.octets -= k.octets
}

// sizeOf returns about how many octets of memory an answer takes. A record has its owner's name, of fixed size, and a body, which
// has another, or octets.
func sizeOf(q question, a *Answer) int {
	const entry, record = 512, 640
	n := entry + len(q.name) + len(a.Name) + record*len(a.Records)
	for i := range a.Records {
		n += int(a.Records[i].Header.Length)
	}
	return n
}
