package onlink

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/netif"
)

// Settings of one interface: net.ipv6.conf.NAME.setting, where NAME is an interface's, or "default" for those to come, or
// "all" for all of these at once.

// confKnob is an entry of the table of settings that each interface has. index is the interface's, or 0 for "default".
type confKnob struct {
	family string // "net.ipv6.conf."
	name   string
	doc    string
	get    func(s *Stack, index int32) (string, error)
	set    func(s *Stack, index int32, value string) error // nil: it can only be read
}

func compareConf(a, b confKnob) int {
	return cmp.Or(strings.Compare(a.family, b.family), strings.Compare(a.name, b.name))
}

// findConf finds the setting of one or all interfaces with the given name, with dots. ok is false if it is not one of
// this table.
func (s *Stack) findConf(plain string) (k *knob, ok bool, err error) {
	for _, family := range [...]string{"net.ipv4.conf.", "net.ipv6.conf."} {
		rest, found := strings.CutPrefix(plain, family)
		i := strings.LastIndexByte(rest, '.') // the interface's name may have dots in it
		if !found || i < 0 {
			continue
		}
		all := confKnobs()
		j, found := slices.BinarySearchFunc(all, confKnob{family: family, name: rest[i+1:]}, compareConf)
		if !found {
			return nil, false, nil
		}
		indices, err := s.confIndices(rest[:i])
		return all[j].of(plain, indices), true, err
	}
	return nil, false, nil
}

// confIndices returns what a name in the middle of a setting's stands for. The first is the one to read.
func (s *Stack) confIndices(name string) ([]int32, error) {
	if name == "default" {
		return []int32{0}, nil
	}
	all := []int32{0}
	for _, i := range s.ip.Snapshot().Interfaces {
		if i.Name == name {
			return []int32{i.Index}, nil
		}
		if !i.Loopback {
			all = append(all, i.Index)
		}
	}
	if name == "all" {
		return all, nil
	}
	return nil, fmt.Errorf("onlink: no interface %q: %w", name, syscall.ENOENT)
}

// of returns the setting of the interfaces with the given indices.
func (c confKnob) of(name string, indices []int32) *knob {
	k := &knob{name: name, doc: c.doc, get: func(s *Stack) string {
		v, err := c.get(s, indices[0])
		if err != nil {
			return "" // the interface was removed meanwhile
		}
		return v
	}}
	if c.set != nil {
		k.set = func(s *Stack, v string) error {
			for _, index := range indices {
				if err := c.set(s, index, v); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return k
}

// allConf returns the settings of all interfaces.
func (s *Stack) allConf() (all []Sysctl) {
	names := []string{"all", "default"}
	for _, i := range s.ip.Snapshot().Interfaces {
		names = append(names, i.Name)
	}
	for _, n := range names {
		indices, err := s.confIndices(n)
		if err != nil {
			continue // removed meanwhile
		}
		for _, c := range confKnobs() {
			k := c.of(c.family+n+"."+c.name, indices)
			all = append(all, Sysctl{Name: k.name, Value: k.get(s), Doc: k.doc})
		}
	}
	return all
}

// conf6 is a setting among those of IPv6 on an interface.
func conf6(name, doc string, get func(*netif.IPv6) string, set func(*netif.IPv6, string) error) confKnob {
	return confKnob{family: "net.ipv6.conf.", name: name, doc: doc,
		get: func(s *Stack, index int32) (string, error) {
			c, err := s.ip.IPv6(index)
			return get(&c), err
		},
		set: func(s *Stack, index int32, v string) (err error) {
			failed := s.ip.ConfigureIPv6(index, func(c *netif.IPv6) {
				trial := *c
				if err = set(&trial, v); err == nil {
					*c = trial
				}
			})
			return cmp.Or(failed, err)
		}}
}

func conf6Number(name string, field func(*netif.IPv6) *int, lo, hi int, doc string) confKnob {
	return conf6(name, doc+rangeDoc(lo, hi), func(c *netif.IPv6) string { return strconv.Itoa(*field(c)) },
		func(c *netif.IPv6, v string) error {
			n, err := parseNumber(v, lo, hi)
			if err == nil {
				*field(c) = n
			}
			return err
		})
}

func conf6On(name string, field func(*netif.IPv6) *bool, doc string) confKnob {
	return conf6(name, doc, func(c *netif.IPv6) string { return bit(*field(c)) }, func(c *netif.IPv6, v string) error {
		n, err := parseNumber(v, 0, math.MaxUint8)
		if err == nil {
			*field(c) = n != 0
		}
		return err
	})
}

func conf6Seconds(name string, field func(*netif.IPv6) *time.Duration, lo int, doc string) confKnob {
	return conf6(name, doc+", seconds"+rangeDoc(lo, math.MaxInt32),
		func(c *netif.IPv6) string { return strconv.Itoa(int(*field(c) / time.Second)) },
		func(c *netif.IPv6, v string) error {
			n, err := parseNumber(v, lo, math.MaxInt32)
			if err == nil {
				*field(c) = time.Duration(n) * time.Second
			}
			return err
		})
}

// conf6Only is a setting that describes what the stack does and cannot do otherwise.
func conf6Only(name, value, why string) confKnob {
	return conf6(name, why, func(*netif.IPv6) string { return value }, func(_ *netif.IPv6, v string) error {
		if v != value {
			return fmt.Errorf("can only be %s here, %s: %w", value, why, syscall.EINVAL)
		}
		return nil
	})
}

// ipv6Knobs are Linux's settings of IPv6 hosts.
func ipv6Knobs() []confKnob {
	return []confKnob{
		conf6On("disable_ipv6", func(c *netif.IPv6) *bool { return &c.Disable }, "1: no IPv6"),
		conf6Number("accept_dad", func(c *netif.IPv6) *int { return &c.AcceptDAD }, 0, 2,
			"duplicate address detection: 0: none; 2: no IPv6 where the link-local address made of the hardware's is a duplicate"),
		conf6Number("dad_transmits", func(c *netif.IPv6) *int { return &c.DADTransmits }, 0, 1000, "solicitations of duplicate address detection"),
		conf6On("optimistic_dad", func(c *netif.IPv6) *bool { return &c.OptimisticDAD }, "1: advertised addresses are usable during duplicate address detection (RFC 4429)"),
		conf6Only("enhanced_dad", "1", "solicitations carry nonces (RFC 7527)"),
		conf6("addr_gen_mode", "interface identifiers: 0: of the hardware address; 1: no link-local address; 2: of stable_secret; 3: of a random secret",
			func(c *netif.IPv6) string { return strconv.Itoa(int(c.Forms())) }, setAddrGenMode),
		conf6("stable_secret", "secret of interface identifiers (RFC 7217), written as an IPv6 address", getSecret, setSecret),

		conf6Number("accept_ra", func(c *netif.IPv6) *int { return &c.AcceptRA }, 0, 2, "Router Advertisements: 0: ignored; 1: believed by hosts; 2: by routers too"),
		conf6On("accept_ra_from_local", func(c *netif.IPv6) *bool { return &c.FromLocal }, "1: also those of our own address"),
		conf6On("accept_ra_defrtr", func(c *netif.IPv6) *bool { return &c.DefaultRouters }, "1: default routers are learned"),
		conf6On("accept_ra_rtr_pref", func(c *netif.IPv6) *bool { return &c.RouterPreference }, "1: default routers have preferences (RFC 4191)"),
		conf6Number("ra_defrtr_metric", func(c *netif.IPv6) *int { return &c.RouterMetric }, 1, maxInt, "metric of default routers"),
		conf6Number("accept_ra_rt_info_min_plen", func(c *netif.IPv6) *int { return &c.RoutePrefixMin }, 0, 128, "shortest prefix of Route Information options, bits"),
		conf6Number("accept_ra_rt_info_max_plen", func(c *netif.IPv6) *int { return &c.RoutePrefixMax }, -1, 128, "longest prefix of Route Information options, bits; -1: they are ignored"),
		conf6On("accept_ra_pinfo", func(c *netif.IPv6) *bool { return &c.PrefixInfo }, "1: prefixes are learned"),
		conf6On("accept_ra_mtu", func(c *netif.IPv6) *bool { return &c.LinkMTU }, "1: the MTU is learned"),
		conf6Number("accept_ra_min_hop_limit", func(c *netif.IPv6) *int { return &c.MinHopLimit }, 0, 255, "least hop limit that is learned"),
		conf6Seconds("accept_ra_min_lft", func(c *netif.IPv6) *time.Duration { return &c.MinLifetime }, 0, "shorter lifetimes, but 0, are ignored"),

		conf6Number("router_solicitations", func(c *netif.IPv6) *int { return &c.Solicitations }, -1, maxInt, "at most; -1: without end"),
		conf6Seconds("router_solicitation_interval", func(c *netif.IPv6) *time.Duration { return &c.SolicitInterval }, 1, "between the first two solicitations"),
		conf6Seconds("router_solicitation_max_interval", func(c *netif.IPv6) *time.Duration { return &c.SolicitMaxInterval }, 0, "between solicitations at most"),
		conf6Seconds("router_solicitation_delay", func(c *netif.IPv6) *time.Duration { return &c.SolicitInitialDelay }, 0, "random delay of the first at most"),

		conf6On("autoconf", func(c *netif.IPv6) *bool { return &c.Autoconf }, "1: addresses are formed from advertised prefixes"),
		conf6Number("max_addresses", func(c *netif.IPv6) *int { return &c.MaxAddresses }, 0, maxInt, "addresses that are formed at most; 0: any number"),
		conf6Number("use_tempaddr", func(c *netif.IPv6) *int { return &c.TempAddr }, -1, maxInt, "temporary addresses (RFC 8981): 0 or -1: none; 1: used where asked for; more: preferred"),
		conf6Seconds("temp_valid_lft", func(c *netif.IPv6) *time.Duration { return &c.TempValid }, 0, "how long temporary addresses are valid"),
		conf6Seconds("temp_prefered_lft", func(c *netif.IPv6) *time.Duration { return &c.TempPreferred }, 0, "how long temporary addresses are preferred"),
		conf6("max_desync_factor", "how much shorter at random temporary addresses are preferred, seconds; -1: 0.4 of temp_prefered_lft",
			func(c *netif.IPv6) string { return strconv.Itoa(int(c.Desync() / time.Second)) }, setDesync),
		conf6Number("regen_max_retry", func(c *netif.IPv6) *int { return &c.TempRetries }, 0, 1000, "other temporary addresses tried after a duplicate"),
		conf6Seconds("regen_min_advance", func(c *netif.IPv6) *time.Duration { return &c.RegenMargin }, 0, "how long before its time a temporary address has a successor at least"),

		conf6("mtu", "of IPv6 packets, octets; routers may lower it; 0: the link's",
			func(c *netif.IPv6) string { return strconv.Itoa(c.MTU) }, setMTU6),
		{family: "net.ipv6.conf.", name: "hop_limit", doc: "hop limit of IPv6 packets whose sender does not choose one; routers may change it",
			get: getHopLimit, set: setHopLimit},
	}
}

func setMTU6(c *netif.IPv6, v string) error {
	n, err := parseNumber(v, 0, 65575)
	if err == nil && n != 0 && n < netif.MinMTU6 {
		err = fmt.Errorf("must be at least %d: %w", netif.MinMTU6, syscall.EINVAL)
	}
	if err == nil {
		c.MTU = n
	}
	return err
}

// getHopLimit and setHopLimit are about an interface's own hop limit, or the stack's.
func getHopLimit(s *Stack, index int32) (string, error) {
	if index == 0 {
		return defaultHopLimit().get(s), nil
	}
	c, err := s.ip.IPv6(index)
	return strconv.Itoa(c.HopLimit), err
}

func setHopLimit(s *Stack, index int32, v string) error {
	if index == 0 {
		return defaultHopLimit().set(s, v)
	}
	n, err := parseNumber(v, 1, 255)
	if err != nil {
		return err
	}
	return s.ip.ConfigureIPv6(index, func(c *netif.IPv6) { c.HopLimit = n })
}

func setDesync(c *netif.IPv6, v string) error {
	n, err := parseNumber(v, -1, maxInt)
	if err == nil {
		c.MaxDesync = time.Duration(n) * time.Second
	}
	return err
}

func setAddrGenMode(c *netif.IPv6, v string) error {
	n, err := parseNumber(v, 0, 3)
	if err != nil {
		return err
	}
	if netif.AddrGenMode(n) == netif.EUI64 {
		c.Secret = netif.Secret{} // otherwise it would be used
	}
	if netif.AddrGenMode(n) == netif.Stable && c.Secret == (netif.Secret{}) {
		return fmt.Errorf("needs a stable_secret first: %w", syscall.EINVAL)
	}
	c.AddrGenMode = netif.AddrGenMode(n)
	return nil
}

func getSecret(c *netif.IPv6) string {
	if c.Secret == (netif.Secret{}) {
		return ""
	}
	return netip.AddrFrom16(c.Secret).StringExpanded()
}

func setSecret(c *netif.IPv6, v string) error {
	if v == "" {
		if c.Secret = (netif.Secret{}); c.AddrGenMode == netif.Stable {
			c.AddrGenMode = netif.EUI64
		}
		return nil
	}
	a, err := netip.ParseAddr(v)
	if err != nil || !a.Is6() || a.Zone() != "" {
		return fmt.Errorf("must be written as an IPv6 address: %w", syscall.EINVAL)
	}
	c.Secret, c.AddrGenMode = a.As16(), netif.Stable
	return nil
}
