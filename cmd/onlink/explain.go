package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/onlink-go/onlink"
)

// explainCmd is `onlink explain`.
type explainCmd struct {
	targetFlags `embed:""`
	From        string   `help:"Send from this address of the host, from this port (:53), or from both; or a node of the lab: explain there." placeholder:"ADDR|NODE"`
	Device      string   `help:"The socket is bound to this interface." short:"I" placeholder:"NAME"`
	Mark        uint32   `help:"Mark of the socket, by which rules choose a table." placeholder:"NUMBER"`
	TOS         uint8    `help:"TOS or traffic class of the packet." name:"tos" placeholder:"NUMBER"`
	TTL         uint8    `help:"TTL or hop limit of the packet; by default the usual one." name:"ttl" placeholder:"NUMBER"`
	Size        size     `help:"Octets of a datagram's payload." short:"s" placeholder:"OCTETS"`
	JSON        bool     `help:"Print JSON." name:"json" short:"j"`
	Brief       bool     `help:"A line a step." short:"q"`
	Words       []string `arg:"" name:"dst" help:"Where to: an address, a name or a node of the lab, with :PORT where that matters; several: which is best? Before it, tcp (the default), udp or ip, with 4 or 6 behind it for one family only."`
}

// Run has the command work on the host that the flags say, or in the lab.
func (c *explainCmd) Run(ctx context.Context) error {
	if c.Node == "" && labNode(c.From) != nil {
		if c.Socket != "" || c.devices() > 0 {
			return usagef("--from %s: that is a node of the lab, and not of the host asked for", c.From)
		}
		c.Node = c.From
	}
	if c.Socket == "" && c.Node == "" && c.devices() == 0 && !c.given() {
		c.Node = "client"
	}
	return c.target(ctx, c)
}

func (c *explainCmd) run(s *session) error {
	network, words := c.network()
	if len(words) == 0 {
		return usagef("explain: no destination")
	}
	var all []string
	for _, w := range words {
		to, err := c.destinations(s, network, w)
		if err != nil {
			return err
		}
		all = append(all, to...)
	}
	from := c.From
	if labNode(from) != nil {
		from = ""
	}
	e, err := s.stack.ExplainWith(network, from, all, onlink.ExplainOptions{Interface: c.Device, Mark: c.Mark, TrafficClass: int(c.TOS),
		HopLimit: int(c.TTL), Size: int(c.Size)})
	if err != nil {
		if op, ok := err.(*net.OpError); ok {
			err = op.Err
		}
		return usagef("explain: %w", err)
	}
	text := e.String()
	switch {
	case c.JSON:
		b, err := json.MarshalIndent(e, "", "  ")
		if err != nil {
			return err
		}
		text = string(b) + "\n"
	case c.Brief:
		text = e.Brief()
	}
	_, err = io.WriteString(s.out, text)
	return err
}

// network takes the network off the words.
func (c *explainCmd) network() (network string, rest []string) {
	first := c.Words[0]
	for _, n := range [...]string{"tcp", "udp", "ip"} {
		if family, ok := strings.CutPrefix(first, n); ok && (family == "" || family == "4" || family == "6" || n == "ip" && strings.Contains(family, ":")) {
			if labNode(first) == nil && net.ParseIP(first) == nil {
				return first, c.Words[1:]
			}
		}
	}
	return "tcp", c.Words
}

// destinations returns the addresses that a word stands for, each with its port if there is one.
func (c *explainCmd) destinations(s *session, network, word string) ([]string, error) {
	if _, err := netip.ParseAddr(strings.Trim(word, "[]")); err == nil {
		return []string{word}, nil
	}
	host, port, err := net.SplitHostPort(word)
	if err != nil {
		host, port = word, ""
	} else if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return nil, usagef("explain: %q: the port is not a number from 1 to 65535", word)
	}
	var found []netip.Addr
	if a, err := netip.ParseAddr(host); err == nil {
		found = []netip.Addr{a}
	} else if found, err = c.lookup(s, network, host); err != nil {
		return nil, err
	}
	var all []string
	for _, a := range found {
		if port == "" {
			all = append(all, a.String())
		} else {
			all = append(all, net.JoinHostPort(a.String(), port))
		}
	}
	return all, nil
}

// lookup returns the addresses of a name, of the network's families. Names that are no node of the lab are asked for: that does
// send packets.
func (c *explainCmd) lookup(s *session, network, host string) (found []netip.Addr, err error) {
	family := "ip" + strings.TrimLeft(strings.Split(network, ":")[0], "tcpudi")
	if c.Node != "" || c.Socket == "" && c.devices() == 0 {
		found = slices.DeleteFunc(slices.Clone(labNode(host)), func(a netip.Addr) bool {
			return family == "ip4" && !a.Is4() || family == "ip6" && a.Is4()
		})
		switch {
		case len(found) > 0:
			return found, nil
		case !strings.Contains(host, "."):
			return nil, usagef("explain: %q is neither an address nor a node of the lab with one of network %s", host, network)
		}
	}
	if strings.ContainsAny(host, ":/%[] ") || host == "" {
		return nil, usagef("explain: %q is neither an address nor a name", host)
	}
	if found, err = s.stack.LookupNetIP(s.ctx, family, host); err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	return found, nil
}

// labNode returns the addresses of a node of the lab; none: it has no such node.
func labNode(name string) []netip.Addr {
	var all []netip.Addr
	for _, text := range map[string][]string{"client": {labClient6, labClient4}, "router": {labRouter6, labRouter4}, "server": {labServer6, labServer4}}[name] {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}
