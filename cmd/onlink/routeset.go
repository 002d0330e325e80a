package main

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/onlink-go/onlink"
)

// How routes are changed.

// sameTarget returns the routes there are to the prefix of r, in its table and with its metric: those that a new one would be
// beside, or in place of.
func (c *call) sameTarget(r *onlink.Route) (all []onlink.Route) {
	table := r.Table
	if table == 0 {
		table = onlink.MainTable
		if i := c.stack.Interface(r.Interface); i != nil && i.State().VRF != 0 {
			table = i.State().VRF
		}
	}
	for _, o := range c.stack.Routes() {
		if o.Prefix == r.Prefix && o.Table == table && o.Metric == r.Metric {
			all = append(all, o)
		}
	}
	return all
}

func addRoute(c *call) error {
	rs := c.routeSpec()
	if c.fault != nil {
		return c.fault
	}
	if there := c.sameTarget(&rs[0]); len(there) > 0 {
		return fmt.Errorf("route to %v: there is one already: %v; replace it, append another one, or give this one another metric: %w",
			rs[0].Prefix, there[0], syscall.EEXIST)
	}
	return c.stack.AddRoute(rs...)
}

func appendRoute(c *call) error {
	rs := c.routeSpec()
	if c.fault != nil {
		return c.fault
	}
	return c.stack.AddRoute(rs...)
}

func replaceRoute(c *call) error {
	rs := c.routeSpec()
	if c.fault != nil {
		return c.fault
	}
	return c.stack.ReplaceRoute(rs...)
}

func changeRoute(c *call) error {
	rs := c.routeSpec()
	if c.fault != nil {
		return c.fault
	}
	if len(c.sameTarget(&rs[0])) == 0 {
		return fmt.Errorf("route to %v: there is none to change: %w", rs[0].Prefix, syscall.ENOENT)
	}
	return c.stack.ReplaceRoute(rs...)
}

// deleteRoute deletes the first route that fits, with all its next hops.
func deleteRoute(c *call) error {
	f, err := c.deleteFilter()
	if err != nil {
		return err
	}
	groups := c.routesTaken(&f)
	if len(groups) == 0 {
		return fmt.Errorf("route to %v: there is none: %w", f.Prefix, syscall.ESRCH)
	}
	return c.remove(groups[0])
}

// deleteFilter reads which route is to be deleted.
func (c *call) deleteFilter() (f routeFilter, err error) {
	kind, typed := c.routeType()
	anything := c.peek() == "default"
	rs := c.routeSpec()
	if c.fault != nil {
		return f, c.fault
	}
	f = routeFilter{Route: rs[0], how: "exact", typed: typed, metric: rs[0].Metric != 0}
	f.Type = kind
	if f.Table == 0 {
		f.Table = onlink.MainTable
		if i := c.stack.Interface(f.Interface); i != nil && i.State().VRF != 0 {
			f.Table = i.State().VRF
		}
	}
	if anything && !f.Gateway.IsValid() && !f.Source.IsValid() && c.family == both {
		f.how = "default"
	}
	return f, nil
}

// remove removes routes; all or none.
func (c *call) remove(rs []onlink.Route) error {
	for i, r := range rs {
		if err := c.stack.RemoveRoute(r); err != nil {
			return errors.Join(err, c.stack.AddRoute(rs[:i]...))
		}
	}
	return nil
}

func flushRoutes(c *call) error {
	f := c.routeFilter()
	if c.fault != nil {
		return c.fault
	}
	if !f.some {
		return usagef("route flush: say which routes, as in route flush dev DEVICE, or route flush table main")
	}
	for _, g := range c.routesTaken(&f) {
		if err := c.remove(g); err != nil && !errors.Is(err, syscall.ESRCH) { // gone meanwhile
			return err
		}
	}
	return nil
}
