package sim_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

// picture is a stack's state as far as changes are told of it: what identifies a thing, and the rest of it but for the
// lifetimes, which run.
type picture map[string]string

func (p picture) iface(i onlink.InterfaceState) { p[fmt.Sprint("if ", i.Index)] = i.Line() }
func (p picture) address(on string, a onlink.AddressState) {
	a.Valid, a.Preferred = 0, 0
	p[fmt.Sprint("addr ", on, a.Prefix.Addr())] = a.String()
}
func (p picture) route(r onlink.Route) {
	r.Expires = 0
	p[fmt.Sprint("route ", r.Prefix, r.Table, r.Type, r.Gateway, r.Interface, r.Metric)] = r.String()
}
func (p picture) neighbor(n onlink.Neighbor) {
	p[fmt.Sprint("neigh ", n.Interface, n.Addr)] = n.String()
}
func (p picture) rule(r onlink.Rule)          { p[fmt.Sprint("rule ", r.IPv6, r)] = "" }
func (p picture) policy(e onlink.PolicyEntry) { p[fmt.Sprint("policy ", e.Prefix)] = e.String() }
func (p picture) group(g onlink.GroupState) {
	p[fmt.Sprint("group ", g.Interface, g.Group)] = fmt.Sprint(g.Users, g.Exclude, g.Sources)
}
func (p picture) router(r onlink.RouterState) {
	p[fmt.Sprint("router ", r.Addr)] = fmt.Sprint(r.Preference)
}

func draw(s *onlink.Snapshot) picture {
	p := picture{}
	for _, i := range s.Interfaces {
		p.iface(i)
		for _, a := range i.Addresses {
			p.address(i.Name, a)
		}
		for _, r := range i.Learned.Routers {
			p.router(r)
		}
	}
	for _, r := range s.Routes {
		p.route(r)
	}
	for _, n := range s.Neighbors {
		p.neighbor(n)
	}
	for _, r := range s.Rules {
		p.rule(r)
	}
	for _, e := range s.Policy {
		p.policy(e)
	}
	for _, g := range s.Groups {
		p.group(g)
	}
	return p
}

// apply does to p what c says. It returns what is wrong with c, or nil.
func (p picture) apply(c onlink.Change) error {
	one := picture{}
	switch {
	case c.Interface != nil:
		one.iface(*c.Interface)
	case c.Address != nil:
		one.address(c.On, *c.Address)
	case c.Route != nil:
		one.route(*c.Route)
	case c.Neighbor != nil:
		one.neighbor(*c.Neighbor)
	case c.Rule != nil:
		one.rule(*c.Rule)
	case c.Policy != nil:
		one.policy(*c.Policy)
	case c.Group != nil:
		one.group(*c.Group)
	case c.Router != nil:
		one.router(*c.Router)
	}
	for k, v := range one {
		_, there := p[k]
		if there == (c.Op == onlink.Added) {
			return fmt.Errorf("%v of %q, which is there: %v", c.Op, k, there)
		}
		if c.Op == onlink.Removed {
			delete(p, k)
		} else {
			p[k] = v
		}
	}
	return nil
}

// changer does things to a node at random.
type changer struct {
	*rand.Rand
	node  *sim.Node
	cable *sim.Cable
	sock  *onlink.UDPConn
	done  map[string]int
}

// try counts an operation that succeeded.
func (c *changer) try(what string, err error) {
	if err == nil {
		c.done[what]++
	}
}

func (c *changer) step() {
	i := c.node.Interface("eth0")
	pick := func(format string) netip.Prefix { return netip.MustParsePrefix(fmt.Sprintf(format, 20+c.IntN(4))) }
	a4, a6 := pick("192.0.2.%d/24"), pick("2001:db8:5::%d/64")
	dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(c.IntN(3)), 0, 0}), 16)
	via := netip.MustParseAddr("192.0.2.2")
	mac := wire.MAC{2, 9, 9, 9, 9, byte(c.IntN(3))}
	switch c.IntN(20) {
	case 0:
		c.try("add address", i.AddAddress(a4))
	case 1:
		c.try("add address", i.AddAddressWith(a6, onlink.AddressOptions{Valid: time.Duration(c.IntN(60)) * time.Second}))
	case 2:
		c.try("remove address", i.RemoveAddress(a4.Addr()))
	case 3:
		c.try("remove address", i.RemoveAddress(a6.Addr()))
	case 4:
		c.try("change address", i.ChangeAddress(a6.Addr(), onlink.AddressOptions{Preferred: -1, NoPrefixRoute: c.IntN(2) == 0}))
	case 5:
		c.try("add route", c.node.AddRoute(onlink.Route{Prefix: dst, Gateway: via, Metric: c.IntN(2)}))
	case 6:
		c.try("remove route", c.node.RemoveRoute(onlink.Route{Prefix: dst}))
	case 7:
		c.try("replace route", c.node.ReplaceRoute(onlink.Route{Prefix: dst, Gateway: via, MTU: 1000 + c.IntN(100)}))
	case 8:
		c.try("add rule", c.node.AddRule(onlink.Rule{Priority: c.IntN(3), Mark: 7, Table: 9}))
	case 9:
		c.try("remove rule", c.node.RemoveRule(onlink.Rule{Priority: c.IntN(3), Mark: 7, Table: 9}))
	case 10:
		c.try("set neighbor", i.SetNeighbor(a4.Addr(), mac))
	case 11:
		c.try("remove neighbor", i.RemoveNeighbor(a4.Addr()))
	case 12:
		c.try("flush", i.FlushNeighbors())
	case 13:
		c.try("policy", c.node.SetPolicy(append(onlink.DefaultPolicy(),
			onlink.PolicyEntry{Prefix: netip.MustParsePrefix("2001:db8::/32"), Precedence: c.IntN(3), Label: 1})))
	case 14:
		c.try("join", c.sock.JoinGroup(i, netip.MustParseAddr(fmt.Sprintf("ff15::%d", c.IntN(3)))))
	case 15:
		c.try("leave", c.sock.LeaveGroup(i, netip.MustParseAddr(fmt.Sprintf("ff15::%d", c.IntN(3)))))
	case 16:
		c.try("down", i.SetUp(false))
	case 17:
		c.try("up", i.SetUp(true))
	case 18:
		c.try("mtu", i.SetMTU([]int{0, 1200, 1400}[c.IntN(3)]))
	case 19:
		m := wire.RouterAdvertisement{RouterLifetime: uint16(c.IntN(2) * 1800), SourceLink: ghostMAC,
			Preference: wire.Preference(c.IntN(3) - 1), Prefixes: []wire.PrefixInformation{prefix("2001:db8:7::/64", time.Hour, time.Hour)}}
		c.cable.Inject(c.node, advertisement(ghostMAC, ghost, m))
		c.done["advertisement"]++
	}
}

// The state at the beginning and all changes, in the order they are told, are the state later: over whatever is done to a
// host, while it talks.
func TestChangesAddUp(t *testing.T) {
	total := make(map[string]int)
	kinds := make(map[string]int)
	for seed := range uint64(20) {
		n := sim.New(seed)
		a, b := n.Host("a"), n.Host("b")
		cable := n.Wire(a.Port("eth0", "192.0.2.1/24", "2001:db8::1/64"), b.Port("eth0", "192.0.2.2/24", "2001:db8::2/64"),
			sim.Line{Delay: time.Millisecond})
		n.RunFor(5 * time.Second)
		pc, err := a.ListenPacket(context.Background(), "udp", ":0")
		if err != nil {
			t.Fatal(err)
		}
		c := &changer{rand.New(rand.NewPCG(seed, 1)), a, cable, pc.(*onlink.UDPConn), total}
		sub := a.Subscribe()
		p := draw(a.Snapshot())
		a.Go("traffic", func() {
			to := []net.Addr{&net.UDPAddr{IP: net.ParseIP("192.0.2.2"), Port: 9}, &net.UDPAddr{IP: net.ParseIP("2001:db8::2"), Port: 9},
				&net.UDPAddr{IP: net.ParseIP("192.0.2.99"), Port: 9}}
			for k := range 2000 {
				pc.WriteTo([]byte("hello"), to[k%3]) // whatever comes of it
				a.Sleep(100 * time.Millisecond)
			}
		})
		a.Go("changer", func() {
			for range 300 {
				c.step()
				a.Sleep(time.Duration(c.Int64N(int64(time.Second))))
			}
			a.Sleep(time.Second)
			sub2 := draw(a.Snapshot()) // before Close, at the instant of the last change that is read
			defer sub.Close()
			ctx, cancel := a.WithTimeout(context.Background(), 0)
			defer cancel()
			for {
				ch, err := sub.Next(ctx)
				if errors.Is(err, context.DeadlineExceeded) {
					break
				}
				if err != nil {
					t.Error(err)
					return
				}
				if err := p.apply(ch); err != nil {
					t.Errorf("seed %d: %v: %v", seed, ch, err)
				}
				kinds[kindOf(ch)+" "+ch.Op.String()]++
			}
			if !maps.Equal(p, sub2) {
				t.Errorf("seed %d: changes lead to another state than there is:", seed)
				for k, v := range p {
					if w, ok := sub2[k]; !ok || v != w {
						t.Errorf("%s: %q by changes, %q in fact", k, v, w)
					}
				}
				for k, w := range sub2 {
					if _, ok := p[k]; !ok {
						t.Errorf("%s: %q is not told", k, w)
					}
				}
			}
		})
		run(t, n)
		n.Stop()
	}
	for _, what := range []string{"add address", "remove address", "change address", "add route", "remove route", "replace route",
		"add rule", "remove rule", "set neighbor", "remove neighbor", "flush", "policy", "join", "leave", "down", "up", "mtu", "advertisement"} {
		if total[what] == 0 {
			t.Errorf("%s never succeeded", what)
		}
	}
	for _, k := range []string{"interface changed", "address added", "address removed", "address changed", "route added", "route removed",
		"route changed", "neighbor added", "neighbor removed", "neighbor changed", "rule added", "rule removed", "policy added", "policy changed",
		"group added", "group removed", "router added", "router removed", "router changed"} {
		if kinds[k] == 0 {
			t.Errorf("%s: never told", k)
		}
	}
}

func kindOf(c onlink.Change) string {
	for k, is := range map[string]bool{"interface": c.Interface != nil, "address": c.Address != nil, "route": c.Route != nil,
		"neighbor": c.Neighbor != nil, "rule": c.Rule != nil, "policy": c.Policy != nil, "group": c.Group != nil, "router": c.Router != nil} {
		if is {
			return k
		}
	}
	return ""
}

// Next waits, and ends by Close; who does not read is told that he missed something.
func TestSubscription(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a := n.Host("a")
	n.Wire(a.Port("eth0", "192.0.2.1/24"), n.Host("b").Port("eth0"), sim.Line{})
	n.RunFor(5 * time.Second)
	sub, slow := a.Subscribe(), a.Subscribe()
	var got []string
	var end error
	a.Go("reader", func() {
		for {
			c, err := sub.Next(context.Background())
			if err != nil {
				end = err
				return
			}
			got = append(got, fmt.Sprint(a.Now().Duration().Truncate(time.Second), " ", c))
		}
	})
	r := onlink.Route{Prefix: netip.MustParsePrefix("198.51.100.0/24"), Gateway: netip.MustParseAddr("192.0.2.2")}
	a.Go("writer", func() {
		a.Sleep(time.Second)
		a.AddRoute(r)
		a.Sleep(time.Second)
		a.RemoveRoute(r)
		a.Sleep(time.Second)
		sub.Close()
		for range 5000 {
			a.AddRoute(r)
			a.RemoveRoute(r)
		}
		ctx, cancel := a.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := slow.Next(ctx); !errors.Is(err, onlink.ErrOverrun) {
			t.Error("no overrun:", err)
		}
		rest := 0
		for {
			if _, err := slow.Next(ctx); err != nil {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				break
			}
			rest++
		}
		if rest == 0 || rest > 8192 {
			t.Errorf("%d changes after the overrun", rest)
		}
		slow.Close()
	})
	run(t, n)
	want := "[6s 198.51.100.0/24 via 192.0.2.2 dev eth0 proto static 7s Deleted 198.51.100.0/24 via 192.0.2.2 dev eth0 proto static]"
	if fmt.Sprint(got) != want || !errors.Is(end, net.ErrClosed) {
		t.Errorf("got %v, %v\nwant %s", got, end, want)
	}
}
