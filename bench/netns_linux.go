package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// namespace is a network namespace.
type namespace int // its descriptor

// newNamespace makes one, with settings under which connections do not learn from each other.
func newNamespace() (n namespace, err error) {
	onThread(func() {
		if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
			var fd int
			fd, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
			n = namespace(fd)
		}
	})
	if err != nil {
		return -1, fmt.Errorf("a network namespace: %w", err)
	}
	for _, s := range []struct{ path, value string }{
		{"net/ipv6/conf/default/disable_ipv6", "1"},
		{"net/ipv4/tcp_no_metrics_save", "1"},
	} {
		var fault error
		err := n.do(func() { fault = os.WriteFile("/proc/sys/"+s.path, []byte(s.value), 0) })
		if err != nil || fault != nil {
			n.close()
			return -1, fmt.Errorf("%s: %w", s.path, errOf(err, fault))
		}
	}
	return n, nil
}

func (n namespace) close() { unix.Close(int(n)) }

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

// do calls f in the namespace: sockets, devices and processes that it makes are in it.
func (n namespace) do(f func()) (err error) {
	onThread(func() {
		if err = unix.Setns(int(n), unix.CLONE_NEWNET); err == nil {
			f()
		}
	})
	return err
}

// ip runs `ip` in the namespace with each line of args.
func (n namespace) ip(ctx context.Context, args ...string) error {
	for _, line := range args {
		var out []byte
		var fault error
		err := n.do(func() { out, fault = exec.CommandContext(ctx, "ip", strings.Fields(line)...).CombinedOutput() })
		if err = errOf(err, fault); err != nil {
			return fmt.Errorf("ip %s: %w\n%s", line, err, out)
		}
	}
	return nil
}

// errOf returns the first of errs that is one.
func errOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
