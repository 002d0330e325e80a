//go:build linux

package main

import (
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Both senders get through the wire, at no more than its rate, and what the kernel lacks is told.
func TestRealTime(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs the program ip")
	}
	if f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0); err != nil {
		t.Skipf("needs TAPs: %v", err)
	} else {
		f.Close()
	}
	n, err := newNamespace()
	if errors.Is(err, unix.EPERM) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	err = n.ip(t.Context(), "link add br0 type bridge")
	n.Close()
	if err != nil {
		t.Skipf("needs a bridge: %v", err)
	}
	command, remove, err := buildCommand(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	j := job{base(), "reno"}
	j.Line.Loss = 0.01
	for _, sender := range []string{kernel, ours} {
		r, err := realTime(t.Context(), command, j, sender, 1, 2*time.Second)
		if err != nil || r.Seed != 1 || r.Segments == 0 || r.Goodput <= 0 || r.Goodput > 2*lineUsable {
			t.Errorf("%s: %+v, %v", sender, r, err)
		}
	}
	j.Control = "none"
	if _, err := realTime(t.Context(), command, j, kernel, 1, time.Second); !errors.Is(err, errControl) {
		t.Errorf("a congestion control that the kernel lacks: %v", err)
	}
	s, err := realShares(t.Context(), command, "cubic", 1, true, time.Second)
	if err != nil || s[0] <= 0 || s[1] <= 0 {
		t.Errorf("%v, %v", s, err)
	}
}
