package itest

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/mem"
)

// noLeak fails the test if goroutines are left behind that were not there when it was called.
func noLeak(t *testing.T) (check func()) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	return func() {
		t.Helper()
		goleak.VerifyNone(t, before)
	}
}

// memPair makes two stacks joined in memory.
func memPair(t *testing.T) (a, b *onlink.Stack) {
	t.Helper()
	x, y := mem.Pair(mem.Config{})
	stacks := make([]*onlink.Stack, 2)
	for i, l := range []*mem.Port{x, y} {
		s, err := onlink.New(onlink.Config{})
		if err != nil {
			t.Fatal(err)
		}
		cfg := onlink.InterfaceConfig{DisableDAD: true}
		for _, v := range families {
			cfg.Addresses = append(cfg.Addresses, prefix([]string{v.kernel, v.stack}[i]+v.bits))
		}
		if _, err := s.AddLink("eth0", l, cfg); err != nil {
			t.Fatal(err)
		}
		stacks[i] = s
	}
	return stacks[0], stacks[1]
}

// blocked starts calls that wait for what does not come, and returns their errors' channel.
func blocked(t *testing.T, s *onlink.Stack, conn net.Conn) (n int, errs chan error) {
	t.Helper()
	l, err := s.Listen(t.Context(), "tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.ListenPacket(t.Context(), "udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	calls := []func() error{
		func() error { _, err := l.Accept(); return err },
		func() error { _, _, err := p.ReadFrom(make([]byte, 10)); return err },
		func() error { _, err := conn.Read(make([]byte, 10)); return err },
	}
	errs = make(chan error, len(calls))
	for _, call := range calls {
		go func() { errs <- call() }()
	}
	return len(calls), errs
}

// wantEnded fails the test unless all calls ended with an error.
func wantEnded(t *testing.T, n int, errs chan error) {
	t.Helper()
	for range n {
		select {
		case err := <-errs:
			if err == nil {
				t.Error("a call that waited for nothing came back without an error")
			}
		case <-time.After(patience):
			t.Fatal("a call still waits after Close")
		}
	}
}

func TestNoGoroutineLeftMemory(t *testing.T) {
	check := noLeak(t)
	a, b := memPair(t)
	l, err := b.Listen(t.Context(), "tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := a.Dial("tcp", net.JoinHostPort(v6.stack, "80"))
	if err != nil {
		t.Fatal(err)
	}
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	exchange(t, conn, peer)
	n, errs := blocked(t, a, conn)
	// The peer does not close: so the connection is reset when the patience of Close ends.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := a.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v", err)
	}
	wantEnded(t, n, errs)
	peer.Close()
	closeStack(t, b)
	check()
}

func TestNoGoroutineLeftTAP(t *testing.T) {
	for _, tun := range []bool{false, true} {
		ns := newNamespace(t)
		check := noLeak(t)
		r := newRigIn(t, ns, setup{tun: tun})
		kernel, stack := stackConnects(r, v4)
		exchange(t, stack, kernel)
		n, errs := blocked(t, r.Stack, stack)
		stack.Close()
		kernel.Close()
		closeStack(t, r.Stack)
		wantEnded(t, n, errs)
		check()
	}
}

// Dials that failed leave nothing behind: refused, to nobody, cancelled, and without a route.
func TestNoGoroutineLeftAfterDial(t *testing.T) {
	ns := newNamespace(t)
	check := noLeak(t)
	r := newRigIn(t, ns, setup{})
	if _, err := r.Dial("tcp", net.JoinHostPort(v4.kernel, "9")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("refused: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.DialContext(ctx, "tcp", "192.0.2.99:80"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("to nobody: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.DialContext(cancelled, "tcp", "[2001:db8::99]:80"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	closeStack(t, r.Stack)
	if _, err := r.Dial("tcp", net.JoinHostPort(v4.kernel, "9")); err == nil {
		t.Error("a closed stack connected")
	}
	check()
}

// A stack whose device is deleted under it fails what is open, and closes.
func TestDeviceDeleted(t *testing.T) {
	ns := newNamespace(t)
	check := noLeak(t)
	r := newRigIn(t, ns, setup{})
	_, stack := stackConnects(r, v4)
	r.ip("link delete tap0")
	eventually(t, "the stack notices", func() bool {
		for _, i := range r.Snapshot().Interfaces {
			if i.Name == "tap0" {
				return !i.Up
			}
		}
		return false
	})
	if _, err := r.Dial("tcp", net.JoinHostPort(v4.kernel, "9")); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("dial without a device: %v", err)
	}
	if err := stack.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	stack.Close()
	closeStack(t, r.Stack)
	check()
}
