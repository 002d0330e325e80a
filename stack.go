package onlink

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/dns"
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcpsock"
	"github.com/onlink-go/onlink/internal/udp"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/trace"
)

// Stack is a host or router: interfaces, addresses, routes and sockets of its own, inside this program. All
// methods may be called at once from several goroutines.
type Stack struct {
	rt     clock.Runtime
	own    *clock.Real // rt, if New made it
	cfg    Config
	tracer trace.Tracer
	hooks  hook.Table
	shards []*shard.Shard
	ip     *ip.Layer
	tcp    *tcpsock.Layer
	names  nameSources
	known  dns.Hosts // Config.Hosts

	resolver, udpSockets, pingSockets, rawSockets, frameSockets late

	closing sync.Once

	memberships staticGroups

	// idle holds the sysctls that have no effect.
	idle struct {
		sync.Mutex
		values map[string]string
	}
}

// New makes a stack with nothing but its loopback interface. It starts no goroutine. Errors name the field of
// cfg that is wrong.
func New(cfg Config) (*Stack, error) {
	if cfg.Shards < 0 || cfg.Shards > maxShards {
		return nil, fmt.Errorf("onlink: Config.Shards is %d: must be between 0 and %d", cfg.Shards, maxShards)
	}
	if err := cfg.TCP.check(); err != nil {
		return nil, err
	}
	if err := cfg.checkNames(); err != nil {
		return nil, err
	}
	s := &Stack{rt: cfg.Runtime, cfg: cfg}
	if s.rt == nil {
		s.own = clock.NewReal()
		s.rt = s.own
	}
	if cfg.Shards == 0 {
		cfg.Shards = 1
		if s.own != nil {
			cfg.Shards = flow.Parts(runtime.GOMAXPROCS(0))
		}
	}
	var seed [8]byte
	s.rt.Entropy(seed[:])
	s.ip = ip.New(ip.Config{Runtime: s.rt, Seed: binary.BigEndian.Uint64(seed[:]), Forwarding: cfg.Forwarding,
		Tracer: &s.tracer, Hooks: &s.hooks})
	for i := range cfg.Shards {
		s.shards = append(s.shards, s.newShard(i))
	}
	s.ip.SetShards(s.shards)
	s.tcp = tcpsock.New(s.rt, s.ip, len(s.shards), cfg.TCP.settings(), &s.tracer)
	s.ip.Register(udp.Nobody{})
	s.known = dns.NewHosts(cfg.Hosts)
	return s, nil
}

// maxShards is how many a stack may have: each takes some KiB.
const maxShards = 1024

func (s *Stack) newShard(index int) *shard.Shard {
	sh := shard.New(s.rt, index, s.ip.Transmitter(index))
	sh.Counters.Tracer = &s.tracer
	return sh
}

// Tracer is where the stack tells what it does. Add a trace.Sink to listen.
func (s *Stack) Tracer() *trace.Tracer {
	s.ip.Narrate()
	return &s.tracer
}

// Hook returns the chain of hooks at a point of packets' ways: package hook tells what they see and may do there. It panics if
// there is no such point.
func (s *Stack) Hook(at hook.Point) *hook.Chain { return s.hooks.Chain(at) }

// Runtime returns the time the stack lives in.
func (s *Stack) Runtime() clock.Runtime { return s.rt }

// Interface is an attachment of the stack to a link.
type Interface struct {
	stack *Stack
	i     *netif.Interface
}

// AddLink makes an interface of l, which the stack then owns: it closes l when it is closed itself. Its
// IPv6 addresses become usable when duplicate address detection is over, about a second later; WaitReady waits for
// that, and Dial waits by itself. Errors name what is wrong with name, l or cfg; l is closed then too.
func (s *Stack) AddLink(name string, l link.Link, cfg InterfaceConfig) (*Interface, error) {
	nc := netif.Config{MTU: cfg.MTU, NoOffload: cfg.NoOffload, VRF: uint32(cfg.VRF)}
	conf, err := s.ip.IPv6(0)
	if err == nil {
		nc.IPv6, err = cfg.IPv6.settings(conf)
	}
	if err == nil {
		err = cfg.settings4(&nc)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if cfg.DisableDAD {
		nc.DupAddrDetectTransmits = -1
	}
	i, err := s.ip.AddInterface(name, l, nc)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if err := s.configure(i.Index, cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("onlink: interface %s: %w", name, err), s.ip.RemoveInterface(i.Index))
	}
	return &Interface{s, i}, nil
}

// configure gives a new interface its addresses and default routes.
func (s *Stack) configure(index int32, cfg InterfaceConfig) error {
	for _, a := range cfg.Addresses {
		if err := s.ip.AddAddress(index, a, netif.AddressOptions{}); err != nil {
			return err
		}
	}
	for _, g := range cfg.Gateways {
		any := netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		if g.Unmap().Is4() {
			any = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		}
		if err := s.ip.AddRoute(route.Route{Prefix: any, Gateway: g.WithZone(""), Out: index}); err != nil {
			return err
		}
	}
	return nil
}

// Name returns the interface's name.
func (i *Interface) Name() string { return i.i.Name }

// Index returns the interface's number, which is never used again.
func (i *Interface) Index() int { return int(i.i.Index) }

// Addresses returns the interface's addresses with their prefix lengths, those still tentative included.
func (i *Interface) Addresses() []netip.Prefix {
	now := i.stack.ip.Snapshot().Interface(i.i.Index)
	if now == nil {
		return nil // removed
	}
	var addrs []netip.Prefix
	for k := range now.Addrs {
		addrs = append(addrs, now.Addrs[k].Prefix())
	}
	return addrs
}

// WaitReady waits until duplicate address detection of all the interface's addresses is over. Errors: ctx's, or
// one that names the address another station has, and that station.
func (i *Interface) WaitReady(ctx context.Context) error { return i.stack.ip.WaitReady(ctx, i.i.Index) }

// AddAddress adds an address with its prefix length. Errors name what is wrong with it.
func (i *Interface) AddAddress(p netip.Prefix) error {
	return i.stack.ip.AddAddress(i.i.Index, p, netif.AddressOptions{})
}

// RemoveAddress removes an address. Errors: EADDRNOTAVAIL if the interface does not have it.
func (i *Interface) RemoveAddress(a netip.Addr) error { return i.stack.ip.RemoveAddress(i.i.Index, a) }

// Remove takes the interface out of the stack and closes its link; the addresses, the routes through it and the name
// servers it has go too.
func (i *Interface) Remove() error {
	err := i.stack.ip.RemoveInterface(i.i.Index)
	if i.stack.names.remove(i.i.Index) {
		i.stack.tellNameServers(i.i.Index)
	}
	return err
}

// Close ends the stack: listeners, the sockets of datagrams and pings are ended, TCP connections closed in an orderly way; it waits
// until the peers have acknowledged what was written, or until ctx is done, and resets what is left; then the
// links are closed. When Close returns, no goroutine of the stack is left. A second Close does nothing. Errors:
// ctx.Err() if connections had to be reset, joined with those of closing links.
func (s *Stack) Close(ctx context.Context) error {
	var err error
	s.closing.Do(func() { err = s.close(ctx) })
	return err
}

func (s *Stack) close(ctx context.Context) error {
	s.resolver.close()
	reset := s.tcp.Close(ctx, s.shards)
	s.udpSockets.close()
	s.pingSockets.close()
	s.rawSockets.close()
	err := s.ip.Close()
	s.frameSockets.close() // last, to see the farewells
	for _, sh := range s.shards {
		sh.Close()
	}
	if s.own != nil {
		s.own.Drain()
	}
	if reset > 0 && ctx.Err() != nil {
		return opError("close", "tcp", nil, nil, ctx.Err())
	}
	return err
}
