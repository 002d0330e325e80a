package dns

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// Options are the habits of a resolver. The zero value is usable.
type Options struct {
	// Ndots is how many dots a name must have to be looked up as it is before it is looked up in the search list; 0: 1, negative:
	// none.
	Ndots int

	// Timeout is how long an answer is waited for before the next server is asked; 0: 5 s.
	Timeout time.Duration

	// Attempts is how often each server is asked; 0: 2.
	Attempts int

	// Rotate begins each query with another server, so that all have their part; otherwise it begins with the first.
	Rotate bool

	// CacheSize is the most octets that answers are kept in; 0: 1 MiB, negative: none are kept.
	CacheSize int
}

// The defaults of Options: those of resolv.conf(5), and a cache of some thousand answers.
const (
	defaultNdots     = 1
	defaultTimeout   = 5 * time.Second
	defaultAttempts  = 2
	defaultCacheSize = 1 << 20
)

// Config is what a Resolver is made of. Runtime, Dial and Servers must be set.
type Config struct {
	Options

	// Runtime is the time it lives in.
	Runtime clock.Runtime

	// Dial connects to a server's address on network "udp" or "tcp". A UDP connection has a random port of its own and receives
	// from nobody else.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Servers returns whom to ask, in order. It is called for each lookup.
	Servers func() []netip.AddrPort

	// Search returns the domains that names are looked up in, in order; nil: none. It is called for each lookup.
	Search func() []string

	// Hosts are addresses of names that are not asked for, as /etc/hosts has them.
	Hosts Hosts

	// Sort puts the addresses of a host in the order in which they had best be tried; nil: IPv6 first.
	Sort func([]netip.Addr)
}

// Resolver looks names up. Its methods may be called at once from several goroutines.
type Resolver struct {
	cfg    Config
	client Client
	life   context.Context // until Close
	end    context.CancelFunc

	mu      sync.Mutex
	asked   []netip.AddrPort // the servers, as Servers returned them last
	servers map[netip.AddrPort]*serverState
	turn    int // of Rotate
	cache   cache
	flights map[question]*flight
	closed  bool
}

// New returns a resolver.
func New(cfg Config) *Resolver {
	o := &cfg.Options
	switch {
	case o.Ndots == 0:
		o.Ndots = defaultNdots
	case o.Ndots < 0:
		o.Ndots = 0
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Attempts <= 0 {
		o.Attempts = defaultAttempts
	}
	if o.CacheSize == 0 {
		o.CacheSize = defaultCacheSize
	}
	r := &Resolver{cfg: cfg, client: Client{Runtime: cfg.Runtime, Dial: cfg.Dial, Timeout: o.Timeout},
		servers: map[netip.AddrPort]*serverState{}, flights: map[question]*flight{}}
	r.life, r.end = context.WithCancel(context.Background())
	r.cache.init(o.CacheSize)
	return r
}

// Close ends the lookups under way with net.ErrClosed; those to come fail with it too.
func (r *Resolver) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.flush()
	r.end()
}

// Flush forgets the answers kept, and how servers have behaved.
func (r *Resolver) Flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flush()
}

func (r *Resolver) flush() {
	r.cache.flush()
	clear(r.servers)
	clear(r.flights) // what comes of them is for those who asked before
}

// random returns a random number below n, which is not 0.
func (r *Resolver) random(n int) int {
	var b [8]byte
	r.cfg.Runtime.Entropy(b[:])
	return int(binary.BigEndian.Uint64(b[:]) % uint64(n))
}
