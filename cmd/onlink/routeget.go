package main

import (
	"bytes"
	"fmt"
	"net/netip"

	"github.com/onlink-go/onlink"
)

// localTable prints the table "local", if that is asked for: it has no routes of its own, but follows from the addresses.
func (c *call) localTable() (bool, error) {
	if len(c.rest) != 2 || c.rest[0] != "table" || c.rest[1] != "local" && c.rest[1] != "255" {
		return false, nil
	}
	list := []routeJSON{}
	for _, i := range c.stack.Snapshot().Interfaces {
		for _, a := range i.Addresses {
			if !c.family.has(a.Prefix.Addr()) || a.State == "tentative" || a.State == "duplicate" {
				continue
			}
			j := routeJSON{Type: "local", To: a.Prefix.Addr().String(), Device: i.Name, Table: "local", Protocol: "kernel", Flags: []string{}}
			if a.Prefix.Addr().Is4() {
				j.Scope, j.Source = "host", j.To
			}
			list = append(list, j)
		}
	}
	return true, c.print(list, func(b *bytes.Buffer) {
		for _, j := range list {
			fmt.Fprintf(b, "local %s dev %s table local proto kernel", j.To, j.Device)
			if j.Scope != "" {
				fmt.Fprintf(b, " scope host src %s", j.Source)
			}
			b.WriteByte('\n')
		}
	})
}

// getRoute tells where a packet would go now.
func getRoute(c *call) error {
	c.is("to")
	to := c.address("", c.family)
	from, oif := netip.Addr{}, ""
	for len(c.rest) > 0 && c.fault == nil {
		switch {
		case c.is("from"):
			from = c.address("from", familyOf(to))
		case c.is("oif", "dev"):
			oif = c.device(c.last, c.stack)
		default:
			c.unknown()
		}
	}
	if c.fault != nil {
		return c.fault
	}
	e, err := c.stack.Explain("ip", sourceText(from), destinationText(to, oif))
	if err != nil {
		return err
	}
	if e.Err != nil && !e.Late {
		return fmt.Errorf("%v: %w", to, e.Err)
	}
	j := routeJSON{To: to.WithZone("").String(), Device: e.Interface, Source: e.Source.String(), Flags: []string{}}
	if from.IsValid() {
		j.From = from.String()
	}
	if i := c.stack.Interface(e.Interface); i != nil && (i.State().Loopback || isOurs(c.stack, to)) {
		j.Type, j.Device, j.Table = "local", "lo", "local"
	} else if e.NextHop.WithZone("") != to.WithZone("") {
		j.Gateway = e.NextHop.WithZone("").String()
	}
	if oif != "" && j.Device != oif {
		return fmt.Errorf("%v: the way there leads through %s, not through %s", to, j.Device, oif)
	}
	return c.print([]routeJSON{j}, func(b *bytes.Buffer) { writeGot(b, &j) })
}

func writeGot(b *bytes.Buffer, j *routeJSON) {
	word := func(what, value string) {
		if value != "" {
			b.WriteString(what + value)
		}
	}
	if j.Type != "" {
		b.WriteString(j.Type + " ")
	}
	b.WriteString(j.To)
	word(" from ", j.From)
	word(" via ", j.Gateway)
	word(" dev ", j.Device)
	word(" table ", j.Table)
	word(" src ", j.Source)
	b.WriteByte('\n')
}

func sourceText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// destinationText writes a destination with the interface where it needs one.
func destinationText(a netip.Addr, oif string) string {
	if oif != "" && a.Is6() && a.Zone() == "" && (a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast()) {
		a = a.WithZone(oif)
	}
	return a.String()
}

func isOurs(s *onlink.Stack, a netip.Addr) bool {
	for _, i := range s.Interfaces() {
		for _, p := range i.Addresses() {
			if p.Addr() == a.WithZone("") {
				return true
			}
		}
	}
	return false
}
