package itest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Whatever is wrong with the command line or with what it finds, there is one clear line about it, and an exit code
// that tells which of the two it was.
func TestBadInput(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	for _, device := range []string{"tap0 mode tap", "tun0 mode tun", "tap1 mode tap"} {
		n.ip("tuntap add dev " + device)
	}
	n.ip("address add 2001:db8::1/64 dev tap0 nodad")
	n.ip("link set tap0 up")
	busy := n.onlink("wire", "--tap", "busy0", "--tap", "busy1")
	busy.says(t, "onlink: wire")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	const usage, failed = 2, 1
	const addr = "--addr 192.0.2.2/24 "
	for _, tt := range []struct {
		args string
		code int
		want string // in the line
	}{
		{"", usage, "expected one of"},
		{"nosuch", usage, "nosuch"},
		{"up --nosuch", usage, "--nosuch"},
		{"up " + addr, usage, "--tap NAME or --tun NAME"},
		{"up --tun tun0", usage, "--addr ADDR/LEN"},
		{"up --tap tap0 --tun tun0 " + addr, usage, "say which, as in --addr tap0="},
		{"up --tap tap0 --addr 192.0.2.2", usage, `"192.0.2.2" is not an address with its prefix length`},
		{"up --tap tap0 --addr 192.0.2.2/33", usage, "192.0.2.2/33"},
		{"up --tap tap0 --addr 2001:db8::x/64", usage, "2001:db8::x/64"},
		{"up --tap tap0 --addr 224.0.0.1/4", failed, "224.0.0.1"},
		{"up --tap tap0 --addr 0.0.0.0/0", failed, "0.0.0.0"},
		{"up --tap tap0 --addr 192.0.2.2/24 --addr 192.0.2.2/24", failed, "192.0.2.2"},
		{"up --tap tap0 --gateway 192.0.2.300 " + addr, usage, "192.0.2.300"},
		{"up --tap tap0 --gateway 203.0.113.1 " + addr, failed, "203.0.113.1"},
		{"up --tap tap0 --dns x " + addr, usage, `"x" is not an address`},
		{"up --tap tap0 --dir /tmp " + addr, usage, "--dir needs --serve"},
		{"up --tap tap0 --serve :80 --dir /nosuch " + addr, usage, "/nosuch"},
		{"up --tap tap0 --serve nonsense " + addr, failed, "nonsense"},
		{"up --tap tap0 --serve 203.0.113.1:80 " + addr, failed, "203.0.113.1:80"},
		{"up --tap tap0 --serve :7 --echo :7 " + addr, failed, "address already in use"},
		{"up --tap tap0 --pcap /nosuch/f " + addr, failed, "/nosuch/f"},
		{"up --tap a-name-that-is-too-long " + addr, failed, "too long"},
		{"up --tap a/b " + addr, failed, "is no name for a device"},
		{"up --tap lo " + addr, failed, "lo is neither a TAP nor a TUN"},
		{"up --tap tun0 " + addr, failed, "tun0 is a tun device, not a tap"},
		{"up --tun tap0 " + addr, failed, "tap0 is a tap device, not a tun"},
		{"up --dev lo " + addr, failed, "lo is the kernel's loopback interface"},
		{"up --dev nosuch " + addr, failed, "there is no interface nosuch"},
		{"up --dev tun0 " + addr, failed, "tun0 is no Ethernet interface"},
		{"up --dev tap0 --tap tap0 " + addr, usage, "tap0 is named twice"},
		{"up --tap busy0 " + addr, failed, "busy0 is in use by another program"},
		{"up --tap tap0 --addr 2001:db8::1/64", failed, "another --addr"},
		{"fetch --tap tap0 " + addr, usage, "<url>"},
		{"fetch --tap tap0 " + addr + "ftp://192.0.2.1/f", usage, "ftp://192.0.2.1/f"},
		{"fetch --tap tap0 " + addr + "http://", usage, "http://"},
		{"fetch --tap tap0 " + addr + "http://[::1/", usage, "[::1"},
		{"fetch --tap tap0 --timeout never " + addr + "http://192.0.2.1/", usage, "never"},
		{"fetch --tap busy1 -o " + file + " " + addr + "http://192.0.2.1/", failed, "busy1 is in use"},
		{"fetch --tap tap0 -o " + file + " --addr 2001:db8::1/64 http://[2001:db8::9]/", failed, "duplicate"},
		{"wire --tap tap0", usage, "--tap NAME twice"},
		{"wire --tap tap0 --tap tap0", usage, "two devices"},
		{"wire --tap tap0 --tap tap1 --loss 101%", usage, "101%"},
		{"wire --tap tap0 --tap tap1 --loss much", usage, "much"},
		{"wire --tap tap0 --tap tap1 --rate fast", usage, "fast"},
		{"wire --tap tap0 --tap tap1 --delay=-5ms", usage, "--delay -5ms"},
		{"wire --tap tap0 --tap tap1 --delay soon", usage, "soon"},
		{"wire --tap tap0 --tap tap1 --queue 0", usage, "--queue 0"},
		{"wire --tap tap0 --tap tap1 --jitter=-1s", usage, "--jitter -1s"},
		{"wire --tap tap0 --tap busy0", failed, "busy0 is in use"},
		{"wire --tap tap0 --tap tun0", failed, "tun0 is a tun device"},
		{"wire --tap tap0 --tap tap1 --pcap /nosuch/f", failed, "/nosuch/f"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			p := (&namespace{t, n.Namespace}).onlink(strings.Fields(tt.args)...)
			if code := p.exitCode(t); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			wantOneLine(t, p, tt.want)
		})
	}
	if b, err := os.ReadFile(file); string(b) != "precious" {
		t.Errorf("a file that was to be replaced by a download is %q, %v", b, err)
	}
	busy.interrupt(t)
}

// A user without the right to make devices is told what to do.
func TestNotPermitted(t *testing.T) {
	t.Parallel()
	if os.Getenv(inside) != "" {
		t.Skip("needs another user")
	}
	n := newNamespace(t)
	path, err := command()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.CommandContext(t.Context(), path, "up", "--tap", "tap7", "--addr", "192.0.2.2/24")}
	p.Stdout, p.Stderr, p.Dir = &p.stdout, &p.stderr, "/"
	p.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	n.launch(p)
	if code := p.exitCode(t); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	wantOneLine(t, p, "run as root")
}
