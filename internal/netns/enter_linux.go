package netns

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Enter runs the rest of a test in a network namespace of its own, and skips it where that cannot be. Sockets, devices and programs
// that the test's goroutine makes are in it; the thread, and with it the namespace, ends with the test.
func Enter(t testing.TB) {
	t.Helper()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		t.Skipf("needs root, for a network namespace: %v", err)
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs the program ip (iproute2)")
	}
}

// IP runs ip(8) in the namespace that a test has entered.
func IP(t testing.TB, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s", args, err, out)
	}
}

// Drop takes a capability from the thread of a test that has entered a namespace: the thread ends with the test.
func Drop(t testing.TB, capability uint) {
	t.Helper()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		t.Fatal(err)
	}
	data[0].Effective &^= 1 << capability
	if err := unix.Capset(&header, &data[0]); err != nil {
		t.Fatal(err)
	}
}
