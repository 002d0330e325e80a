package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/onlink-go/onlink"
)

var addrObject = object{"addr", `onlink addr [show] [DEVICE] [up] [to PREFIX] [scope SCOPE] [FLAG]
onlink addr {add | change | replace} ADDRESS/LENGTH dev DEVICE [valid_lft SECONDS] [preferred_lft SECONDS]
            [nodad] [optimistic] [anycast] [temporary] [noprefixroute]
onlink addr del ADDRESS[/LENGTH] dev DEVICE
onlink addr flush [dev DEVICE] [to PREFIX] [scope SCOPE] [FLAG]
onlink addr monitor
SCOPE: global, link, host. FLAG: permanent, dynamic, tentative, dadfailed, deprecated, temporary. Lifetimes may be forever.`,
	[]objectVerb{
		{"show list lst ls", false, showAddrs},
		{"add", true, addAddr},
		{"change chg", true, changeAddr},
		{"replace", true, replaceAddr},
		{"delete", true, deleteAddr},
		{"flush", true, flushAddrs},
		{"monitor", false, monitorOf("address")},
	}}

// addrJSON is an address as ip -j addr has it.
type addrJSON struct {
	Family        string `json:"family"`
	Local         string `json:"local"`
	Bits          int    `json:"prefixlen"`
	Broadcast     string `json:"broadcast,omitempty"`
	Scope         string `json:"scope"`
	Tentative     bool   `json:"tentative,omitempty"`
	Failed        bool   `json:"dadfailed,omitempty"`
	Deprecated    bool   `json:"deprecated,omitempty"`
	Optimistic    bool   `json:"optimistic,omitempty"`
	Anycast       bool   `json:"anycast,omitempty"`
	Temporary     bool   `json:"temporary,omitempty"`
	Dynamic       bool   `json:"dynamic,omitempty"`
	NoDAD         bool   `json:"nodad,omitempty"`
	NoPrefixRoute bool   `json:"noprefixroute,omitempty"`
	Protocol      string `json:"protocol,omitempty"`
	Label         string `json:"label,omitempty"`
	Valid         uint32 `json:"valid_life_time"`
	Preferred     uint32 `json:"preferred_life_time"`
}

func newAddrJSON(device string, a *onlink.AddressState) addrJSON {
	ip := a.Prefix.Addr()
	j := addrJSON{Family: "inet6", Local: ip.String(), Bits: a.Prefix.Bits(), Scope: a.Scope(), Tentative: a.State == "tentative" || a.State == "duplicate",
		Failed: a.State == "duplicate", Deprecated: a.State == "deprecated", Optimistic: a.Optimistic, Anycast: a.Anycast,
		Temporary: a.Temporary, Dynamic: a.Dynamic(), NoDAD: a.NoDAD, NoPrefixRoute: a.NoPrefixRoute,
		Valid: seconds(a.Valid), Preferred: seconds(a.Preferred)}
	if ip.Is4() {
		j.Family, j.Label = "inet", device
	}
	if a.Origin != "static" && a.Origin != "" {
		j.Protocol = a.Origin
	}
	return j
}

// seconds returns d as ip has it.
func seconds(d time.Duration) uint32 {
	if d >= math.MaxUint32*time.Second {
		return math.MaxUint32
	}
	return uint32(d / time.Second)
}

// addrLines writes an address in two lines.
func addrLines(device string, a *onlink.AddressState) []string {
	what, lifetimes, _ := strings.Cut(a.String(), " valid_lft ")
	if a.Prefix.Addr().Is4() {
		what += " " + device
	}
	return []string{"    " + what, "       valid_lft " + lifetimes}
}

// addrFilter is which addresses are meant.
type addrFilter struct {
	to    netip.Prefix
	scope string
	flags []string
}

// addrFlags are the words for what an address may be.
var addrFlags = map[string]func(a *onlink.AddressState) bool{
	"permanent":  func(a *onlink.AddressState) bool { return !a.Dynamic() },
	"dynamic":    func(a *onlink.AddressState) bool { return a.Dynamic() },
	"tentative":  func(a *onlink.AddressState) bool { return a.State == "tentative" || a.State == "duplicate" },
	"dadfailed":  func(a *onlink.AddressState) bool { return a.State == "duplicate" },
	"deprecated": func(a *onlink.AddressState) bool { return a.State == "deprecated" },
	"temporary":  func(a *onlink.AddressState) bool { return a.Temporary },
}

// word takes a word of the filter.
func (f *addrFilter) word(c *call) bool {
	switch {
	case c.is("to"):
		f.to = c.prefix("to", c.family)
	case c.is("scope"):
		f.scope = c.value("scope")
		if f.scope != "global" && f.scope != "link" && f.scope != "host" && c.fault == nil {
			c.fail("scope %s: not global, link or host", f.scope)
		}
	case c.is("permanent", "dynamic", "tentative", "dadfailed", "deprecated", "temporary"):
		f.flags = append(f.flags, c.last)
	default:
		return false
	}
	return true
}

func (f *addrFilter) takes(c *call, a *onlink.AddressState) bool {
	if !c.family.has(a.Prefix.Addr()) || f.to.IsValid() && !f.to.Contains(a.Prefix.Addr()) || f.scope != "" && a.Scope() != f.scope {
		return false
	}
	for _, name := range f.flags {
		if !addrFlags[name](a) {
			return false
		}
	}
	return true
}

// filtered reads which addresses are meant, and returns the interfaces with these alone. An interface without any is left out, if
// only some addresses are meant.
func (c *call) filtered() (all []onlink.InterfaceState) {
	var f addrFilter
	some := c.family != both
	for _, i := range c.interfaces(func() bool {
		ok := f.word(c)
		some = some || ok
		return ok
	}) {
		var addrs []onlink.AddressState
		for _, a := range i.Addresses {
			if f.takes(c, &a) {
				addrs = append(addrs, a)
			}
		}
		slices.SortStableFunc(addrs, byFamily)
		if i.Addresses = addrs; len(addrs) > 0 || !some {
			all = append(all, i)
		}
	}
	return all
}

// byFamily sorts addresses as ip lists them, IPv4 first.
func byFamily(a, b onlink.AddressState) int {
	return a.Prefix.Addr().BitLen() - b.Prefix.Addr().BitLen()
}

// ifaceJSON is an interface with its addresses.
type ifaceJSON struct {
	linkJSON
	Addrs []addrJSON `json:"addr_info"`
}

func showAddrs(c *call) error {
	all := c.filtered()
	if c.fault != nil {
		return c.fault
	}
	list := make([]ifaceJSON, len(all))
	for k := range all {
		list[k] = ifaceJSON{c.linkJSON(&all[k]), []addrJSON{}}
		for n := range all[k].Addresses {
			list[k].Addrs = append(list[k].Addrs, newAddrJSON(all[k].Name, &all[k].Addresses[n]))
		}
	}
	return c.print(list, func(b *bytes.Buffer) {
		for k := range all {
			c.writeAddrs(b, &all[k], &list[k].linkJSON)
		}
	})
}

func (c *call) writeAddrs(b *bytes.Buffer, i *onlink.InterfaceState, j *linkJSON) {
	switch {
	case c.Brief:
		b.WriteString(j.brief())
		for _, a := range i.Addresses {
			fmt.Fprintf(b, " %v", a.Prefix)
		}
		b.WriteByte('\n')
		return
	case !c.Oneline:
		c.line(b, j.lines()...)
	}
	for k := range i.Addresses {
		lines := addrLines(i.Name, &i.Addresses[k])
		if c.Oneline {
			lines[0] = fmt.Sprintf("%d: %s%s", i.Index, i.Name, lines[0])
		}
		c.line(b, lines...)
	}
	if j.Stats != nil && !c.Oneline {
		c.line(b, j.Stats.lines()...)
	}
}

// addrSpec reads an address with what is said of it.
func (c *call) addrSpec() (i *onlink.Interface, p netip.Prefix, opt onlink.AddressOptions) {
	c.is("local")
	p = c.prefix("", c.family)
	device := ""
	for len(c.rest) > 0 && c.fault == nil {
		switch {
		case c.is("dev"):
			device = c.device("dev", c.stack)
		case c.is("valid_lft"):
			opt.Valid = c.lifetime("valid_lft")
			if opt.Valid == 0 && c.fault == nil {
				c.fail("valid_lft 0: an address has to last")
			}
		case c.is("preferred_lft"):
			if opt.Preferred = c.lifetime("preferred_lft"); opt.Preferred == 0 {
				opt.Preferred = -1
			}
		case c.is("nodad"):
			opt.NoDAD = true
		case c.is("optimistic"):
			opt.Optimistic = true
		case c.is("anycast"):
			opt.Anycast = true
		case c.is("temporary"):
			opt.Temporary = true
		case c.is("noprefixroute"):
			opt.NoPrefixRoute = true
		case c.is("brd", "broadcast"):
			c.broadcast(p)
		case c.is("scope"):
			if s := c.value("scope"); c.fault == nil && s != (onlink.AddressState{Prefix: p}).Scope() {
				c.fail("scope %s: the scope of %v is %s", s, p.Addr(), onlink.AddressState{Prefix: p}.Scope())
			}
		case c.is("label"):
			if l := c.value("label"); c.fault == nil && device != "" && l != device {
				c.fail("label %s: addresses have no labels but the name of their device", l)
			}
		default:
			c.unknown()
		}
	}
	if c.fault == nil && device == "" {
		c.fail("address %v: say on which device, with dev DEVICE", p)
	}
	if valid := opt.Valid; c.fault == nil && valid != 0 && opt.Preferred > valid {
		c.fail("preferred_lft %d: longer than valid_lft %d", seconds(opt.Preferred), seconds(valid))
	}
	return c.stack.Interface(device), p, endless(opt)
}

// broadcast takes the broadcast address of p: there is only one that it can be.
func (c *call) broadcast(p netip.Prefix) {
	v := c.value("broadcast")
	if c.fault != nil || v == "+" || v == "-" {
		return
	}
	if a, err := netip.ParseAddr(v); err != nil || !p.Addr().Is4() || a != lastOf(p) {
		c.fail("broadcast %s: it is the last address of the prefix; leave it out", v)
	}
}

// lastOf returns the last address of an IPv4 prefix.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

// endless writes lifetimes that do not end as AddressOptions has them.
func endless(opt onlink.AddressOptions) onlink.AddressOptions {
	if opt.Valid == onlink.Forever {
		opt.Valid = 0
	}
	if opt.Preferred == onlink.Forever {
		opt.Preferred = 0
	}
	return opt
}

func addAddr(c *call) error {
	i, p, opt := c.addrSpec()
	if c.fault != nil {
		return c.fault
	}
	return i.AddAddressWith(p, opt)
}

func changeAddr(c *call) error {
	i, p, opt := c.addrSpec()
	if c.fault != nil {
		return c.fault
	}
	if err := has(i, p); err != nil {
		return err
	}
	return i.ChangeAddress(p.Addr(), opt)
}

func replaceAddr(c *call) error {
	i, p, opt := c.addrSpec()
	if c.fault != nil {
		return c.fault
	}
	err := i.ChangeAddress(p.Addr(), opt)
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		err = i.AddAddressWith(p, opt)
	}
	return err
}

// has returns an error if i does not have the address with this prefix length.
func has(i *onlink.Interface, p netip.Prefix) error {
	for _, a := range i.Addresses() {
		if a == p {
			return nil
		}
		if a.Addr() == p.Addr() {
			return fmt.Errorf("address %v: interface %s has it with another prefix length, as %v", p, i.Name(), a)
		}
	}
	return fmt.Errorf("address %v: not on interface %s", p, i.Name())
}

func deleteAddr(c *call) error {
	bare := !strings.Contains(c.peek(), "/")
	i, p, _ := c.addrSpec()
	if c.fault != nil {
		return c.fault
	}
	if !bare {
		if err := has(i, p); err != nil {
			return err
		}
	}
	return i.RemoveAddress(p.Addr())
}

func flushAddrs(c *call) error {
	if len(c.rest) == 0 {
		return usagef("addr flush: say which addresses, as in addr flush dev DEVICE")
	}
	all := c.filtered()
	if c.fault != nil {
		return c.fault
	}
	for _, i := range all {
		for _, a := range i.Addresses {
			err := c.stack.Interface(i.Name).RemoveAddress(a.Prefix.Addr())
			if err != nil && !errors.Is(err, syscall.EADDRNOTAVAIL) { // gone meanwhile
				return err
			}
		}
	}
	return nil
}
