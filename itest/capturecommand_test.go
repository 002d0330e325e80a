package itest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// capturing is a host that runs, for commands that look at its packets.
type capturing struct {
	*rig
	up     *process
	socket string
}

func newCapturing(t *testing.T) *capturing {
	t.Helper()
	n := newNamespace(t)
	socket := filepath.Join(t.TempDir(), "control")
	up := n.onlink(append([]string{"up", "--echo", ":7", "--control", socket}, hostArgs("--tap", "tap0")...)...)
	n.appears("tap0", families)
	up.says(t, "echo on :7")
	return &capturing{&rig{namespace: n, name: "tap0"}, up, socket}
}

// capture starts onlink capture and waits until it listens.
func (c *capturing) capture(t *testing.T, args ...string) *process {
	t.Helper()
	p := c.onlink(append([]string{"capture", "--socket", c.socket}, args...)...)
	p.says(t, "listening on ")
	return p
}

// exchange has the kernel send of all kinds, and last a ping of the given size.
func (c *capturing) exchange(t *testing.T, last int) {
	t.Helper()
	for _, v := range families {
		c.ping(v.stack, 56)
		if err := echo(c.kernelDial, net.JoinHostPort(v.stack, "7"), 1, 10_000); err != nil {
			t.Errorf("TCP echo: %v", err)
		}
		u, err := c.kernelDial("udp", net.JoinHostPort(v.stack, "7"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write([]byte("datagram")); err != nil {
			t.Error(err)
		}
		u.SetReadDeadline(soon())
		u.Read(make([]byte, 100)) // nothing is lost here, but what matters is what is captured
		u.Close()
	}
	c.ping(v4.stack, last)
}

// The kernel's tcpdump and onlink capture, at the two ends of a TAP, select the same packets by the same expressions.
func TestCaptureSelectsAsTcpdump(t *testing.T) {
	t.Parallel()
	need(t, "tcpdump")
	need(t, "ping")
	if os.Getenv(inside) != "" {
		t.Skip("needs root: tcpdump wants to be another user")
	}
	c := newCapturing(t)
	dir := t.TempDir()
	_, after, _ := strings.Cut(c.ip("link show tap0"), "link/ether ")
	mac, _, _ := strings.Cut(after, " ")
	// Segments with data are left out: what is one packet here may be several there.
	pairs := map[string][2]*process{}
	for i, expr := range []string{
		"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not arp",
		"udp port 7 and net 192.0.2.0/24",
		"icmp6 and ip6[40] >= 128 and not ip6[40] = 143 or src host " + v6.kernel + " and udp",
		"ip6 and udp and dst port 7",
		"udp[4:2] = 16 and greater 50 and ether src host " + mac,
	} {
		expr = "icmp or (" + expr + ")"
		ours, theirs := filepath.Join(dir, fmt.Sprint("ours", i)), filepath.Join(dir, fmt.Sprint("theirs", i))
		kernel := c.start(nil, "tcpdump", "-i", "tap0", "-Z", "root", "-U", "-w", theirs, expr)
		kernel.says(t, "listening on")
		pairs[expr] = [2]*process{c.capture(t, "-i", "tap0", "-w", ours, expr), kernel}
		defer func() {
			lines := func(file string) []string {
				list := strings.Split(c.run("tcpdump", "-n", "-S", "-t", "-r", file), "\n")
				slices.Sort(list)
				return list
			}
			if a, b := lines(ours), lines(theirs); !slices.Equal(a, b) || len(a) < 5 {
				t.Errorf("%s\nonlink capture:\n%s\ntcpdump:\n%s", expr, strings.Join(a, "\n"), strings.Join(b, "\n"))
			}
		}()
	}
	const last = 1234
	c.exchange(t, last)
	for i := range len(pairs) {
		for _, file := range []string{"ours", "theirs"} {
			eventually(t, "the last ping is in the file", func() bool {
				p, _ := c.try("tcpdump", "-n", "-r", filepath.Join(dir, file+fmt.Sprint(i))) // an error while it is being written
				return strings.Count(p.stdout.String(), fmt.Sprintf("length %d", last+8)) == 2
			})
		}
	}
	for _, p := range pairs {
		p[0].interrupt(t)
		p[1].Process.Signal(os.Interrupt)
		p[1].Wait()
		if said := p[0].stderr.String(); !strings.Contains(said, "packets captured\n") || !strings.Contains(said, "\n0 packets dropped\n") {
			t.Error(said)
		}
	}
	c.up.interrupt(t)
}

// tshark shows the packets of a stream as they come; when it goes away, the capture ends.
func TestCaptureStream(t *testing.T) {
	t.Parallel()
	need(t, "tshark")
	need(t, "ping")
	c := newCapturing(t)
	path, err := command()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stream := c.startTo(w, nil, path, "capture", "--socket", c.socket, "-w", "-", "icmp or icmp6")
	w.Close()
	stream.says(t, "listening on tap0, link-type EN10MB (Ethernet)")
	tshark := c.start(r, "tshark", "-n", "-l", "-r", "-")
	r.Close()
	for i, v := range families {
		c.ping(v.stack, 56)
		want := []string{"ICMP", "ICMPv6"}[i]
		eventually(t, "tshark shows the ping while the capture goes on", func() bool {
			shown := tshark.stdout.String()
			return strings.Contains(shown, want+" 98 Echo (ping) reply") || strings.Contains(shown, want+" 118 Echo (ping) reply")
		})
	}
	tshark.Process.Signal(syscall.SIGKILL)
	tshark.Wait()
	for range 3 {
		c.ping(v4.stack, 56) // it notices when it writes
	}
	if code := stream.exitCode(t); code != 0 {
		t.Errorf("exit code %d: %s", code, &stream.stderr)
	}

	// A count ends it, too; of all interfaces each line says which.
	some := c.capture(t, "-i", "any", "-c", "2", "icmp")
	c.ping(v4.stack, 100)
	if code := some.exitCode(t); code != 0 || !strings.Contains(some.stdout.String(), "tap0  In  IP "+v4.kernel+" > "+v4.stack+": ICMP echo request") ||
		!strings.Contains(some.stdout.String(), "tap0  Out IP "+v4.stack+" > "+v4.kernel+": ICMP echo reply") || !strings.Contains(some.stderr.String(), "2 packets captured\n") {
		t.Errorf("exit code %d\n%s%s", code, &some.stdout, &some.stderr)
	}
	c.up.interrupt(t)
}
