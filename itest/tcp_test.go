package itest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// exchange sends a little from a to b and back.
func exchange(t testing.TB, a, b net.Conn) {
	t.Helper()
	buf := make([]byte, 5)
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		if _, err := way[0].Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(way[1], buf); err != nil || string(buf) != "hello" {
			t.Fatalf("%q, %v", buf, err)
		}
	}
}

// RFC 9293, 3.6: "The user who CLOSEs may continue to RECEIVE until the TCP receiver is told that the remote peer has CLOSED also".
func TestHalfClose(t *testing.T) {
	t.Parallel()
	const n = 300_000
	eachLink(t, func(t *testing.T, r *rig) {
		for _, first := range []string{"KernelFirst", "StackFirst"} {
			t.Run(first, func(t *testing.T) {
				r.with(t).eachWay(t, func(t *testing.T, kernel, stack tcpConn) {
					a, b := kernel, stack
					if first == "StackFirst" {
						a, b = stack, kernel
					}
					exchange(t, a, b)
					if err := a.CloseWrite(); err != nil {
						t.Fatal(err)
					}
					if rest, err := io.ReadAll(b); err != nil || len(rest) != 0 {
						t.Fatalf("after the first FIN: %q, %v", rest, err)
					}
					if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
						t.Errorf("Write after CloseWrite: %v, want EPIPE", err)
					}
					go func() {
						io.Copy(b, content(n))
						b.CloseWrite()
					}()
					sum, got, err := sumOf(a)
					if err != nil || got != n || sum != contentSum(n) {
						t.Errorf("the other half: %d octets of %d, %v", got, n, err)
					}
				})
			})
		}
	})
}

// Close with data unread, or with linger 0, resets (RFC 1122, 4.2.2.13; RFC 9293, 3.10.5).
func TestReset(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	reset := map[string]func(t *testing.T, from, to tcpConn){
		"Linger": func(t *testing.T, from, to tcpConn) {
			if err := from.SetLinger(0); err != nil {
				t.Fatal(err)
			}
			from.Close()
		},
		"Unread": func(t *testing.T, from, to tcpConn) {
			if _, err := to.Write([]byte("ab")); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(from, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			from.Close()
		},
	}
	for _, how := range []string{"Linger", "Unread"} {
		t.Run("Kernel"+how, func(t *testing.T) {
			r.with(t).eachWay(t, func(t *testing.T, kernel, stack tcpConn) {
				reset[how](t, kernel, stack)
				wantReset(t, stack)
			})
		})
		t.Run("Stack"+how, func(t *testing.T) {
			r.with(t).eachWay(t, func(t *testing.T, kernel, stack tcpConn) {
				reset[how](t, stack, kernel)
				wantReset(t, kernel)
			})
		})
	}
}

func wantReset(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.Copy(io.Discard, c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("Read: %v, want ECONNRESET", err)
	}
}

// Both ends close at once, again and again: each reads io.EOF.
func TestCloseTogether(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	for range 10 {
		r.eachWay(t, func(t *testing.T, kernel, stack tcpConn) {
			exchange(t, kernel, stack)
			var both sync.WaitGroup
			for _, c := range []tcpConn{kernel, stack} {
				both.Go(func() {
					if err := c.CloseWrite(); err != nil {
						t.Error(err)
					}
					if b, err := io.ReadAll(c); len(b) != 0 || err != nil {
						t.Errorf("%T: %q, %v", c, b, err)
					}
					if err := c.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
		})
	}
}

// A reader that rests closes the window; the writer goes on when it reads again (RFC 9293, 3.8.6.1).
func TestSlowReader(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	for _, reader := range []string{"Kernel", "Stack"} {
		t.Run(reader, func(t *testing.T) {
			r.with(t).eachWay(t, func(t *testing.T, kernel, stack tcpConn) {
				from, to := stack, kernel
				if reader == "Stack" {
					from, to = kernel, stack
				}
				const n = 32 << 20 // more than all buffers hold
				in := &meter{r: content(n)}
				wrote := make(chan error, 1)
				go func() {
					_, err := io.Copy(from, in)
					wrote <- errors.Join(err, from.CloseWrite())
				}()
				last := int64(-1)
				eventually(t, "the writer has come to a stop", func() bool {
					before := last
					last = in.n.Load()
					return last > 32<<10 && last == before
				})
				if last == n {
					t.Error("everything was written without a reader")
				}
				if sum, m, err := sumOf(to); err != nil || m != n || sum != contentSum(n) {
					t.Errorf("%d octets of %d, %v", m, n, err)
				}
				if err := <-wrote; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// meter counts what is read through it.
type meter struct {
	r io.Reader
	n atomic.Int64
}

func (m *meter) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	m.n.Add(int64(n))
	return n, err
}

// 200 connections at once, each echoing its own content.
func TestParallelConnections(t *testing.T) {
	t.Parallel()
	const connections, n = 200, 50_000
	r := newRig(t, setup{})
	run := func(t *testing.T, l net.Listener, address string, dial func(network, address string) (net.Conn, error)) {
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					io.Copy(c, c)
				}()
			}
		}()
		var all sync.WaitGroup
		for i := range connections {
			all.Go(func() {
				if err := echo(dial, address, i, n); err != nil {
					t.Errorf("connection %d: %v", i, err)
				}
			})
		}
		all.Wait()
	}
	r.eachFamily(t, func(t *testing.T, r *rig, v family) {
		t.Run("ToStack", func(t *testing.T) {
			l, port := r.stackListen()
			defer l.Close()
			run(t, l, net.JoinHostPort(v.stack, port), r.kernelDial)
		})
		t.Run("ToKernel", func(t *testing.T) {
			l := r.kernelListen(v)
			defer l.Close()
			run(t, l, l.Addr().String(), r.stackDial)
		})
	})
}

// echo connects, sends n octets that only connection i has, and checks that they come back.
func echo(dial func(network, address string) (net.Conn, error), address string, i, n int) error {
	c, err := dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	out := bytes.Repeat([]byte{byte(i), byte(i >> 8), 'o', 'n'}, n/4)
	go func() {
		c.Write(out)
		c.(tcpConn).CloseWrite()
	}()
	in, err := io.ReadAll(c)
	if err != nil {
		return err
	}
	if !bytes.Equal(in, out) {
		return fmt.Errorf("%d octets came back that are not the %d sent", len(in), len(out))
	}
	return nil
}
