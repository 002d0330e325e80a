package onlink

import (
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/route"
)

// Route is a way to a prefix: through Gateway, or directly on Interface's link if Gateway is the zero Addr. The zero
// values of all fields but Prefix are usable.
type Route struct {
	Prefix    netip.Prefix
	Gateway   netip.Addr
	Interface string // may be empty where the gateway's address tells it
	Metric    int    // the lowest of equally long prefixes wins
	Table     int    // its number; 0: that of the interface's VRF, or the main one, 254
	Type      RouteType
	OnLink    bool // the gateway is a neighbor on Interface's link, though no prefix there holds it

	// Weight makes a route one of several of one prefix, table and metric that share the flows: each has its weight's part.
	// 1 to 256; 0: it does not share.
	Weight int

	// Source is the address to send from, if a socket does not say; the zero Addr: as RFC 6724 has it.
	Source netip.Addr

	// What packets and connections by this route have; zero: what they have by others.
	MTU           int           // octets of the largest packet
	HopLimit      int           // TTL or hop limit
	AdvertisedMSS int           // octets; the most that TCP announces
	InitialWindow int           // segments of TCP's first flight
	MinRTO        time.Duration // least retransmission timeout of TCP
	Preference    int           // of routers of one metric: 1, 0 or -1 (RFC 4191, 2.1)
	Origin        string        // "static"; "dhcp": a DHCP server told of it; in a Snapshot also "connected", "ra", "redirect"
	Expires       time.Duration // in a Snapshot: what remains of its lifetime; 0: it has none
}

// RouteType says what becomes of packets that a route is for.
type RouteType uint8

// The types, with what senders get where packets do not go on. A router answers forwarded packets with an ICMP error, but
// for Blackhole.
const (
	UnicastRoute     = RouteType(route.Unicast)
	BlackholeRoute   = RouteType(route.Blackhole)   // EINVAL
	UnreachableRoute = RouteType(route.Unreachable) // EHOSTUNREACH
	ProhibitRoute    = RouteType(route.Prohibit)    // EACCES
	ThrowRoute       = RouteType(route.Throw)       // the next rule is asked
)

// String returns the type's name as ip-route(8) has it.
func (t RouteType) String() string { return route.Type(t).String() }

// The numbers of tables that have a meaning.
const (
	MainTable    = route.MainTable    // of routes that name no table
	DefaultTable = route.DefaultTable // asked after it, for IPv4
)

// AddRoute adds static routes, all or none; many at once are added faster than one by one. Several routes to one prefix
// with one metric are gateways that stand in for each other: the first is used as long as it answers (RFC 1122, 3.3.1.4);
// with a Weight they share the flows. Errors name what is wrong; errors.Is finds EINVAL, EEXIST, and ENETUNREACH for a
// gateway that is on no link of ours.
func (s *Stack) AddRoute(rs ...Route) error {
	all, err := s.routesOf(rs)
	if err != nil {
		return err
	}
	return s.ip.AddRoute(all...)
}

// RemoveRoute removes a route with r's prefix, table, type and, where r names them, gateway, interface and metric. Errors:
// ESRCH if there is no such route.
func (s *Stack) RemoveRoute(r Route) error {
	all, err := s.routesOf([]Route{r})
	if err != nil {
		return err
	}
	return s.ip.RemoveRoute(all[0])
}

// ReplaceRoute puts routes of one prefix, table and metric in place of those that are configured there, in one step. Errors
// are AddRoute's.
func (s *Stack) ReplaceRoute(rs ...Route) error {
	all, err := s.routesOf(rs)
	if err != nil {
		return err
	}
	return s.ip.ReplaceRoute(all...)
}

// Routes lists the routes in use, those of addresses and of routers included, by table and prefix and then as they are
// preferred.
func (s *Stack) Routes() []Route {
	now := s.rt.Now()
	var all []Route
	for _, r := range s.ip.Routes() {
		all = append(all, newRoute(now, &r, s.interfaceName(r.Out)))
	}
	return all
}

// newRoute converts r, which leads through the interface of the given name.
func newRoute(now clock.Instant, r *route.Route, on string) Route {
	o := Route{Prefix: r.Prefix, Gateway: r.Gateway, Interface: on, Metric: r.Metric, Table: int(r.Table),
		Type: RouteType(r.Type), Weight: r.Weight, OnLink: r.OnLink, Source: r.Source, MTU: r.MTU, HopLimit: int(r.HopLimit),
		AdvertisedMSS: r.AdvertisedMSS, InitialWindow: r.InitialWindow, MinRTO: r.MinRTO,
		Preference: int(r.Preference), Origin: r.Origin.String()}
	if r.Expires != 0 {
		o.Expires = max(0, r.Expires.Sub(now))
	}
	return o
}

// interfaceName returns the name of an interface; "" for 0.
func (s *Stack) interfaceName(index int32) string {
	if i := s.ip.Snapshot().Interface(index); i != nil {
		return i.Name
	}
	return ""
}

func (s *Stack) routesOf(rs []Route) ([]route.Route, error) {
	all := make([]route.Route, len(rs))
	for i, r := range rs {
		out, err := s.routeInterface(r)
		if err != nil {
			return nil, err
		}
		if r.HopLimit < 0 || r.HopLimit > 255 || r.Table < 0 || int64(r.Table) > 1<<32-1 || r.Preference < -1 || r.Preference > 1 {
			return nil, fmt.Errorf("onlink: route to %v: a number is out of range: %w", r.Prefix, syscall.EINVAL)
		}
		var origin route.Origin // static, whatever else there is in a Route of a Snapshot
		if r.Origin == route.DHCP.String() {
			origin = route.DHCP
		}
		all[i] = route.Route{Prefix: r.Prefix, Gateway: r.Gateway, Out: out, Metric: r.Metric, Table: uint32(r.Table),
			Type: route.Type(r.Type), Weight: r.Weight, OnLink: r.OnLink, Source: r.Source, Preference: int8(r.Preference), Origin: origin,
			Attributes: route.Attributes{MTU: r.MTU, AdvertisedMSS: r.AdvertisedMSS, InitialWindow: r.InitialWindow,
				MinRTO: r.MinRTO, HopLimit: uint8(r.HopLimit)}}
	}
	return all, nil
}

func (s *Stack) routeInterface(r Route) (int32, error) {
	name := r.Interface
	if name == "" {
		name = r.Gateway.Zone()
	}
	if name == "" {
		return 0, nil
	}
	index, err := s.zone(name)
	if err != nil {
		return 0, fmt.Errorf("onlink: route to %v: %w", r.Prefix, err)
	}
	return index, nil
}
