package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/wire"
)

var linkObject = object{"link", `onlink link [show] [DEVICE] [up]
onlink link set DEVICE [up | down] [mtu OCTETS]
onlink link monitor`, []objectVerb{
	{"show list ls", false, showLinks},
	{"set change", true, setLink},
	{"monitor", false, monitorOf("link")},
}}

// linkJSON is an interface as ip -j link has it.
type linkJSON struct {
	Index     int        `json:"ifindex"`
	Name      string     `json:"ifname"`
	Flags     []string   `json:"flags"`
	MTU       int        `json:"mtu"`
	Qdisc     string     `json:"qdisc"`
	State     string     `json:"operstate"`
	VRF       int        `json:"vrf,omitempty"` // the table of the VRF it is in
	Type      string     `json:"link_type"`
	Addr      string     `json:"address,omitempty"`
	Broadcast string     `json:"broadcast,omitempty"`
	Stats     *statsJSON `json:"stats64,omitempty"`
}

func newLinkJSON(i *onlink.InterfaceState) linkJSON {
	j := linkJSON{Index: i.Index, Name: i.Name, Flags: i.Flags(), MTU: i.MTU, Qdisc: "pfifo", State: i.OperState(), VRF: i.VRF, Type: "none"}
	switch {
	case i.Loopback:
		j.Qdisc, j.Type, j.Addr, j.Broadcast = "noqueue", "loopback", wire.MAC{}.String(), wire.MAC{}.String()
	case i.LinkAddr != wire.MAC{}:
		j.Type, j.Addr, j.Broadcast = "ether", i.LinkAddr.String(), wire.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}.String()
	}
	return j
}

// statsJSON are the counters of an interface as ip -j -s link has them.
type statsJSON struct {
	In  receivedJSON `json:"rx"`
	Out sentJSON     `json:"tx"`
}

type receivedJSON struct {
	Octets    uint64 `json:"bytes"`
	Frames    uint64 `json:"packets"`
	Errors    uint64 `json:"errors"`
	Dropped   uint64 `json:"dropped"`
	Over      uint64 `json:"over_errors"` // always 0: what finds no room is dropped before it is received
	Multicast uint64 `json:"multicast"`
}

type sentJSON struct {
	Octets     uint64 `json:"bytes"`
	Frames     uint64 `json:"packets"`
	Errors     uint64 `json:"errors"`
	Dropped    uint64 `json:"dropped"`
	Carrier    uint64 `json:"carrier_errors"` // always 0, as the next: no wire
	Collisions uint64 `json:"collisions"`
}

// linkJSON describes i, with its counters if they are asked for.
func (c *call) linkJSON(i *onlink.InterfaceState) linkJSON {
	j := newLinkJSON(i)
	if on := c.stack.Interface(i.Name); c.Stats && on != nil {
		in, out := on.Stats()
		j.Stats = &statsJSON{receivedJSON{in.Octets, in.Frames, in.Errors, in.Discarded, 0, in.Multicast},
			sentJSON{out.Octets, out.Frames, out.Errors, out.Discarded, 0, 0}}
	}
	return j
}

// lines writes the counters as ip -s link does.
func (s *statsJSON) lines() []string {
	return []string{"    RX:  bytes packets errors dropped  missed   mcast",
		fmt.Sprintf("    %10d %7d %6d %7d %7d %7d", s.In.Octets, s.In.Frames, s.In.Errors, s.In.Dropped, s.In.Over, s.In.Multicast),
		"    TX:  bytes packets errors dropped carrier collsns",
		fmt.Sprintf("    %10d %7d %6d %7d %7d %7d", s.Out.Octets, s.Out.Frames, s.Out.Errors, s.Out.Dropped, s.Out.Carrier, s.Out.Collisions)}
}

// lines writes the interface in two lines.
func (j *linkJSON) lines() []string {
	vrf := ""
	if j.VRF != 0 {
		vrf = fmt.Sprintf(" vrf %d", j.VRF)
	}
	head := fmt.Sprintf("%d: %s: <%s> mtu %d qdisc %s%s state %s", j.Index, j.Name, strings.Join(j.Flags, ","), j.MTU, j.Qdisc, vrf, j.State)
	link := "    link/" + j.Type
	if j.Addr != "" {
		link += " " + j.Addr + " brd " + j.Broadcast
	}
	return []string{head, link}
}

// brief begins the line that -brief has.
func (j *linkJSON) brief() string { return fmt.Sprintf("%-16s %-14s", j.Name, j.State) }

// interfaces reads which interfaces are meant, and further words with more, and returns the interfaces.
func (c *call) interfaces(more func() bool) (all []onlink.InterfaceState) {
	name, up := "", false
	for len(c.rest) > 0 && c.fault == nil {
		switch {
		case c.is("dev"):
			name = c.device("dev", c.stack)
		case c.is("up"):
			up = true
		case more != nil && more():
		case c.fault == nil && name == "" && c.stack.Interface(c.peek()) != nil:
			name, _ = c.next()
		case c.fault == nil && name == "":
			if suggestion := didYouMean(c.peek(), c.known); suggestion != "" {
				c.unknown()
			} else {
				c.device("dev", c.stack) // it says which there are
			}
		default:
			c.unknown()
		}
	}
	if c.fault != nil {
		return nil
	}
	for _, i := range c.stack.Snapshot().Interfaces {
		if (name == "" || i.Name == name) && (!up || !i.Down) {
			all = append(all, i)
		}
	}
	return all
}

func showLinks(c *call) error {
	all := c.interfaces(nil)
	if c.fault != nil {
		return c.fault
	}
	list := make([]linkJSON, len(all))
	for k := range all {
		list[k] = c.linkJSON(&all[k])
	}
	return c.print(list, func(b *bytes.Buffer) {
		for _, j := range list {
			if c.Brief {
				fmt.Fprintf(b, "%s %s <%s>\n", j.brief(), j.Addr, strings.Join(j.Flags, ","))
				continue
			}
			lines := j.lines()
			if j.Stats != nil {
				lines = append(lines, j.Stats.lines()...)
			}
			c.line(b, lines...)
		}
	})
}

func setLink(c *call) error {
	c.is("dev")
	i := c.stack.Interface(c.device("", c.stack))
	if c.fault == nil && len(c.rest) == 0 {
		c.fail("link set %s: what is missing: up, down, or mtu OCTETS", i.Name())
	}
	var up, down bool
	mtu := 0
	for len(c.rest) > 0 {
		switch {
		case c.is("up"):
			up = true
		case c.is("down"):
			down = true
		case c.is("mtu"):
			mtu = c.number("mtu", 0, 1<<31-1)
		default:
			c.unknown()
		}
	}
	if c.fault == nil && up && down {
		c.fail("link set %s: up and down contradict each other", i.Name())
	}
	if c.fault != nil {
		return c.fault
	}
	was := i.State()
	if mtu != 0 && mtu != was.MTU {
		if err := i.SetMTU(mtu); err != nil {
			return err
		}
	}
	if !up && !down || down == was.Down {
		return nil
	}
	if err := i.SetUp(up); err != nil {
		return errors.Join(err, i.SetMTU(was.MTU)) // all or nothing
	}
	return nil
}
