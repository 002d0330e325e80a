package itest

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/netns"
)

// inside is set in the environment of a test process that was started anew in a user namespace.
const inside = "ONLINK_ITEST_INSIDE"

// cannot is why there are no network namespaces to be had; empty if there are.
var cannot string

// TestMain gets the right to make network namespaces: as root it is there, anyone else starts the tests anew in a user
// namespace where they are root.
func TestMain(m *testing.M) {
	if os.Geteuid() != 0 && os.Getenv(inside) == "" {
		if code, err := runInside(); err == nil {
			os.Exit(code)
		} else {
			cannot = fmt.Sprintf("needs root, or a user namespace: %v", err)
		}
	}
	flag.Parse()
	if !given("test.parallel") {
		flag.Set("test.parallel", "8") // most of the time they wait
	}
	code := m.Run()
	removeCommand()
	os.Exit(code)
}

// given reports whether a flag is on the command line.
func given(name string) (yes bool) {
	flag.Visit(func(f *flag.Flag) { yes = yes || f.Name == name })
	return yes
}

// runInside runs this test process in a user namespace and returns its exit code. The error is that of making it.
func runInside() (int, error) {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// namespace is a network namespace. It lives as long as the test.
type namespace struct {
	t testing.TB
	netns.Namespace
}

// newNamespace makes a network namespace in which only the loopback interface is up. It skips the test where that
// cannot be, or where there are no TAPs.
func newNamespace(t testing.TB) *namespace {
	t.Helper()
	if cannot != "" {
		t.Skip(cannot)
	}
	if f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0); err != nil {
		t.Skipf("needs TAPs: %v", err)
	} else {
		f.Close()
	}
	need(t, "ip")
	made, err := netns.New()
	if err != nil {
		t.Skipf("needs a network namespace: %v", err)
	}
	t.Cleanup(func() { made.Close() })
	n := &namespace{t, made}
	n.run("ip", "link", "set", "lo", "up")
	writeSysctl(n, "net/ipv6/conf/default/accept_dad", "0") // the kernel's addresses are to be ready at once
	return n
}

// writeSysctl sets a kernel parameter in the namespace.
func writeSysctl(n *namespace, path, value string) {
	n.t.Helper()
	var err error
	n.do(func() { err = os.WriteFile("/proc/sys/"+path, []byte(value), 0) })
	if err != nil {
		n.t.Skip(err)
	}
}

// features sets what ethtool calls features of a device, like "tso off gso off"; empty: they stay as they are.
func (n *namespace) features(device, words string) {
	n.t.Helper()
	if words != "" {
		n.run("ethtool", append([]string{"-K", device}, strings.Fields(words)...)...)
	}
}

// eventually calls done until it returns true.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not happen in %v: %s", patience, what)
		}
	}
}

// do calls f in the namespace: sockets, devices and processes that it makes are in it.
func (n *namespace) do(f func()) {
	n.t.Helper()
	if err := n.Do(f); err != nil {
		n.t.Fatalf("cannot enter the namespace: %v", err)
	}
}

// need skips the test if a program is not installed.
func need(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("needs the program %s", program)
	}
}

// process is a program that runs in a namespace.
type process struct {
	*exec.Cmd
	stdout, stderr output
}

// output is what a process has printed so far.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// start starts a program in the namespace; it is killed if it still runs when the test ends.
func (n *namespace) start(stdin io.Reader, name string, args ...string) *process {
	n.t.Helper()
	return n.startTo(nil, stdin, name, args...)
}

// startTo is start with standard output going to stdout; nil: it is kept.
func (n *namespace) startTo(stdout io.Writer, stdin io.Reader, name string, args ...string) *process {
	n.t.Helper()
	need(n.t, name)
	p := &process{Cmd: exec.CommandContext(n.t.Context(), name, args...)}
	p.Stdin, p.Stdout, p.Stderr = stdin, &p.stdout, &p.stderr
	if stdout != nil {
		p.Stdout = stdout
	}
	n.launch(p)
	return p
}

// launch starts p.
func (n *namespace) launch(p *process) {
	n.t.Helper()
	var err error
	n.do(func() { err = p.Start() })
	if err != nil {
		n.t.Fatalf("%s: %v", p, err)
	}
	n.t.Cleanup(func() { p.Wait() }) // the test's context is done by then; an error if it was waited for already
}

// try runs a program in the namespace to its end.
func (n *namespace) try(name string, args ...string) (*process, error) {
	n.t.Helper()
	p := n.start(nil, name, args...)
	return p, p.Wait()
}

// run runs a program in the namespace and returns what it printed. The test fails if the program does.
func (n *namespace) run(name string, args ...string) string {
	n.t.Helper()
	p, err := n.try(name, args...)
	if err != nil {
		n.t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, &p.stdout, &p.stderr)
	}
	return p.stdout.String()
}

// ip runs `ip` with args, separated by spaces.
func (n *namespace) ip(args string) string {
	n.t.Helper()
	return n.run("ip", strings.Fields(args)...)
}

// soon is a deadline for what may have been lost.
func soon() time.Time { return time.Now().Add(100 * time.Millisecond) }
