package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/onlink-go/onlink"
)

// monitorCmd is `onlink monitor`.
type monitorCmd struct{ ipFlags }

// Run has the command work on the host that the flags say.
func (c *monitorCmd) Run(ctx context.Context) error { return c.target(ctx, c) }

func (c *monitorCmd) run(s *session) error { return c.monitor(s, c.Words) }

// monitorObjects are what changes can be of.
var monitorObjects = []string{"link", "address", "route", "neigh", "rule", "maddr", "policy", "router"}

// monitorOf returns the verb that monitors one kind of object.
func monitorOf(object string) func(c *call) error {
	return func(c *call) error {
		if err := c.end(); err != nil {
			return err
		}
		return c.monitor(c.session, []string{object})
	}
}

// monitor tells the changes of the objects of the given names, or of all, until it is interrupted.
func (f *ipFlags) monitor(s *session, names []string) error {
	w := words{rest: names}
	var wanted []string
	for len(w.rest) > 0 && w.fault == nil {
		switch {
		case w.is("all"):
			wanted = append(wanted, monitorObjects...)
		case w.is("addr", "a"):
			wanted = append(wanted, "address")
		case w.is("neighbor", "neighbour", "n"):
			wanted = append(wanted, "neigh")
		case w.is("r"):
			wanted = append(wanted, "route")
		case w.is(monitorObjects...):
			wanted = append(wanted, w.last)
		default:
			w.unknown()
		}
	}
	if w.fault != nil {
		return w.fault
	}
	changes := s.stack.Subscribe()
	defer changes.Close()
	for {
		change, err := changes.Next(s.ctx)
		switch {
		case errors.Is(err, onlink.ErrOverrun):
			fmt.Fprintln(s.err, "onlink: changes were lost: there were more than could be told")
			continue
		case s.ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return nil // that is how it ends
		case err != nil:
			return err
		}
		object := objectOf(&change)
		if len(wanted) > 0 && !slices.Contains(wanted, object) {
			continue
		}
		line, err := f.changeLine(s, object, &change)
		if err == nil {
			_, err = s.out.Write(line)
		}
		if err != nil {
			return err
		}
	}
}

// objectOf returns the name of what c is a change of.
func objectOf(c *onlink.Change) string {
	switch {
	case c.Interface != nil:
		return "link"
	case c.Address != nil:
		return "address"
	case c.Route != nil:
		return "route"
	case c.Neighbor != nil:
		return "neigh"
	case c.Rule != nil:
		return "rule"
	case c.Group != nil:
		return "maddr"
	case c.Policy != nil:
		return "policy"
	}
	return "router"
}

// changeLine writes a change as ip monitor does, or as one line of JSON.
func (f *ipFlags) changeLine(s *session, object string, c *onlink.Change) ([]byte, error) {
	now := s.stack.Runtime().Wall()
	if f.JSON {
		return f.changeJSON(now.Format("2006-01-02T15:04:05.000000"), object, c)
	}
	var b bytes.Buffer
	if f.Timestamp {
		b.WriteString(now.Format("[2006-01-02T15:04:05.000000] "))
	}
	fmt.Fprintln(&b, c)
	return b.Bytes(), nil
}

// changeJSON writes what changed, with the fields that show has.
func (f *ipFlags) changeJSON(at, object string, c *onlink.Change) ([]byte, error) {
	var what any
	switch object {
	case "link":
		what = newLinkJSON(c.Interface)
	case "address":
		what = newAddrJSON(c.On, c.Address)
	case "route":
		what = newRouteJSON([]onlink.Route{*c.Route})
	case "neigh":
		what = newNeighJSON(c.Neighbor)
	case "rule":
		what = newRuleJSON(c.Rule)
	case "maddr":
		what = newGroupJSON(c.Group)
	case "policy":
		what = newPolicyJSON(c.Policy)
	default:
		what = c.Router
	}
	event := struct {
		Event     string `json:"event"` // added, changed or removed
		Object    string `json:"object"`
		Device    string `json:"on,omitempty"`
		Timestamp string `json:"timestamp,omitempty"`
		What      any    `json:"is"`
	}{Event: c.Op.String(), Object: object, Device: c.On, What: what}
	if f.Timestamp {
		event.Timestamp = at
	}
	line, err := json.Marshal(event)
	return append(line, '\n'), err
}
