package abi

import "encoding/binary"

// Named is a number with a name.
type Named struct {
	Name  string
	Value uint64
}

// infoField is a field of a structure that is all numbers, one behind the other.
type infoField struct {
	name string
	bits int
}

// tcpInfo is Linux's struct tcp_info as of 6.18, in its order. Fields of less than 8 bits fill a byte from below.
var tcpInfo = []infoField{
	{"state", 8}, {"ca_state", 8}, {"retransmits", 8}, {"probes", 8}, {"backoff", 8}, {"options", 8},
	{"snd_wscale", 4}, {"rcv_wscale", 4}, {"delivery_rate_app_limited", 1}, {"fastopen_client_fail", 2}, {"", 5},
	{"rto", 32}, {"ato", 32}, {"snd_mss", 32}, {"rcv_mss", 32},
	{"unacked", 32}, {"sacked", 32}, {"lost", 32}, {"retrans", 32}, {"fackets", 32},
	{"last_data_sent", 32}, {"last_ack_sent", 32}, {"last_data_recv", 32}, {"last_ack_recv", 32},
	{"pmtu", 32}, {"rcv_ssthresh", 32}, {"rtt", 32}, {"rttvar", 32}, {"snd_ssthresh", 32}, {"snd_cwnd", 32},
	{"advmss", 32}, {"reordering", 32}, {"rcv_rtt", 32}, {"rcv_space", 32}, {"total_retrans", 32},
	{"pacing_rate", 64}, {"max_pacing_rate", 64}, {"bytes_acked", 64}, {"bytes_received", 64},
	{"segs_out", 32}, {"segs_in", 32}, {"notsent_bytes", 32}, {"min_rtt", 32}, {"data_segs_in", 32},
	{"data_segs_out", 32}, {"delivery_rate", 64}, {"busy_time", 64}, {"rwnd_limited", 64}, {"sndbuf_limited", 64},
	{"delivered", 32}, {"delivered_ce", 32}, {"bytes_sent", 64}, {"bytes_retrans", 64},
	{"dsack_dups", 32}, {"reord_seen", 32}, {"rcv_ooopack", 32}, {"snd_wnd", 32}, {"rcv_wnd", 32}, {"rehash", 32},
	{"total_rto", 16}, {"total_rto_recoveries", 16}, {"total_rto_time", 32},
	{"received_ce", 32}, {"delivered_e1_bytes", 32}, {"delivered_e0_bytes", 32}, {"delivered_ce_bytes", 32},
	{"received_e1_bytes", 32}, {"received_e0_bytes", 32}, {"received_ce_bytes", 32},
	{"accecn_fail_mode", 16}, {"accecn_opt_seen", 16},
}

// TCPInfo returns the fields of what TCP_INFO said, by the names code in scripts has for them: tcpi_state, tcpi_rtt, …
// The bytes may end earlier, as those of an older system do: the fields behind the end are left out.
func TCPInfo(b []byte) []Named { return fields("tcpi_", tcpInfo, b) }

// memInfo is what SO_MEMINFO says.
var memInfo = []infoField{{"RMEM_ALLOC", 32}, {"RCVBUF", 32}, {"WMEM_ALLOC", 32}, {"SNDBUF", 32}, {"FWD_ALLOC", 32},
	{"WMEM_QUEUED", 32}, {"OPTMEM", 32}, {"BACKLOG", 32}, {"DROPS", 32}}

// MemInfo returns the numbers of what SO_MEMINFO said: SK_MEMINFO_RMEM_ALLOC, …
func MemInfo(b []byte) []Named { return fields("SK_MEMINFO_", memInfo, b) }

// fields takes a structure apart.
func fields(prefix string, list []infoField, b []byte) []Named {
	var found []Named
	at := 0 // in bits
	for _, f := range list {
		end := at + f.bits
		if end > len(b)*8 {
			break
		}
		var v uint64
		switch p := b[at/8:]; f.bits {
		case 64:
			v = binary.LittleEndian.Uint64(p)
		case 32:
			v = uint64(binary.LittleEndian.Uint32(p))
		case 16:
			v = uint64(binary.LittleEndian.Uint16(p))
		default:
			v = uint64(p[0]>>(at%8)) & (1<<f.bits - 1)
		}
		if at = end; f.name != "" {
			found = append(found, Named{prefix + f.name, v})
		}
	}
	return found
}
