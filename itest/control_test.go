package itest

import (
	"encoding/json"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// steered is a running `onlink up` and its control socket.
type steered struct {
	*rig
	up     *process
	socket string
}

// newSteered starts `onlink up` on a TAP.
func newSteered(t *testing.T) *steered {
	t.Helper()
	n := newNamespace(t)
	socket := filepath.Join(t.TempDir(), "control")
	up := n.onlink(append([]string{"up", "--control", socket, "--echo", ":7", "--ignore-ra"}, hostArgs("--tap", "tap0")...)...)
	n.appears("tap0", families)
	up.says(t, "echo on :7")
	return &steered{&rig{namespace: n, name: "tap0"}, up, socket}
}

// steer runs a command on the host, and returns what it printed. The test fails if the command does.
func (s *steered) steer(line string) string {
	s.t.Helper()
	p := s.onlink(append(strings.Fields(line), "--socket", s.socket)...)
	if code := p.exitCode(s.t); code != 0 || p.stderr.String() != "" {
		s.t.Errorf("%s: exit code %d, %s", line, code, &p.stderr)
	}
	return p.stdout.String()
}

// refused runs a command that must fail with the given exit code and one line that has want.
func (s *steered) refused(line string, code int, want string) {
	s.t.Helper()
	p := s.onlink(append(strings.Fields(line), "--socket", s.socket)...)
	if got := p.exitCode(s.t); got != code || p.stdout.String() != "" || strings.Count(p.stderr.String(), "\n") != 1 || !strings.Contains(p.stderr.String(), want) {
		s.t.Errorf("%s: exit code %d, %q, %q; want %d, %q", line, got, &p.stdout, &p.stderr, code, want)
	}
}

// unreachable sees that the kernel's ping gets no reply.
func (s *steered) unreachable(target string) {
	s.t.Helper()
	if p, err := s.try("ping", "-c", "1", "-W", "1", target); err == nil {
		s.t.Errorf("%s answers:\n%s", target, &p.stdout)
	}
}

// What is changed from outside is so on the wire: the kernel sees it.
func TestSteer(t *testing.T) {
	t.Parallel()
	need(t, "ping")
	s := newSteered(t)
	for _, a := range []struct{ addr, bits string }{{"192.0.2.77", "/24"}, {"2001:db8::77", "/64"}} {
		s.unreachable(a.addr)
		s.steer("addr add " + a.addr + a.bits + " dev tap0 nodad")
		s.ping(a.addr, 56)
		s.refused("addr add "+a.addr+a.bits+" dev tap0", 1, "has it already")
		s.steer("addr del " + a.addr + a.bits + " dev tap0")
		s.unreachable(a.addr)
	}
	s.steer("link set tap0 down")
	s.unreachable(v4.stack)
	s.steer("link set tap0 up")
	s.ping(v4.stack, 56)

	// A prefix behind the kernel: the way there is the route that is added, and the kernel's answer comes from there.
	s.ip("address add 203.0.113.1/32 dev lo")
	s.steer("route add 203.0.113.0/24 via " + v4.kernel)
	if got, want := s.steer("route get 203.0.113.1"), "203.0.113.1 via 192.0.2.1 dev tap0 src 192.0.2.2\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	s.refused("route add 203.0.113.0/24 dev tap0", 1, "there is one already")
	s.steer("route replace prohibit 203.0.113.0/24")
	s.refused("route get 203.0.113.1", 1, "permission denied")

	// A neighbor that is configured wrongly is not reached.
	s.steer("neigh replace " + v4.kernel + " lladdr 02:00:00:00:00:99 dev tap0")
	s.unreachable(v4.stack)
	s.steer("neigh del " + v4.kernel + " dev tap0")
	s.ping(v4.stack, 56)
	var links []struct{ Address string }
	s.json(&links, "link show dev tap0")
	if got, want := s.steer("neigh show "+v4.kernel), "192.0.2.1 dev tap0 lladdr "+links[0].Address+" "; !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	s.up.interrupt(t)
	if _, err := os.Lstat(s.socket); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// The commands show what the kernel at the other end shows, with the names that its tools have.
func TestShowAsIproute2(t *testing.T) {
	t.Parallel()
	need(t, "ss")
	s := newSteered(t)
	s.ping(v4.stack, 56)
	s.ping(v6.stack, 56)
	s.steer("maddr add 233.252.0.9 dev tap0")
	s.steer("rule add from 10.0.0.0/8 fwmark 0x1/0x3 table 7")
	s.steer("route add 198.51.100.0/24 via 192.0.2.1 mtu 1400 metric 5")
	s.steer("route add 203.0.113.0/24 nexthop via 192.0.2.1 weight 2 nexthop via 192.0.2.9")
	s.ip("rule add from 10.0.0.0/8 fwmark 0x1/0x3 table 7")
	s.ip("route add 198.51.100.0/24 via 192.0.2.2 mtu 1400 metric 5 proto static src 192.0.2.1")
	s.ip("route add 203.0.113.0/24 nexthop via 192.0.2.2 weight 2 nexthop via 192.0.2.9")
	s.ip("route add table 7 blackhole 10.0.0.0/8")
	s.ip("address add 192.0.2.55/24 dev tap0 valid_lft 1000 preferred_lft 1000")
	s.steer("addr add 192.0.2.56/24 dev tap0 valid_lft 1000 preferred_lft 1000")
	for _, x := range []struct {
		line string
		ours []string // what only we have
	}{
		{"-s link show dev tap0", nil}, {"addr show dev tap0", []string{"protocol"}}, {"-4 route show table all", []string{"protocol"}},
		{"-6 route", []string{"protocol"}}, {"neigh show", nil}, {"-4 rule", nil}, {"-4 maddr show dev tap0", []string{"protocol", "users"}},
	} {
		ours, kernels := s.steer("-j "+x.line), s.ip("-j "+x.line)
		known := keysOf(t, kernels)
		for _, key := range keysOf(t, ours) {
			if !slices.Contains(known, key) && !slices.Contains(x.ours, key) {
				t.Errorf("%s: ip knows no %q:\n%s\n%s", x.line, key, ours, kernels)
			}
		}
	}

	// Each end of a connection shows the other's.
	c, err := s.kernelDial("tcp", net.JoinHostPort(v4.stack, "7"))
	if err != nil {
		t.Fatal(err)
	}
	ends := c.LocalAddr().String() + " " + c.RemoteAddr().String()
	kernels, ours := fieldsOf(s.run("ss", "-Htn")), fieldsOf(s.steer("ss -Htn dst "+v4.kernel))
	if len(kernels) != 5 || len(ours) != 5 || kernels[3]+" "+kernels[4] != ends || ours[4]+" "+ours[3] != ends || ours[0] != "ESTAB" {
		t.Errorf("%q, %q, want %s", kernels, ours, ends)
	}
	if info := s.steer("ss -tinm"); !strings.Contains(info, "cubic wscale:") || !strings.Contains(info, "skmem:(r0,rb") {
		t.Errorf("%s", info)
	}
	// The first time it is since the beginning, then since the last time.
	if got := s.steer("nstat"); !strings.Contains(got, "TcpPassiveOpens                 1 ") {
		t.Errorf("%s", got)
	}
	if got := s.steer("nstat"); strings.Contains(got, "TcpPassiveOpens") {
		t.Errorf("%s", got)
	}
	if got := s.steer("nstat -az TcpPassiveOpens TcpAttemptFails"); !strings.Contains(got, "TcpPassiveOpens                 1 ") || !strings.Contains(got, "TcpAttemptFails                 0 ") {
		t.Errorf("%s", got)
	}
	c.Close()
	s.up.interrupt(t)
}

func fieldsOf(line string) []string { return strings.Fields(line) }

// keysOf returns the keys of all objects in a JSON text.
func keysOf(t *testing.T, text string) (keys []string) {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for k, e := range v {
				keys = append(keys, k)
				walk(e)
			}
		}
	}
	walk(v)
	if len(keys) == 0 {
		t.Errorf("no keys in %s", text)
	}
	return keys
}

// A monitor tells what happens on the wire, until it is interrupted.
func TestSteerMonitor(t *testing.T) {
	t.Parallel()
	s := newSteered(t)
	m := s.onlink("monitor", "neigh", "--socket", s.socket)
	eventually(t, "the neighbor is told", func() bool {
		s.steer("neigh flush all")
		s.ping(v4.stack, 56)
		return strings.Contains(m.stdout.String(), v4.kernel+" dev tap0 lladdr")
	})
	m.interrupt(t)
	if strings.Contains(m.stdout.String(), "inet") || m.stderr.String() != "" {
		t.Errorf("%s%s", &m.stdout, &m.stderr)
	}
	// A host that goes down ends its monitors.
	m = s.onlink("monitor", "--socket", s.socket)
	s.up.interrupt(t)
	if code := m.exitCode(t); code != 0 && !strings.Contains(m.stderr.String(), "no onlink up is running") {
		t.Errorf("exit code %d, %s", code, &m.stderr)
	}
}

// Where control sockets are, and who may use them.
func TestControlSockets(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	dir := t.TempDir()
	path, err := command()
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"XDG_RUNTIME_DIR=" + dir, path}
	start := func(args ...string) *process { return n.start(nil, "env", append(env, args...)...) }
	up := start("up", "--tun", "tun0", "--addr", "192.0.2.2/24")
	up.says(t, "up on tun0")
	socket := filepath.Join(dir, "onlink", "tun0.sock")
	if fi, err := os.Lstat(socket); err != nil || fi.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("%v, %v", fi, err)
	}
	for _, args := range [][]string{{"addr"}, {"addr", "--socket", "tun0"}, {"addr", "--socket", socket}} {
		if p := start(args...); p.exitCode(t) != 0 || !strings.Contains(p.stdout.String(), "inet 192.0.2.2/24") {
			t.Errorf("%q: %s%s", args, &p.stdout, &p.stderr)
		}
	}
	fails := func(want string, args ...string) {
		t.Helper()
		if p := start(args...); p.exitCode(t) != 1 || strings.Count(p.stderr.String(), "\n") != 1 || !strings.Contains(p.stderr.String(), want) {
			t.Errorf("%q: %q, want %q", args, &p.stderr, want)
		}
	}
	fails("another onlink listens there", "up", "--tun", "tun1", "--addr", "10.0.0.1/8", "--control", socket)
	if n.hasDevice("tun1") {
		t.Error("tun1 is left behind")
	}
	fails("no onlink up on tun7 found", "addr", "--socket", "tun7")

	// A second host: which one is meant must be said.
	second := start("up", "--tun", "tun2", "--addr", "198.51.100.2/24", "--no-control")
	second.says(t, "up on tun2")
	second.interrupt(t)
	second = start("up", "--tun", "tun2", "--addr", "198.51.100.2/24")
	second.says(t, "up on tun2")
	if p := start("addr"); p.exitCode(t) != 2 || !strings.Contains(p.stderr.String(), "tun2.sock") {
		t.Errorf("%s%s", &p.stdout, &p.stderr)
	}
	// One that was killed leaves its socket behind, and that is in nobody's way.
	second.Process.Signal(syscall.SIGKILL)
	second.Wait()
	if _, err := os.Lstat(filepath.Join(dir, "onlink", "tun2.sock")); err != nil {
		t.Error(err)
	}
	if p := start("addr"); p.exitCode(t) != 0 || !strings.Contains(p.stdout.String(), "192.0.2.2") {
		t.Errorf("%s%s", &p.stdout, &p.stderr)
	}
	fails("nobody listens to the control socket", "addr", "--socket", filepath.Join(dir, "onlink", "tun2.sock"))
	second = start("up", "--tun", "tun2", "--addr", "198.51.100.2/24")
	second.says(t, "up on tun2")
	if p := start("addr", "--socket", "tun2"); p.exitCode(t) != 0 || !strings.Contains(p.stdout.String(), "198.51.100.2") {
		t.Errorf("%s%s", &p.stdout, &p.stderr)
	}
	second.interrupt(t)
	up.interrupt(t)
	if left, err := os.ReadDir(filepath.Join(dir, "onlink")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Hosts in different network namespaces may have devices of one name: who asks means the one in its own.
func TestControlNamespaces(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, err := command()
	if err != nil {
		t.Fatal(err)
	}
	var ns [2]*namespace
	var ups [2]*process
	for i := range ns {
		ns[i] = newNamespace(t)
		ups[i] = ns[i].start(nil, "env", "XDG_RUNTIME_DIR="+dir, path, "up", "--tun", "tun0", "--addr", "192.0.2."+itoa(i+2)+"/24")
		ups[i].says(t, "up on tun0")
	}
	for i, n := range ns {
		for _, args := range [][]string{{"addr"}, {"addr", "--socket", "tun0"}} {
			if out := n.run("env", append([]string{"XDG_RUNTIME_DIR=" + dir, path}, args...)...); !strings.Contains(out, "192.0.2."+itoa(i+2)+"/24") {
				t.Errorf("%d, %q:\n%s", i, args, out)
			}
		}
	}
	for _, up := range ups {
		up.interrupt(t)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "onlink")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Nobody but the owner, and root, may use a control socket.
func TestControlPermission(t *testing.T) {
	t.Parallel()
	if os.Getenv(inside) != "" {
		t.Skip("needs another user, which there is none of in a user namespace")
	}
	need(t, "setpriv")
	s := newSteered(t)
	dir := filepath.Dir(s.socket)
	for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil { // it is to be the socket that nobody may use
			t.Fatal(err)
		}
	}
	path, err := command()
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.try("setpriv", "--reuid", "65534", "--clear-groups", path, "addr", "add", "10.0.0.1/8", "dev", "tap0", "--socket", s.socket)
	if err == nil || p.ProcessState.ExitCode() != 1 || strings.Count(p.stderr.String(), "\n") != 1 || !strings.Contains(p.stderr.String(), "no permission for the control socket "+s.socket) {
		t.Errorf("%v, %q", err, &p.stderr)
	}
	if got := s.steer("addr"); strings.Contains(got, "10.0.0.1") {
		t.Errorf("it did it all the same:\n%s", got)
	}
	s.up.interrupt(t)
}
