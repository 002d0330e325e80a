package onlink

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/tcp"
)

// idleKnobs are settings that scripts and administrators of Linux are used to set, and that have no effect: what they
// are about does not occur in this stack. They are kept, so that they read as they were set.
func idleKnobs() []knob {
	return slices.Concat(
		idleGroup("no effect: data does not wait in a device or a driver", map[string]int{
			"net.core.dev_weight":    64,
			"net.core.netdev_budget": 300, "net.core.netdev_budget_usecs": 8000, "net.core.netdev_max_backlog": 1000,
			"net.core.netdev_tstamp_prequeue": 1, "net.core.gro_normal_batch": 8, "net.core.busy_poll": 0,
			"net.core.skb_defer_max": 64, "net.core.high_order_alloc_disable": 0,
			"net.core.rps_sock_flow_entries": 0, "net.core.flow_limit_table_len": 4096, "net.core.max_skb_frags": 17,
		}),
		idleGroup("no effect: retransmissions are cut as the segment size is at the time", map[string]int{
			"net.ipv4.tcp_retrans_collapse": 1,
		}),
		idleGroup("no effect: only what net.ipv4.tcp_plb_enabled turns on would use it", map[string]int{
			"net.ipv4.tcp_plb_cong_thresh": 128, "net.ipv4.tcp_plb_idle_rehash_rounds": 3, "net.ipv4.tcp_plb_rehash_rounds": 12,
			"net.ipv4.tcp_plb_suspend_rto_sec": 60,
		}),
		idleGroup("no effect: memory for options and datagrams is not counted in this way", map[string]int{
			"net.core.optmem_max": 131072, "net.ipv4.udp_rmem_min": 4096, "net.ipv4.udp_wmem_min": 4096, "net.core.mem_pcpu_rsv": 256,
			"net.ipv4.tcp_child_ehash_entries": 0, "net.ipv4.udp_child_hash_entries": 0,
		}),
		idleGroup("no effect: warnings are not logged", map[string]int{
			"net.core.message_burst": 10, "net.core.message_cost": 5, "net.core.warnings": 0, "net.ipv4.conf.all.log_martians": 0,
			"net.ipv4.icmp_ignore_bogus_error_responses": 1,
		}),
		idleGroup("no effect: there is no route cache to be collected, nor what else this is about", map[string]int{
			"net.ipv4.fwmark_reflect": 0, "net.ipv6.fwmark_reflect": 0,
			"net.ipv4.fib_multipath_use_neigh": 0, "net.core.txrehash": 1,
			"net.ipv4.route.gc_timeout": 300, "net.ipv6.route.gc_timeout": 60, "net.ipv4.route.gc_interval": 60,
			"net.ipv6.route.gc_interval": 30, "net.ipv4.route.gc_elasticity": 8, "net.ipv6.route.gc_elasticity": 9,
			"net.ipv4.route.gc_min_interval_ms": 500, "net.ipv6.route.gc_min_interval_ms": 500,
			"net.ipv4.route.max_size": maxInt, "net.ipv6.route.max_size": maxInt, "net.ipv6.route.gc_thresh": 1024,
			"net.ipv4.conf.all.src_valid_mark": 0, "net.ipv4.inet_peer_maxttl": 600, "net.ipv4.inet_peer_minttl": 120,
			"net.ipv4.inet_peer_threshold": 65664, "net.ipv4.ip_forward_use_pmtu": 0, "net.ipv4.ip_forward_update_priority": 1,
		}),
		idleGroup("no effect: source routes are ignored", map[string]int{
			"net.ipv4.conf.all.accept_source_route": 0,
			"net.ipv6.conf.all.accept_source_route": 0,
		}),
		idleGroup("no effect: addresses are the stack's own", map[string]int{
			"net.ipv4.conf.all.accept_local": 0, "net.ipv4.conf.all.promote_secondaries": 0,
			"net.ipv4.conf.all.arp_ignore": 0, "net.ipv4.conf.all.arp_announce": 0, "net.ipv4.conf.all.arp_filter": 0,
			"net.ipv4.conf.all.arp_notify": 0, "net.ipv4.conf.all.route_localnet": 0,
			"net.ipv6.flowlabel_consistency": 1, "net.ipv6.flowlabel_reflect": 0,
			"net.ipv6.flowlabel_state_ranges": 0, "net.ipv4.ip_unprivileged_port_start": 1024,
		}),
		idleGroup("no effect: ICMP errors are limited by kind, by net.ipv4.icmp_msgs_per_sec", map[string]int{
			"net.ipv4.icmp_ratelimit": 1000, "net.ipv6.icmp.ratelimit": 1000,
		}),
		[]knob{
			text("net.core.default_qdisc", "pfifo_fast", "no effect: packets do not wait in a queue"),
			idle("net.ipv4.tcp_tw_reuse_delay", 1000, 1, maxInt, "no effect: TIME-WAIT may be reused after one second"),
		},
	)
}

// idleFreeBSDKnobs are the same of FreeBSD.
func idleFreeBSDKnobs() []knob {
	return slices.Concat(
		idleGroup("no effect: loss recovery is RFC 6675's, RFC 6937's and RFC 8985's", map[string]int{
			"net.inet.tcp.do_prr": 1, "net.inet.tcp.do_prr_conservative": 0, "net.inet.tcp.rfc6675_pipe": 1, "net.inet.tcp.newcwv": 0,
			"net.inet.tcp.do_newsack": 1, "net.inet.tcp.newreno": 1, "net.inet.tcp.sack.revised": 1, "net.inet.tcp.sack.lrd": 1,
			"net.inet.tcp.do_lrd": 0, "net.inet.tcp.sack.tso": 0, "net.inet.tcp.sack.maxholes": 128, "net.inet.tcp.sack.globalmaxholes": 65536,
			"net.inet.tcp.rexmit_drop_options": 0,
			"net.inet.tcp.persmin":             5000, "net.inet.tcp.persmax": 60000, "net.inet.tcp.maxpersistidle": 7200000,
			"net.inet.tcp.maxunacktime": 0, "net.inet.tcp.cc.abe_frlossreduce": 0, "net.inet.tcp.cc.newreno.beta": 50,
			"net.inet.tcp.cc.newreno.beta_ecn": 80, "net.inet.tcp.bad_rexmit": 1,
		}),
		idleGroup("no effect: data does not wait in a device or a driver", map[string]int{
			"net.inet.tcp.tso": 1, "net.inet.tcp.lro_entries": 8, "net.inet.tcp.soreceive_stream": 0, "net.inet.tcp.per_cpu_timers": 0,
			"net.inet.tcp.map_limit": 0, "net.inet.tcp.split_limit": 0, "net.inet.tcp.use_fastpath": 1,
		}),
		idleGroup("no effect: memory is not counted in this way", map[string]int{
			"net.inet.tcp.reass.maxsegments": 8192, "net.inet.tcp.reass.maxqueuelen": 100, "net.inet.tcp.tcbhashsize": 0,
			"net.inet.tcp.syncache.bucketlimit": 30, "net.inet.tcp.syncache.cachelimit": 15360, "net.inet.tcp.syncache.hashsize": 512,
			"net.inet.tcp.syncache.see_other": 0, "net.inet.tcp.syncache.rst_on_sock_fail": 1, "kern.ipc.maxsockbuf": 2097152,
			"kern.ipc.nmbclusters": 0, "kern.ipc.maxsockets": 0, "net.inet.tcp.sendbuf_auto": 1, "net.inet.tcp.sendbuf_inc": 8192,
			"net.inet.tcp.sendbuf_auto_lowat": 0, "net.inet.tcp.recvbuf_inc": 16384, "net.inet.tcp.reass.new_limit": 0,
		}),
		idleGroup("no effect: path MTU discovery without ICMP (RFC 4821) is not there", map[string]int{
			"net.inet.tcp.pmtud_blackhole_detection": 0, "net.inet.tcp.pmtud_blackhole_mss": 1200,
			"net.inet.tcp.v6pmtud_blackhole_mss": 1220,
		}),
		idleGroup("no effect: nothing is logged", map[string]int{
			"net.inet.tcp.log_debug": 0, "net.inet.tcp.log_in_vain": 0, "net.inet.tcp.bb.log_auto_all": 0,
			"net.inet.tcp.perconn_stats_enable": 0, "kern.timecounter.alloweddeviation": 0,
		}),
		idleGroup("no effect: what it limits or permits is limited by other means, or not done", map[string]int{
			"net.inet.icmp.icmplim": 200, "net.inet6.icmp6.errppslimit": 100, "net.inet.icmp.drop_redirect": 1,
			"net.inet.icmp.icmplim_jitter": 16, "net.inet.tcp.ack_war_cnt": 5, "net.inet.tcp.ack_war_timewindow": 1000,
			"net.inet.tcp.isn_reseed_interval": 0, "net.inet.tcp.nolocaltimewait": 0, "net.inet.tcp.fast_finwait2_recycle": 0,
			"net.inet.tcp.ecn.maxretries": 1, "net.inet.tcp.ecn.generalized": 0, "net.inet.tcp.drop_synfin": 0,
			"net.inet.tcp.require_unique_port": 0, "net.inet.tcp.functions_inherit_listen_socket_stack": 1,
			"net.inet.tcp.udp_tunneling_port": 0, "net.inet.tcp.msl_local": 10000, "net.inet.tcp.blackhole_local": 0,
			"net.inet.tcp.fastopen.acceptany": 0, "net.inet.tcp.fastopen.psk_enable": 0, "net.inet.tcp.fastopen.path_disable_time": 900,
			"net.inet.tcp.fastopen.autokey": 120, "net.inet.tcp.fastopen.ccache_bucket_limit": 16, "net.inet.tcp.tolerate_missing_ts": 0,
			"net.inet.tcp.hostcache.expire": 3600, "net.inet.tcp.hostcache.prune": 300, "net.inet.tcp.hostcache.purge": 0,
			"net.inet.tcp.hostcache.cachelimit": 15360, "net.inet.udp.blackhole": 0, "net.inet.ip.random_id": 0,
			"net.inet.ip.rfc6864": 1, "net.inet6.ip6.auto_linklocal": 1, "net.inet.tcp.cc.hystartplusplus.css_rounds": 5,
		}),
		[]knob{
			number("net.inet.tcp.retries", func(t *settings) *int { return &t.TCP.Retries }, 1, math.MaxUint8, "retransmissions until a connection fails"),
			number("net.inet.tcp.syncache.rexmtlimit", func(t *settings) *int { return &t.TCP.SYNACKRetries }, 0, math.MaxUint8,
				"retransmissions of a SYN,ACK"),
			bsdTime("net.inet.tcp.rexmit_slop", func(t *settings) *time.Duration { return &t.TCP.RTOSlop }, 0,
				"ms that the TCP stacks of FreeBSD add to a retransmission timeout"),
			number("net.inet.tcp.abc_l_var", func(t *settings) *int { return &t.TCP.SlowStartLimit }, 0, maxInt,
				"L of RFC 9406: segments that an ACK adds at most to the congestion window in slow start without pacing; 0: no bound"),
			on("net.inet.tcp.cc.abe", func(t *settings) *bool { return &t.TCP.ABE }, "1: RFC 8511"),
			off("net.inet.tcp.hostcache.enable", func(t *settings) *bool { return &t.Limits.NoMetrics }, "0: nothing is remembered of a path"),
			{name: "net.inet.tcp.hostcache.purgenow", doc: "1: what is remembered of paths is forgotten",
				get: func(*Stack) string { return "0" },
				set: func(s *Stack, v string) error {
					n, err := parseNumber(v, 0, math.MaxInt32)
					if err == nil && n != 0 {
						s.tcp.FlushHosts()
					}
					return err
				}},
			only("net.inet.tcp.functions_available", "linux freebsd rack", "what net.inet.tcp.functions_default can be"),
			tcpKnob("net.inet.tcp.functions_default", "what connections do where RFC 9293 leaves freedom: linux: as "+
				"Linux; freebsd: ACKs, PSH, windows and timeouts are as FreeBSD's, and losses are found by RFC 6675; rack: the "+
				"same, but for losses, which are found by time, with tail loss probes (RFC 8985)",
				func(t *settings) string {
					switch {
					case !t.TCP.FreeBSD:
						return "linux"
					case t.TCP.Recovery == 0:
						return "freebsd"
					}
					return "rack"
				}, setFunctions),
			only("kern.features.vimage", "1", "stacks are apart from each other"),
		},
	)
}

// setFunctions chooses among what FreeBSD calls TCP stacks.
func setFunctions(t *settings, v string) error {
	switch d := (tcp.Config{}).Complete(); v {
	case "freebsd":
		t.TCP.FreeBSD, t.TCP.Recovery, t.TCP.EarlyRetrans = true, 0, 0
	case "rack", "linux":
		t.TCP.FreeBSD, t.TCP.Recovery, t.TCP.EarlyRetrans = v == "rack", d.Recovery, d.EarlyRetrans
	default:
		return fmt.Errorf("there are only linux, freebsd and rack: %w", syscall.ENOENT)
	}
	return nil
}

// idleGroup is settings without effect for one reason, with their first values.
func idleGroup(why string, values map[string]int) []knob {
	var all []knob
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, idle(name, values[name], -1, maxInt, why))
	}
	return all
}

// text is a setting without effect whose value is a word.
func text(name, initial, why string) knob {
	return knob{name: name, doc: why,
		get: func(s *Stack) string {
			s.idle.Lock()
			defer s.idle.Unlock()
			if v, ok := s.idle.values[name]; ok {
				return v
			}
			return initial
		},
		set: func(s *Stack, v string) error {
			if len(strings.Fields(v)) != 1 || strings.HasPrefix(v, "-") {
				return fmt.Errorf("must be one word: %w", syscall.EINVAL)
			}
			s.idle.Lock()
			defer s.idle.Unlock()
			if s.idle.values == nil {
				s.idle.values = make(map[string]string)
			}
			s.idle.values[name] = v
			return nil
		}}
}
