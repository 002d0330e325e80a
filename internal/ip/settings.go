package ip

import (
	"time"

	"github.com/onlink-go/onlink/internal/mcast"
)

// Settings are what can be changed of a layer while it works. A value in use is not changed: Layer.Configure publishes a
// new one.
type Settings struct {
	Forward4, Forward6 bool          // packets that are not ours are sent on, by family
	TTL, HopLimit      uint8         // of unicast packets whose sender does not say: IPv4's and IPv6's
	ICMPRate           int           // ICMP errors of each kind a second; negative: without limit
	ICMPBurst          int           // and how many at once
	ReversePath        int           // whether IPv4 sources are looked up: Linux's rp_filter
	MinPathMTU         int           // the least that an ICMP message can make of an IPv4 path's MTU
	PathMTULifetime    time.Duration // how long a path's MTU is remembered
	FlowLabels         int           // which packets of IPv6 have flow labels: LabelsOff, …
	IGMP, MLD          mcast.Settings

	RouteSettings

	// Options in one Hop-by-Hop and one Destination Options header at most: without padding (negative: and none that are
	// not known), and octets of the header.
	MaxHopOptions, MaxDstOptions int
	MaxHopOctets, MaxDstOctets   int

	// Of each socket: groups of IPv4, and sources in the list of a group.
	MaxMemberships, MaxSources4, MaxSources6 int
}

// settings returns the settings that cfg means.
func (cfg *Config) settings() *Settings {
	return &Settings{Forward4: cfg.Forwarding, Forward6: cfg.Forwarding, TTL: defaultHopLimit, HopLimit: defaultHopLimit,
		ICMPRate: cfg.ICMPRate, ICMPBurst: cfg.ICMPBurst, MinPathMTU: minPathMTU4, PathMTULifetime: pathMTULifetime,
		FlowLabels:    LabelsOn,
		RouteSettings: routeSettings(),
		MaxHopOptions: maxOptions6, MaxDstOptions: maxOptions6, MaxHopOctets: maxOctets6, MaxDstOctets: maxOctets6,
		MaxMemberships: 20, MaxSources4: 10, MaxSources6: 64}
}

// maxOptions6 is how many options one header may have. RFC 8504, 5.3: "the default value SHOULD be set to 8". maxOctets6 is the longest header there is.
const (
	maxOptions6 = 8
	maxOctets6  = 256 * 8
)

// Settings returns the current settings, which must not be changed.
func (l *Layer) Settings() *Settings { return l.settings.Load() }

// Configure has f change a copy of the settings, which is then the current one.
func (l *Layer) Configure(f func(*Settings)) {
	l.control.Lock()
	defer l.control.Unlock()
	was := l.settings.Load()
	s := *was
	f(&s)
	l.settings.Store(&s)
	if s.Forward6 != was.Forward6 {
		for _, d := range l.devices {
			d.forwardingChanged(s.Forward6)
		}
	}
	if s.IGMP != was.IGMP || s.MLD != was.MLD {
		l.configureGroups(&s)
	}
	if s.HashPorts4 != was.HashPorts4 || s.HashPorts6 != was.HashPorts6 {
		l.fib = l.fib.HashPorts(s.HashPorts4, s.HashPorts6)
		l.publishRoutes()
	}
	if s.Forward4 != was.Forward4 || s.Forward6 != was.Forward6 || s.ReversePath != was.ReversePath {
		l.rebuild() // decisions are made anew, and routers are in groups of their own
	}
}

// forwards reports whether packets of a family are sent on.
func (s *Settings) forwards(four bool) bool {
	if four {
		return s.Forward4
	}
	return s.Forward6
}

// hopLimit returns the TTL or hop limit of unicast packets along path.
func (l *Layer) hopLimit(path *Path) uint8 {
	if path.Attributes != nil && path.Attributes.HopLimit != 0 {
		return path.Attributes.HopLimit
	}
	if n := path.If.HopLimit; n != 0 && !path.Dst.Is4() {
		return uint8(n) // RFC 4861, 6.3.2: CurHopLimit, "The default hop limit to be used when sending IP packets."
	}
	return l.Settings().hopLimit(path.Dst.Is4())
}

// hopLimit returns the TTL or hop limit of a unicast packet.
func (s *Settings) hopLimit(four bool) uint8 {
	if four {
		return s.TTL
	}
	return s.HopLimit
}
