package ip

import (
	"fmt"
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/wire"
)

// AddRoute adds routes, all or none. One with Table 0 goes to the table of its interface's VRF, or to the main one; with
// Out 0 the interface is the one whose prefix holds the gateway. Errors name what is wrong; errors.Is finds EINVAL,
// ENODEV, EEXIST, ENETUNREACH for a gateway that is on no link of ours.
func (l *Layer) AddRoute(rs ...route.Route) error {
	l.control.Lock()
	defer l.control.Unlock()
	full := make([]route.Route, len(rs))
	named := make(map[route.Route]bool, len(rs))
	for i, r := range rs {
		r, err := l.completeRoute(r)
		if err != nil {
			return err
		}
		if name := r.Name(); named[name] || l.fib.Has(r) {
			return fmt.Errorf("route %v: %w", r, syscall.EEXIST)
		} else if len(rs) > 1 {
			named[name] = true
		}
		full[i] = r
	}
	if len(full) > bulk {
		l.fib = l.fib.WithAll(full)
	} else {
		for _, r := range full {
			l.fib, _ = l.fib.With(r)
		}
	}
	l.publishRoutes()
	return nil
}

// bulk is how many routes at once are worth a copy of their whole table.
const bulk = 64

// RemoveRoute removes the first route that has r's table, prefix, type and, where r has one, gateway, interface and metric.
// Errors: EINVAL for a route that makes no sense, ESRCH if there is none.
func (l *Layer) RemoveRoute(r route.Route) error {
	l.control.Lock()
	defer l.control.Unlock()
	r, err := l.checkRoute(r)
	if err != nil {
		return err
	}
	fib, _, ok := l.fib.Without(r.Table, r.Prefix, func(o route.Route) bool {
		return o.Type == r.Type && (!r.Gateway.IsValid() || o.Gateway == r.Gateway) && (r.Out == 0 || o.Out == r.Out) &&
			(r.Metric == 0 || o.Metric == r.Metric)
	})
	if !ok {
		return fmt.Errorf("route %v: %w", r, syscall.ESRCH)
	}
	l.fib = fib
	l.publishRoutes()
	return nil
}

// ReplaceRoute puts rs, which must have one table, prefix and metric, in place of what was configured for that. Errors are
// AddRoute's.
func (l *Layer) ReplaceRoute(rs ...route.Route) error {
	l.control.Lock()
	defer l.control.Unlock()
	full := make([]route.Route, len(rs))
	for i, r := range rs {
		var err error
		if full[i], err = l.completeRoute(r); err != nil {
			return err
		}
		if f := &full[0]; full[i].Table != f.Table || full[i].Prefix != f.Prefix || full[i].Metric != f.Metric {
			return fmt.Errorf("routes %v and %v: not of one prefix, table and metric: %w", *f, full[i], syscall.EINVAL)
		}
	}
	for i, r := range full {
		for again := i == 0; again; {
			l.fib, _, again = l.fib.Without(r.Table, r.Prefix, func(o route.Route) bool {
				return o.Metric == r.Metric && o.Origin.Configured()
			})
		}
		if l.fib.Has(r) {
			l.publishRoutes()
			return fmt.Errorf("route %v: %w", r, syscall.EEXIST)
		}
		l.fib, _ = l.fib.With(r)
	}
	l.publishRoutes()
	return nil
}

// checkRoute checks what can be checked of r alone, and names its table. Control locked.
func (l *Layer) checkRoute(r route.Route) (route.Route, error) {
	if !r.Origin.Configured() {
		r.Origin = route.Static
	}
	table := r.Table
	r, err := r.Check()
	if err != nil {
		return r, fmt.Errorf("route to %v: %w: %w", r.Prefix, err, syscall.EINVAL)
	}
	if r.Out != 0 {
		d, err := l.find(r.Out)
		if err != nil {
			return r, fmt.Errorf("route to %v: %w", r.Prefix, err)
		}
		if table == 0 && d.cfg.VRF != 0 {
			r.Table = d.cfg.VRF
		}
	}
	if r.Table == route.LocalTable {
		return r, fmt.Errorf("route to %v: table %d follows from addresses: %w", r.Prefix, r.Table, syscall.EINVAL)
	}
	return r, nil
}

// completeRoute checks r and finds its interface. Control locked.
func (l *Layer) completeRoute(r route.Route) (route.Route, error) {
	table := r.Table
	r, err := l.checkRoute(r)
	if err != nil || r.Type != route.Unicast {
		return r, err
	}
	if r.Source.IsValid() && !l.ours(wire.AddrFrom(r.Source)) {
		return r, fmt.Errorf("route to %v: source %v is no address of ours: %w", r.Prefix, r.Source, syscall.EINVAL)
	}
	if !r.Gateway.IsValid() {
		if r.Out == 0 {
			return r, fmt.Errorf("route to %v: needs a gateway or an interface: %w", r.Prefix, syscall.EINVAL)
		}
		return r, nil
	}
	d, err := l.gatewayLink(r)
	if err != nil {
		return r, err
	}
	r.Out = d.index
	if table == 0 && d.cfg.VRF != 0 {
		r.Table = d.cfg.VRF
	}
	return r, nil
}

// ours reports whether an interface has a. Control locked.
func (l *Layer) ours(a wire.Addr) bool {
	for _, d := range l.devices {
		if d.address(a) != nil {
			return true
		}
	}
	return false
}

// gatewayLink returns the device on whose link r's gateway is.
//
// RFC 1812, 5.2.4.2 and RFC 4861, 5.2: a next hop is a neighbor, on the link of the longest prefix that holds it. A link
// without neighbors takes any. Control locked.
func (l *Layer) gatewayLink(r route.Route) (out *device, err error) {
	g := wire.AddrFrom(r.Gateway)
	longest := -1
	for _, d := range l.devices {
		if r.Out != 0 && r.Out != d.index {
			continue
		}
		if d.address(g) != nil {
			return nil, fmt.Errorf("route to %v: gateway %v is our own address: %w", r.Prefix, r.Gateway, syscall.EINVAL)
		}
		if r.Out == 0 && g.NeedsScope() {
			continue
		}
		bits := d.onLink(r.Gateway)
		if r.Out != 0 && (r.OnLink || d.medium == link.IP) || r.Out != 0 && l.direct(r.Table, r.Gateway, d.index) {
			bits = max(bits, 0)
		}
		if bits > longest {
			out, longest = d, bits
		}
	}
	if longest < 0 {
		return nil, fmt.Errorf("route to %v: gateway %v is on no link of ours: %w", r.Prefix, r.Gateway, syscall.ENETUNREACH)
	}
	return out, nil
}

// direct reports whether a route without gateway leads to a over the given interface. Control locked.
func (l *Layer) direct(table uint32, a netip.Addr, out int32) bool {
	q := route.Query{Dst: wire.AddrFrom(a), Out: out}
	if d, err := l.find(out); err == nil {
		q.VRF = d.cfg.VRF
	}
	var r route.Result
	return l.fib.Lookup(&q, &r) && r.Gateway == (wire.Addr{})
}

// publishRoutes is publish where nothing but routes changed: what interfaces are like stays. Control locked.
func (l *Layer) publishRoutes() {
	s := *l.snap.Load()
	s.routes = l.fib
	s.generation++
	l.snap.Store(&s)
	l.generation.Add(1)
	l.wake()
	l.tellChanges()
}

// AddRule adds a rule. Errors: EINVAL for one that makes no sense, EEXIST.
func (l *Layer) AddRule(r route.Rule) error {
	r, err := r.Check()
	if err != nil {
		return fmt.Errorf("rule %v: %w: %w", r, err, syscall.EINVAL)
	}
	l.control.Lock()
	defer l.control.Unlock()
	fib, ok := l.fib.WithRule(r)
	if !ok {
		return fmt.Errorf("rule %v: %w", r, syscall.EEXIST)
	}
	l.fib = fib
	l.publishRoutes()
	return nil
}

// RemoveRule removes a rule that equals r. Errors: ENOENT if there is none, as Linux has it.
func (l *Layer) RemoveRule(r route.Rule) error {
	r, err := r.Check()
	if err != nil {
		return fmt.Errorf("rule %v: %w: %w", r, err, syscall.EINVAL)
	}
	l.control.Lock()
	defer l.control.Unlock()
	fib, _, ok := l.fib.WithoutRule(r.IPv6, func(o *route.Rule) bool { return *o == r })
	if !ok {
		return fmt.Errorf("rule %v: %w", r, syscall.ENOENT)
	}
	l.fib = fib
	l.publishRoutes()
	return nil
}

// Rules returns the rules of both families, in the order they are asked.
func (l *Layer) Rules() (four, six []route.Rule) { return l.snap.Load().routes.Rules() }
