package abi

import "testing"

// TestTCPInfo holds fields to the places they have in the headers of Linux (linux/tcp.h).
func TestTCPInfo(t *testing.T) {
	b := make([]byte, 280)
	for i := range b {
		b[i] = byte(i)
	}
	word := func(at, size int) (v uint64) {
		for i := range size {
			v |= uint64(b[at+i]) << (8 * i)
		}
		return v
	}
	b[6], b[7] = 0x73, 0b101
	want := map[string]uint64{
		"tcpi_state": 0, "tcpi_ca_state": 1, "tcpi_options": 5, "tcpi_snd_wscale": 3, "tcpi_rcv_wscale": 7,
		"tcpi_delivery_rate_app_limited": 1, "tcpi_fastopen_client_fail": 2, "tcpi_rto": word(8, 4),
		"tcpi_unacked": word(24, 4), "tcpi_pmtu": word(60, 4), "tcpi_rtt": word(68, 4), "tcpi_snd_cwnd": word(80, 4),
		"tcpi_total_retrans": word(100, 4), "tcpi_pacing_rate": word(104, 8), "tcpi_segs_out": word(136, 4),
		"tcpi_delivery_rate": word(160, 8), "tcpi_bytes_sent": word(200, 8), "tcpi_rcv_ooopack": word(224, 4),
		"tcpi_rehash": word(236, 4), "tcpi_total_rto": word(240, 2), "tcpi_total_rto_time": word(244, 4),
		"tcpi_accecn_opt_seen": word(278, 2),
	}
	got := map[string]uint64{}
	for _, f := range TCPInfo(b) {
		got[f.Name] = f.Value
	}
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s is %#x, want %#x", name, got[name], v)
		}
	}
	for _, f := range TCPInfo(b[:104]) {
		if f.Name == "tcpi_pacing_rate" {
			t.Error("there is a field behind the end")
		}
	}
	if n := len(TCPInfo(nil)); n != 0 {
		t.Errorf("nothing has %d fields", n)
	}
	if m := MemInfo(b); len(m) != 9 || m[8] != (Named{"SK_MEMINFO_DROPS", word(32, 4)}) {
		t.Errorf("%v", m)
	}
}
