package itest

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// toolRig is a host of ours and one of the kernel's, each on a link of its own with a router of the kernel's, which leads to a far host
// over a link that takes 1300 octets.
//
//	ours 192.0.2.2 ── 192.0.2.1 router 198.51.100.1 ── 198.51.100.2 far
//	peer 203.0.113.2 ── 203.0.113.1 ┘
type toolRig struct {
	router, peer, far *namespace
	up                *process
	socket            string
}

// asOurs replaces the addresses of the peer's link by those of ours.
var asOurs = strings.NewReplacer("203.0.113.", "192.0.2.", "2001:db8:3::", "2001:db8::")

func newToolRig(t *testing.T) *toolRig {
	r := &toolRig{router: newNamespace(t), peer: newNamespace(t), far: newNamespace(t), socket: filepath.Join(t.TempDir(), "s")}
	r.up = r.router.onlink(append([]string{"up", "--control", r.socket}, append(hostArgs("--tap", "tap0"), "--gateway", v6.kernel)...)...)
	r.router.appears("tap0", families)
	r.up.says(t, "192.0.2.2")
	for _, l := range []struct {
		*namespace
		name, near4, far4, near6, far6, mtu string
	}{{r.peer, "peer0", "203.0.113.1", "203.0.113.2", "2001:db8:3::1", "2001:db8:3::2", "1500"},
		{r.far, "far0", "198.51.100.1", "198.51.100.2", "2001:db8:1::1", "2001:db8:1::2", "1300"}} {
		r.router.ip("link add " + l.name + " mtu " + l.mtu + " type veth peer name eth0 mtu " + l.mtu + " netns " + l.Path())
		for _, e := range []struct {
			*namespace
			device, four, six string
		}{{r.router, l.name, l.near4, l.near6}, {l.namespace, "eth0", l.far4, l.far6}} {
			e.ip("link set " + e.device + " up")
			e.ip("address add " + e.four + "/24 dev " + e.device)
			e.ip("address add " + e.six + "/64 dev " + e.device + " nodad")
		}
		l.ip("route add default via " + l.near4)
		l.ip("-6 route add default via " + l.near6)
		// All that the host says is to be seen, however fast it is asked.
		writeSysctl(l.namespace, "net/ipv4/icmp_ratemask", "0")
		writeSysctl(l.namespace, "net/ipv6/icmp/ratelimit", "0")
	}
	for path, value := range map[string]string{"net/ipv4/ip_forward": "1", "net/ipv6/conf/all/forwarding": "1", "net/ipv4/icmp_ratemask": "0",
		"net/ipv6/icmp/ratelimit": "0"} {
		writeSysctl(r.router, path, value)
	}
	return r
}

// tool runs a tool of ours on our host.
func (r *toolRig) tool(name string, args ...string) *process {
	r.router.t.Helper()
	return r.router.onlink(append([]string{name, "--socket", r.socket}, args...)...)
}

// What differs from run to run.
var toolTimes = regexp.MustCompile(`time[= ]\d+(\.\d+)? ?ms|= [\d./]+ ms| *\d+\.\d{3} ?ms`)

func untimed(s string) string { return toolTimes.ReplaceAllString(s, "TIME") }

// onlink ping prints what ping prints, of the same hosts, and ends with the same code.
func TestPingAsPing(t *testing.T) {
	t.Parallel()
	need(t, "ping")
	r := newToolRig(t)
	for _, line := range []string{
		"-c 2 -i 0.2 198.51.100.2", "-c 2 -i 0.2 2001:db8:1::2", "-c 1 -s 0 198.51.100.2", "-c 1 -s 4000 198.51.100.2", "-c 1 -s 4000 2001:db8:1::2",
		"-c 1 -t 1 198.51.100.2", "-c 1 -t 1 2001:db8:1::2", "-c 1 10.9.9.9", "-c 1 2001:db8:9::9", "-c 1 198.51.100.77", "-c 1 2001:db8:1::77",
		"-c 1 -W 3 -M do -s 1400 198.51.100.2", "-c 1 -W 3 -M do -s 1400 198.51.100.2", "-c 1 -M do -s 2000 192.0.2.1",
		"-c 3 -q -i 0.2 198.51.100.2", "-c 1 -p ff00aa 198.51.100.2", "-c 1 -w 5 198.51.100.2", "-c 1 -n -4 198.51.100.2", "-c 1 127.0.0.1", "-c 1 ::1",
	} {
		args := strings.Fields(strings.ReplaceAll(line, "192.0.2.1", "203.0.113.1"))
		want, _ := r.peer.try("ping", args...)
		got := r.tool("ping", strings.Fields(line)...)
		code := got.exitCode(t)
		if is, should := untimed(got.stdout.String()), untimed(asOurs.Replace(want.stdout.String())); is != should || code != want.ProcessState.ExitCode() ||
			got.stderr.String() != want.stderr.String() {
			t.Errorf("%s: exit code %d\n%s%s\nping prints, with %d\n%s%s", line, code, is, &got.stderr, want.ProcessState.ExitCode(), should, &want.stderr)
		}
	}
	r.up.interrupt(t)
}

// An interrupt has ping print its statistics, over the control socket, too.
func TestPingInterrupted(t *testing.T) {
	t.Parallel()
	r := newToolRig(t)
	p := r.tool("ping", "-i", "0.1", "198.51.100.2")
	eventually(t, "it has replies", func() bool { return strings.Contains(p.stdout.String(), "icmp_seq=3 ") })
	p.interrupt(t)
	if !regexp.MustCompile(`(?s)\n\n--- 198\.51\.100\.2 ping statistics ---\n\d+ packets transmitted, \d+ received, .*\nrtt min/avg/max/mdev = `).MatchString(p.stdout.String()) {
		t.Errorf("printed\n%s", &p.stdout)
	}
	r.up.interrupt(t)
}

// onlink traceroute finds the hops that traceroute finds, and says of them what that says.
func TestTracerouteAsTraceroute(t *testing.T) {
	t.Parallel()
	need(t, "traceroute")
	r := newToolRig(t)
	for _, line := range []string{
		"-n 198.51.100.2", "-n 2001:db8:1::2", "-n -I 198.51.100.2", "-n -I 2001:db8:1::2", "-n -T 198.51.100.2", "-n -T 2001:db8:1::2", "-n -q 1 198.51.100.2 200",
		"-n 10.9.9.9", "-n 2001:db8:9::9", "-n -f 2 198.51.100.2", "-n -F 198.51.100.2 1400", "-n 192.0.2.1", "-n -m 1 -I 198.51.100.2", "-n -q 1 198.51.100.77",
	} {
		args := strings.Fields(strings.ReplaceAll(line, "192.0.2.1", "203.0.113.1"))
		got := r.tool("traceroute", strings.Fields(line)...)
		code, is := got.exitCode(t), untimed(got.stdout.String())
		want, _ := r.peer.try("traceroute", args...)
		should := untimed(asOurs.Replace(want.stdout.String()))
		for range 2 {
			// On a busy machine traceroute misses answers of its own, with -T above all.
			if strings.Count(should, "*") <= strings.Count(is, "*") {
				break
			}
			want, _ = r.peer.try("traceroute", args...)
			should = untimed(asOurs.Replace(want.stdout.String()))
		}
		if is != should || code != 0 {
			t.Errorf("%s: exit code %d\n%s%s\ntraceroute prints\n%s%s", line, code, is, &got.stderr, should, &want.stderr)
		}
	}
	r.up.interrupt(t)
}

// What routers that spread flows look at is the same in all probes of a trace.
func TestTracerouteOneFlow(t *testing.T) {
	t.Parallel()
	need(t, "tshark")
	n := newNamespace(t)
	for _, way := range []struct{ flag, filter, fields string }{
		{"-U", "udp.dstport==33434 && !icmp && !icmpv6", "-e udp.srcport -e udp.dstport -e ipv6.flow"},
		{"-I", "icmp.type==8", "-e icmp.ident -e icmp.checksum"},
		{"-I", "icmpv6.type==128", "-e icmpv6.echo.identifier -e icmpv6.checksum -e ipv6.flow"},
		{"-T", "tcp.flags.syn==1 && tcp.flags.ack==0", "-e tcp.srcport -e tcp.dstport -e ipv6.flow"},
	} {
		for _, v := range families {
			if strings.HasPrefix(way.filter, "icmp.") && v.digit == "6" || strings.HasPrefix(way.filter, "icmpv6.") && v.digit == "4" {
				continue
			}
			file := filepath.Join(t.TempDir(), "trace.pcapng")
			p := n.onlink(append([]string{"traceroute", "-n", "-N", "4", "-q", "5", way.flag, v.kernel, "--pcap", file}, hostArgs("--tap", "tap0")...)...)
			n.appears("tap0", families)
			if code := p.exitCode(t); code != 0 {
				t.Errorf("exit code %d, %s", code, &p.stderr)
			}
			flows := map[string]int{}
			for _, line := range strings.Split(strings.TrimSpace(n.run("tshark", append([]string{"-r", file, "-Y", way.filter, "-T", "fields"},
				strings.Fields(way.fields)...)...)), "\n") {
				flows[strings.TrimSpace(line)]++
			}
			if len(flows) != 1 {
				t.Errorf("%s, %s: %v", way.flag, v.name, flows)
			}
			for flow, count := range flows {
				if count < 5 {
					t.Errorf("%s, %s: %d probes of %s", way.flag, v.name, count, flow)
				}
			}
		}
	}
}

// nc carries what it is given both ways at once, whole, with either end listening, and half-closes.
func TestNcAgainstNcat(t *testing.T) {
	t.Parallel()
	need(t, "ncat")
	r := newToolRig(t)
	random := rand.NewChaCha8([32]byte{1})
	there, back := make([]byte, 3<<20), make([]byte, 2<<20)
	random.Read(there)
	random.Read(back)
	check := func(what string, p *process, got *bytes.Buffer, want []byte) {
		t.Helper()
		if code := p.exitCode(t); code != 0 {
			t.Errorf("%s: exit code %d, %s", what, code, &p.stderr)
		}
		if sha256.Sum256(got.Bytes()) != sha256.Sum256(want) {
			t.Errorf("%s: %d octets came, not the %d sent", what, got.Len(), len(want))
		}
	}
	path, err := command()
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []struct{ ours, theirs string }{{"192.0.2.2", "198.51.100.2"}, {"2001:db8::2", "2001:db8:1::2"}} {
		var heard, answered bytes.Buffer
		server := r.far.startTo(&heard, bytes.NewReader(back), "ncat", "-v", "-l", host.theirs, "7000")
		server.says(t, "Listening on "+host.theirs)
		client := r.router.startTo(&answered, bytes.NewReader(there), path, "nc", "--socket", r.socket, "-N", host.theirs, "7000")
		check("client", client, &answered, back)
		check("their server", server, &heard, there)

		heard, answered = bytes.Buffer{}, bytes.Buffer{}
		server = r.router.startTo(&heard, bytes.NewReader(back), path, "nc", "--socket", r.socket, "-v", "-N", "-l", host.ours, "7001")
		server.says(t, "Listening on ")
		client = r.far.startTo(&answered, bytes.NewReader(there), "ncat", host.ours, "7001")
		check("server", server, &heard, there)
		check("their client", client, &answered, back)
	}
	// What is refused, and which ports are open.
	p := r.tool("nc", "-v", "-z", "198.51.100.2", "7002-7003")
	if code := p.exitCode(t); code != 1 || strings.Count(p.stderr.String(), "refused") != 2 {
		t.Errorf("exit code %d, %s", code, &p.stderr)
	}
	r.up.interrupt(t)
}

// onlink tracepath finds what tracepath finds, which asks the first hop twice.
func TestTracepathAsTracepath(t *testing.T) {
	t.Parallel()
	need(t, "tracepath")
	r := newToolRig(t)
	once := func(s string) string {
		var lines []string
		for _, line := range strings.Split(untimed(localHost.ReplaceAllString(s, "$1 $2")), "\n") {
			if line = strings.TrimRight(line, " "); len(lines) == 0 || line != lines[len(lines)-1] {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "\n")
	}
	for _, line := range []string{"-n 198.51.100.2", "-n 2001:db8:1::2", "-n 192.0.2.1", "-n 10.9.9.9", "-n -l 1200 198.51.100.2"} {
		want, _ := r.peer.try("tracepath", strings.Fields(strings.ReplaceAll(line, "192.0.2.1", "203.0.113.1"))...)
		got := r.tool("tracepath", strings.Fields(line)...)
		code := got.exitCode(t)
		if is, should := once(got.stdout.String()), once(asOurs.Replace(want.stdout.String())); is != should || code != 0 {
			t.Errorf("%s: exit code %d\n%s%s\ntracepath prints\n%s%s", line, code, is, &got.stderr, should, &want.stderr)
		}
	}
	r.up.interrupt(t)
}

// localHost is what tracepath says of this host, the time it took it to find out among it.
var localHost = regexp.MustCompile(`(\[LOCALHOST\]).*(pmtu \d+)`)

// The kernel's tools find us behind a router.
func TestToolsFindUs(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"ping", "traceroute", "tracepath", "mtr"} {
		need(t, program)
	}
	r := newToolRig(t)
	for _, v := range []struct{ router, us string }{{"203.0.113.1", "192.0.2.2"}, {"2001:db8:3::1", "2001:db8::2"}} {
		r.peer.ping(v.us, 1000)
		hops := regexp.QuoteMeta(v.router) + ` .*\n 2[: ] +` + regexp.QuoteMeta(v.us) + ` `
		for _, line := range []string{"traceroute -n -q 1 ", "traceroute -n -q 1 -I ", "traceroute -n -q 1 -T ", "tracepath -n "} {
			args := strings.Fields(line + v.us)
			if out := r.peer.run(args[0], args[1:]...); !regexp.MustCompile(`(?m)^ 1[: ] +` + hops).MatchString(out) {
				t.Errorf("%s:\n%s", line, out)
			}
		}
		out := r.peer.run("mtr", "-n", "-r", "-c", "1", v.us)
		if !regexp.MustCompile(`(?s) 1\.\|-- ` + regexp.QuoteMeta(v.router) + ` +0\.0%.* 2\.\|-- ` + regexp.QuoteMeta(v.us) + ` +0\.0%`).MatchString(out) {
			t.Errorf("mtr:\n%s", out)
		}
	}
	r.up.interrupt(t)
}
