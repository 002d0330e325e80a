package itest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// command is the program onlink, built when a test first asks for it.
var command = sync.OnceValues(func() (path string, err error) {
	if commandDir, err = os.MkdirTemp("", "onlink-itest-"); err != nil {
		return "", err
	}
	if err := os.Chmod(commandDir, 0o755); err != nil { // one test runs it as another user
		return "", err
	}
	path = filepath.Join(commandDir, "onlink")
	out, err := exec.Command("go", "build", "-o", path, "github.com/onlink-go/onlink/cmd/onlink").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

var commandDir string

// removeCommand removes what command made.
func removeCommand() {
	if commandDir != "" {
		os.RemoveAll(commandDir)
	}
}

// onlink starts the program onlink in the namespace.
func (n *namespace) onlink(args ...string) *process {
	n.t.Helper()
	path, err := command()
	if err != nil {
		n.t.Fatal(err)
	}
	return n.start(nil, path, args...)
}

// exitCode waits for the program's end and returns its exit code.
func (p *process) exitCode(t testing.TB) int {
	t.Helper()
	late := time.AfterFunc(patience, func() {
		t.Errorf("%s has not ended in %v:", p, patience)
		p.Process.Signal(syscall.SIGQUIT) // it prints its goroutines
	})
	defer late.Stop()
	err := p.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0
}

// interrupt does what Ctrl-C does; the program must then end without a fault.
func (p *process) interrupt(t testing.TB) {
	t.Helper()
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatalf("%v\n%s", err, &p.stderr)
	}
	if code := p.exitCode(t); code != 0 {
		t.Errorf("exit code %d after an interrupt\n%s", code, &p.stderr)
	}
}

// says waits until the program has printed that on standard error.
func (p *process) says(t testing.TB, text string) {
	t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(p.stderr.String(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not say %q:\n%s", p, text, &p.stderr)
		}
	}
}

// appears waits until there is a network device of that name, and gives it the kernel's addresses.
func (n *namespace) appears(device string, at []family) {
	n.t.Helper()
	eventually(n.t, device+" appears", func() bool { return n.hasDevice(device) })
	n.bringUp(device, at)
}

func (n *namespace) hasDevice(device string) bool {
	n.t.Helper()
	_, err := n.try("ip", "link", "show", device)
	return err == nil
}

// hostArgs are the flags of the host that families describe.
func hostArgs(flag, device string) []string {
	return []string{flag, device, "--addr", v4.stack + v4.bits, "--addr", v6.stack + v6.bits, "--gateway", v4.kernel}
}

func TestUp(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	need(t, "ping")
	for _, flag := range []string{"--tap", "--tun"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			n := newNamespace(t)
			dir := t.TempDir()
			pcap := filepath.Join(dir, "up.pcapng")
			device := "x" + flag[2:]
			up := n.onlink(append([]string{"up", "--serve", ":80", "--echo", ":7", "--pcap", pcap}, hostArgs(flag, device)...)...)
			n.appears(device, families)
			up.says(t, "http on :80")
			r := &rig{namespace: n, name: device}
			for _, v := range families {
				url := "http://" + net.JoinHostPort(v.stack, "80") + "/"
				n.ping(v.stack, 56)
				if out := r.curl(url); !strings.Contains(out, "this is onlink on "+device) || !strings.Contains(out, v.stack) {
					t.Errorf("curl got %q", out)
				}
				put := n.start(content(1<<20), "curl", append(curlArgs, "-T", "-", url)...)
				if err := put.Wait(); err != nil || put.stdout.String() != contentSum(1<<20)+"  1048576\n" {
					t.Errorf("PUT: %q, %v\n%s", &put.stdout, err, &put.stderr)
				}
				if err := echo(r.kernelDial, net.JoinHostPort(v.stack, "7"), 1, 100_000); err != nil {
					t.Errorf("TCP echo: %v", err)
				}
				u, err := r.kernelDial("udp", net.JoinHostPort(v.stack, "7"))
				if err != nil {
					t.Fatal(err)
				}
				wantEchoes(t, u, []int{0, 100, 8000})
			}
			if flag == "--tap" {
				for _, neighbor := range r.kernelNeighbors() {
					if neighbor.Dst.String() == v4.stack && neighbor.State[0] != "REACHABLE" {
						t.Errorf("%+v", neighbor)
					}
				}
			}
			up.interrupt(t)
			if n.hasDevice(device) {
				t.Errorf("%s is still there", device)
			}
			if _, err := os.Stat(pcap); err != nil {
				t.Error(err)
			} else if _, err := exec.LookPath("tshark"); err == nil && wantCleanCapture(t, n, pcap) < 100 {
				t.Errorf("few frames in %s", pcap)
			}
		})
	}
}

// --dir serves files.
func TestUpDir(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	n := newNamespace(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), bytes.Repeat([]byte("onlink"), 100_000), 0o600); err != nil {
		t.Fatal(err)
	}
	up := n.onlink(append([]string{"up", "--serve", ":8080", "--dir", dir}, hostArgs("--tap", "tap0")...)...)
	n.appears("tap0", families)
	up.says(t, "http on :8080")
	r := &rig{namespace: n, name: "tap0"}
	if out := r.curl("http://192.0.2.2:8080/f"); out != strings.Repeat("onlink", 100_000) {
		t.Errorf("got %d octets", len(out))
	}
	if _, err := n.try("curl", append(curlArgs, "http://192.0.2.2:8080/nosuch")...); err == nil {
		t.Error("no error for a file that is not there")
	}
	up.interrupt(t)
}

// A peer that leaves its connection open does not keep the host from going down; nor does one under way.
func TestUpInterruptedWithConnections(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	up := n.onlink(append([]string{"up", "--serve", ":80", "--echo", ":7"}, hostArgs("--tap", "tap0")...)...)
	n.appears("tap0", families)
	up.says(t, "echo on :7")
	r := &rig{namespace: n, name: "tap0"}
	var open []net.Conn
	for _, port := range []string{"7", "80"} {
		c, err := r.kernelDial("tcp", net.JoinHostPort(v4.stack, port))
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	if _, err := open[0].Write([]byte("half a line")); err != nil {
		t.Fatal(err)
	}
	up.interrupt(t)
	for _, c := range open {
		if _, err := c.Read(make([]byte, 100)); err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the kernel was not told: %v", err)
		}
	}
}

// newPlug makes a namespace with a TAP that the kernel keeps, for a host to come and go.
func newPlug(t *testing.T) *rig {
	t.Helper()
	n := newNamespace(t)
	n.ip("tuntap add dev tap0 mode tap")
	n.address("tap0", families)
	n.ip("link set tap0 up")
	return &rig{namespace: n, name: "tap0"}
}

// fetch starts `onlink fetch` as the host that families describe.
func (r *rig) fetch(args ...string) *process {
	r.t.Helper()
	return r.onlink(append(append([]string{"fetch"}, hostArgs("--tap", r.name)...), args...)...)
}

func TestFetch(t *testing.T) {
	t.Parallel()
	const size = 5 << 20
	for _, v := range families {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			r := newPlug(t)
			l := r.kernelListen(v)
			serve(t, l)
			url := fmt.Sprintf("http://%s/%d", l.Addr(), size)
			f := r.fetch(url)
			if code := f.exitCode(t); code != 0 || sumOfString(f.stdout.String()) != contentSum(size) {
				t.Errorf("%s: exit code %d, %d octets\n%s", url, code, len(f.stdout.String()), &f.stderr)
			}
			out, pcap := filepath.Join(t.TempDir(), "f"), filepath.Join(t.TempDir(), "f.pcapng")
			f = r.fetch("-o", out, "--pcap", pcap, url)
			code := f.exitCode(t)
			got, err := os.ReadFile(out)
			if code != 0 || err != nil || sumOfString(string(got)) != contentSum(size) || f.stdout.String() != "" {
				t.Errorf("%s: exit code %d, %d octets, %v\n%s", url, code, len(got), err, &f.stderr)
			}
			if f.stderr.String() != "" {
				t.Errorf("standard error, which is no terminal: %q", &f.stderr)
			}
			if _, err := exec.LookPath("tshark"); err == nil && wantCleanCapture(t, r.namespace, pcap) < 1000 {
				t.Errorf("few frames in %s", pcap)
			}
		})
	}
}

// Whatever goes wrong with a download, there is one line about it, exit code 1, and no file.
func TestFetchFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, url string // HOST is a server, SILENT one that does not answer
		args      []string
		want      string // in the line
	}{
		{"not found", "http://HOST/nosuch", nil, "404 Not Found"},
		{"cut", "http://HOST/cut", nil, "unexpected EOF"},
		{"refused", "http://192.0.2.1:9/", nil, "connection refused"},
		{"nobody", "http://192.0.2.99/", nil, "no route to host"},
		{"nobody on IPv6", "http://[2001:db8::99]/", nil, "no route to host"},
		{"no route", "http://[2001:db8:ffff::1]/", nil, "network is unreachable"},
		{"timeout of dial", "http://192.0.2.99/", []string{"--timeout", "500ms"}, "no answer from http://192.0.2.99/ in 500ms"},
		{"timeout of answer", "http://SILENT/", []string{"--timeout", "500ms"}, "in 500ms"},
		{"no name server", "http://a.example/", nil, "lookup a.example: onlink: no name server is configured"},
		{"no folder", "http://HOST/cut", []string{"-o", "/nosuch/f"}, "/nosuch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newPlug(t)
			l := r.kernelListen(v4)
			srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/cut" {
					http.NotFound(w, r)
					return
				}
				w.Header().Set("Content-Length", "1000000")
				w.Write(make([]byte, 300_000))
			})}
			go srv.Serve(l)
			t.Cleanup(func() { srv.Close() })
			url := strings.NewReplacer("HOST", l.Addr().String(), "SILENT", r.kernelListen(v4).Addr().String()).Replace(tt.url)
			dir := t.TempDir()
			f := r.fetch(append([]string{"-o", filepath.Join(dir, "f"), url}, tt.args...)...)
			if code := f.exitCode(t); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			wantOneLine(t, f, tt.want)
			if files, _ := os.ReadDir(dir); len(files) != 0 {
				t.Errorf("left behind: %v", files)
			}
		})
	}
}

// wantOneLine fails the test unless p said one line on standard error, with that in it, and nothing else.
func wantOneLine(t *testing.T, p *process, want string) {
	t.Helper()
	said := p.stderr.String()
	if strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "onlink: ") || !strings.Contains(said, want) {
		t.Errorf("standard error is %q, want one line with %q", said, want)
	}
	if out := p.stdout.String(); out != "" {
		t.Errorf("standard output is %q", out)
	}
}

// An interrupted download ends with an error and leaves no file.
func TestFetchInterrupted(t *testing.T) {
	t.Parallel()
	r := newPlug(t)
	l := r.kernelListen(v4)
	began := serveSlowly(t, l)
	out := filepath.Join(t.TempDir(), "f")
	f := r.fetch("-o", out, "http://"+l.Addr().String())
	<-began
	f.Process.Signal(os.Interrupt)
	if code := f.exitCode(t); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	wantOneLine(t, f, "interrupted")
	if files, _ := os.ReadDir(filepath.Dir(out)); len(files) != 0 {
		t.Errorf("left behind: %v", files)
	}
}

// When the device is deleted under a host, the host ends and says so.
func TestHostDeviceDeleted(t *testing.T) {
	t.Parallel()
	t.Run("up", func(t *testing.T) {
		t.Parallel()
		n := newNamespace(t)
		up := n.onlink(append([]string{"up", "--serve", ":80"}, hostArgs("--tap", "tap0")...)...)
		n.appears("tap0", families)
		up.says(t, "http on :80")
		n.ip("link delete tap0")
		if code := up.exitCode(t); code != 1 {
			t.Errorf("exit code %d, want 1", code)
		}
		if !strings.Contains(up.stderr.String(), "\nonlink: tap0 is gone") {
			t.Errorf("it said:\n%s", &up.stderr)
		}
	})
	t.Run("fetch", func(t *testing.T) {
		t.Parallel()
		r := newPlug(t)
		l := r.kernelListen(v4)
		began := serveSlowly(t, l)
		dir := t.TempDir()
		f := r.fetch("-o", filepath.Join(dir, "f"), "http://"+l.Addr().String())
		<-began
		r.ip("link delete tap0")
		if code := f.exitCode(t); code != 1 {
			t.Errorf("exit code %d, want 1", code)
		}
		wantOneLine(t, f, "tap0 is gone")
		if files, _ := os.ReadDir(dir); len(files) != 0 {
			t.Errorf("left behind: %v", files)
		}
	})
}

// serveSlowly answers a request on l with a beginning, says so, and leaves it at that.
func serveSlowly(t *testing.T, l net.Listener) (began chan struct{}) {
	began = make(chan struct{}, 1)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(make([]byte, 100_000))
		w.(http.Flusher).Flush()
		began <- struct{}{}
		<-r.Context().Done()
	})}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	return began
}
