package onlink

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/tcp"
)

// tcpRecoveryKnobs are Linux's settings of loss recovery, congestion control, pacing and path MTU discovery.
var tcpRecoveryKnobs = []knob{
	congestionKnob("net.ipv4.tcp_congestion_control", strings.Clone, strings.Clone),
	{name: "net.ipv4.tcp_available_congestion_control", doc: "the congestion controls there are",
		get: func(*Stack) string { return strings.Join(tcp.CongestionControls(), " ") }},
	tcpKnob("net.ipv4.tcp_allowed_congestion_control", "those that a connection may choose",
		func(t *settings) string { return strings.Join(t.AllowedControls(), " ") },
		func(t *settings, v string) error {
			names := strings.Fields(v)
			for _, n := range names {
				if !slices.Contains(tcp.CongestionControls(), n) {
					return fmt.Errorf("there is no %q, only %s: %w", n, strings.Join(tcp.CongestionControls(), ", "), syscall.EINVAL)
				}
			}
			t.Allowed = names
			return nil
		}),
	off("net.ipv4.tcp_slow_start_after_idle", func(t *settings) *bool { return &t.TCP.NoSlowStartAfterIdle },
		"1: the congestion window shrinks when nothing was sent for a retransmission timeout (RFC 5681, 4.1)"),
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
	number("net.ipv4.tcp_ecn", func(t *settings) *int { return &t.TCP.ECN }, 0, 2,
		"explicit congestion notification (RFC 3168): 0: off, 1: asked for and agreed to, 2: agreed to"),
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
	number("net.ipv4.tcp_tso_win_divisor", func(t *settings) *int { return &t.TCP.TSOWinDivisor }, 0, math.MaxUint8,
		"a burst is at most 1/n of the congestion window"),
	number("net.ipv4.tcp_tso_rtt_log", func(t *settings) *int { return &t.TCP.TSORTTLog }, 0, math.MaxUint8,
		"bursts of short paths are larger: by 64 KiB >> (round-trip time in µs >> n)"),
	number("net.ipv4.tcp_limit_output_bytes", func(t *settings) *int { return &t.TCP.LimitOutput }, 0, maxInt,
		"octets of a connection that may wait in the device"),
	off("net.ipv4.tcp_autocorking", func(t *settings) *bool { return &t.TCP.NoAutoCork },
		"1: small writes are joined while earlier ones wait in the device"),

	number("net.ipv4.tcp_mtu_probing", func(t *settings) *int { return &t.TCP.MTUProbing }, 0, 2,
		"path MTU discovery without ICMP (RFC 4821): 0: off, 1: when a black hole is suspected, 2: always"),
	number("net.ipv4.tcp_base_mss", func(t *settings) *int { return &t.TCP.BaseMSS }, 1, math.MaxUint16, "segment size that probing begins with"),
	number("net.ipv4.tcp_min_snd_mss", func(t *settings) *int { return &t.TCP.MinSendMSS }, 48, math.MaxUint16,
		"least segment size; a smaller one of a peer is raised to it"),
	number("net.ipv4.tcp_mtu_probe_floor", func(t *settings) *int { return &t.TCP.ProbeFloor }, 48, math.MaxUint16,
		"least segment size that a suspected black hole makes"),
	number("net.ipv4.tcp_probe_threshold", func(t *settings) *int { return &t.TCP.ProbeThreshold }, 0, maxInt,
		"probing ends when the search range is narrower, octets"),
	duration("net.ipv4.tcp_probe_interval", func(t *settings) *time.Duration { return &t.TCP.ProbeInterval }, time.Second, 0, maxInt,
		"seconds after which probing begins anew"),
}

// congestionKnob is the default congestion control, with names as the system that the knob is of has them.
func congestionKnob(name string, shown, known func(string) string) knob {
	return tcpKnob(name, "congestion control of new connections",
		func(t *settings) string { return shown(t.Control()) },
		func(t *settings, v string) error {
			v = known(v)
			if !slices.Contains(tcp.CongestionControls(), v) {
				return fmt.Errorf("there are only %s: %w", strings.Join(tcp.CongestionControls(), ", "), syscall.ENOENT)
			}
			t.TCP.CongestionControl = v
			return nil
		})
}
