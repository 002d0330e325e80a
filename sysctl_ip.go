package onlink

import (
	"strconv"
	"time"

	"github.com/onlink-go/onlink/internal/ip"
)

// ipKnobs are Linux's settings of the internet layer and of sockets.
func ipKnobs() []knob {
	return []knob{
		defaultTTL(),
		forwarding4(),
		forwarding4().as("net.ipv4.conf.all.forwarding", "net.ipv4.ip_forward"),
		forwarding6(),
		ipInt("net.ipv4.icmp_msgs_per_sec", func(s *ip.Settings) *int { return &s.ICMPRate }, 0, maxInt,
			"ICMP errors a second, of each kind"),
		ipInt("net.ipv4.icmp_msgs_burst", func(s *ip.Settings) *int { return &s.ICMPBurst }, 0, maxInt,
			"ICMP errors at once, of each kind"),
		ipInt("net.ipv4.route.min_pmtu", func(s *ip.Settings) *int { return &s.MinPathMTU }, 68, maxInt,
			"least path MTU that an ICMP message can tell of, octets"),
		ipNumber("net.ipv4.route.mtu_expires", 1, maxInt, "seconds that a path MTU is remembered, of both families", pathMTUSeconds, setPathMTUSeconds),
		ipNumber("net.ipv6.route.mtu_expires", 1, maxInt, "net.ipv4.route.mtu_expires", pathMTUSeconds, setPathMTUSeconds),

		ipInt("net.ipv6.max_hbh_opts_number", func(s *ip.Settings) *int { return &s.MaxHopOptions }, -1000, maxInt,
			"options in a Hop-by-Hop Options header; negative: so many, and no unknown ones"),
		ipInt("net.ipv6.max_dst_opts_number", func(s *ip.Settings) *int { return &s.MaxDstOptions }, -1000, maxInt,
			"options in a Destination Options header; negative: so many, and no unknown ones"),
		ipInt("net.ipv6.max_hbh_length", func(s *ip.Settings) *int { return &s.MaxHopOctets }, 0, maxInt,
			"octets of a Hop-by-Hop Options header"),
		ipInt("net.ipv6.max_dst_opts_length", func(s *ip.Settings) *int { return &s.MaxDstOctets }, 0, maxInt,
			"octets of a Destination Options header"),

		number("net.ipv4.ip_no_pmtu_disc", func(t *settings) *int { return &t.NoPathMTUDiscovery }, 0, 1,
			"1: IPv4 connections let routers fragment, and send no more than net.ipv4.route.min_pmtu where one complained"),
		ipInt("net.ipv6.auto_flowlabels", func(s *ip.Settings) *int { return &s.FlowLabels }, ip.LabelsOff, ip.LabelsForced,
			"flow labels (RFC 6437) are made 0: never; 1: unless a socket says otherwise; 2: if it asks for them; 3: always"),
		on("net.ipv6.bindv6only", func(t *settings) *bool { return &t.BindV6Only }, "1: IPv6 sockets do not take IPv4"),
		number("net.core.rmem_max", func(t *settings) *int { return &t.RMemMax }, 2304, maxInt, "largest SO_RCVBUF, octets"),
		number("net.core.wmem_max", func(t *settings) *int { return &t.WMemMax }, 4608, maxInt, "largest SO_SNDBUF, octets"),
		number("net.core.rmem_default", func(t *settings) *int { return &t.RMemDefault }, 2304, maxInt, "receive buffer of datagram sockets, octets"),
		number("net.core.wmem_default", func(t *settings) *int { return &t.WMemDefault }, 4608, maxInt, "send buffer of datagram sockets, octets"),

		only("net.ipv4.icmp_ratemask", "6168", "all errors are limited"),
		only("net.ipv4.icmp_echo_ignore_all", "0", "echo requests are answered"),
		only("net.ipv4.icmp_echo_ignore_broadcasts", "1", "echo requests to groups are not answered"),
		only("net.ipv4.ip_nonlocal_bind", "0", "addresses must be the stack's own"),
		only("net.ipv6.ip_nonlocal_bind", "0", "addresses must be the stack's own"),
		only("net.ipv4.ip_dynaddr", "0", "addresses of connections do not change"),
		idle("net.ipv4.ip_early_demux", 1, 0, 1, "no effect: connections are found at once"),
		ipInt("net.ipv4.conf.all.rp_filter", func(s *ip.Settings) *int { return &s.ReversePath }, 0, 2,
			"sources are looked up (RFC 3704): 1: the way back is by the interface they came in by; 2: there is one"),
	}
}

// The settings that FreeBSD has too, by names of its own.

func defaultTTL() knob {
	return ipNumber("net.ipv4.ip_default_ttl", 1, 255, "TTL of packets whose sender does not choose one",
		func(s *ip.Settings) int { return int(s.TTL) }, func(s *ip.Settings, n int) { s.TTL = uint8(n) })
}

func defaultHopLimit() knob {
	return ipNumber("net.ipv6.conf.all.hop_limit", 1, 255, "hop limit of IPv6 packets whose sender does not choose one",
		func(s *ip.Settings) int { return int(s.HopLimit) }, func(s *ip.Settings, n int) { s.HopLimit = uint8(n) })
}

func forwarding4() knob {
	return ipBool("net.ipv4.ip_forward", "1: packets for others are sent on: a router",
		func(s *ip.Settings) *bool { return &s.Forward4 })
}

func forwarding6() knob {
	return ipBool("net.ipv6.conf.all.forwarding", "1: IPv6 packets for others are sent on: a router",
		func(s *ip.Settings) *bool { return &s.Forward6 })
}

func pathMTUSeconds(s *ip.Settings) int { return int(s.PathMTULifetime / time.Second) }

func setPathMTUSeconds(s *ip.Settings, n int) { s.PathMTULifetime = time.Duration(n) * time.Second }

// ipNumber is a whole number from lo to hi among the settings of the internet layer.
func ipNumber(name string, lo, hi int, doc string, get func(*ip.Settings) int, set func(*ip.Settings, int)) knob {
	return knob{name: name, doc: doc + rangeDoc(lo, hi),
		get: func(s *Stack) string { return strconv.Itoa(get(s.ip.Settings())) },
		set: func(s *Stack, v string) error {
			n, err := parseNumber(v, lo, hi)
			if err != nil {
				return err
			}
			s.ip.Configure(func(t *ip.Settings) { set(t, n) })
			return nil
		}}
}

// ipInt is ipNumber of a field.
func ipInt(name string, field func(*ip.Settings) *int, lo, hi int, doc string) knob {
	return ipNumber(name, lo, hi, doc, func(s *ip.Settings) int { return *field(s) }, func(s *ip.Settings, n int) { *field(s) = n })
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
