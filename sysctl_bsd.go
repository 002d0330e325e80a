package onlink

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpsock"
)

// freeBSDKnobs are the same settings by FreeBSD's names and in its units: times are in milliseconds.
func freeBSDKnobs() []knob {
	return []knob{
		tcpKnob("net.inet.tcp.rfc1323", "RFC 7323: 0: neither, 1: window scaling and timestamps, 2: window scaling, 3: timestamps",
			func(t *settings) string {
				return [2][2]string{{"1", "2"}, {"3", "0"}}[btoi(t.TCP.NoWindowScale)][btoi(t.TCP.NoTimestamps)]
			},
			func(t *settings, v string) error {
				n, err := parseNumber(v, 0, 3)
				if err == nil {
					t.TCP.NoWindowScale, t.TCP.NoTimestamps = n == 0 || n == 3, n == 0 || n == 2
				}
				return err
			}),
		off("net.inet.tcp.sack.enable", func(t *settings) *bool { return &t.TCP.NoSACK }, "selective acknowledgments (RFC 2018)"),
		number("net.inet.tcp.ecn.enable", func(t *settings) *int { return &t.TCP.ECN }, 0, 2, "ECN: 0: off, 1: asked for, 2: agreed to"),
		tcpKnob("net.inet.tcp.syncookies", "1: SYN cookies when the queue of handshakes overflows",
			func(t *settings) string { return bit(t.Limits.SYNCookies > 0) },
			func(t *settings, v string) error {
				n, err := parseNumber(v, 0, 1)
				if err == nil {
					t.Limits.SYNCookies = n
				}
				return err
			}),
		tcpKnob("net.inet.tcp.syncookies_only", "1: SYN cookies always",
			func(t *settings) string { return bit(t.Limits.SYNCookies == 2) },
			func(t *settings, v string) error {
				n, err := parseNumber(v, 0, 1)
				if err == nil {
					t.Limits.SYNCookies = 1 + n
				}
				return err
			}),
		bsdTime("net.inet.tcp.delacktime", func(t *settings) *time.Duration { return &t.TCP.DelayedACK }, 1, "longest delay of an acknowledgment, ms"),
		tcpKnob("net.inet.tcp.delayed_ack", "1: acknowledgments are delayed",
			func(t *settings) string { return bit(t.TCP.DelayedACK > 0) },
			func(t *settings, v string) error {
				n, err := parseNumber(v, 0, 1)
				switch {
				case err != nil:
					return err
				case n == 0:
					t.TCP.DelayedACK = 0
				case t.TCP.DelayedACK == 0:
					t.TCP.DelayedACK = tcp.Config{}.Complete().DelayedACK
				}
				return nil
			}),
		bsdTime("net.inet.tcp.msl", func(t *settings) *time.Duration { return &t.TCP.MSL }, 1, "maximum segment lifetime, ms; TIME-WAIT lasts two"),
		bsdTime("net.inet.tcp.finwait2_timeout", func(t *settings) *time.Duration { return &t.TCP.FinWait2 }, 0, "ms that FIN-WAIT-2 lasts when the user has let go"),
		bsdTime("net.inet.tcp.keepidle", func(t *settings) *time.Duration { return &t.TCP.KeepAliveIdle }, 1, "ms without traffic before the first keep-alive probe"),
		bsdTime("net.inet.tcp.keepintvl", func(t *settings) *time.Duration { return &t.TCP.KeepAliveInterval }, 1, "ms between keep-alive probes"),
		number("net.inet.tcp.keepcnt", func(t *settings) *int { return &t.TCP.KeepAliveCount }, 1, math.MaxUint8, "keep-alive probes without an answer"),
		bsdTime("net.inet.tcp.keepinit", func(t *settings) *time.Duration { return &t.TCP.ConnectTimeout }, 0, "ms that a handshake may take; 0: as long as SYNs are retransmitted"),
		on("net.inet.tcp.always_keepalive", func(t *settings) *bool { return &t.TCP.KeepAlive }, "1: all connections have keep-alive probes"),
		bsdTime("net.inet.tcp.rexmit_min", func(t *settings) *time.Duration { return &t.TCP.MinRTO }, 1, "least retransmission timeout, ms"),
		bsdTime("net.inet.tcp.rexmit_initial", func(t *settings) *time.Duration { return &t.TCP.InitialRTO }, 1, "first retransmission timeout, ms"),
		number("net.inet.tcp.initcwnd_segments", func(t *settings) *int { return &t.TCP.InitialWindow }, 0, math.MaxUint8, "initial congestion window, segments; 0: RFC 6928's"),
		bsdBuffer("net.inet.tcp.recvspace", func(t *settings) *[3]int { return &t.TCP.RMem }, 1, 2, "first receive window, octets"),
		bsdBuffer("net.inet.tcp.recvbuf_max", func(t *settings) *[3]int { return &t.TCP.RMem }, 2, 2, "largest receive window, octets"),
		bsdBuffer("net.inet.tcp.sendspace", func(t *settings) *[3]int { return &t.TCP.WMem }, 1, 1, "first send buffer, octets"),
		bsdBuffer("net.inet.tcp.sendbuf_max", func(t *settings) *[3]int { return &t.TCP.WMem }, 2, 1, "largest send buffer, octets"),
		off("net.inet.tcp.recvbuf_auto", func(t *settings) *bool { return &t.TCP.NoReceiveTuning }, "1: the receive buffer grows with what the connection carries"),
		number("net.inet.tcp.minmss", func(t *settings) *int { return &t.TCP.MinSendMSS }, 48, math.MaxUint16, "least segment size"),
		number("net.inet.tcp.mssdflt", func(t *settings) *int { return &t.DefaultMSS4 }, 64, math.MaxUint16, "segment size assumed of an IPv4 peer that tells none"),
		number("net.inet.tcp.v6mssdflt", func(t *settings) *int { return &t.DefaultMSS6 }, 64, math.MaxUint16, "the same of an IPv6 peer"),
		bsdFastOpen("net.inet.tcp.fastopen.client_enable", tcpsock.FastOpenClient, "1: data in a SYN may be sent (RFC 7413)"),
		bsdFastOpen("net.inet.tcp.fastopen.server_enable", tcpsock.FastOpenServer, "1: data in a SYN may be taken (RFC 7413)"),
		tcpKnob("net.inet.tcp.path_mtu_discovery", "1: path MTU discovery (RFC 1191)",
			func(t *settings) string { return bit(t.NoPathMTUDiscovery == 0) },
			func(t *settings, v string) error {
				n, err := parseNumber(v, 0, 1)
				if err == nil {
					t.NoPathMTUDiscovery = 1 - n
				}
				return err
			}),
		congestionKnob("net.inet.tcp.cc.algorithm", bsdControl, linuxControl),
		{name: "net.inet.tcp.cc.available", doc: "the congestion controls there are", get: func(s *Stack) string {
			var names []string
			for _, n := range s.tcp.Settings().TCP.Controls() {
				names = append(names, bsdControl(n))
			}
			return strings.Join(names, ", ")
		}},
		off("net.inet.tcp.ts_offset_per_conn", func(t *settings) *bool { return &t.TCP.NoTimestampOffset }, "1: the timestamp clock has an offset for each connection"),
		number("net.inet.tcp.maxtcptw", func(t *settings) *int { return &t.Limits.MaxTimeWait }, 0, maxInt, "connections in TIME-WAIT"),
		number("kern.ipc.soacceptqueue", func(t *settings) *int { return &t.SoMaxConn }, 0, maxInt, "longest accept queue of a listener"),
		defaultTTL().as("net.inet.ip.ttl", "net.ipv4.ip_default_ttl"),
		forwarding4().as("net.inet.ip.forwarding", "net.ipv4.ip_forward"),
		forwarding6().as("net.inet6.ip6.forwarding", "net.ipv6.conf.all.forwarding"),
		defaultHopLimit().as("net.inet6.ip6.hlim", "net.ipv6.conf.all.hop_limit"),

		only("net.inet.tcp.insecure_rst", "0", "a RST must be exactly in sequence (RFC 5961, 3)"),
		only("net.inet.tcp.insecure_syn", "0", "a SYN does not end a connection (RFC 5961, 4)"),
		only("net.inet.tcp.insecure_ack", "0", "old acknowledgments are not taken (RFC 5961, 5)"),
		only("net.inet.tcp.rfc3042", "1", "limited transmit is on"),
		only("net.inet.tcp.rfc3390", "1", "the initial window is RFC 6928's"),
		only("net.inet.tcp.rfc3465", "1", "octets are counted"),
		only("net.inet.tcp.blackhole", "0", "what nobody takes is answered with a RST"),
		only("net.inet.tcp.icmp_may_rst", "1", "an ICMP error ends a connection in its handshake"),
	}
}

// bsdTime is a time in milliseconds, at least lo.
func bsdTime(name string, field func(*settings) *time.Duration, lo int, doc string) knob {
	return duration(name, field, time.Millisecond, lo, maxInt, doc)
}

// bsdBuffer is a size among tcp_rmem or tcp_wmem: of octets of data, where Linux counts times as much memory.
func bsdBuffer(name string, field func(*settings) *[3]int, i, times int, doc string) knob {
	return tcpKnob(name, doc, func(t *settings) string { return strconv.Itoa(field(t)[i] / times) },
		func(t *settings, v string) error {
			n, err := parseNumber(v, 1, math.MaxInt32/2)
			if err == nil {
				field(t)[i] = n * times
			}
			return err
		})
}

func bsdFastOpen(name string, bits int, doc string) knob {
	return tcpKnob(name, doc, func(t *settings) string { return bit(t.Limits.FastOpen&bits != 0) },
		func(t *settings, v string) error {
			n, err := parseNumber(v, 0, 1)
			if err == nil {
				t.Limits.FastOpen = t.Limits.FastOpen&^bits | bits*n
			}
			return err
		})
}

// FreeBSD calls newreno what Linux calls reno.
func bsdControl(name string) string {
	if name == "reno" {
		return "newreno"
	}
	return name
}

func linuxControl(name string) string {
	if name == "newreno" {
		return "reno"
	}
	return name
}
