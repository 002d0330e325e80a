package core6

import (
	"fmt"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// source returns where a packet of the node's own choice of source comes from: the reply to a request to a group.
func (b *Bench) source(p *peer, to wire.Addr) wire.Addr {
	b.Helper()
	b.reach(p, p.addr, node)
	b.in(p, echo(to, wire.AllNodes6, conform.Data(8)))
	s := b.expect(5*time.Second, typed("Echo Reply", wire.ICMPv6EchoReply).to(to))
	return s.src
}

// until fails unless the node has a until the given time and not after it.
func (b *Bench) until(a wire.Addr, end time.Duration) {
	b.Helper()
	b.pass(end - b.Now() - 3*time.Second)
	b.assigned(a, true)
	b.pass(end - b.Now() + 2*time.Second)
	b.assigned(a, false)
}

const (
	hour = time.Hour
	day  = 24 * hour
)

// addresses: autoconfiguration (RFC 4862, 5.5).
func addresses() (list []Case) {
	add := func(name, rule string, run func(b *Bench)) {
		list = append(list, Case{Name: name, Rule: rule, Run: run})
	}
	only := func(options ...[]byte) ra { return ra{lifetime: half, options: options} }
	const other = "2001:db8:0:5::/64"

	for _, c := range []struct {
		name, rule string
		option     []byte
		a          wire.Addr
		yes        bool
	}{
		{"prefix", `RFC 4862, 5.5.3 (d)`, prefixOption(other, autonomous, hour, hour), formed(other), true},
		{"with L", `RFC 4862, 5.5.3 (d)`, prefixOption(other, onLink|autonomous, hour, hour), formed(other), true},
		{"without A", `RFC 4862, 5.5.3 (a): "If the Autonomous flag is not set, silently ignore the Prefix Information option."`, prefixOption(other, onLink, hour, hour), formed(other), false},
		{"preferred longer than valid", `RFC 4862, 5.5.3 (c): "If the preferred lifetime is greater than the valid lifetime, silently ignore the Prefix Information option."`, prefixOption(other, onLink|autonomous, hour, 2*hour), formed(other), false},
		{"preferred as long as valid", `RFC 4862, 5.5.3 (c)`, prefixOption(other, onLink|autonomous, 2*hour, 2*hour), formed(other), true},
		{"preferred 0", `RFC 4862, 5.5.3 (d): formed, deprecated at once`, prefixOption(other, onLink|autonomous, 2*hour, 0), formed(other), true},
		{"valid 0", `RFC 4862, 5.5.3 (d): "if the Valid Lifetime is not 0"`, prefixOption(other, onLink|autonomous, 0, 0), formed(other), false},
		{"63 bits", `RFC 4862, 5.5.3 (d): "If the sum of the prefix length and interface identifier length does not equal 128 bits, the Prefix Information option MUST be ignored."`, prefixOption("2001:db8:0:4::/63", onLink|autonomous, hour, hour), formed("2001:db8:0:4::/63"), false},
		{"65 bits", `RFC 4862, 5.5.3 (d)`, prefixOption("2001:db8:0:5::/65", onLink|autonomous, hour, hour), formed(other), false},
		{"128 bits", `RFC 4862, 5.5.3 (d)`, prefixOption("2001:db8:0:5::/128", onLink|autonomous, hour, hour), formed(other), false},
		{"0 bits", `RFC 4862, 5.5.3 (d)`, prefixOption("::/0", onLink|autonomous, hour, hour), formed("::/0"), false},
		{"infinite", `RFC 4861, 4.6.2: "A value of all one bits (0xffffffff) represents infinity."`, prefixOption(other, onLink|autonomous, forever, forever), formed(other), true},
		{"bits beyond the prefix", `RFC 4861, 4.6.2: "The bits in the prefix after the prefix length are reserved and MUST be initialized to zero by the sender and ignored by the receiver."`,
			func() []byte {
				o := prefixOption(other, onLink|autonomous, hour, hour)
				copy(o[24:], []byte{1, 2, 3, 4, 5, 6, 7, 8})
				return o
			}(), formed(other), true},
		{"of a group", `RFC 4291, 2.7: a group is no address of an interface`, prefixOption("ff05::/64", onLink|autonomous, hour, hour), formed("ff05::/64"), false},
		{"option of 24 octets", `RFC 4861, 4.6.2: its length is 4`, append([]byte{3, 3}, prefixOption(other, onLink|autonomous, hour, hour)[2:24]...), formed(other), false},
	} {
		add(c.name, c.rule, func(b *Bench) {
			b.boot()
			b.advertise(router1, only(c.option))
			b.pass(4 * time.Second)
			b.assigned(c.a, c.yes)
			b.assigned(nodeLL, true)
		})
	}
	add("link-local prefix", `RFC 4862, 5.5.3 (b): "If the prefix is the link-local prefix, silently ignore the Prefix Information option."`, func(b *Bench) {
		b.boot()
		b.advertise(router1, only(prefixOption("fe80::/64", onLink|autonomous, 10*time.Second, 10*time.Second)))
		b.pass(20 * time.Second)
		b.assigned(nodeLL, true)
	})
	add("advertisement of lifetime 0", `RFC 4861, 6.3.4: "A Router Lifetime of zero ... The Router Lifetime applies only to the router's usefulness as a default router"`, func(b *Bench) {
		b.boot()
		r := usual()
		r.lifetime = 0
		b.advertise(router1, r)
		b.pass(4 * time.Second)
		b.assigned(node, true)
	})
	add("M and O", `RFC 4861, 4.2: they tell that DHCPv6 is there; addresses are formed all the same`, func(b *Bench) {
		b.boot()
		r := usual()
		r.flags = 0xc0
		b.advertise(router1, r)
		b.pass(4 * time.Second)
		b.assigned(node, true)
	})
	add("several prefixes", `RFC 4862, 5.5.3: "For each Prefix-Information option in the Router Advertisement"`, func(b *Bench) {
		b.boot()
		b.advertise(router1, usual(prefixOption(other, autonomous, hour, hour), prefixOption("2001:db8:0:6::/64", onLink|autonomous, hour, hour)))
		b.pass(4 * time.Second)
		for _, p := range []string{home, other, "2001:db8:0:6::/64"} {
			b.assigned(formed(p), true)
		}
	})
	add("prefixes of two routers", `RFC 4861, 6.3.4: "the information advertised collectively by all routers may be a superset of the information contained in a single Router Advertisement"`, func(b *Bench) {
		b.boot()
		b.advertise(router1, usual())
		b.advertise(router2, only(prefixOption(other, onLink|autonomous, hour, hour)))
		b.pass(4 * time.Second)
		b.assigned(node, true)
		b.assigned(formed(other), true)
	})
	add("end of the valid lifetime", `RFC 4862, 5.5.4: "An address (and its association with an interface) becomes invalid when its valid lifetime expires."`, func(b *Bench) {
		b.boot()
		start := b.Now()
		b.advertise(router1, only(prefixOption(other, onLink|autonomous, 60*time.Second, 30*time.Second)))
		b.pass(4 * time.Second)
		b.until(formed(other), start+60*time.Second)
	})
	add("deprecated, it still answers", `RFC 4862, 5.5.4: "IP and higher layers (e.g., TCP, UDP) MUST continue to accept and process datagrams destined to a deprecated address as normal"`, func(b *Bench) {
		b.boot()
		b.advertise(router1, only(prefixOption(other, onLink|autonomous, 60*time.Second, 20*time.Second)))
		b.pass(30 * time.Second)
		b.assigned(formed(other), true)
	})
	add("deprecated, not for what is new", `RFC 4862, 5.5.4: "the deprecated address SHOULD NOT be used to initiate new communications if an alternate (non-deprecated) address of sufficient scope can easily be used instead"`, func(b *Bench) {
		b.ready()
		b.advertise(router1, only(prefixOption(other, onLink|autonomous, 2*hour, 20*time.Second)))
		b.pass(4 * time.Second)
		to := &peer{0, host1.mac, host1.ll, addr("2001:db8:0:5::31")}
		b.answering(to)
		if s := b.source(to, to.addr); s != formed(other) {
			b.Fatalf("preferred: from %v", s)
		}
		b.pass(20 * time.Second)
		if s := b.source(to, to.addr); s != node {
			b.Fatalf("deprecated: from %v", s)
		}
	})
	add("deprecated, there is no other", `RFC 4862, 5.5.4: it "SHOULD continue to be used as a source address in existing communications"; RFC 6724, 5, rule 3`, func(b *Bench) {
		b.boot()
		b.advertise(router1, only(prefixOption(home, onLink|autonomous, 2*hour, 10*time.Second)))
		b.pass(20 * time.Second)
		b.answering(host1)
		if s := b.source(host1, host1.addr); s != node {
			b.Fatalf("from %v", s)
		}
	})
	add("renumbering", `RFC 4862, 4.1: the old addresses become deprecated, and the new are used`, func(b *Bench) {
		b.boot()
		b.learn(router1)
		b.advertise(router1, usual())
		b.pass(4 * time.Second)
		b.advertise(router1, only(prefixOption(home, onLink|autonomous, 2*hour, 0), prefixOption(other, onLink|autonomous, day, day)))
		b.pass(4 * time.Second)
		b.assigned(node, true)
		b.in(router1, echo(far, wire.AllNodes6, conform.Data(8)))
		if s := b.expect(time.Second, reply(far)); s.src != formed(other) {
			b.Fatalf("from %v", s.src)
		}
	})
	add("preferred again", `RFC 4862, 5.5.3 (e): "the preferred lifetime of the address is reset to the Preferred Lifetime in the received advertisement"`, func(b *Bench) {
		b.boot()
		b.learn(router1)
		b.advertise(router1, only(prefixOption(home, onLink|autonomous, 2*hour, 0)))
		b.advertise(router1, only(prefixOption(other, onLink|autonomous, 2*hour, 2*hour)))
		b.pass(4 * time.Second)
		b.advertise(router1, only(prefixOption(home, onLink|autonomous, 2*hour, 2*hour)))
		b.advertise(router1, only(prefixOption(other, onLink|autonomous, 2*hour, 0)))
		b.in(router1, echo(far, wire.AllNodes6, conform.Data(8)))
		if s := b.expect(time.Second, reply(far)); s.src != node {
			b.Fatalf("from %v", s.src)
		}
	})
	rule := `RFC 4862, 5.5.3 (e): "1. If the received Valid Lifetime is greater than 2 hours or greater than RemainingLifetime, set the valid lifetime of the corresponding address to the advertised Valid Lifetime. 2. If RemainingLifetime is less than or equal to 2 hours, ignore the Prefix Information option with regards to the valid lifetime ... 3. Otherwise, reset the valid lifetime of the corresponding address to 2 hours."`
	for _, c := range []struct{ first, then, left time.Duration }{
		{time.Minute, 3 * hour, 3 * hour},
		{4 * hour, 3 * hour, 3 * hour},
		{time.Minute, 5 * time.Minute, 5 * time.Minute},
		{hour, 2 * hour, 2 * hour},
		{hour, time.Minute, hour},
		{2 * hour, hour, 2 * hour},
		{90 * time.Second, 0, 90 * time.Second},
		{3 * hour, time.Minute, 2 * hour},
		{3 * hour, 2 * hour, 2 * hour},
		{3 * hour, 0, 2 * hour},
		{forever, hour, 2 * hour},
		{forever, 0, 2 * hour},
		{forever, 3 * hour, 3 * hour},
		{day, day + hour, day + hour},
	} {
		add(fmt.Sprintf("valid %v, then %v", c.first, c.then), rule, func(b *Bench) {
			b.boot()
			start := b.Now()
			b.advertise(router1, only(prefixOption(other, onLink|autonomous, c.first, min(c.first, 20*time.Second))))
			b.pass(10 * time.Second)
			b.assigned(formed(other), true)
			at := b.Now()
			b.advertise(router1, only(prefixOption(other, onLink|autonomous, c.then, min(c.then, 20*time.Second))))
			if c.left == c.first { // as it was
				at = start
			}
			b.until(formed(other), at+c.left)
		})
	}
	add("infinite from finite", rule, func(b *Bench) {
		b.boot()
		b.advertise(router1, only(prefixOption(other, onLink|autonomous, hour, hour)))
		b.pass(4 * time.Second)
		b.advertise(router1, only(prefixOption(other, onLink|autonomous, forever, forever)))
		b.pass(40 * day)
		b.assigned(formed(other), true)
	})
	add("preferred longer than valid, for an address that is there", `RFC 4862, 5.5.3 (c)`, func(b *Bench) {
		b.boot()
		start := b.Now()
		b.advertise(router1, only(prefixOption(other, onLink|autonomous, 60*time.Second, 60*time.Second)))
		b.pass(4 * time.Second)
		b.advertise(router1, only(prefixOption(other, onLink|autonomous, 3*hour, 4*hour)))
		b.until(formed(other), start+60*time.Second)
	})
	add("a duplicate is not tried again", `RFC 4862, 5.4.5: "A tentative address that is determined to be a duplicate ... MUST NOT be assigned to an interface"`, func(b *Bench) {
		b.boot()
		b.advertise(router1, usual())
		b.verifying(node)
		b.in(host1, adv(node, wire.AllNodes6, node, override, tlla(host1.mac)))
		b.pass(5 * time.Second)
		b.advertise(router1, usual())
		b.pass(5 * time.Second)
		b.assigned(node, false)
		b.assigned(nodeLL, true)
	})
	// RFC 4291, 2.8.
	for _, g := range []wire.Addr{wire.AllNodes6, addr("ff01::1"), nodeLL.SolicitedNode()} {
		add("answers at "+g.String(), `RFC 4291, 2.8: "A host is required to recognize the following addresses as identifying itself"`, func(b *Bench) {
			b.ready()
			b.answering(host1)
			b.reach(host1, host1.ll, nodeLL)
			b.in(host1, echo(host1.ll, g, conform.Data(8)))
			got := b.try(2*time.Second, reply(host1.ll).from(nodeLL)) != nil
			if want := g != addr("ff01::1"); got != want { // 2.7.1: interface-local goes over no link
				b.Fatalf("answered: %v", got)
			}
		})
	}
	for _, g := range []wire.Addr{wire.AllRouters6, addr("ff05::2"), addr("ff02::1:ff12:3456"), addr("ff02::9"), addr("ff0e::1"), addr("ff00::1"), addr("ff05::1")} {
		add("no answer at "+g.String(), `RFC 4291, 2.8: a host is not in the groups of routers, nor in others that it did not join`, func(b *Bench) {
			b.ready()
			b.reach(host1, host1.ll, nodeLL)
			b.in(host1, echo(host1.ll, g, conform.Data(8)))
			b.none(2*time.Second, reply(host1.ll))
		})
	}
	return list
}
