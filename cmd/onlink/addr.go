package main

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
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
