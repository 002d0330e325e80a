package ip

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// Config is what a Layer needs to know. Runtime must be set.
type Config struct {
	Runtime    clock.Runtime
	Seed       uint64        // secret of flow.Hash; shards are chosen by it
	Forwarding bool          // forward packets that are not ours: be a router
	Tracer     *trace.Tracer // may be nil
	Hooks      *hook.Table   // may be nil

	ReassemblyLimit int // octets of memory for fragments waiting for the others; 0: 4 MiB
	ICMPRate        int // ICMP errors of each kind a second; 0: 1000, negative: without limit
	ICMPBurst       int // and how many at once; 0: 50
}

// The defaults of Config.
const (
	defaultReassemblyLimit = 4 << 20
	defaultICMPRate        = 1000
	defaultICMPBurst       = 50
)

// Layer is the internet layer of one stack. Its methods may be called from any goroutine.
type Layer struct {
	cfg        Config
	rt         clock.Runtime
	shards     []*shard.Shard
	control    *shard.Shard
	transports [256]atomic.Pointer[Transport] // by protocol number

	generation atomic.Uint64 // of what Route answers
	paths      sharedPaths
	snap       atomic.Pointer[snapshot]
	settings   atomic.Pointer[Settings]
	policy     atomic.Pointer[addrsel.Policy]
	pmtu       pathMTUs
	ids        identifiers
	coalesced  coalesced
	sent       sentLately
	limits     limiters
	counters   mib.Set // of what no interface, queue or shard can count

	// Control locked.
	devices   []*device // by ascending index
	fib       *route.FIB
	routers   route.Routers // the gateways of fib's routes
	redirects redirects
	watching  shard.Node         // of unreachable routers, and of redirects
	nextIndex int32              // of the next interface
	settled   clock.Cond         // an address stopped being tentative, or anything was published; made at the first wait
	fragments reassembler        // both families
	expiry    shard.Node         // of fragments
	aging     shard.Node         // of pmtu
	retired   mib.Values         // counted by interfaces since removed
	onRoom    func(*shard.Shard) // see OnRoom
	closed    bool
	conf4     netif.IPv4 // of interfaces to come
	conf6     netif.IPv6 // likewise
	narrator  narrator   // set by Narrate
	narrating sync.Once
	watchers  watcher             // who wants to hear of changes
	raw       atomic.Pointer[Raw] // nil: nobody
	taps      []*tapped           // who sees frames
}

// snapshot is the configuration as the packet path sees it. It is immutable.
type snapshot struct {
	*netif.Snapshot
	generation uint64 // its own; Layer.generation counts more than snapshots
	routes     *route.FIB
	devices    []*device // by interface index
}

// vrfOf returns the table of the VRF that the interface with the given index is in; 0: none.
func (s *snapshot) vrfOf(index int32) uint32 {
	if i := s.Interface(index); i != nil {
		return i.VRF
	}
	return 0
}

// device returns the device of the interface with the given index, or nil.
func (s *snapshot) device(index int32) *device {
	if index <= 0 || int(index) >= len(s.devices) {
		return nil
	}
	return s.devices[index]
}

// New returns a layer with nothing but its loopback interface "lo". Call SetShards before adding another.
func New(cfg Config) *Layer {
	if cfg.ReassemblyLimit == 0 {
		cfg.ReassemblyLimit = defaultReassemblyLimit
	}
	if cfg.ICMPRate == 0 {
		cfg.ICMPRate = defaultICMPRate
	}
	if cfg.ICMPBurst == 0 {
		cfg.ICMPBurst = defaultICMPBurst
	}
	l := &Layer{cfg: cfg, rt: cfg.Runtime, nextIndex: netif.LoopbackIndex}
	l.counters.Tracer = cfg.Tracer
	l.control = shard.New(cfg.Runtime, -1, l.Transmitter(0))
	l.control.Counters.Tracer = cfg.Tracer
	l.settings.Store(cfg.settings())
	l.policy.Store(addrsel.DefaultPolicy)
	l.ids.init(cfg.Runtime)
	l.conf4, l.conf6 = netif.NewIPv4(), netif.NewIPv6()
	l.limits.secret = l.ids.secret ^ 0xd1342543de82ef95
	l.fragments.memory.limit, l.fragments.memory.secret = cfg.ReassemblyLimit, l.ids.secret*0x94d049bb133111eb
	l.expiry.Owner = (*reassemblyTimer)(l)
	l.aging.Owner = (*pathMTUTimer)(l)
	l.watching.Owner = (*routerTimer)(l)
	l.routers.Added, l.routers.Removed = l.routerAdded, l.routerRemoved
	l.fib = route.New(&l.routers, l.random())

	l.control.Lock()
	l.addLoopback()
	l.control.Unlock()
	return l
}

// Snapshot returns the interfaces and their addresses as they are now.
func (l *Layer) Snapshot() *netif.Snapshot { return l.snap.Load().Snapshot }

// Assigned reports whether a is a unicast address of ours that packets may be sent from: on the interface with
// index scope for a link-local one (0: on any).
func (l *Layer) Assigned(a wire.Addr, scope uint32) bool {
	s := l.snap.Load()
	if a.NeedsScope() && scope == 0 {
		for _, i := range s.Interfaces {
			if s.Lookup(a, i.Index).Kind == netif.Unicast {
				return true
			}
		}
		return false
	}
	return s.Lookup(a, int32(scope)).Kind == netif.Unicast
}

// AddCounters adds to v what the layer counted: not what the shards of SetShards did.
func (l *Layer) AddCounters(v *mib.Values) {
	l.counters.AddTo(v)
	l.control.Counters.AddTo(v)
	l.control.Lock()
	defer l.control.Unlock()
	v.Add(&l.retired)
	for _, d := range l.devices {
		d.addCounters(v)
	}
}

// Close removes all interfaces, closes their links, and ends all timers. Packets still waiting are freed. The errors
// are those of closing the links, joined.
func (l *Layer) Close() error {
	l.control.Lock()
	l.closed = true
	if l.watchers != nil {
		l.watchers.end()
	}
	var all []int32
	for _, d := range l.devices {
		if d.lk != nil {
			all = append(all, d.index)
		}
	}
	l.control.Unlock()
	var errs []error
	for _, i := range all {
		errs = append(errs, l.RemoveInterface(i))
	}
	l.control.Lock()
	l.fragments.flush()
	l.control.Disarm(&l.expiry)
	l.control.Disarm(&l.watching)
	l.wake()
	l.control.Unlock()
	l.control.Close()
	return errors.Join(errs...)
}
