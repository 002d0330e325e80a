package onlink

import (
	"time"

	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/mcast"
)

// multicastKnobs are Linux's settings of IGMP and MLD. Those of interfaces hold for all.
func multicastKnobs() []knob {
	return []knob{
		ipInt("net.ipv4.igmp_max_memberships", func(s *ip.Settings) *int { return &s.MaxMemberships }, 0, maxInt,
			"IPv4 groups that a socket can join"),
		ipInt("net.ipv4.igmp_max_msf", func(s *ip.Settings) *int { return &s.MaxSources4 }, 0, maxInt,
			"sources in a socket's list of an IPv4 group"),
		ipInt("net.ipv6.mld_max_msf", func(s *ip.Settings) *int { return &s.MaxSources6 }, 0, maxInt,
			"sources in a socket's list of an IPv6 group"),
		ipNumber("net.ipv4.igmp_qrv", 1, maxInt, "times that a change is reported where no querier says",
			robustness(igmp).get, robustness(igmp).set),
		ipNumber("net.ipv6.mld_qrv", 1, maxInt, "times that a change is reported where no querier says",
			robustness(mld).get, robustness(mld).set),
		ipNumber("net.ipv4.conf.all.force_igmp_version", 0, 3, "version of IGMP; 0: the querier's",
			func(s *ip.Settings) int { return int(s.IGMP.Force) }, func(s *ip.Settings, n int) { s.IGMP.Force = mcast.Version(n) }),
		ipNumber("net.ipv6.conf.all.force_mld_version", 0, 2, "version of MLD; 0: the querier's",
			func(s *ip.Settings) int { return max(int(s.MLD.Force)-1, 0) }, func(s *ip.Settings, n int) {
				s.MLD.Force = 0
				if n > 0 {
					s.MLD.Force = mcast.Version(n) + 1
				}
			}),
		unsolicited("net.ipv4.conf.all.igmpv2_unsolicited_report_interval", igmp, false),
		unsolicited("net.ipv4.conf.all.igmpv3_unsolicited_report_interval", igmp, true),
		unsolicited("net.ipv6.conf.all.mldv1_unsolicited_report_interval", mld, false),
		unsolicited("net.ipv6.conf.all.mldv2_unsolicited_report_interval", mld, true),
		only("net.ipv4.igmp_link_local_mcast_reports", "1", "groups of 224.0.0.0/24 are reported, but 224.0.0.1"),
	}
}

func igmp(s *ip.Settings) *mcast.Settings { return &s.IGMP }
func mld(s *ip.Settings) *mcast.Settings  { return &s.MLD }

// accessor reads and writes a setting.
type accessor struct {
	get func(*ip.Settings) int
	set func(*ip.Settings, int)
}

func robustness(of func(*ip.Settings) *mcast.Settings) accessor {
	return accessor{func(s *ip.Settings) int {
		if n := of(s).Robustness; n != 0 {
			return n
		}
		return mcast.DefaultRobustness
	}, func(s *ip.Settings, n int) { of(s).Robustness = n }}
}

// unsolicited is an Unsolicited Report Interval: of the newest version, or of those before.
func unsolicited(name string, of func(*ip.Settings) *mcast.Settings, newest bool) knob {
	field := func(s *ip.Settings) (*time.Duration, time.Duration) {
		if newest {
			return &of(s).Unsolicited, mcast.DefaultUnsolicited
		}
		return &of(s).UnsolicitedV2, mcast.DefaultUnsolicitedV2
	}
	return ipNumber(name, 1, maxInt, "milliseconds within which a report is repeated",
		func(s *ip.Settings) int {
			d, standard := field(s)
			if *d == 0 {
				return int(standard / time.Millisecond)
			}
			return int(*d / time.Millisecond)
		}, func(s *ip.Settings, n int) {
			d, _ := field(s)
			*d = time.Duration(n) * time.Millisecond
		})
}
