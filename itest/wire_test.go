package itest

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// wired is two TAPs that `onlink wire` joins, each in a namespace of its own.
type wired struct {
	*process
	a, b *namespace // with the devices tapA and tapB
}

// newWired starts `onlink wire` with args.
func newWired(t *testing.T, args ...string) *wired {
	t.Helper()
	n := newNamespace(t)
	w := &wired{a: newNamespace(t), b: newNamespace(t)}
	w.process = n.onlink(append([]string{"wire", "--tap", "tapA", "--tap", "tapB"}, args...)...)
	w.says(t, "onlink: wire tapA ──── tapB")
	n.move("tapA", w.a)
	n.move("tapB", w.b)
	return w
}

// move moves a device to another namespace.
func (n *namespace) move(device string, to *namespace) {
	n.t.Helper()
	n.ip("link set " + device + " netns " + to.Path())
}

// otherEnd exchanges the two ends, so that a second kernel is in the stack's place.
func otherEnd(at []family) (other []family) {
	for _, v := range at {
		v.kernel, v.stack = v.stack, v.kernel
		other = append(other, v)
	}
	return other
}

// Two kernels on a wire without impairments notice nothing of it; then the wire goes and tells what it carried.
func TestWireClean(t *testing.T) {
	t.Parallel()
	need(t, "ping")
	pcap := filepath.Join(t.TempDir(), "wire.pcapng")
	w := newWired(t, "--pcap", pcap)
	w.a.appears("tapA", families)
	w.b.appears("tapB", otherEnd(families))
	for _, v := range families {
		for _, size := range pingSizes {
			w.a.ping(v.stack, size)
		}
	}
	w.interrupt(t)
	for _, way := range []string{"tapA → tapB: ", "tapB → tapA: "} {
		if !strings.Contains(w.stderr.String(), way) {
			t.Errorf("does not tell what went %s:\n%s", way, &w.stderr)
		}
	}
	if w.a.hasDevice("tapA") || w.b.hasDevice("tapB") {
		t.Error("a device is still there")
	}
	if _, err := exec.LookPath("tshark"); err == nil && wantCleanCapture(t, w.a, pcap) < 50 {
		t.Errorf("few frames in %s", pcap)
	}
}

// A kernel and a stack, with a bridge and a bad wire between them, move data both ways.
func TestWireImpaired(t *testing.T) {
	t.Parallel()
	for _, v := range families {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			w := newWired(t, "--loss", "2%", "--reorder", "1%", "--delay", "2ms", "--rate", "200mbit", "--seed", "4")
			// The stack's TAP is in the kernel's namespace first, which is where a rig needs it; its end moves to the
			// bridge.
			r := newRigIn(t, w.a, setup{})
			r.ip("address flush dev tap0")
			r.move("tap0", w.b)
			if _, err := w.b.try("ip", "link", "add", "br0", "type", "bridge"); err != nil {
				t.Skip("the kernel has no bridge")
			}
			for _, device := range []string{"tapB", "tap0"} {
				w.b.ip("link set " + device + " master br0")
				w.b.ip("link set " + device + " up")
			}
			w.b.ip("link set br0 up")
			w.a.appears("tapA", families)
			transfer(t, r, []family{v}, 4<<20)
			closeStack(t, r.Stack)
			w.interrupt(t)
			if !strings.Contains(w.stderr.String(), "Lost:") || strings.Contains(w.stderr.String(), "Lost:0 ") {
				t.Errorf("nothing was lost:\n%s", &w.stderr)
			}
		})
	}
}

// The bandwidth of a wire is what --rate says, and no more.
func TestWireRate(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	w := newWired(t, "--rate", "20mbit")
	w.a.appears("tapA", families)
	w.b.appears("tapB", otherEnd(families))
	var l net.Listener
	var err error
	w.b.do(func() { l, err = net.Listen("tcp", net.JoinHostPort(v4.stack, "0")) })
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: handler}
	go srv.Serve(l)
	defer srv.Close()
	const n = 1 << 20
	r := &rig{namespace: w.a}
	// curl tells how many octets a second came. Its clock and the wire's are the same, so more cannot be.
	out := r.curl("-o", "/dev/null", "-w", "%{speed_download}", fmt.Sprintf("http://%s/%d", l.Addr(), n))
	var speed float64
	if _, err := fmt.Sscan(out, &speed); err != nil || speed*8 > 20e6 {
		t.Errorf("%s octets/s, %v: more than 20 Mbit/s", out, err)
	}
	w.interrupt(t)
}

// When an end goes away, so does the wire, and says which.
func TestWireDeviceDeleted(t *testing.T) {
	t.Parallel()
	for _, device := range []string{"tapA", "tapB"} {
		t.Run(device, func(t *testing.T) {
			t.Parallel()
			w := newWired(t)
			map[string]*namespace{"tapA": w.a, "tapB": w.b}[device].ip("link delete " + device)
			if code := w.exitCode(t); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			if !strings.Contains(w.stderr.String(), "onlink: "+device+" is gone") {
				t.Errorf("it said:\n%s", &w.stderr)
			}
		})
	}
}
