package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/wire"
)

var neighObject = object{"neigh", `onlink neigh [show] [ADDRESS] [dev DEVICE] [to PREFIX] [nud STATE] [router]
onlink neigh show proxy [dev DEVICE]
onlink neigh get ADDRESS dev DEVICE
onlink neigh {add | change | replace} ADDRESS lladdr LINK-ADDRESS dev DEVICE
onlink neigh {add | del} proxy ADDRESS dev DEVICE
onlink neigh del ADDRESS dev DEVICE
onlink neigh flush {all | [dev DEVICE] [to PREFIX] [nud STATE]}
onlink neigh monitor
STATE: incomplete, reachable, stale, delay, probe, permanent, failed, or all.`,
	[]objectVerb{
		{"show list lst ls", false, showNeighs},
		{"add", true, addNeigh},
		{"change chg", true, changeNeigh},
		{"replace", true, replaceNeigh},
		{"delete", true, deleteNeigh},
		{"get", false, getNeigh},
		{"flush", true, flushNeighs},
		{"monitor", false, monitorOf("neigh")},
	}}

// neighJSON is a neighbor as ip -j neigh has it.
type neighJSON struct {
	To       string    `json:"dst"`
	Device   string    `json:"dev"`
	LinkAddr string    `json:"lladdr,omitempty"`
	Router   *struct{} `json:"router,omitempty"`
	Proxy    *struct{} `json:"proxy,omitempty"`
	State    []string  `json:"state,omitempty"`
}

func newNeighJSON(n *onlink.Neighbor) neighJSON {
	j := neighJSON{To: n.Addr.String(), Device: n.Interface, State: []string{n.State}}
	if n.LinkAddr != (wire.MAC{}) {
		j.LinkAddr = n.LinkAddr.String()
	}
	if n.Router {
		j.Router = &struct{}{}
	}
	return j
}

var neighStates = []string{"incomplete", "reachable", "stale", "delay", "probe", "permanent", "failed"}

// neighFilter is which neighbors are meant.
type neighFilter struct {
	to                  netip.Prefix
	device              string
	states              []string // in capitals; none: all
	router, proxy, some bool
}

func (c *call) neighFilter() (f neighFilter) {
	f.some = len(c.rest) > 0
	for len(c.rest) > 0 && c.fault == nil {
		switch {
		case c.is("dev"):
			f.device = c.device("dev", c.stack)
		case c.is("nud"):
			if c.is("all") {
				f.states = nil
			} else if c.is(neighStates...) {
				f.states = append(f.states, strings.ToUpper(c.last))
			} else {
				c.fail("nud %s: not a state: %s", c.value("nud"), strings.Join(neighStates, ", "))
			}
		case c.is("proxy"):
			f.proxy = true
		case c.is("router"):
			f.router = true
		case c.is("all"):
		case c.is("to") || didYouMean(c.peek(), c.known) == "":
			f.to = c.prefix("to", c.family)
		default:
			c.unknown()
		}
	}
	return f
}

func (f *neighFilter) takes(c *call, n *onlink.Neighbor) bool {
	return c.family.has(n.Addr) && (!f.to.IsValid() || f.to.Contains(n.Addr)) && (f.device == "" || n.Interface == f.device) &&
		(len(f.states) == 0 || slices.Contains(f.states, n.State)) && (!f.router || n.Router)
}

func showNeighs(c *call) error {
	f := c.neighFilter()
	if c.fault != nil {
		return c.fault
	}
	if f.proxy {
		return c.showProxies(&f)
	}
	var all []onlink.Neighbor
	for _, n := range c.stack.Neighbors() {
		if f.takes(c, &n) {
			all = append(all, n)
		}
	}
	return c.printNeighs(all)
}

func (c *call) printNeighs(all []onlink.Neighbor) error {
	list := make([]neighJSON, len(all))
	for k := range all {
		list[k] = newNeighJSON(&all[k])
	}
	return c.print(list, func(b *bytes.Buffer) {
		for _, n := range all {
			c.line(b, n.String())
		}
	})
}

// showProxies prints the addresses that interfaces answer for.
func (c *call) showProxies(f *neighFilter) error {
	list := []neighJSON{}
	for _, i := range c.stack.Snapshot().Interfaces {
		for _, a := range i.Proxies {
			if n := (onlink.Neighbor{Addr: a, Interface: i.Name}); f.takes(c, &n) {
				list = append(list, neighJSON{To: a.String(), Device: i.Name, Proxy: &struct{}{}})
			}
		}
	}
	return c.print(list, func(b *bytes.Buffer) {
		for _, j := range list {
			c.line(b, j.To+" dev "+j.Device+" proxy")
		}
	})
}

// neighSpec is a neighbor as the words say it.
type neighSpec struct {
	addr  netip.Addr
	on    *onlink.Interface
	mac   wire.MAC
	told  bool // mac is given
	proxy bool
}

// neighSpec reads a neighbor.
func (c *call) neighSpec() (n neighSpec) {
	device := ""
	for len(c.rest) > 0 && c.fault == nil {
		switch {
		case c.is("dev"):
			device = c.device("dev", c.stack)
		case c.is("lladdr"):
			n.mac, n.told = c.linkAddress("lladdr"), true
		case c.is("proxy"):
			n.proxy = true
		case c.is("nud"):
			if s := c.value("nud"); c.fault == nil && s != "permanent" {
				c.fail("nud %s: a neighbor that is configured is permanent", s)
			}
		case c.is("to") || !n.addr.IsValid() && didYouMean(c.peek(), c.known) == "":
			n.addr = c.address("", c.family)
		default:
			c.unknown()
		}
	}
	switch {
	case c.fault != nil:
		return n
	case !n.addr.IsValid():
		c.fail("neigh: say which, with ADDRESS")
	case device == "":
		c.fail("neighbor %v: say on which link, with dev DEVICE", n.addr)
	}
	n.on = c.stack.Interface(device)
	return n
}

// found returns the neighbor n as it is known.
func (c *call) found(n *neighSpec) (onlink.Neighbor, bool) {
	for _, o := range c.stack.Neighbors() {
		if o.Addr == n.addr.WithZone("") && o.Interface == n.on.Name() {
			return o, true
		}
	}
	return onlink.Neighbor{}, false
}

// setNeigh configures a neighbor, if it is allowed to be there already, or not to be there.
func (c *call) setNeigh(old, new bool) error {
	n := c.neighSpec()
	if c.fault == nil && !n.told && !n.proxy {
		c.fail("neighbor %v: say its link-layer address, with lladdr", n.addr)
	}
	if c.fault != nil {
		return c.fault
	}
	if n.proxy {
		return n.on.AddProxy(n.addr)
	}
	switch o, there := c.found(&n); {
	case there && !old:
		return fmt.Errorf("neighbor %v: it is there already: %v: %w", n.addr, o, syscall.EEXIST)
	case !there && !new:
		return fmt.Errorf("neighbor %v: there is none to change on %s: %w", n.addr, n.on.Name(), syscall.ENOENT)
	}
	return n.on.SetNeighbor(n.addr, n.mac)
}

func addNeigh(c *call) error     { return c.setNeigh(false, true) }
func changeNeigh(c *call) error  { return c.setNeigh(true, false) }
func replaceNeigh(c *call) error { return c.setNeigh(true, true) }

func deleteNeigh(c *call) error {
	n := c.neighSpec()
	switch {
	case c.fault != nil:
		return c.fault
	case n.proxy:
		return n.on.RemoveProxy(n.addr)
	}
	return n.on.RemoveNeighbor(n.addr)
}

func getNeigh(c *call) error {
	n := c.neighSpec()
	if c.fault != nil {
		return c.fault
	}
	o, there := c.found(&n)
	if !there {
		return fmt.Errorf("neighbor %v: not known on %s: %w", n.addr, n.on.Name(), syscall.ENOENT)
	}
	return c.printNeighs([]onlink.Neighbor{o})
}

// flushNeighs forgets neighbors; as with ip, those that were configured only if that is asked for.
func flushNeighs(c *call) error {
	f := c.neighFilter()
	if c.fault != nil {
		return c.fault
	}
	if !f.some {
		return usagef("neigh flush: say which, as in neigh flush dev DEVICE, or neigh flush all")
	}
	for _, n := range c.stack.Neighbors() {
		if !f.takes(c, &n) || n.State == "PERMANENT" && !slices.Contains(f.states, n.State) {
			continue
		}
		err := c.stack.Interface(n.Interface).RemoveNeighbor(n.Addr)
		if err != nil && !errors.Is(err, syscall.ENOENT) { // gone meanwhile
			return err
		}
	}
	return nil
}
