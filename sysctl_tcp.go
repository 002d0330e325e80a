package onlink

import (
	"math"
	"time"
)

// maxInt is the largest value of Linux's settings that are a C int.
const maxInt = math.MaxInt32

// tcpKnobs are Linux's settings of how a connection behaves once it is there.
func tcpKnobs() []knob {
	return []knob{
		// Buffers and windows.
		triple("net.ipv4.tcp_rmem", func(t *settings) *[3]int { return &t.TCP.RMem }, 1, 1,
			"receive buffer, octets of memory: least, first, largest"),
		triple("net.ipv4.tcp_wmem", func(t *settings) *[3]int { return &t.TCP.WMem }, 1, 1,
			"send buffer, octets of memory: least, first, largest"),
		triple("net.ipv4.tcp_mem", func(t *settings) *[3]int { return &t.Mem }, 4096, 0,
			"memory of all connections, pages of 4096 octets: below the first nothing is done, from the second on windows "+
				"shrink, the third is the bound"),
		off("net.ipv4.tcp_moderate_rcvbuf", func(t *settings) *bool { return &t.TCP.NoReceiveTuning },
			"1: the receive buffer grows with what the connection carries"),
		number("net.ipv4.tcp_app_win", func(t *settings) *int { return &t.TCP.AppWindow }, 0, 31,
			"1/2^n of the window is kept back for the application; 31: nothing"),
		idle("net.ipv4.tcp_adv_win_scale", 1, -31, 31, "no effect, as in Linux since 6.6"),
		on("net.ipv4.tcp_shrink_window", func(t *settings) *bool { return &t.TCP.ShrinkWindow },
			"1: the right edge of the window may move left when memory is short"),
		on("net.ipv4.tcp_workaround_signed_windows", func(t *settings) *bool { return &t.TCP.SignedWindows },
			"1: a peer that does not scale windows is offered no more than 32767"),
		number("net.ipv4.tcp_notsent_lowat", func(t *settings) *int { return &t.TCP.NotSentLowWater }, 0, math.MaxUint32,
			"octets written and not sent above which a connection is not writable"),

		// Options on the wire.
		tcpKnob("net.ipv4.tcp_timestamps", "RFC 7323 timestamps: 0: none, 1: with an offset for each connection, 2: without",
			func(t *settings) string {
				switch {
				case t.TCP.NoTimestamps:
					return "0"
				case t.TCP.NoTimestampOffset:
					return "2"
				}
				return "1"
			},
			func(t *settings, v string) error {
				n, err := parseNumber(v, 0, 2)
				if err == nil {
					t.TCP.NoTimestamps, t.TCP.NoTimestampOffset = n == 0, n == 2
				}
				return err
			}),
		off("net.ipv4.tcp_window_scaling", func(t *settings) *bool { return &t.TCP.NoWindowScale }, "RFC 7323 window scaling"),
		off("net.ipv4.tcp_sack", func(t *settings) *bool { return &t.TCP.NoSACK }, "selective acknowledgments (RFC 2018)"),
		off("net.ipv4.tcp_dsack", func(t *settings) *bool { return &t.TCP.NoDSACK }, "duplicates are reported (RFC 2883)"),
		on("net.ipv4.tcp_stdurg", func(t *settings) *bool { return &t.TCP.StdUrg },
			"1: the urgent pointer points to the last urgent octet (RFC 1122, 4.2.2.4), 0: behind it (RFC 6093, 3.1)"),
		only("net.ipv4.tcp_reflect_tos", "0", "answers to a SYN have the traffic class of the listener"),

		// Retransmission.
		number("net.ipv4.tcp_retries1", func(t *settings) *int { return &t.TCP.Retries1 }, 0, math.MaxUint8,
			"retransmissions after which the route is looked up anew (RFC 1122, 4.2.3.5, R1)"),
		number("net.ipv4.tcp_retries2", func(t *settings) *int { return &t.TCP.Retries }, 0, math.MaxUint8,
			"retransmissions, counted as the time they take with back-off from the least timeout, until a connection fails (R2)"),
		number("net.ipv4.tcp_orphan_retries", func(t *settings) *int { return &t.TCP.OrphanRetries }, 0, math.MaxUint8,
			"the same of a connection that its user has closed; 0: 8"),
		duration("net.ipv4.tcp_rto_min_us", func(t *settings) *time.Duration { return &t.TCP.MinRTO }, time.Microsecond, 1, maxInt,
			"least retransmission timeout, µs"),
		duration("net.ipv4.tcp_rto_max_ms", func(t *settings) *time.Duration { return &t.TCP.MaxRTO }, time.Millisecond, 1000, 120000,
			"largest retransmission timeout, ms"),
		on("net.ipv4.tcp_thin_linear_timeouts", func(t *settings) *bool { return &t.TCP.ThinLinear },
			"1: with less than four segments in flight the first six timeouts do not back off"),
		duration("net.ipv4.tcp_keepalive_time", func(t *settings) *time.Duration { return &t.TCP.KeepAliveIdle }, time.Second, 1,
			maxInt, "seconds without traffic before the first keep-alive probe"),
		duration("net.ipv4.tcp_keepalive_intvl", func(t *settings) *time.Duration { return &t.TCP.KeepAliveInterval }, time.Second, 1,
			maxInt, "seconds between keep-alive probes"),
		number("net.ipv4.tcp_keepalive_probes", func(t *settings) *int { return &t.TCP.KeepAliveCount }, 1, math.MaxUint8,
			"keep-alive probes without an answer after which a connection fails"),
		duration("net.ipv4.tcp_fin_timeout", func(t *settings) *time.Duration { return &t.TCP.FinWait2 }, time.Second, 0, maxInt,
			"seconds that FIN-WAIT-2 lasts when the user has let go"),

		// Acknowledgments.
		number("net.ipv4.tcp_pingpong_thresh", func(t *settings) *int { return &t.TCP.PingPongThreshold }, 1, math.MaxUint8,
			"answers at once after which a connection counts as interactive and delays acknowledgments"),
		duration("net.ipv4.tcp_comp_sack_delay_ns", func(t *settings) *time.Duration { return &t.TCP.CompSACKDelay }, 1, 0, maxInt,
			"ns that a selective acknowledgment may wait to be joined with others"),
		idle("net.ipv4.tcp_comp_sack_slack_ns", 100000, 0, maxInt, "no effect: timers are exact"),
		number("net.ipv4.tcp_comp_sack_nr", func(t *settings) *int { return &t.TCP.CompSACKCount }, 0, math.MaxUint8,
			"how many selective acknowledgments are joined at most; 0: none"),
		number("net.ipv4.tcp_challenge_ack_limit", func(t *settings) *int { return &t.TCP.ChallengeACKLimit }, 0, maxInt,
			"challenge ACKs that are sent in a second (RFC 5961, 7)"),
		duration("net.ipv4.tcp_invalid_ratelimit", func(t *settings) *time.Duration { return &t.TCP.InvalidRateLimit }, time.Millisecond,
			0, maxInt, "least ms between the ACKs of a connection that answer invalid segments"),
		idle("net.ipv4.tcp_backlog_ack_defer", 1, 0, math.MaxUint8, "no effect: segments do not wait in a backlog here"),

		// Of Linux's that have no effect there either.
		idle("net.ipv4.tcp_low_latency", 0, 0, maxInt, "no effect, as in Linux since 4.14"),
		idle("net.ipv4.tcp_fack", 0, 0, maxInt, "no effect, as in Linux since 4.15"),

		only("net.ipv4.tcp_plb_enabled", "0", "protective load balancing (PLB) is not there"),
		only("net.ipv4.tcp_migrate_req", "0", "connections do not move between listeners"),
		only("net.ipv4.tcp_l3mdev_accept", "0", "there are no L3 master devices"),
		only("net.ipv4.tcp_fwmark_accept", "0", "accepted connections have no mark"),
		idle("net.ipv4.tcp_early_demux", 1, 0, 1, "no effect: connections are found at once"),
		only("net.ipv4.tcp_available_ulp", "", "there are no upper-layer protocols"),
	}
}
