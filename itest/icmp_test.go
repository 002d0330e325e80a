package itest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
)

// RFC 1122, 4.1.3.1: "If a datagram arrives addressed to a UDP port for which there is no pending LISTEN call, UDP
// SHOULD send an ICMP Port Unreachable message." 4.1.3.3: "UDP MUST pass to the application layer all ICMP error
// messages that it receives from the IP layer": as ECONNREFUSED.
func TestUDPRefused(t *testing.T) {
	t.Parallel()
	eachLink(t, func(t *testing.T, r *rig) {
		r.eachFamily(t, func(t *testing.T, r *rig, v family) {
			for _, d := range []struct {
				name string
				dial func(network, address string) (net.Conn, error)
				to   string
			}{{"kernel to stack", r.kernelDial, v.stack}, {"stack to kernel", r.stackDial, v.kernel}} {
				c, err := d.dial("udp", net.JoinHostPort(d.to, "9"))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Write([]byte("anybody there?")); err != nil {
					t.Errorf("%s: Write: %v", d.name, err)
				}
				if _, err := c.Read(make([]byte, 10)); !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("%s: Read: %v, want ECONNREFUSED", d.name, err)
				}
			}
		})
	})
}

func TestTCPRefused(t *testing.T) {
	t.Parallel()
	eachLink(t, func(t *testing.T, r *rig) {
		r.eachFamily(t, func(t *testing.T, r *rig, v family) {
			if _, err := r.kernelDial("tcp", net.JoinHostPort(v.stack, "9")); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("kernel to stack: %v, want ECONNREFUSED", err)
			}
			if _, err := r.stackDial("tcp", net.JoinHostPort(v.kernel, "9")); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("stack to kernel: %v, want ECONNREFUSED", err)
			}
		})
	})
}

// RFC 1122, 3.2.2.1: "A host … SHOULD generate Destination Unreachable messages with code … 2 (Protocol Unreachable)".
// RFC 8200, 4: an unrecognized Next Header is answered with "an ICMP Parameter Problem message".
func TestProtocolUnreachable(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	for _, tt := range []struct {
		v         family
		icmp      string
		typ, code byte
	}{{v4, "ip4:icmp", 3, 2}, {v6, "ip6:ipv6-icmp", 4, 1}} {
		t.Run(tt.v.name, func(t *testing.T) {
			var icmp, raw net.PacketConn
			var err, err2 error
			r.with(t).do(func() {
				icmp, err = net.ListenPacket(tt.icmp, tt.v.kernel)
				raw, err2 = net.ListenPacket("ip"+tt.v.digit+":253", tt.v.kernel)
			})
			if err := errors.Join(err, err2); err != nil {
				t.Skipf("no raw sockets: %v", err)
			}
			defer icmp.Close()
			defer raw.Close()
			icmp.SetDeadline(time.Now().Add(patience))
			if _, err := raw.WriteTo([]byte("for experimentation and testing"), &net.IPAddr{IP: net.ParseIP(tt.v.stack)}); err != nil {
				t.Fatal(err)
			}
			for b := make([]byte, 1500); ; {
				n, from, err := icmp.ReadFrom(b)
				if err != nil {
					t.Fatalf("no answer: %v", err)
				}
				if n > 8 && from.String() == tt.v.stack && b[0] == tt.typ {
					if b[1] != tt.code {
						t.Errorf("code %d, want %d", b[1], tt.code)
					}
					return
				}
			}
		})
	}
}

// RFC 4861, 7.2.2: when resolution fails, "address resolution has failed … return ICMP destination unreachable
// indications" to whoever waits. RFC 1122, 2.3.2.2 for ARP.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	for _, a := range []string{"192.0.2.99", "2001:db8::99"} {
		t.Run(a, func(t *testing.T) {
			t.Parallel()
			_, err := r.with(t).stackDial("tcp", net.JoinHostPort(a, "80"))
			if !errors.Is(err, syscall.EHOSTUNREACH) {
				t.Errorf("dial: %v, want EHOSTUNREACH", err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if _, err := r.Ping(ctx, netip.MustParseAddr(a), onlink.PingConfig{}); !errors.Is(err, syscall.EHOSTUNREACH) {
				t.Errorf("ping: %v, want EHOSTUNREACH", err)
			}
		})
	}
}

// The stack has fe80::…, so that the kernel finds out when it tries to have the same address (RFC 4862, 5.4.3).
func TestStackDefendsItsAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	writeSysctl(r.namespace, "net/ipv6/conf/tap0/accept_dad", "1")
	r.ip("address add " + v6.stack + "/64 dev tap0")
	eventually(t, "the kernel finds the duplicate", func() bool {
		for _, a := range r.kernelAddresses() {
			if a.Local.String() == v6.stack && a.DADFailed {
				return true
			}
		}
		return false
	})
}

// RFC 4862, 5.4.5: an address that is a duplicate "MUST NOT be assigned to an interface, and the node SHOULD log a
// system management error": WaitReady says which address, and who has it.
func TestDuplicateAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{dad: true})
	mac := r.kernelMAC()
	if err := r.iface.AddAddress(netip.MustParsePrefix(v6.kernel + v6.bits)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := r.iface.WaitReady(ctx)
	if err == nil || !strings.Contains(err.Error(), v6.kernel) || !strings.Contains(err.Error(), mac) {
		t.Errorf("WaitReady: %v, want one that names %s and %s", err, v6.kernel, mac)
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("WaitReady: %v, want EADDRINUSE in it", err)
	}
}

// Until duplicate address detection is over, a dial waits; then everything works.
func TestDialDuringDAD(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{dad: true})
	kernel, stack := stackConnects(r, v6)
	exchange(t, stack, kernel)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.iface.WaitReady(ctx); err != nil {
		t.Errorf("WaitReady: %v", err)
	}
	for _, i := range r.Snapshot().Interfaces {
		for _, a := range i.Addresses {
			if a.State != "preferred" {
				t.Errorf("%s: %v is %s", i.Name, a.Prefix, a.State)
			}
		}
	}
}
