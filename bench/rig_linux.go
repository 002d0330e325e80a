package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/tuntap"
	"github.com/onlink-go/onlink/sim"
	"golang.org/x/sys/unix"
)

// The addresses on the rig's network.
const (
	rigKernel   = "198.51.100.1" // the kernel that sends
	rigReceiver = "198.51.100.2" // the kernel that receives, behind the wire
	rigOurs     = "198.51.100.3"
)

// buildCommand builds the program onlink. remove removes it again.
func buildCommand(ctx context.Context) (path string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "onlink-bench")
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(dir) }
	path = filepath.Join(dir, "onlink")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "github.com/onlink-go/onlink/cmd/onlink").CombinedOutput(); err != nil {
		remove()
		return "", nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, remove, nil
}

// rig is two namespaces that `onlink wire` joins. In the near one, a bridge leads to the wire from the kernel's TCP and from
// that of a stack of ours, so that both send the same way:
//
//	near: kernel ── br0 ─┬─ tapA ── onlink wire ── tapB ── kernel :far
//	       stack ── tapC ┘
type rig struct {
	near, far namespace
	wire      *exec.Cmd
	device    *tuntap.Device
	stack     *onlink.Stack
}

// newRig makes a rig. Its parts end with close.
func newRig(ctx context.Context, command string, line sim.Line, seed uint64) (_ *rig, err error) {
	r := &rig{near: none, far: none}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.near, err = newNamespace(); err != nil {
		return nil, err
	}
	if r.far, err = newNamespace(); err != nil {
		return nil, err
	}
	if err := r.startWire(ctx, command, line, seed); err != nil {
		return nil, err
	}
	var fault error
	if err := errOf(r.near.Do(func() { r.device, fault = tuntap.Open("tapC", tuntap.Config{}) }), fault); err != nil {
		return nil, err
	}
	err = errOf(
		r.near.ip(ctx, "link add br0 type bridge mcast_snooping 0", "link set tapA master br0", "link set tapC master br0",
			"link set tapB netns "+r.far.Path(), "address add "+rigKernel+"/24 dev br0",
			"link set tapA up", "link set tapC up", "link set br0 up"),
		r.far.ip(ctx, "address add "+rigReceiver+"/24 dev tapB", "link set tapB up"))
	if err != nil {
		return nil, err
	}
	return r, r.startStack(ctx)
}

// startWire starts `onlink wire` with the impairments of line.
func (r *rig) startWire(ctx context.Context, command string, line sim.Line, seed uint64) error {
	percent := func(share float64) string { return fmt.Sprintf("%g%%", 100*share) }
	r.wire = exec.CommandContext(ctx, command, "wire", "--tap", "tapA", "--tap", "tapB", "--seed", fmt.Sprint(seed),
		"--delay", line.Delay.String(), "--jitter", line.Jitter.String(), "--rate", fmt.Sprintf("%dbit", line.Rate), "--queue", fmt.Sprint(line.Queue),
		"--loss", percent(line.Loss), "--burst", fmt.Sprint(line.Burst), "--reorder", percent(line.Reorder))
	r.wire.Cancel = func() error { return r.wire.Process.Signal(os.Interrupt) }
	r.wire.WaitDelay = 5 * time.Second
	stderr, err := r.wire.StderrPipe()
	if err != nil {
		return err
	}
	var fault error
	if err := errOf(r.near.Do(func() { fault = r.wire.Start() }), fault); err != nil {
		r.wire = nil
		return err
	}
	said := bufio.NewScanner(stderr)
	if !said.Scan() || !strings.HasPrefix(said.Text(), "onlink: wire ") {
		return fmt.Errorf("%s: %s", r.wire, said.Text())
	}
	go func() {
		for said.Scan() { // what it tells in the end is not needed
		}
	}()
	return nil
}

// startStack makes the stack on tapC.
func (r *rig) startStack(ctx context.Context) (err error) {
	if r.stack, err = onlink.New(onlink.Config{TCP: onlink.TCPConfig{Algorithms: []onlink.CongestionAlgorithm{onlink.BBR()}}}); err != nil {
		return err
	}
	i, err := r.stack.AddLink("tapC", r.device, onlink.InterfaceConfig{DisableDAD: true,
		Addresses: []netip.Prefix{netip.MustParsePrefix(rigOurs + "/24")}})
	if err != nil {
		return err
	}
	r.device = nil // the stack's
	return i.WaitReady(ctx)
}

// close ends all of it; connections are reset.
func (r *rig) close() {
	if r.stack != nil {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		r.stack.Close(now) // resets what is open and says so
	}
	if r.device != nil {
		r.device.Close()
	}
	if r.wire != nil {
		r.wire.Process.Signal(os.Interrupt)
		r.wire.Wait()
	}
	for _, n := range []namespace{r.near, r.far} {
		if n != none {
			n.Close()
		}
	}
}

// errControl means that the kernel lacks a congestion control.
var errControl = errors.New("the kernel lacks this congestion control")

// setControl chooses a congestion control for a socket of the kernel.
func setControl(fd uintptr, name string) error {
	if err := unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, name); err != nil {
		return fmt.Errorf("%s: %w: %w", name, errControl, err)
	}
	return nil
}
