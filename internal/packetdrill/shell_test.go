package packetdrill

import (
	"strings"
	"testing"
)

// Commands of a script set the stack's settings; what the stack cannot do is a failure that names it.
func TestCommands(t *testing.T) {
	for _, row := range []struct{ command, err string }{
		{"sysctl -q net.ipv4.tcp_sack=0; test $(sysctl -n net.ipv4.tcp_sack) = 0", ""},
		{"sysctl -q net.ipv4.tcp_nosuch=0", "net.ipv4.tcp_nosuch"},
		{"ip tcp_metrics flush all > /dev/null 2>&1", ""},
		{"ip link set dev tun0 mtu 1400", ""},
		{"ip link set dev tun0 netns x", "netns is not supported"},
		{"ip route change 192.0.2.0/24 dev tun0 initcwnd 20; test $(sysctl -n net.inet.tcp.initcwnd_segments) = 20", ""},
		{"ip route del 192.0.2.0/24; ip route add 192.0.2.0/24 via 192.168.0.1 dev tun0 rto_min 50ms && test $(sysctl -n net.ipv4.tcp_rto_min_us) = 50000", ""},
		{"ip route change 192.0.2.0/24 dev tun0 rto_min soon", "ip route change"},
		{"ip route change 192.0.2.0/24 dev tun0 initrwnd 20", "initrwnd is not supported"},
		{"ip -4 route replace default via 192.168.0.1 dev tun0 mtu 1400 features ecn", ""},
		{"ip route show table all | grep -q via || true", ""},
		{"tc qdisc replace dev tun0 root fq", ""},
		{"tc qdisc replace dev tun0 root netem loss 1%", "netem loss 1%: this queue is not supported"},
		{"ethtool -K tun0 tso off gso off", ""},
		{"modprobe tcp_nosuch", "tcp_nosuch"},
		{"iptables -F", "iptables: unknown command"},
		{"../common/nosuch.sh", "../common/nosuch.sh"},
	} {
		res := runText(t, "`"+row.command+"`\n0 `true`\n", Options{})
		switch f := res.Failure; {
		case row.err == "" && f != nil:
			t.Errorf("%s: %v", row.command, f)
		case row.err != "" && (f == nil || !strings.Contains(f.Msg, row.err) || f.Pos.Line != 1):
			t.Errorf("%s: %v, want %q", row.command, f, row.err)
		}
	}
}
