package itest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/mib"
)

// signs has the kernel's socket sign what it sends to peer, and ask for signatures from there (RFC 2385).
func signs(peer netip.Addr, secret string) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		key := &unix.TCPMD5Sig{}
		key.Keylen = uint16(copy(key.Key[:], secret))
		if peer.Is4() {
			a := (*unix.RawSockaddrInet4)(unsafe.Pointer(&key.Addr))
			a.Family, a.Addr = unix.AF_INET, peer.As4()
		} else {
			a := (*unix.RawSockaddrInet6)(unsafe.Pointer(&key.Addr))
			a.Family, a.Addr = unix.AF_INET6, peer.As16()
		}
		var err error
		if e := c.Control(func(fd uintptr) { err = unix.SetsockoptTCPMD5Sig(int(fd), unix.IPPROTO_TCP, unix.TCP_MD5SIG, key) }); e != nil {
			return e
		}
		return err
	}
}

// RFC 2385: the kernel and the stack sign each other's segments, whoever connects; and do not take those of who does
// not know the secret.
func TestMD5Signatures(t *testing.T) {
	r := newRig(t, setup{})
	r.eachFamily(t, func(t *testing.T, r *rig, v family) {
		kernel, stack := netip.MustParseAddr(v.kernel), netip.MustParseAddr(v.stack)
		ours := func(secret string) onlink.TCPOptions {
			return onlink.TCPOptions{Keys: []onlink.TCPKey{{Peer: netip.PrefixFrom(kernel, kernel.BitLen()),
				Algorithm: onlink.TCPKeyMD5, Secret: []byte(secret)}}}
		}
		var ln net.Listener
		var err error
		r.do(func() {
			lc := net.ListenConfig{Control: signs(stack, "secret")}
			ln, err = lc.Listen(t.Context(), "tcp", net.JoinHostPort(v.kernel, "0"))
		})
		if errors.Is(err, unix.ENOPROTOOPT) {
			t.Skip("this kernel has no TCP MD5 signatures (CONFIG_TCP_MD5SIG)")
		}
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()

		d := onlink.Dialer{Stack: r.Stack, TCP: ours("secret")}
		s, err := d.DialContext(t.Context(), "tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		carry(t, accept(t, ln), s)

		lc := onlink.ListenConfig{Stack: r.Stack, TCP: ours("secret")}
		sl, err := lc.Listen(t.Context(), "tcp", net.JoinHostPort(v.stack, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer sl.Close()
		dial := func(secret string, patience time.Duration) (c net.Conn, err error) {
			r.do(func() {
				d := net.Dialer{Control: signs(stack, secret), Timeout: patience}
				c, err = d.Dial("tcp", sl.Addr().String())
			})
			return c, err
		}
		k, err := dial("secret", patience)
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		carry(t, k, accept(t, sl))

		bad := r.Snapshot().Counters.Dropped(mib.TcpAuthBad)
		if _, err := dial("guess", 50*time.Millisecond); err == nil {
			t.Error("the kernel connected with another secret")
		}
		if r.Snapshot().Counters.Dropped(mib.TcpAuthBad) == bad {
			t.Error("a SYN signed with another secret was not dropped as such")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		d.TCP = ours("guess")
		if _, err := d.DialContext(ctx, "tcp", ln.Addr().String()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the stack connected with another secret: %v", err)
		}
	})
}

// carry sends a megabyte each way.
func carry(t *testing.T, a, b net.Conn) {
	t.Helper()
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		go way[0].Write(make([]byte, 1<<20))
		if _, err := io.ReadFull(way[1], make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
}
