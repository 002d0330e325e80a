// Package netns makes network namespaces of the Linux kernel, for measurements and tests beside it: it is no part of the
// stack.
package netns

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Namespace is a network namespace: a descriptor of it, which keeps it.
type Namespace int

// New makes a network namespace. The error is the kernel's: it takes root, or a user namespace.
func New() (n Namespace, err error) {
	fd := -1
	onThread(func() {
		if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
			fd, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		}
	})
	if err != nil {
		return -1, fmt.Errorf("a network namespace: %w", err)
	}
	return Namespace(fd), nil
}

// Close lets go of the namespace, which ends when nothing is in it any more.
func (n Namespace) Close() error { return unix.Close(int(n)) }

// Path returns a name of the namespace that ip(8) takes, as long as this process has it.
func (n Namespace) Path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), int(n)) }

// Do calls f in the namespace: sockets, devices and processes that it makes are in it. The error is that of entering it; f is
// not called then.
func (n Namespace) Do(f func()) (err error) {
	onThread(func() {
		if err = unix.Setns(int(n), unix.CLONE_NEWNET); err == nil {
			f()
		}
	})
	return err
}

// onThread calls f on a thread that ends afterwards, whatever f does to it.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
		defer close(done)
		f()
	}()
	<-done
}
