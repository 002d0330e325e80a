package itest

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onlink-go/onlink"
)

// TestSnoopingBridge puts the stack on a port of a Linux bridge that snoops and queries: the bridge learns every group, with its
// sources, from our reports, keeps it by our answers, and forgets it when we leave. tshark finds nothing wrong with what
// we send.
func TestSnoopingBridge(t *testing.T) {
	t.Parallel()
	need(t, "tshark")
	need(t, "tcpdump")
	need(t, "bridge")
	if os.Getenv(inside) != "" {
		t.Skip("needs root: tcpdump wants to be another user")
	}
	r := newRig(t, setup{})
	if p, err := r.try("ip", strings.Fields("link add br0 type bridge mcast_snooping 1 mcast_querier 1 mcast_igmp_version 3 mcast_mld_version 2 "+
		"mcast_query_interval 300 mcast_query_response_interval 100 mcast_startup_query_interval 100")...); err != nil {
		t.Skipf("no bridge to be had: %s", &p.stderr)
	}
	file := filepath.Join(t.TempDir(), "groups.pcap")
	tcpdump := r.start(nil, "tcpdump", "-i", "tap0", "-Z", "root", "-U", "-w", file)
	eventually(t, "tcpdump listens", func() bool { return strings.Contains(tcpdump.stderr.String(), "listening on") })
	r.ip("link set tap0 master br0")
	r.ip("link set br0 up")

	conn, err := r.ListenPacket(t.Context(), "udp", ":5000")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	u := conn.(*onlink.UDPConn)
	mdb := func() string { return r.run("bridge", "-d", "mdb", "show", "dev", "br0") }
	listed := func(want ...string) bool {
		for _, line := range strings.Split(mdb(), "\n") {
			ok := strings.Contains(line, "port tap0")
			for _, w := range want {
				ok = ok && strings.Contains(line, w)
			}
			if ok {
				return true
			}
		}
		return false
	}
	for _, g := range []struct{ group, sourced, source string }{{"239.7.7.7", "232.7.7.8", "198.51.100.9"}, {"ff15::7:7", "ff35::7:8", "2001:db8:9::9"}} {
		group, sourced, source := netip.MustParseAddr(g.group), netip.MustParseAddr(g.sourced), netip.MustParseAddr(g.source)
		if err := u.JoinGroup(r.iface, group); err != nil {
			t.Fatal(err)
		}
		eventually(t, g.group+" is in the bridge's table", func() bool { return listed("grp "+g.group+" ", "filter_mode exclude") })
		if err := u.JoinSourceGroup(r.iface, sourced, source); err != nil {
			t.Fatal(err)
		}
		eventually(t, g.sourced+" is, with its source", func() bool { return listed("grp "+g.sourced+" ", "src "+g.source) })
		if err := u.LeaveGroup(r.iface, group); err != nil {
			t.Fatal(err)
		}
		eventually(t, g.group+" is gone", func() bool { return !listed("grp " + g.group + " ") })
	}
	// The solicited-node group of our address is there too, or neighbor discovery would not work through the bridge.
	eventually(t, "the solicited-node group is in the table", func() bool { return listed("grp ff02::1:ff00:2 ") })

	tcpdump.Process.Signal(os.Interrupt)
	tcpdump.Wait()
	wantCleanCapture(t, r.namespace, file)
	bad := "(igmp && ip.src == " + v4.stack + " && (igmp.checksum.status == 0 || ip.ttl != 1)) || _ws.malformed"
	if out := r.run("tshark", "-r", file, "-Y", bad); out != "" {
		t.Errorf("bad frames:\n%s", out)
	}
	for _, filter := range []string{"igmp.type == 0x22 && ip.src == " + v4.stack, "icmpv6.type == 143 && ipv6.hlim == 1",
		"igmp.type == 0x11", "icmpv6.type == 130"} {
		if r.run("tshark", "-r", file, "-Y", filter) == "" {
			t.Errorf("no frame of %s", filter)
		}
	}
}
