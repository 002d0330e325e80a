package onlink_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink"
)

func newSysctlStack(t *testing.T) *onlink.Stack {
	t.Helper()
	s, err := onlink.New(onlink.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

// Every setting takes the value it shows, has a sentence about it, and a name of its own, and names it when it is refused.
func TestSysctlTable(t *testing.T) {
	s := newSysctlStack(t)
	last := ""
	for _, k := range s.Sysctls() {
		if k.Name <= last {
			t.Errorf("%s after %s", k.Name, last)
		}
		last = k.Name
		if k.Doc == "" {
			t.Errorf("%s has no documentation", k.Name)
		}
		switch err := s.SetSysctl(k.Name, k.Value); {
		case errors.Is(err, syscall.EPERM) && strings.Contains(k.Name, "available"):
		case err != nil:
			t.Error(err)
		}
		if got, err := s.Sysctl(k.Name); got != k.Value || err != nil {
			t.Errorf("%s is %q, %v after it was set to %q", k.Name, got, err, k.Value)
		}
		if err := s.SetSysctl(k.Name, "-7777"); err == nil || !strings.Contains(err.Error(), k.Name) {
			t.Errorf("%s=-7777: %v", k.Name, err)
		}
		if got, _ := s.Sysctl(k.Name); got != k.Value {
			t.Errorf("%s is %q after it refused a value, was %q", k.Name, got, k.Value)
		}
	}
}

func TestSysctlDefaults(t *testing.T) {
	s := newSysctlStack(t)
	for name, want := range map[string]string{
		"net.ipv4.tcp_rmem":            "4096\t131072\t6291456",
		"net.ipv4.tcp_wmem":            "4096\t16384\t4194304",
		"net.ipv4.tcp_sack":            "1",
		"net.ipv4.tcp_timestamps":      "1",
		"net.ipv4.tcp_ecn":             "2",
		"net.ipv4.tcp_retries2":        "15",
		"net.ipv4.tcp_keepalive_time":  "7200",
		"net.ipv4.tcp_fin_timeout":     "60",
		"net.ipv4.tcp_rto_min_us":      "200000",
		"net.ipv4.tcp_notsent_lowat":   "4294967295",
		"net.ipv4.ip_local_port_range": "32768\t60999",
		"net.ipv4.tcp_fastopen_key":    "00000000-00000000-00000000-00000000",
		"net.inet.tcp.rfc1323":         "1",
		"net.inet.tcp.keepidle":        "7200000",
		"net.inet.tcp.msl":             "30000",
		"net.inet.tcp.recvspace":       "65536",
	} {
		if got, err := s.Sysctl(name); got != want || err != nil {
			t.Errorf("%s is %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestSetSysctl(t *testing.T) {
	for _, c := range []struct{ name, value, then, want string }{
		{"net.ipv4.tcp_rmem", "5000 6000 7000", "", "5000\t6000\t7000"},
		{"net.ipv4.tcp_rmem", "5000", "", "5000\t131072\t6291456"},
		{"net/ipv4/tcp_wmem", "1\t2\t3\n", "net.ipv4.tcp_wmem", "1\t2\t3"},
		{"/proc/sys/net/ipv4/tcp_sack", "0", "net.inet.tcp.sack.enable", "0"},
		{"net.ipv4.tcp_timestamps", "2", "net.inet.tcp.ts_offset_per_conn", "0"},
		{"net.ipv4.tcp_timestamps", "0", "net.inet.tcp.rfc1323", "2"},
		{"net.inet.tcp.rfc1323", "0", "net.ipv4.tcp_window_scaling", "0"},
		{"net.inet.tcp.rfc1323", "3", "net.ipv4.tcp_timestamps", "1"},
		{"net.ipv4.tcp_mem", "100 200 300", "", "100\t200\t300"},
		{"net.inet.tcp.keepidle", "60000", "net.ipv4.tcp_keepalive_time", "60"},
		{"net.inet.tcp.recvspace", "32768", "net.ipv4.tcp_rmem", "4096\t65536\t6291456"},
		{"net.inet.tcp.sendspace", "20000", "net.ipv4.tcp_wmem", "4096\t20000\t4194304"},
		{"net.inet.tcp.syncookies_only", "1", "net.ipv4.tcp_syncookies", "2"},
		{"net.inet.tcp.fastopen.server_enable", "1", "net.ipv4.tcp_fastopen", "3"},
		{"net.inet.tcp.cc.algorithm", "newreno", "net.ipv4.tcp_congestion_control", "reno"},
		{"net.inet.tcp.delayed_ack", "0", "net.inet.tcp.delacktime", ""},
		{"net.ipv4.tcp_fastopen_key", "01234567-89abcdef-01234567-89abcdef", "", "01234567-89abcdef-01234567-89abcdef"},
		{"net.ipv4.tcp_fastopen_key", "1-2-3-4,a-b-c-d", "", "00000001-00000002-00000003-00000004,0000000a-0000000b-0000000c-0000000d"},
		{"net.ipv4.ip_local_port_range", "1025 2000", "", "1025\t2000"},
		{"net.ipv4.ip_local_reserved_ports", "8080,9000-9010", "", "8080,9000-9010"},
		{"net.ipv4.ip_forward", "1", "net.inet.ip.forwarding", "1"},
		{"net.ipv4.ip_default_ttl", "0x20", "", "32"},
		{"net.ipv4.tcp_syn_retries", "3", "", "3"},
		{"net.ipv4.tcp_rto_max_ms", "60000", "", "60000"},
		{"net.ipv4.icmp_msgs_per_sec", "5", "", "5"},
		{"net.ipv4.tcp_low_latency", "1", "", "1"},
		{"net.ipv4.tcp_no_metrics_save", "1", "", "1"},
		{"net.ipv4.route.min_pmtu", "600", "", "600"},
	} {
		s := newSysctlStack(t)
		if c.want == "" {
			c.want = "0"
		}
		if c.then == "" {
			c.then = c.name
		}
		if err := s.SetSysctl(c.name, c.value); err != nil {
			t.Error(err)
		}
		if got, err := s.Sysctl(c.then); got != c.want || err != nil {
			t.Errorf("%s=%q: %s is %q, %v, want %q", c.name, c.value, c.then, got, err, c.want)
		}
	}
}

func TestSetSysctlRefuses(t *testing.T) {
	s := newSysctlStack(t)
	for _, c := range []struct {
		name, value string
		err         error
	}{
		{"net.ipv4.tcp_no_such_thing", "1", syscall.ENOENT},
		{"", "1", syscall.ENOENT},
		{"net.ipv4.tcp_available_congestion_control", "reno", syscall.EPERM},
		{"net.ipv4.tcp_congestion_control", "warp", syscall.ENOENT},
		{"net.ipv4.tcp_allowed_congestion_control", "reno warp", syscall.EINVAL},
		{"net.ipv4.tcp_sack", "yes", syscall.EINVAL},
		{"net.ipv4.tcp_sack", "", syscall.EINVAL},
		{"net.ipv4.tcp_syn_retries", "0", syscall.EINVAL},
		{"net.ipv4.tcp_syn_retries", "128", syscall.EINVAL},
		{"net.ipv4.tcp_rmem", "1 2 3 4", syscall.EINVAL},
		{"net.ipv4.tcp_rmem", "0 1 2", syscall.EINVAL},
		{"net.ipv4.tcp_rmem", "", syscall.EINVAL},
		{"net.ipv4.tcp_fastopen_key", "1-2-3", syscall.EINVAL},
		{"net.ipv4.tcp_fastopen_key", "x-2-3-4", syscall.EINVAL},
		{"net.ipv4.tcp_fastopen_key", "1-2-3-4,1-2-3-4,1-2-3-4", syscall.EINVAL},
		{"net.ipv4.ip_local_port_range", "2000 1000", syscall.EINVAL},
		{"net.ipv4.ip_local_port_range", "2000", syscall.EINVAL},
		{"net.ipv4.ip_local_reserved_ports", "10-5", syscall.EINVAL},
		{"net.ipv4.tcp_plb_enabled", "1", syscall.EINVAL},
		{"net.inet.tcp.insecure_rst", "1", syscall.EINVAL},
		{"net.ipv4.tcp_mtu_probing", "3", syscall.EINVAL},
	} {
		if err := s.SetSysctl(c.name, c.value); !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s=%q: %v, want %v", c.name, c.value, err, c.err)
		}
	}
	if _, err := s.Sysctl("net.ipv4.nothing"); !errors.Is(err, syscall.ENOENT) {
		t.Error(err)
	}
}
