package tcpsock

import (
	"time"

	"github.com/onlink-go/onlink/internal/flow"
)

// Limits are the settings of how connections begin and end: the queues of handshakes and of what is left of closed
// connections, the defences of these, and Fast Open. They are part of [Settings]. The zero Limits stand for those of
// [DefaultLimits], and others begin with a copy of these.
type Limits struct {
	filled bool

	MaxSYNBacklog   int  // net.ipv4.tcp_max_syn_backlog: handshakes under way at one listener without cookies; 4096
	SYNCookies      int  // net.ipv4.tcp_syncookies: 0 never, 1 when the queue overflows, 2 always; 1
	AbortOnOverflow bool // net.ipv4.tcp_abort_on_overflow: reset what does not fit into the queue of Accept

	MaxTimeWait   int  // net.ipv4.tcp_max_tw_buckets: connections in TIME-WAIT; 262,144
	TimeWaitReuse int  // net.ipv4.tcp_tw_reuse: own dials take the place of TIME-WAIT: 0 never, 1 always, 2 on loopback; 2
	RFC1337       bool // net.ipv4.tcp_rfc1337: a RST does not end TIME-WAIT
	MaxOrphans    int  // net.ipv4.tcp_max_orphans: connections nobody holds that still send; 65,536

	FastOpen          int           // net.ipv4.tcp_fastopen: the sum of the bits FastOpenClient to FastOpenListeners; 1
	FastOpenBlackhole time.Duration // net.ipv4.tcp_fastopen_blackhole_timeout_sec: first time it is off after a failure; 0: never
	FastOpenKeys      []FastOpenKey // net.ipv4.tcp_fastopen_key: the key, and the one before it; none: made at random

	NoMetrics         bool // net.ipv4.tcp_no_metrics_save: remember nothing of a path when a connection ends
	NoSSThreshMetrics bool // net.ipv4.tcp_no_ssthresh_metrics_save: nor the slow start threshold; true

	LocalPorts    PortRange   // net.ipv4.ip_local_port_range: ephemeral ports; 32,768 to 60,999
	ReservedPorts []PortRange // net.ipv4.ip_local_reserved_ports: those of them that are never chosen
}

// The bits of Limits.FastOpen.
const (
	FastOpenClient         = 0x1   // data in a SYN we send, if asked for
	FastOpenServer         = 0x2   // take data in a SYN, at listeners that ask for it
	FastOpenClientNoCookie = 0x4   // send data without a cookie
	FastOpenServerNoCookie = 0x200 // take data without a cookie
	FastOpenListeners      = 0x400 // all listeners take data
)

// FastOpenKey is a secret that Fast Open cookies are made with. Hosts that share it take each other's cookies.
type FastOpenKey [16]byte

// PortRange is a range of ports, both ends included.
type PortRange = flow.PortRange

// DefaultLimits returns the Limits that a stack begins with.
func DefaultLimits() Limits {
	return Limits{filled: true, MaxSYNBacklog: 4096, SYNCookies: 1, MaxTimeWait: 262144, TimeWaitReuse: 2, MaxOrphans: 65536,
		FastOpen: FastOpenClient, NoSSThreshMetrics: true, LocalPorts: PortRange{First: flow.FirstEphemeral, Last: flow.LastEphemeral}}
}
