package ip

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// counter is a transport that counts, and echoes what it got if it can find the way.
type counter struct {
	l       *Layer
	n, errs atomic.Int64
	echo    bool
}

func (c *counter) Protocol() uint8 { return wire.ProtoUDP }

func (c *counter) Input(sh *shard.Shard, now clock.Instant, p *packet.Buffer) Disposition {
	c.n.Add(1)
	if !c.echo {
		p.Free()
		return Delivered
	}
	path, err := c.l.Route(now, Query{Src: p.Dst, Dst: p.Src, Scope: flow.ScopeOf(p.Src, p.In)})
	if err == nil {
		r := packet.From(p.Bytes())
		c.l.Output(path, &Params{Proto: wire.ProtoUDP}, r)
		sh.Stage(r)
	}
	p.Free()
	return Delivered
}

func (c *counter) Error(*shard.Shard, clock.Instant, *Error) { c.errs.Add(1) }

func realLayer(rt clock.Runtime, forwarding bool, shards int) (*Layer, *counter) {
	l := New(Config{Runtime: rt, Seed: 3, Forwarding: forwarding})
	var all []*shard.Shard
	for i := range shards {
		all = append(all, shard.New(rt, i, l.Transmitter(i)))
	}
	l.SetShards(all)
	c := &counter{l: l}
	l.Register(c)
	return l, c
}

func attach(t *testing.T, l *Layer, name string, lk link.Link, addrs ...string) int32 {
	t.Helper()
	i, err := l.AddInterface(name, lk, netif.Config{DupAddrDetectTransmits: -1})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if err := l.AddAddress(i.Index, netip.MustParsePrefix(a), netif.AddressOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return i.Index
}

// Two hosts and a router in real time, with senders on many goroutines while the configuration changes: for the race
// detector, and so that nothing waits for ever.
func TestConcurrent(t *testing.T) {
	rt := clock.NewReal()
	ab, ba := mem.Pair(mem.Config{Runtime: rt})
	bc, cb := mem.Pair(mem.Config{Runtime: rt})
	a, got := realLayer(rt, false, 4)
	b, _ := realLayer(rt, true, 2)
	c, echo := realLayer(rt, false, 3)
	echo.echo = true
	attach(t, a, "eth0", ab, "10.0.1.2/24", "2001:db8:1::2/64")
	attach(t, b, "eth0", ba, "10.0.1.1/24", "2001:db8:1::1/64")
	attach(t, b, "eth1", bc, "10.0.2.1/24", "2001:db8:2::1/64")
	attach(t, c, "eth0", cb, "10.0.2.2/24", "2001:db8:2::2/64")
	for l, gw := range map[*Layer][]string{a: {"10.0.1.1", "2001:db8:1::1"}, c: {"10.0.2.1", "2001:db8:2::1"}} {
		for i, p := range []string{"0.0.0.0/0", "::/0"} {
			if err := l.AddRoute(route.Route{Prefix: netip.MustParsePrefix(p), Gateway: netip.MustParseAddr(gw[i])}); err != nil {
				t.Fatal(err)
			}
		}
	}
	var senders, changer sync.WaitGroup
	stop := make(chan struct{})
	for g := range 6 {
		senders.Go(func() {
			dst := a4("10.0.2.2")
			if g%2 == 1 {
				dst = a6("2001:db8:2::2")
			}
			var path *Path
			for i := range 400 {
				if path == nil || !a.Valid(path) {
					var err error
					if path, err = a.Route(rt.Now(), Query{Dst: dst}); err != nil {
						t.Error(err)
						return
					}
				}
				n := 100
				if i%10 == 0 {
					n = 4000 // in fragments
				}
				p := packet.New(n)
				clear(p.Bytes())
				wire.PutUDP(p.Bytes(), uint16(1000+g), uint16(i), n)
				a.Output(path, &Params{Proto: wire.ProtoUDP}, p)
				sh := a.shards[g%4]
				sh.Lock()
				sh.Stage(p)
				sh.Unlock()
				a.Confirm(path, rt.Now())
				if i%20 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	changer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			x, y := mem.Pair(mem.Config{Runtime: rt})
			index := attach(t, b, fmt.Sprint("x", i), x, fmt.Sprintf("10.9.%d.1/24", i%200))
			attach(t, c, fmt.Sprint("y", i), y)
			b.WaitReady(context.Background(), index)
			a.AddCounters(new(mib.Values))
			b.Routes()
			if err := b.RemoveInterface(index); err != nil {
				t.Error(err)
			}
		}
	})
	senders.Wait()
	close(stop)
	changer.Wait()
	if got.n.Load() == 0 || echo.n.Load() == 0 {
		t.Errorf("%d echoed, %d came back", echo.n.Load(), got.n.Load())
	}
	for _, l := range []*Layer{a, b, c} {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	rt.Drain()
}
