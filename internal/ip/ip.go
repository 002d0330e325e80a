package ip

import (
	"sync/atomic"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"

	"context"
	"net/netip"

	"github.com/onlink-go/onlink/link"
)

// Config is what a Layer needs to know. Runtime must be set.
type Config struct {
	Runtime    clock.Runtime
	Seed       uint64        // secret of flow.Hash; shards are chosen by it
	Forwarding bool          // forward packets that are not ours: be a router
	Tracer     *trace.Tracer // may be nil
}

// Layer is the internet layer of one stack.
type Layer struct {
	cfg        Config
	rt         clock.Runtime
	shards     []*shard.Shard
	control    *shard.Shard
	transports [256]Transport
	generation atomic.Uint64
}

func New(cfg Config) *Layer { return &Layer{cfg: cfg, rt: cfg.Runtime} }

// Route decides how to send to q.Dst.
func (l *Layer) Route(now clock.Instant, q Query) (*Path, error) { return nil, nil }

// RouteInto is Route with the result in *p, for those who send to many destinations.
func (l *Layer) RouteInto(now clock.Instant, q *Query, p *Path) error { return nil }

// Output is step 9 up to the link: the internet header.
func (l *Layer) Output(path *Path, pr *Params, p *packet.Buffer) {}

// Transmit sends what shards staged.
func (l *Layer) Transmit(out *packet.Batch) {}

// Assigned reports whether a is a unicast address of ours that may be sent from, on the interface scope for link-local ones.
func (l *Layer) Assigned(a wire.Addr, scope uint32) bool { return false }

// Snapshot returns the interfaces as they are.
func (l *Layer) Snapshot() *netif.Snapshot { return nil }

// Routes lists the routes, those of addresses included.
func (l *Layer) Routes() []route.Route { return nil }

// AddInterface makes lk an interface and attaches to it.
func (l *Layer) AddInterface(name string, lk link.Link, cfg netif.Config) (*netif.Interface, error) {
	return nil, nil
}

// RemoveInterface detaches from the interface's link, and waits until no call from it is under way.
func (l *Layer) RemoveInterface(index int32) error { return nil }

// AddAddress gives the interface an address; host bits are the address, the prefix is on-link.
func (l *Layer) AddAddress(index int32, a netip.Prefix, opt netif.AddressOptions) error { return nil }

// RemoveAddress takes it away.
func (l *Layer) RemoveAddress(index int32, a netip.Addr) error { return nil }

// AddRoute adds a static route.
func (l *Layer) AddRoute(r route.Route) error { return nil }

// RemoveRoute removes it.
func (l *Layer) RemoveRoute(r route.Route) error { return nil }

// WaitReady waits until no address of the interface is tentative. The error is ctx.Err() or a *DuplicateError.
func (l *Layer) WaitReady(ctx context.Context, index int32) error { return nil }

// WaitSettled waits until Route(q) has an answer other than ErrTentative, and returns it, or ctx.Err().
func (l *Layer) WaitSettled(ctx context.Context, q Query) (*Path, error) { return nil, nil }

// AddCounters adds up what the layer counted into v.
func (l *Layer) AddCounters(v *mib.Values) {}

// Close detaches from all links and ends all timers.
func (l *Layer) Close() error { return nil }
