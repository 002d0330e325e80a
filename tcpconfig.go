package onlink

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpsock"
)

// TCPConfig holds the settings that the connections of a stack begin with. A zero field means its default, which is
// given last; of numbers that may be 0 a negative one means 0. The names in lower case are those of Linux's settings, by
// which [Stack.SetSysctl] changes them while the stack works.
type TCPConfig struct {
	// Buffers, in octets.
	SendBuffer      int    // octets a Write may run ahead of the peer's acknowledgments; 0: it grows as SendMemory says
	ReceiveBuffer   int    // octets offered as window; 0: it grows as ReceiveMemory says
	SendMemory      [3]int // tcp_wmem: least, first and largest size of a send buffer; 4096, 16384, 4194304
	ReceiveMemory   [3]int // tcp_rmem: the same of a receive buffer, twice the window; 4096, 131072, 6291456
	Memory          [3]int // tcp_mem in octets, of all connections: from the second on windows shrink; 768 MiB, 1 GiB, 1.5 GiB
	NoReceiveTuning bool   // tcp_moderate_rcvbuf=0: receive buffers do not grow
	AppWindow       int    // tcp_app_win: 1/2^n of the window is kept back; 31: nothing
	ShrinkWindow    bool   // tcp_shrink_window: the right edge of the window may move left
	SignedWindows   bool   // tcp_workaround_signed_windows: offer no more than 32767 to a peer that does not scale
	NotSentLowWater int    // tcp_notsent_lowat: unsent octets above which a connection is not writable; 4294967295

	// What handshakes offer.
	NoTimestamps      bool // tcp_timestamps=0: no RFC 7323 timestamps
	NoTimestampOffset bool // tcp_timestamps=2: their clock has no offset by connection
	NoWindowScale     bool // tcp_window_scaling=0 (RFC 7323)
	NoSACK            bool // tcp_sack=0: no selective acknowledgments (RFC 2018)
	NoDSACK           bool // tcp_dsack=0: duplicates are not reported (RFC 2883)
	// ECN is tcp_ecn: explicit congestion notification: -1 off; RFC 3168: 1 asked for and agreed to, 2 agreed to; with Accurate
	// ECN (RFC 9768) agreed to: 3 it is asked for, 4 RFC 3168 is, 5 nothing is; 2.
	ECN             int
	ECNOption       int  // tcp_ecn_option: RFC 9768's option is sent: -1 never, 1 where it tells news, 2 in each segment; 2
	ECNOptionBeacon int  // tcp_ecn_option_beacon: with ECNOption 1, how often in a round-trip time at least; -1 none; 3
	NoECNFallback   bool // tcp_ecn_fallback=0: a SYN is not repeated without ECN

	// Retransmission: times, and how often before a connection fails with ETIMEDOUT (RFC 9293, 3.8.3).
	InitialRTO     time.Duration // first retransmission timeout; 1 s (RFC 6298, 2.1)
	MinRTO         time.Duration // tcp_rto_min_us: least retransmission timeout; 200 ms
	MaxRTO         time.Duration // tcp_rto_max_ms: largest; 120 s (RFC 6298, 2.4: at least 60 s)
	SYNRetries     int           // tcp_syn_retries: of a SYN; 7, which is four minutes (MUST-23: at least three)
	SYNLinear      int           // tcp_syn_linear_timeouts: so many SYNs without back-off; 0
	SYNACKRetries  int           // tcp_synack_retries: of a SYN,ACK; 5
	ConnectTimeout time.Duration // bounds a handshake beside these; 0: not at all
	Retries1       int           // tcp_retries1: of data, before the route is looked up anew; 3
	Retries        int           // tcp_retries2: of data; 15, which is a quarter of an hour
	OrphanRetries  int           // tcp_orphan_retries: of data after Close; 0: 8
	ThinLinear     bool          // tcp_thin_linear_timeouts: few segments in flight are repeated without back-off
	UserTimeout    time.Duration // how long data may stay unacknowledged, in place of Retries; 0: none (RFC 5482)

	// Acknowledgments.
	DelayedACK        time.Duration // longest delay; 40 ms (RFC 9293, 3.8.6.3: less than 0.5 s)
	PingPongThreshold int           // tcp_pingpong_thresh: answers after which a connection counts as interactive; 1
	CompSACKDelay     time.Duration // tcp_comp_sack_delay_ns: longest delay of a selective one; 1 ms
	CompSACKCount     int           // tcp_comp_sack_nr: how many are joined at most; 44
	ChallengeACKLimit int           // tcp_challenge_ack_limit: a second (RFC 5961, 7); 2147483647
	InvalidRateLimit  time.Duration // tcp_invalid_ratelimit: least time between answers to invalid segments; 500 ms

	// BusyRead is busy_read: for how long Read looks whether something comes before it waits for it; 0: not at all. A processor is
	// busy with that, and no thread has to be woken when something comes: for answers that are there in microseconds, from a
	// stack in memory above all, of programs that leave processors idle.
	BusyRead time.Duration

	// Keep-alive (RFC 9293, 3.8.4) of connections that turn it on; Dial and Listen do not.
	KeepAlive         bool          // all connections have it on
	KeepAliveIdle     time.Duration // tcp_keepalive_time: without traffic before the first probe; 2 h
	KeepAliveInterval time.Duration // tcp_keepalive_intvl: between probes; 75 s
	KeepAliveCount    int           // tcp_keepalive_probes: unanswered before the connection fails; 9

	// Sending.
	CongestionControl    string                // tcp_congestion_control: by name: cubic, reno, or one of Algorithms; cubic
	Algorithms           []CongestionAlgorithm // more congestion controls, such as BBR(); one with the name of another replaces it
	InitialWindow        int                   // initial congestion window, segments; 0: RFC 6928's
	NoSlowStartAfterIdle bool                  // tcp_slow_start_after_idle=0
	Reordering           int                   // tcp_reordering: first degree of reordering, segments; 3
	MaxReordering        int                   // tcp_max_reordering; 300
	Recovery             int                   // tcp_recovery: the sum of 1 RACK, 2 a fixed reordering window, 4 none; 1
	EarlyRetrans         int                   // tcp_early_retrans: 3 tail loss probes, -1 none; 3
	FRTO                 int                   // tcp_frto (RFC 5682): -1 off; 2
	MinRTTWindow         time.Duration         // tcp_min_rtt_wlen: how long the least round-trip time is remembered; 300 s
	PacingSlowStart      int                   // tcp_pacing_ss_ratio: percent of cwnd / SRTT; 200
	PacingAvoidance      int                   // tcp_pacing_ca_ratio: percent; 120
	MinSendMSS           int                   // tcp_min_snd_mss: what a smaller MSS of a peer is raised to; 48
	MTUProbing           int                   // tcp_mtu_probing (RFC 4821): 1 when a black hole is suspected, 2 always; 0
	BaseMSS              int                   // tcp_base_mss: the payload that probing begins with; 1024
	MTUProbeFloor        int                   // tcp_mtu_probe_floor: the least it falls back to; 48
	ProbeThreshold       int                   // tcp_probe_threshold: probing ends when it is about so many octets; 8
	ProbeInterval        time.Duration         // tcp_probe_interval: after which it begins anew; 600 s

	// How connections begin.
	Backlog           int           // connections that a listener queues; SoMaxConn
	SoMaxConn         int           // somaxconn: and at most; 4096
	MaxSYNBacklog     int           // tcp_max_syn_backlog: handshakes under way at a listener without cookies; 4096
	SYNCookies        int           // tcp_syncookies: -1 never, 1 when the queue overflows, 2 always; 1
	AbortOnOverflow   bool          // tcp_abort_on_overflow: what does not fit into the queue of Accept is reset
	FastOpen          int           // tcp_fastopen (RFC 7413): the sum of 1 client, 2 server, …, -1 none; 1
	FastOpenBlackhole time.Duration // tcp_fastopen_blackhole_timeout_sec: how long it is off after a failure; 0: not at all
	DefaultMSS4       int           // assumed of an IPv4 peer that announces none; 536 (RFC 9293, 3.7.1)
	DefaultMSS6       int           // of an IPv6 peer; 1220
	FirstPort         uint16        // ip_local_port_range: ephemeral ports; 32768
	LastPort          uint16        // 60999
	NoMetrics         bool          // tcp_no_metrics_save: nothing is remembered of a path when a connection ends

	// How they end.
	MSL           time.Duration // maximum segment lifetime; TIME-WAIT lasts twice as long; 30 s
	FinWait2      time.Duration // tcp_fin_timeout: how long FIN-WAIT-2 lasts after Close; 60 s
	MaxTimeWait   int           // tcp_max_tw_buckets: connections in TIME-WAIT; 262144
	TimeWaitReuse int           // tcp_tw_reuse: dials take their place: -1 never, 1 always, 2 on loopback; 2
	RFC1337       bool          // tcp_rfc1337: a RST does not end TIME-WAIT
	MaxOrphans    int           // tcp_max_orphans: connections nobody holds that still send; 65536
}

// check returns an error that names the field that is wrong.
func (c *TCPConfig) check() error {
	for _, n := range [...]struct {
		name  string
		value int
	}{{"SendBuffer", c.SendBuffer}, {"ReceiveBuffer", c.ReceiveBuffer}, {"Backlog", c.Backlog}, {"BusyRead", int(c.BusyRead)}} {
		if n.value < 0 {
			return fmt.Errorf("onlink: Config.TCP.%s is %d: must not be negative", n.name, n.value)
		}
	}
	if (c.FirstPort != 0 || c.LastPort != 0) && (c.FirstPort == 0 || c.LastPort < c.FirstPort) {
		return fmt.Errorf("onlink: Config.TCP.FirstPort and LastPort are %d and %d: not a range", c.FirstPort, c.LastPort)
	}
	for _, a := range c.Algorithms {
		if a.New == nil || a.Name == "" || len(a.Name) > 15 || strings.ContainsAny(a.Name, " \x00") {
			return fmt.Errorf("onlink: Config.TCP.Algorithms: %q is no name of up to 15 octets, or has no New", a.Name)
		}
	}
	settings := tcp.Config{Algorithms: c.algorithms()}
	return checkControl(&settings, c.CongestionControl)
}

// algorithms returns a copy of Algorithms, nil if there are none.
func (c *TCPConfig) algorithms() *[]tcp.Algorithm {
	if len(c.Algorithms) == 0 {
		return nil
	}
	all := slices.Clone(c.Algorithms)
	return &all
}

// checkControl returns an error if there is no congestion control of that name among those; the empty name is the default.
func checkControl(cfg *tcp.Config, name string) error {
	if name == "" {
		return nil
	}
	if controls := cfg.Controls(); !slices.Contains(controls, name) {
		return fmt.Errorf("onlink: no congestion control %q, there are %s: %w", name, strings.Join(controls, ", "), syscall.ENOENT)
	}
	return nil
}

// settings returns what c says, as TCP's layer takes it.
func (c *TCPConfig) settings() tcpsock.Settings {
	return tcpsock.Settings{
		TCP: c.connection(), Limits: c.limits(), Mem: c.Memory, SoMaxConn: c.SoMaxConn,
		DefaultMSS4: c.DefaultMSS4, DefaultMSS6: c.DefaultMSS6, BusyRead: c.BusyRead,
	}
}

// connection returns what c says of a connection.
func (c *TCPConfig) connection() tcp.Config {
	return tcp.Config{
		SendBuffer: c.SendBuffer, ReceiveBuffer: c.ReceiveBuffer, WMem: c.SendMemory, RMem: c.ReceiveMemory,
		NoReceiveTuning: c.NoReceiveTuning, AppWindow: c.AppWindow, ShrinkWindow: c.ShrinkWindow,
		SignedWindows: c.SignedWindows, NotSentLowWater: c.NotSentLowWater,
		NoTimestamps: c.NoTimestamps, NoTimestampOffset: c.NoTimestampOffset, NoWindowScale: c.NoWindowScale,
		NoSACK: c.NoSACK, NoDSACK: c.NoDSACK, ECN: c.ECN, ECNOption: c.ECNOption,
		ECNOptionBeacon: c.ECNOptionBeacon, NoECNFallback: c.NoECNFallback,
		InitialRTO: c.InitialRTO, MinRTO: c.MinRTO, MaxRTO: c.MaxRTO, SYNRetries: c.SYNRetries,
		SYNLinear: c.SYNLinear, SYNACKRetries: c.SYNACKRetries, ConnectTimeout: c.ConnectTimeout,
		Retries1: c.Retries1, Retries: c.Retries, OrphanRetries: c.OrphanRetries, ThinLinear: c.ThinLinear,
		UserTimeout: c.UserTimeout,
		DelayedACK:  c.DelayedACK, PingPongThreshold: c.PingPongThreshold, CompSACKDelay: c.CompSACKDelay,
		CompSACKCount: c.CompSACKCount, ChallengeACKLimit: c.ChallengeACKLimit,
		InvalidRateLimit: c.InvalidRateLimit,
		KeepAlive:        c.KeepAlive, KeepAliveIdle: c.KeepAliveIdle, KeepAliveInterval: c.KeepAliveInterval,
		KeepAliveCount:    c.KeepAliveCount,
		CongestionControl: c.CongestionControl, Algorithms: c.algorithms(), InitialWindow: c.InitialWindow,
		NoSlowStartAfterIdle: c.NoSlowStartAfterIdle, Reordering: c.Reordering, MaxReordering: c.MaxReordering,
		Recovery: c.Recovery, EarlyRetrans: c.EarlyRetrans, FRTO: c.FRTO, MinRTTWindow: c.MinRTTWindow,
		PacingSS: c.PacingSlowStart, PacingCA: c.PacingAvoidance,
		MinSendMSS: c.MinSendMSS, MTUProbing: c.MTUProbing, BaseMSS: c.BaseMSS, MTUProbeFloor: c.MTUProbeFloor,
		ProbeThreshold: c.ProbeThreshold, ProbeInterval: c.ProbeInterval,

		MSL: c.MSL, FinWait2: c.FinWait2,
	}
}

// limits returns what c says of how connections begin and end.
func (c *TCPConfig) limits() tcpsock.Limits {
	l := tcpsock.DefaultLimits()
	for _, f := range [...]struct {
		to   *int
		from int
	}{
		{&l.MaxSYNBacklog, c.MaxSYNBacklog},
		{&l.SYNCookies, c.SYNCookies},
		{&l.FastOpen, c.FastOpen},
		{&l.MaxTimeWait, c.MaxTimeWait},
		{&l.TimeWaitReuse, c.TimeWaitReuse},
		{&l.MaxOrphans, c.MaxOrphans},
	} {
		if f.from != 0 {
			*f.to = max(f.from, 0)
		}
	}
	l.AbortOnOverflow, l.NoMetrics, l.RFC1337 = c.AbortOnOverflow, c.NoMetrics, c.RFC1337
	l.FastOpenBlackhole = max(c.FastOpenBlackhole, 0)
	if c.LastPort != 0 {
		l.LocalPorts = tcpsock.PortRange{First: c.FirstPort, Last: c.LastPort}
	}
	return l
}
