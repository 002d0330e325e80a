package itest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/tuntap"
)

// newKernelRouter makes two stacks, each on a TAP of its own, joined by the kernel as a router.
func newKernelRouter(t *testing.T) (near, far *rig) {
	t.Helper()
	n := newNamespace(t)
	writeSysctl(n, "net/ipv4/ip_forward", "1")
	writeSysctl(n, "net/ipv6/conf/all/forwarding", "1")
	return newRigIn(t, n, setup{}), newRigIn(t, n, setup{name: "tap1", at: farFamilies})
}

// RFC 1122, 3.2.2.4: "An incoming Time Exceeded message MUST be passed to the transport layer."
func TestTimeExceeded(t *testing.T) {
	t.Parallel()
	near, _ := newKernelRouter(t)
	for i, v := range farFamilies {
		t.Run(v.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			dst := netip.MustParseAddr(v.stack)
			reply, err := near.Ping(ctx, dst, onlink.PingConfig{})
			if err != nil || reply.HopLimit != 63 {
				t.Errorf("through the router: %+v, %v; want a reply with hop limit 63", reply, err)
			}
			_, err = near.Ping(ctx, dst, onlink.PingConfig{HopLimit: 1})
			if !errors.Is(err, syscall.EHOSTUNREACH) || !strings.Contains(err.Error(), families[i].kernel) {
				t.Errorf("with hop limit 1: %v, want EHOSTUNREACH from %s", err, families[i].kernel)
			}
		})
	}
}

// The router's second link takes less than both ends think (RFC 1191, RFC 8201).
func TestPathMTU(t *testing.T) {
	t.Parallel()
	near, far := newKernelRouter(t)
	far.ip("link set tap1 mtu 1300")
	for _, v := range farFamilies {
		t.Run(v.name, func(t *testing.T) {
			l, port := far.with(t).stackListen()
			conn, err := near.with(t).stackDial("tcp", net.JoinHostPort(v.stack, port))
			if err != nil {
				t.Fatal(err)
			}
			peer := accept(t, l)
			const n = 1 << 20
			go func() {
				io.Copy(conn, content(n))
				conn.(tcpConn).CloseWrite()
			}()
			if sum, m, err := sumOf(peer); err != nil || m != n || sum != contentSum(n) {
				t.Errorf("TCP: %d octets of %d, %v", m, n, err)
			}

			s, err := far.ListenPacket(t.Context(), "udp", ":0")
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			go echoPackets(s)
			c, err := near.with(t).stackDial("udp", net.JoinHostPort(v.stack, itoa(s.LocalAddr().(*net.UDPAddr).Port)))
			if err != nil {
				t.Fatal(err)
			}
			// A first datagram may be lost to learn the path MTU; UDP does not send it again.
			out, in := bytes.Repeat([]byte("0123456789"), 140), make([]byte, 2000)
			eventually(t, "a datagram longer than the path MTU gets through", func() bool {
				c.Write(out)
				c.SetReadDeadline(soon())
				n, err := c.Read(in)
				return err == nil && bytes.Equal(in[:n], out)
			})
		})
	}
}

// A kernel whose link takes less, which the stack does not know, says so in its MSS, and gets no more.
func TestSmallMTU(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	r.ip("link set tap0 mtu 1280")
	r.eachWay(t, func(t *testing.T, kernel, stack tcpConn) {
		const n = 1 << 20
		for _, way := range [][2]tcpConn{{kernel, stack}, {stack, kernel}} {
			go func() {
				io.Copy(way[0], content(n))
				way[0].CloseWrite()
			}()
			if sum, m, err := sumOf(way[1]); err != nil || m != n || sum != contentSum(n) {
				t.Errorf("%d octets of %d, %v", m, n, err)
			}
		}
	})
	for _, v := range families {
		r.ping(v.stack, 8000)
	}
}

// router is a stack that forwards between two kernels, each in a namespace of its own.
type router struct {
	near, far *namespace
	*onlink.Stack
}

// newRouter makes a router whose link to the far kernel takes mtu octets; 0: 1500.
func newRouter(t *testing.T, mtu int) *router {
	t.Helper()
	r := &router{near: newNamespace(t), far: newNamespace(t)}
	var err error
	if r.Stack, err = onlink.New(onlink.Config{Forwarding: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStack(t, r.Stack) })
	for i, end := range []struct {
		*namespace
		at, other []family
		mtu       int
	}{{r.near, families, farFamilies, 0}, {r.far, farFamilies, families, mtu}} {
		name := fmt.Sprintf("tap%d", i)
		var d *tuntap.Device
		end.do(func() { d, err = tuntap.Open(name, tuntap.Config{}) })
		if err != nil {
			t.Fatal(err)
		}
		end.bringUp(name, end.at)
		cfg := onlink.InterfaceConfig{DisableDAD: true, MTU: end.mtu}
		for j, v := range end.at {
			cfg.Addresses = append(cfg.Addresses, prefix(v.stack+v.bits))
			end.ip("route add " + netip.MustParsePrefix(end.other[j].kernel+end.other[j].bits).Masked().String() + " via " + v.stack)
		}
		if _, err := r.AddLink(name, d, cfg); err != nil {
			d.Close()
			t.Fatal(err)
		}
	}
	return r
}

// Two kernels speak through a stack that is their router.
func TestStackForwards(t *testing.T) {
	t.Parallel()
	need(t, "ping")
	r := newRouter(t, 0)
	for i, v := range farFamilies {
		t.Run(v.name, func(t *testing.T) {
			for _, size := range pingSizes {
				if out := r.near.ping(v.kernel, size); !strings.Contains(out, "ttl=63") {
					t.Errorf("%d octets:\n%s", size, out)
				}
			}
			// RFC 1812, 5.2.7.3 and RFC 8200, 3: the router that discards a packet for its age says so.
			p, _ := r.near.try("ping", "-c", "1", "-W", "5", "-t", "1", v.kernel)
			out := p.stdout.String()
			if !strings.Contains(out, "From "+families[i].stack) || !strings.Contains(strings.ToLower(out), "time") {
				t.Errorf("ping -t 1:\n%s", out)
			}
		})
	}
}

// The kernel learns the path MTU from a stack that is its router (RFC 1191, 4; RFC 8201, 4).
func TestStackTellsMTU(t *testing.T) {
	t.Parallel()
	need(t, "ping")
	r := newRouter(t, 1300)
	for i, v := range farFamilies {
		t.Run(v.name, func(t *testing.T) {
			p, _ := r.near.try("ping", "-c", "1", "-W", "5", "-M", "do", "-s", "1400", v.kernel)
			if out := p.stdout.String(); !strings.Contains(out, "From "+families[i].stack) || !strings.Contains(out, "mtu") || !strings.Contains(out, "1300") {
				t.Errorf("ping -M do:\n%s", out)
			}
			var l net.Listener
			var err error
			r.far.do(func() { l, err = net.Listen("tcp", net.JoinHostPort(v.kernel, "0")) })
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			var c net.Conn
			r.near.do(func() { c, err = net.DialTimeout("tcp", l.Addr().String(), patience) })
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			peer := accept(t, l)
			const n = 4 << 20
			go func() {
				io.Copy(c, content(n))
				c.(tcpConn).CloseWrite()
			}()
			if sum, m, err := sumOf(peer); err != nil || m != n || sum != contentSum(n) {
				t.Errorf("TCP through the router: %d octets of %d, %v", m, n, err)
			}
		})
	}
}

// iperf3 of the kernel runs through a stack that is its router, with TCP both ways and with UDP.
func TestStackForwardsIperf3(t *testing.T) {
	t.Parallel()
	need(t, "iperf3")
	r := newRouter(t, 0)
	for _, v := range farFamilies {
		for _, args := range [][]string{{"-n", "64M"}, {"-n", "64M", "-R"}, {"-u", "-b", "100M", "-l", "1200", "-n", "4M"}} {
			server := r.far.start(nil, "iperf3", "-s", "-1", "--forceflush", "-B", v.kernel)
			eventually(t, "iperf3 listens", func() bool { return strings.Contains(server.stdout.String(), "listening") })
			out := r.near.run("iperf3", append([]string{"-c", v.kernel, "-J"}, args...)...)
			var result struct {
				End struct {
					Sent, Received, Sum iperf3Sum
				}
			}
			out = strings.NewReplacer("sum_sent", "sent", "sum_received", "received").Replace(out)
			if err := json.Unmarshal([]byte(out), &result); err != nil {
				t.Fatal(err)
			}
			end := result.End
			t.Logf("%s iperf3 %s: %.0f Mbit/s, %d retransmissions, %.2f %% lost", v.name, strings.Join(args, " "),
				max(end.Received.BitsPerSecond, end.Sum.BitsPerSecond)/1e6, end.Sent.Retransmits, end.Sum.LostPercent)
			if end.Received.Bytes+end.Sum.Bytes == 0 {
				t.Errorf("%v: nothing came through:\n%s", args, out)
			}
			if err := server.Wait(); err != nil {
				t.Errorf("%v: the server: %v", args, err)
			}
		}
	}
}

// iperf3Sum is what iperf3 -J tells of a direction.
type iperf3Sum struct {
	Bytes         int64
	BitsPerSecond float64 `json:"bits_per_second"`
	Retransmits   int
	LostPercent   float64 `json:"lost_percent"`
}
