package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// Open is what one connection is opened with.
type Open struct {
	// Config holds the settings; nil: all defaults. A Config made complete by [Config.Complete] is kept and not copied.
	Config *Config
	// MSS is the largest payload, in octets, of a segment without options that the path carries: its MTU less 40
	// for IPv4, less 60 for IPv6. It bounds what is sent. 0: 536 (RFC 9293, 3.7.1).
	MSS int
	// Announce is the MSS announced to the peer: the same of the MTU of the first link. 0: MSS.
	Announce int
	// DefaultMSS is what is assumed of a peer that announces none: 536, which is IPv4's (RFC 9293, 3.7.1, MUST-15),
	// for 0; IPv6's is 1220.
	DefaultMSS int
	// ISS is the initial send sequence number, as RFC 6528 makes it.
	ISS uint32
	// TSOffset is added to the timestamp clock (RFC 7323, 5.4).
	TSOffset uint32
	// Reserved is how many octets of options the caller adds to each segment: those that authenticate it (RFC 5925,
	// RFC 2385). The TCB has that many fewer for its own options, and for data.
	Reserved int
	// Memory is the account of the stack's memory; may be nil.
	Memory Memory
	// Observer is told what happens; may be nil.
	Observer Observer
	// FastOpen is what TCP Fast Open adds; nil: nothing. It is copied.
	FastOpen *FastOpen
}

// Config holds settings that many connections share. Where it is written as a literal, a zero field means its default,
// which is told with it, and a negative number means 0 where that is a value of its own. [Config.Complete] fills the
// defaults in; in a complete Config every value means what it says, zero too. A TCB keeps a pointer to a complete one, which
// must not be changed any more: change a copy, and give it to [TCB.Reconfigure].
//
// Names in lower case behind a field are Linux's sysctls, those in capitals its socket options.
type Config struct {
	filled bool // complete

	// Buffers, in octets. SendBuffer and ReceiveBuffer fix them (SO_SNDBUF, SO_RCVBUF as they are set, which is half of
	// what they then read); 0: they are tuned.
	SendBuffer      int    // octets written and not yet acknowledged; Linux allows for twice as much memory
	ReceiveBuffer   int    // octets received and not yet read, likewise
	RMem            [3]int // tcp_rmem: the receive buffer's least, first and largest size; 4096, 131072, 6291456
	RMemMax         int    // net.core.rmem_max, which the scale of the window allows for; 212992
	WMem            [3]int // tcp_wmem: the send buffer's; 4096, 16384, 4194304
	NoReceiveTuning bool   // tcp_moderate_rcvbuf=0: the receive buffer stays at its first size
	AppWindow       int    // tcp_app_win: 1/2^n of the first window is kept back; 31: nothing
	WindowClamp     int    // TCP_WINDOW_CLAMP: the largest window offered; 0: the buffer alone bounds it
	ShrinkWindow    bool   // tcp_shrink_window: the window's right edge may move left
	SignedWindows   bool   // tcp_workaround_signed_windows: offer no more than 32767 to a peer that does not scale
	ReceiveLowWater int    // SO_RCVLOWAT: octets that make a connection readable; 1
	NotSentLowWater int    // tcp_notsent_lowat, TCP_NOTSENT_LOWAT: unsent octets that make it not writable; 4294967295

	// What the handshake offers.
	NoTimestamps      bool // tcp_timestamps=0: do not offer RFC 7323 timestamps, nor agree to them
	NoTimestampOffset bool // tcp_timestamps=2: the timestamp clock is not offset by connection
	NoWindowScale     bool // tcp_window_scaling=0
	NoSACK            bool // tcp_sack=0
	NoDSACK           bool // tcp_dsack=0: do not report duplicates (RFC 2883)
	MaxSeg            int  // TCP_MAXSEG: bounds the MSS announced and used; 0: none
	SaveSYN           int  // TCP_SAVE_SYN: keep the SYN's headers: 0 no, 1 yes; 0

	// Retransmission.
	InitialRTO time.Duration // 1 s (RFC 6298, 2.1)
	MinRTO     time.Duration // tcp_rto_min_us: least allowance above the smoothed round-trip time; 200 ms
	MaxRTO     time.Duration // tcp_rto_max_ms: 120 s (RFC 6298, 2.4: at least 60 s)

	// How often a segment is retransmitted before the connection fails with ETIMEDOUT (RFC 9293, 3.8.3: R2).
	SYNRetries    int // tcp_syn_retries, TCP_SYNCNT: a SYN, beyond SYNLinear; 7, which is four minutes (MUST-23: at least three)
	SYNLinear     int // tcp_syn_linear_timeouts: a SYN, at first, without back-off; 0
	SYNACKRetries int // tcp_synack_retries: a SYN,ACK; 5, which is one minute
	Retries1      int // tcp_retries1: data: after so many IP is told that the path may be bad (R1); 3
	Retries       int // tcp_retries2: data and FIN; 15, which is a quarter of an hour
	OrphanRetries int // tcp_orphan_retries: after the user has let go; 0: 8, or none if an ICMP error has come
	// ConnectTimeout bounds the handshake beside these; 0: not at all (FreeBSD's net.inet.tcp.keepinit).
	ConnectTimeout time.Duration
	ThinLinear     bool // tcp_thin_linear_timeouts: few segments in flight are repeated without back-off
	// UserTimeout is how long data may stay unacknowledged; it replaces Retries. 0: none (RFC 5482, TCP_USER_TIMEOUT).
	UserTimeout time.Duration

	// Acknowledgments.
	DelayedACK        time.Duration // TCP_DELACK_MAX_US: longest delay; 40 ms (RFC 9293, 3.8.6.3: less than 0.5 s)
	PingPongThreshold int           // tcp_pingpong_thresh: replies at once after which a connection is interactive; 1
	CompSACKDelay     time.Duration // tcp_comp_sack_delay_ns: longest delay of a SACK that joins others; 1 ms
	CompSACKCount     int           // tcp_comp_sack_nr: how many join at most; 44
	ChallengeACKLimit int           // tcp_challenge_ack_limit: challenge ACKs a second of the whole stack; 2147483647
	InvalidRateLimit  time.Duration // tcp_invalid_ratelimit: least time between ACKs that answer invalid segments; 500 ms

	// The end of a connection.
	MSL      time.Duration // TIME-WAIT lasts two; 30 s
	FinWait2 time.Duration // tcp_fin_timeout, TCP_LINGER2: how long FIN-WAIT-2 lasts once the user has let go; -1: a RST ends it; 60 s
	Lingers  bool          // SO_LINGER is on, with Linger
	Linger   time.Duration // how long closing waits for data to get across; 0: Release discards it and resets

	// Keep-alive (RFC 9293, 3.8.4): after KeepAliveIdle without a segment a probe each KeepAliveInterval, and after
	// KeepAliveCount unanswered ones the connection fails.
	KeepAlive         bool          // SO_KEEPALIVE
	KeepAliveIdle     time.Duration // tcp_keepalive_time, TCP_KEEPIDLE; 2 h
	KeepAliveInterval time.Duration // tcp_keepalive_intvl, TCP_KEEPINTVL; 75 s
	KeepAliveCount    int           // tcp_keepalive_probes, TCP_KEEPCNT; 9

	// When data is sent.
	NoDelay       bool   // TCP_NODELAY: Nagle's algorithm off
	Cork          bool   // TCP_CORK: only full segments, or after 200 ms
	MaxPacingRate uint64 // SO_MAX_PACING_RATE: octets a second; 0: no bound
	PacingSS      int    // tcp_pacing_ss_ratio: percent of cwnd / SRTT in slow start; 200
	PacingCA      int    // tcp_pacing_ca_ratio: percent in congestion avoidance; 120
	MinTSOSegs    int    // tcp_min_tso_segs; 2
	TSORTTLog     int    // tcp_tso_rtt_log; 9

	// Loss recovery and congestion control.
	CongestionControl    string        // tcp_congestion_control, TCP_CONGESTION; "": the stack's default
	Algorithms           *[]Algorithm  // more congestion controls to choose from, by name; nil: none
	InitialWindow        int           // segments; 0: RFC 6928's
	HyStart              int           // how slow start ends before losses: 1 HyStart++ (RFC 9406), 2 as Linux's CUBIC, -1 not at all; 1
	SlowStartLimit       int           // L of RFC 9406: segments that an ACK adds at most in slow start without pacing; 0: no bound
	NoSlowStartAfterIdle bool          // tcp_slow_start_after_idle=0
	Reordering           int           // tcp_reordering: segments; 3
	MaxReordering        int           // tcp_max_reordering; 300
	Recovery             int           // tcp_recovery: 1 RACK (RFC 8985), 2 with a fixed, 4 with no reordering window; 1
	EarlyRetrans         int           // tcp_early_retrans: 3: tail loss probe; 0: none; 3
	FRTO                 int           // tcp_frto: spurious timeouts are detected (RFC 5682): 0 no, 1, 2; 2
	ECN                  int           // tcp_ecn: 0 off, 1 asked for, 2 agreed to; 3, 4, 5: RFC 9768 agreed to, and: 3 it is asked for, 4 RFC 3168 is; 2
	ECNOption            int           // tcp_ecn_option: RFC 9768's option is sent: 0 never, 1 where it tells news, 2 in each segment; 2
	ECNOptionBeacon      int           // tcp_ecn_option_beacon: with ECNOption 1, how often in a round-trip time at least; 3
	NoECNFallback        bool          // tcp_ecn_fallback=0
	ABE                  bool          // a congestion mark reduces the window by less than a loss does (RFC 8511)
	MinRTTWindow         time.Duration // tcp_min_rtt_wlen; 300 s

	// Path MTU.
	MinSendMSS     int           // tcp_min_snd_mss: what a smaller MSS of a peer is raised to; 48
	MTUProbing     int           // tcp_mtu_probing: 1 when a black hole is suspected, 2 always (RFC 4821); 0
	BaseMSS        int           // tcp_base_mss: the payload that probing begins with; 1024
	MTUProbeFloor  int           // tcp_mtu_probe_floor: the least payload it falls back to; 48
	ProbeThreshold int           // tcp_probe_threshold: the search ends when it is about so many octets; 8
	ProbeInterval  time.Duration // tcp_probe_interval: after which it begins anew; 600 s

	// Opening.
	DeferAccept      time.Duration // TCP_DEFER_ACCEPT: a listener waits so long for data before it accepts; 0: not at all
	FastOpenQueue    int           // TCP_FASTOPEN of a listener: connections that may wait with data; 0: off
	FastOpenConnect  bool          // TCP_FASTOPEN_CONNECT
	FastOpenNoCookie bool          // TCP_FASTOPEN_NO_COOKIE

	// FreeBSD has acknowledgments, PSH, windows and retransmission timeouts as FreeBSD has them, where RFC 9293 leaves
	// freedom and Linux does otherwise; freebsd.go tells how.
	FreeBSD bool
	RTOSlop time.Duration // net.inet.tcp.rexmit_slop: what FreeBSD adds to RFC 6298's timeout; 200 ms

	ReceiveErrors bool // IP_RECVERR, IPV6_RECVERR: the user is told at once what ICMP errors say, once each
	UrgentInline  bool // SO_OOBINLINE: urgent data stays in line, as RFC 6093, 6, advises
	StdUrg        bool // tcp_stdurg: the urgent pointer is read as RFC 1122, 4.2.2.4, has it
}

// Observer is told of what a TCB does. It is called within the TCB's methods and must not call them.
type Observer interface {
	// StateChanged tells of each transition, the last one to Closed.
	StateChanged(now clock.Instant, from, to State)
	// Retransmitted tells of n octets of sequence space sent again, why: "timeout", "fast retransmit", "loss probe" (RFC
	// 8985, 7), "probe" (of a closed window), "smaller path MTU".
	Retransmitted(now clock.Instant, seq Seq, n int, why string)
	// Recovery tells of loss recovery beginning or ending; its states are those of [RecoveryState].
	Recovery(now clock.Instant, from, to string)
	// Path tells of what recovery came to do, with n segments where it is about some. What each ACK of an episode may do is
	// told once.
	Path(now clock.Instant, p Path, n int)
	// Episode tells of an episode that is over. It is not to be kept.
	Episode(now clock.Instant, e *Episode)
}
