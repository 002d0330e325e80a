package onlink

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/tcpsock"
)

// tcpOpeningKnobs are Linux's settings of how connections begin and of what is left of them.
func tcpOpeningKnobs() []knob {
	return []knob{
		number("net.ipv4.tcp_syn_retries", func(t *settings) *int { return &t.TCP.SYNRetries }, 1, 127,
			"retransmissions of a SYN; RFC 9293, 3.8.3, wants three minutes, which are 7"),
		number("net.ipv4.tcp_syn_linear_timeouts", func(t *settings) *int { return &t.TCP.SYNLinear }, 0, 127,
			"how many of them do not back off; RFC 6298, 5.5, has every one do so, which is 0"),
		number("net.ipv4.tcp_synack_retries", func(t *settings) *int { return &t.TCP.SYNACKRetries }, 0, math.MaxUint8,
			"retransmissions of a SYN,ACK"),
		number("net.ipv4.tcp_syncookies", func(t *settings) *int { return &t.Limits.SYNCookies }, 0, 2,
			"SYN cookies: 0: never, 1: when the queue of handshakes overflows, 2: always"),
		number("net.ipv4.tcp_max_syn_backlog", func(t *settings) *int { return &t.Limits.MaxSYNBacklog }, 0, maxInt,
			"handshakes under way at one listener without cookies"),
		on("net.ipv4.tcp_abort_on_overflow", func(t *settings) *bool { return &t.Limits.AbortOnOverflow },
			"1: a connection that does not fit into the accept queue is reset"),
		number("net.core.somaxconn", func(t *settings) *int { return &t.SoMaxConn }, 0, maxInt, "longest accept queue of a listener"),
		duration("net.core.busy_read", func(t *settings) *time.Duration { return &t.BusyRead }, time.Microsecond, 0, maxInt,
			"microseconds for which Read on a TCP connection looks whether something comes before it waits; it takes a processor meanwhile"),

		number("net.ipv4.tcp_fastopen", func(t *settings) *int { return &t.Limits.FastOpen }, 0, maxInt,
			"TCP Fast Open (RFC 7413), the sum of 1: client, 2: server, 4: client without cookies, 0x200: server without "+
				"cookies, 0x400: all listeners"),
		tcpKnob("net.ipv4.tcp_fastopen_key", "secret that cookies are made with, and behind a comma one that was before, each "+
			"four groups of eight hexadecimal digits; zeros: made by the stack", fastOpenKeys, setFastOpenKeys),
		duration("net.ipv4.tcp_fastopen_blackhole_timeout_sec", func(t *settings) *time.Duration { return &t.Limits.FastOpenBlackhole },
			time.Second, 0, maxInt, "seconds that Fast Open stays off after a failure, doubled with each; 0: it stays on"),

		number("net.ipv4.tcp_tw_reuse", func(t *settings) *int { return &t.Limits.TimeWaitReuse }, 0, 2,
			"own dials may take the place of a connection in TIME-WAIT: 0: never, 1: always, 2: on loopback"),
		number("net.ipv4.tcp_max_tw_buckets", func(t *settings) *int { return &t.Limits.MaxTimeWait }, 0, maxInt,
			"connections in TIME-WAIT"),
		number("net.ipv4.tcp_max_orphans", func(t *settings) *int { return &t.Limits.MaxOrphans }, 0, maxInt,
			"connections that nobody holds and that still have something to send"),
		on("net.ipv4.tcp_rfc1337", func(t *settings) *bool { return &t.Limits.RFC1337 }, "1: a RST does not end TIME-WAIT (RFC 1337)"),
		on("net.ipv4.tcp_no_metrics_save", func(t *settings) *bool { return &t.Limits.NoMetrics },
			"1: nothing is remembered of a path when a connection ends"),
		on("net.ipv4.tcp_no_ssthresh_metrics_save", func(t *settings) *bool { return &t.Limits.NoSSThreshMetrics },
			"1: the slow start threshold is not remembered"),

		tcpKnob("net.ipv4.ip_local_port_range", "first and last ephemeral port",
			func(t *settings) string {
				return fmt.Sprintf("%d\t%d", t.Limits.LocalPorts.First, t.Limits.LocalPorts.Last)
			},
			func(t *settings, v string) error {
				var r [2]int
				words := strings.Fields(v)
				if len(words) != 2 {
					return fmt.Errorf("must be two ports: %w", syscall.EINVAL)
				}
				for i, w := range words {
					n, err := parseNumber(w, 1, math.MaxUint16)
					if err != nil {
						return err
					}
					r[i] = n
				}
				if r[0] > r[1] {
					return fmt.Errorf("the last port is before the first: %w", syscall.EINVAL)
				}
				t.Limits.LocalPorts = tcpsock.PortRange{First: uint16(r[0]), Last: uint16(r[1])}
				return nil
			}),
		tcpKnob("net.ipv4.ip_local_reserved_ports", "ports that are not chosen: 8080,9000-9010",
			func(t *settings) string {
				var s []string
				for _, r := range t.Limits.ReservedPorts {
					if r.First == r.Last {
						s = append(s, strconv.Itoa(int(r.First)))
					} else {
						s = append(s, fmt.Sprintf("%d-%d", r.First, r.Last))
					}
				}
				return strings.Join(s, ",")
			},
			setReservedPorts),
		only("net.ipv4.ip_autobind_reuse", "0", "a port in use is not chosen"),
	}
}

func setReservedPorts(t *settings, v string) error {
	var all []tcpsock.PortRange
	for _, w := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		first, last, isRange := strings.Cut(w, "-")
		if !isRange {
			last = first
		}
		lo, err := parseNumber(first, 0, math.MaxUint16)
		if err != nil {
			return err
		}
		hi, err := parseNumber(last, lo, math.MaxUint16)
		if err != nil {
			return err
		}
		all = append(all, tcpsock.PortRange{First: uint16(lo), Last: uint16(hi)})
	}
	t.Limits.ReservedPorts = all
	return nil
}

func fastOpenKeys(t *settings) string {
	keys := t.Limits.FastOpenKeys
	if len(keys) == 0 {
		keys = make([]tcpsock.FastOpenKey, 1)
	}
	var s []string
	for _, k := range keys {
		// Linux prints the words as it holds them, little endian.
		w := func(i int) uint32 { return binary.LittleEndian.Uint32(k[4*i:]) }
		s = append(s, fmt.Sprintf("%08x-%08x-%08x-%08x", w(0), w(1), w(2), w(3)))
	}
	return strings.Join(s, ",")
}

func setFastOpenKeys(t *settings, v string) error {
	bad := fmt.Errorf("must be one key or two, each like 01234567-89abcdef-01234567-89abcdef: %w", syscall.EINVAL)
	words := strings.Split(v, ",")
	if len(words) > 2 {
		return bad
	}
	var keys []tcpsock.FastOpenKey
	for _, w := range words {
		var k tcpsock.FastOpenKey
		groups := strings.Split(strings.TrimSpace(w), "-")
		if len(groups) != 4 {
			return bad
		}
		for i, g := range groups {
			b, err := hex.DecodeString(fmt.Sprintf("%08s", g))
			if err != nil || len(b) != 4 {
				return bad
			}
			binary.LittleEndian.PutUint32(k[4*i:], binary.BigEndian.Uint32(b))
		}
		keys = append(keys, k)
	}
	if len(keys) == 1 && keys[0] == (tcpsock.FastOpenKey{}) {
		keys = nil
	}
	t.Limits.FastOpenKeys = keys
	return nil
}
