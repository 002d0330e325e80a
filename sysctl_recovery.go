package onlink

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"syscall"
	"time"
)

// tcpRecoveryKnobs are Linux's settings of loss recovery, congestion control, pacing and path MTU discovery.
func tcpRecoveryKnobs() []knob {
	return []knob{
		congestionKnob("net.ipv4.tcp_congestion_control", strings.Clone, strings.Clone),
		{name: "net.ipv4.tcp_available_congestion_control", doc: "the congestion controls there are",
			get: func(s *Stack) string { return strings.Join(s.tcp.Settings().TCP.Controls(), " ") }},
		tcpKnob("net.ipv4.tcp_allowed_congestion_control", "those that a connection without privileges may choose; here all have them",
			func(t *settings) string { return strings.Join(t.AllowedControls(), " ") },
			func(t *settings, v string) error {
				names := strings.Fields(v)
				for _, n := range names {
					if !slices.Contains(t.TCP.Controls(), n) {
						return fmt.Errorf("there is no %q, only %s: %w", n, strings.Join(t.TCP.Controls(), ", "), syscall.EINVAL)
					}
				}
				t.Allowed = names
				return nil
			}),
		off("net.ipv4.tcp_slow_start_after_idle", func(t *settings) *bool { return &t.TCP.NoSlowStartAfterIdle },
			"1: the congestion window shrinks when nothing was sent for a retransmission timeout (RFC 5681, 4.1)"),
		number("net.ipv4.tcp_hystart", func(t *settings) *int { return &t.TCP.HyStart }, 0, 2,
			"how cubic and reno end slow start before losses: 0: not; 1: HyStart++ (RFC 9406); 2: cubic as Linux, reno not"),
		number("net.ipv4.tcp_reordering", func(t *settings) *int { return &t.TCP.Reordering }, 1, maxInt,
			"segments by which the network is first taken to reorder"),
		number("net.ipv4.tcp_max_reordering", func(t *settings) *int { return &t.TCP.MaxReordering }, 0, maxInt,
			"largest reordering that is adapted to, segments"),
		number("net.ipv4.tcp_recovery", func(t *settings) *int { return &t.TCP.Recovery }, 0, math.MaxUint8,
			"the sum of 1: losses are found by time (RACK, RFC 8985), 2: with a reordering window that does not adapt, 4: without one"),
		number("net.ipv4.tcp_early_retrans", func(t *settings) *int { return &t.TCP.EarlyRetrans }, 0, 4,
			"3 and 4: tail loss probes (RFC 8985, 7)"),
		number("net.ipv4.tcp_frto", func(t *settings) *int { return &t.TCP.FRTO }, 0, math.MaxUint8,
			"0: off; else timeouts that were not needed are detected (RFC 5682) and undone"),
		number("net.ipv4.tcp_ecn", func(t *settings) *int { return &t.TCP.ECN }, 0, 5,
			"explicit congestion notification: 0: off; RFC 3168: 1: asked for and agreed to, 2: agreed to; with RFC 9768 agreed to: "+
				"3: it is asked for, 4: RFC 3168 is, 5: nothing is"),
		number("net.ipv4.tcp_ecn_option", func(t *settings) *int { return &t.TCP.ECNOption }, 0, 2,
			"the option of Accurate ECN (RFC 9768, 3.2.3) is sent: 0: never, 1: where it tells news, 2: in each segment that has room"),
		number("net.ipv4.tcp_ecn_option_beacon", func(t *settings) *int { return &t.TCP.ECNOptionBeacon }, 0, math.MaxUint8,
			"with tcp_ecn_option 1, how often in a round-trip time the option is sent at least"),
		off("net.ipv4.tcp_ecn_fallback", func(t *settings) *bool { return &t.TCP.NoECNFallback },
			"1: a SYN that asked for ECN is repeated without"),
		duration("net.ipv4.tcp_min_rtt_wlen", func(t *settings) *time.Duration { return &t.TCP.MinRTTWindow }, time.Second, 0, 86400,
			"seconds that the least round-trip time is remembered"),
		number("net.ipv4.tcp_pacing_ss_ratio", func(t *settings) *int { return &t.TCP.PacingSS }, 0, 1000,
			"pacing rate in slow start, percent of cwnd / SRTT"),
		number("net.ipv4.tcp_pacing_ca_ratio", func(t *settings) *int { return &t.TCP.PacingCA }, 0, 1000,
			"pacing rate in congestion avoidance, percent of cwnd / SRTT"),
		number("net.ipv4.tcp_min_tso_segs", func(t *settings) *int { return &t.TCP.MinTSOSegs }, 1, math.MaxUint8,
			"least segments of a burst"),
		number("net.ipv4.tcp_tso_rtt_log", func(t *settings) *int { return &t.TCP.TSORTTLog }, 0, math.MaxUint8,
			"bursts of short paths are larger: by 64 KiB >> (round-trip time in µs >> n)"),
		idle("net.ipv4.tcp_tso_win_divisor", 3, 0, maxInt, "no effect: sending is not put off to make bursts larger"),
		idle("net.ipv4.tcp_autocorking", 1, 0, 1, "no effect: nothing waits in a device, which is what autocorking looks at"),
		idle("net.ipv4.tcp_limit_output_bytes", 4194304, 0, maxInt, "no effect: the segments of a connection do not wait in the device"),

		number("net.ipv4.tcp_mtu_probing", func(t *settings) *int { return &t.TCP.MTUProbing }, 0, 2,
			"path MTU discovery without ICMP (RFC 4821): 1 when a black hole is suspected, 2 always"),
		number("net.ipv4.tcp_base_mss", func(t *settings) *int { return &t.TCP.BaseMSS }, 48, math.MaxUint16,
			"payload that path MTU probing begins with"),
		number("net.ipv4.tcp_mtu_probe_floor", func(t *settings) *int { return &t.TCP.MTUProbeFloor }, 48, math.MaxUint16,
			"least payload that path MTU probing falls back to"),
		number("net.ipv4.tcp_probe_threshold", func(t *settings) *int { return &t.TCP.ProbeThreshold }, 0, maxInt,
			"path MTU probing ends when it is about so many octets"),
		duration("net.ipv4.tcp_probe_interval", func(t *settings) *time.Duration { return &t.TCP.ProbeInterval }, time.Second, 0, maxInt,
			"seconds after which path MTU probing begins anew"),
		number("net.ipv4.tcp_min_snd_mss", func(t *settings) *int { return &t.TCP.MinSendMSS }, 48, math.MaxUint16,
			"least segment size; a smaller one of a peer is raised to it"),
	}
}

// congestionKnob is the default congestion control, with names as the system that the knob is of has them.
func congestionKnob(name string, shown, known func(string) string) knob {
	return tcpKnob(name, "congestion control of new connections",
		func(t *settings) string { return shown(t.Control()) },
		func(t *settings, v string) error {
			v = known(v)
			if !slices.Contains(t.TCP.Controls(), v) {
				return fmt.Errorf("there are only %s: %w", strings.Join(t.TCP.Controls(), ", "), syscall.ENOENT)
			}
			t.TCP.CongestionControl = v
			return nil
		})
}
