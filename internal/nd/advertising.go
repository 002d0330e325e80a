package nd

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/onlink-go/onlink/wire"
)

// Advertising is what a router advertises on an interface: the variables of RFC 4861, 6.2.1, under their names there as
// far as they have one, with those of RFC 4191 and RFC 8106. A zero duration or number means the default; a negative one
// means zero. Lifetimes are in whole seconds; Infinite lasts for ever.
type Advertising struct {
	MaxInterval time.Duration // MaxRtrAdvInterval; 4 s to 1800 s, 600 s by default
	MinInterval time.Duration // MinRtrAdvInterval; 3 s to 0.75 * MaxInterval, 0.33 * MaxInterval by default

	Managed, Other  bool            // AdvManagedFlag, AdvOtherConfigFlag
	HopLimit        int             // AdvCurHopLimit; up to 255, 64 by default
	DefaultLifetime time.Duration   // AdvDefaultLifetime; MaxInterval to 9000 s, 3 * MaxInterval by default
	Preference      wire.Preference // as a default router (RFC 4191, 2.2)
	ReachableTime   time.Duration   // AdvReachableTime, up to an hour; by default not specified
	RetransTimer    time.Duration   // AdvRetransTimer; by default not specified
	LinkMTU         int             // AdvLinkMTU, octets; by default there is no such option

	Prefixes []AdvPrefix // AdvPrefixList
	Routes   []AdvRoute  // more specific routes (RFC 4191)

	Servers     []wire.Addr   // RDNSS (RFC 8106, 5.1)
	Domains     []string      // DNSSL (RFC 8106, 5.2)
	DNSLifetime time.Duration // of both; 3 * MaxInterval by default

	// Unicast answers solicitations to who asked, where that is known (RFC 7772, 5.1). By default all nodes are answered.
	Unicast bool
	// NoSourceLink leaves the Source Link-Layer Address option out.
	NoSourceLink bool
}

// AdvPrefix is an entry of AdvPrefixList.
type AdvPrefix struct {
	Prefix       netip.Prefix
	Valid        time.Duration // AdvValidLifetime; 30 days by default
	Preferred    time.Duration // AdvPreferredLifetime; 7 days by default, or Valid if that is less
	Decrement    bool          // both run out in real time: "a time that decrements in real time"
	NotOnLink    bool          // AdvOnLinkFlag is FALSE
	NoAutonomous bool          // AdvAutonomousFlag is FALSE
}

// AdvRoute is a more specific route (RFC 4191, 2.3).
type AdvRoute struct {
	Prefix     netip.Prefix
	Preference wire.Preference
	Lifetime   time.Duration // 3 * MaxInterval by default
}

// Infinite is a lifetime that does not end.
const Infinite = time.Duration(1<<63 - 1)

// The defaults and bounds of RFC 4861, 6.2.1.
const (
	defaultMaxInterval = 600 * time.Second
	defaultValid       = 2592000 * time.Second
	defaultPreferred   = 604800 * time.Second
	defaultHopLimit    = 64 // of the "Assigned Numbers"
	maxDefaultLifetime = 9000 * time.Second
	maxRetransTimer    = (1<<32 - 1) * time.Millisecond
)

// maxAdvertised bounds each other list: what a host would not store is not worth sending.
const (
	maxAdvertised = 256
	maxRoutes     = 17
)

// Complete returns a with its defaults in place, and zero for what was negative. Errors name the variable that is out of
// its bounds.
func (a Advertising) Complete() (Advertising, error) {
	a.Prefixes, a.Routes = slices.Clone(a.Prefixes), slices.Clone(a.Routes)
	a.Servers, a.Domains = slices.Clone(a.Servers), slices.Clone(a.Domains)
	err := a.completeIntervals()
	for _, step := range [...]func() error{a.completeHeader, a.completePrefixes, a.completeRoutes, a.completeDNS} {
		if err == nil {
			err = step()
		}
	}
	return a, err
}

// or sets *v to d if it is zero, and to zero if it is negative.
func or[T time.Duration | int](v *T, d T) {
	switch {
	case *v == 0:
		*v = d
	case *v < 0:
		*v = 0
	}
}

func outOfBounds(name string, v any, bounds string) error {
	return fmt.Errorf("%s is %v: must be %s", name, v, bounds)
}

func (a *Advertising) completeIntervals() error {
	or(&a.MaxInterval, defaultMaxInterval)
	// "MUST be no less than 4 seconds and no greater than 1800 seconds."
	if a.MaxInterval < 4*time.Second || a.MaxInterval > 1800*time.Second {
		return outOfBounds("MaxInterval", a.MaxInterval, "from 4s to 30m")
	}
	// "Default: 0.33 * MaxRtrAdvInterval If MaxRtrAdvInterval >= 9 seconds; otherwise, the Default is MaxRtrAdvInterval",
	// which is more than the bound below, and meant to be 0.75 times that.
	least := a.MaxInterval * 33 / 100
	if a.MaxInterval < 9*time.Second {
		least = a.MaxInterval * 3 / 4
	}
	or(&a.MinInterval, max(least, 3*time.Second))
	// "MUST be no less than 3 seconds and no greater than .75 * MaxRtrAdvInterval."
	if a.MinInterval < 3*time.Second || a.MinInterval > a.MaxInterval*3/4 {
		return outOfBounds("MinInterval", a.MinInterval, "from 3s to 0.75 of MaxInterval")
	}
	return nil
}

func (a *Advertising) completeHeader() error {
	or(&a.HopLimit, defaultHopLimit)
	or(&a.DefaultLifetime, min(3*a.MaxInterval, maxDefaultLifetime))
	or(&a.ReachableTime, 0)
	or(&a.RetransTimer, 0)
	or(&a.LinkMTU, 0)
	switch {
	case a.HopLimit > 255:
		return outOfBounds("HopLimit", a.HopLimit, "at most 255")
	// "MUST be either zero or between MaxRtrAdvInterval and 9000 seconds."
	case a.DefaultLifetime != 0 && (a.DefaultLifetime < a.MaxInterval || a.DefaultLifetime > maxDefaultLifetime):
		return outOfBounds("DefaultLifetime", a.DefaultLifetime, "from MaxInterval to 2h30m, or negative for none")
	case a.Preference < wire.PreferenceLow || a.Preference > wire.PreferenceHigh:
		return outOfBounds("Preference", a.Preference, "-1, 0 or 1")
	// "MUST be no greater than 3,600,000 milliseconds (1 hour)."
	case a.ReachableTime > time.Hour:
		return outOfBounds("ReachableTime", a.ReachableTime, "at most 1h")
	case a.RetransTimer > maxRetransTimer:
		return outOfBounds("RetransTimer", a.RetransTimer, "at most 2^32-1 ms")
	case a.LinkMTU != 0 && a.LinkMTU < wire.IPv6MinMTU:
		return outOfBounds("LinkMTU", a.LinkMTU, "at least 1280")
	case int64(a.LinkMTU) > 1<<32-1:
		return outOfBounds("LinkMTU", a.LinkMTU, "at most 2^32-1")
	}
	return nil
}

func (a *Advertising) completePrefixes() error {
	if len(a.Prefixes) > maxAdvertised {
		return outOfBounds("the number of Prefixes", len(a.Prefixes), fmt.Sprint("at most ", maxAdvertised))
	}
	seen := make(map[netip.Prefix]bool)
	for i := range a.Prefixes {
		p := &a.Prefixes[i]
		// "The link-local prefix SHOULD NOT be included in the list of advertised prefixes." RFC 4861, 4.6.2: "A router
		// SHOULD NOT send a prefix option for the link-local prefix".
		if !is6(p.Prefix) || p.Prefix.Addr().IsLinkLocalUnicast() || p.Prefix.Addr().IsMulticast() {
			return outOfBounds("Prefix", p.Prefix, "an IPv6 prefix that is neither link-local nor of multicast addresses")
		}
		if p.Prefix = p.Prefix.Masked(); seen[p.Prefix] {
			return outOfBounds("Prefix", p.Prefix, "in the list once")
		}
		seen[p.Prefix] = true
		or(&p.Valid, defaultValid)
		or(&p.Preferred, min(defaultPreferred, p.Valid))
		if !isLifetime(p.Valid) {
			return outOfBounds("Valid", p.Valid, "less than 2^32-1 s, or for ever")
		}
		// "This value MUST NOT be larger than AdvValidLifetime."
		if p.Preferred > p.Valid {
			return outOfBounds("Preferred", p.Preferred, fmt.Sprint("at most Valid, ", p.Valid))
		}
	}
	return nil
}

func (a *Advertising) completeRoutes() error {
	// RFC 4191, 4: "Routers SHOULD NOT send more than 17 Route Information Options in Router Advertisements per link."
	if len(a.Routes) > maxRoutes {
		return outOfBounds("the number of Routes", len(a.Routes), fmt.Sprint("at most ", maxRoutes))
	}
	seen := make(map[netip.Prefix]bool)
	for i := range a.Routes {
		r := &a.Routes[i]
		if !is6(r.Prefix) {
			return outOfBounds("the Prefix of a route", r.Prefix, "an IPv6 prefix")
		}
		// RFC 4191, 2.3: "Routers MUST NOT include two Route Information Options with the same Prefix and Prefix Length in the
		// same Router Advertisement."
		if r.Prefix = r.Prefix.Masked(); seen[r.Prefix] {
			return outOfBounds("the Prefix of a route", r.Prefix, "in the list once")
		}
		seen[r.Prefix] = true
		or(&r.Lifetime, 3*a.MaxInterval)
		if !isLifetime(r.Lifetime) {
			return outOfBounds("the Lifetime of a route", r.Lifetime, "less than 2^32-1 s, or for ever")
		}
		if r.Preference < wire.PreferenceLow || r.Preference > wire.PreferenceHigh {
			return outOfBounds("the Preference of a route", r.Preference, "-1, 0 or 1")
		}
	}
	return nil
}

func (a *Advertising) completeDNS() error {
	// RFC 8106, 5.1: "The value of Lifetime SHOULD by default be at least 3 * MaxRtrAdvInterval".
	or(&a.DNSLifetime, 3*a.MaxInterval)
	if !isLifetime(a.DNSLifetime) {
		return outOfBounds("DNSLifetime", a.DNSLifetime, "less than 2^32-1 s, or for ever")
	}
	if len(a.Servers) > maxAdvertised {
		return outOfBounds("the number of Servers", len(a.Servers), fmt.Sprint("at most ", maxAdvertised))
	}
	if len(a.Domains) > maxAdvertised {
		return outOfBounds("the number of Domains", len(a.Domains), fmt.Sprint("at most ", maxAdvertised))
	}
	for _, s := range a.Servers {
		if s.Is4() || s.IsMulticast() || s.IsUnspecified() || s.IsLoopback() {
			return outOfBounds("a name server", s, "an IPv6 unicast address")
		}
	}
	for i, d := range a.Domains {
		if d = strings.TrimSuffix(d, "."); !isDomain(d) {
			return outOfBounds("a search domain", fmt.Sprintf("%q", d), "a domain name (RFC 1035, 2.3.4)")
		}
		a.Domains[i] = d
	}
	return nil
}

func is6(p netip.Prefix) bool {
	return p.IsValid() && p.Addr().Is6() && !p.Addr().Is4In6() && p.Addr().Zone() == ""
}

// isLifetime reports whether d fits a field of 32 bits whose greatest value is infinity.
func isLifetime(d time.Duration) bool {
	return d == Infinite || d < wire.InfiniteLifetime*time.Second
}

// isDomain reports whether s can be written as labels: RFC 1035, 2.3.4: "labels 63 octets or less; names 255 octets or
// less".
func isDomain(s string) bool {
	if len(s)+2 > 255 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if len(label) == 0 || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return false
		}
	}
	return true
}
