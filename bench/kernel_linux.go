package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/onlink-go/onlink"
	"golang.org/x/sys/unix"
)

// transfer is a flow of a rig: what the kernel behind the wire has received so far.
type transfer struct {
	conn     net.Conn // the sender's
	received atomic.Int64
	accepted net.Conn
	failed   chan error
}

// start connects a sender to a listener of the kernel's of its own, and makes it write.
func (r *rig) start(ctx context.Context, sender, control string) (*transfer, error) {
	var ln net.Listener
	var fault error
	if err := errOf(r.far.Do(func() { ln, fault = net.Listen("tcp4", rigReceiver+":0") }), fault); err != nil {
		return nil, err
	}
	defer ln.Close()
	t := &transfer{failed: make(chan error, 2)}
	for try := 0; ; try++ {
		var err error
		if t.conn, err = r.dial(ctx, sender, control, ln.Addr().String()); err == nil {
			break
		} else if try == 5 || errors.Is(err, errControl) || ctx.Err() != nil { // an ARP request and its repetitions may be lost
			return nil, err
		}
	}
	var err error
	ln.(*net.TCPListener).SetDeadline(time.Now().Add(time.Minute))
	if t.accepted, err = ln.Accept(); err != nil {
		t.conn.Close()
		return nil, err
	}
	go t.read()
	go t.write()
	return t, nil
}

// dial connects the sender.
func (r *rig) dial(ctx context.Context, sender, control, address string) (c net.Conn, err error) {
	if sender == ours {
		d := onlink.Dialer{Stack: r.stack, TCP: onlink.TCPOptions{CongestionControl: control}}
		return d.DialContext(ctx, "tcp4", address)
	}
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var fault error
		return errOf(raw.Control(func(fd uintptr) { fault = setControl(fd, control) }), fault)
	}}
	d.SetMultipathTCP(false)
	var fault error
	err = errOf(r.near.Do(func() { c, fault = d.DialContext(ctx, "tcp4", address) }), fault)
	return c, err
}

// read counts what arrives.
func (t *transfer) read() {
	b := make([]byte, 256<<10)
	for {
		n, err := t.accepted.Read(b)
		t.received.Add(int64(n))
		if err != nil {
			t.failed <- fmt.Errorf("the receiver: %w", err)
			return
		}
	}
}

// write sends as much as it may.
func (t *transfer) write() {
	b := make([]byte, 256<<10)
	for {
		if _, err := t.conn.Write(b); err != nil {
			t.failed <- fmt.Errorf("the sender: %w", err)
			return
		}
	}
}

// wait lets d pass, unless something fails before.
func (t *transfer) wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case err := <-t.failed:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// figures returns what the sender counts.
func (t *transfer) figures() (run, error) {
	if c, ok := t.conn.(*onlink.TCPConn); ok {
		i := c.Info()
		return run{Segments: i.DataSegmentsOut, Resent: i.Retransmits, Timeouts: i.Timeouts}, nil
	}
	raw, err := t.conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return run{}, err
	}
	var i *unix.TCPInfo
	var fault error
	if err := errOf(raw.Control(func(fd uintptr) { i, fault = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }), fault); err != nil {
		return run{}, err
	}
	return run{Segments: uint64(i.Data_segs_out), Resent: uint64(i.Total_retrans), Timeouts: uint64(i.Total_rto)}, nil
}

// close resets the connection.
func (t *transfer) close() {
	t.accepted.Close()
	t.conn.Close()
}

// realTime sends on the path of j for d, counted from the end of the handshake, on a rig of its own.
func realTime(ctx context.Context, command string, j job, sender string, seed uint64, d time.Duration) (run, error) {
	r, err := newRig(ctx, command, j.Line, seed)
	if err != nil {
		return run{}, err
	}
	defer r.close()
	t, err := r.start(ctx, sender, j.Control)
	if err != nil {
		return run{}, err
	}
	defer t.close()
	handshake, err := t.figures()
	if err != nil {
		return run{}, err
	}
	began, before := time.Now(), t.received.Load()
	if err := t.wait(ctx, d); err != nil {
		return run{}, err
	}
	octets, took := t.received.Load()-before, time.Since(began)
	n, err := t.figures()
	n.Seed, n.Goodput = seed, mbits(octets, took)
	n.Resent -= handshake.Resent
	n.Timeouts -= handshake.Timeouts
	return n, err
}

// realShares sends a flow of ours and one of the kernel at once, the kernel's first or not, and returns what each gets in d.
func realShares(ctx context.Context, command, control string, seed uint64, kernelFirst bool, d time.Duration) (s shares, err error) {
	r, err := newRig(ctx, command, base(), seed)
	if err != nil {
		return s, err
	}
	defer r.close()
	order := []int{0, 1}
	if kernelFirst {
		order = []int{1, 0}
	}
	var flows [2]*transfer
	for _, i := range order {
		if flows[i], err = r.start(ctx, [...]string{ours, kernel}[i], control); err != nil {
			return s, err
		}
		defer flows[i].close()
	}
	began, before := time.Now(), [2]int64{flows[0].received.Load(), flows[1].received.Load()}
	if err := flows[0].wait(ctx, d); err != nil {
		return s, err
	}
	for i, f := range flows {
		s[i] = mbits(f.received.Load()-before[i], time.Since(began))
	}
	return s, nil
}
