package socket_test

import (
	"encoding/binary"
	"errors"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/socket"
)

// newTable returns the descriptors of a stack with its loopback interface only.
func newTable(t testing.TB) *socket.Table {
	t.Helper()
	s, err := onlink.New(onlink.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(t.Context()) })
	return s.Sockets()
}

// words returns ints as C has them in memory.
func words(v ...int32) []byte {
	var b []byte
	for _, v := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}

// Each option of TCP sockets is set to a value and read; read 0 octets long where it cannot be set. The values are what
// Linux 6.18 answers.
func TestStreamOptions(t *testing.T) {
	p := newTable(t)
	for _, o := range []struct {
		what        string
		level, name int
		first       int32 // before it is set
		set         int32
		want        int32
		err         error
	}{
		{"SO_REUSEADDR", socket.SOL_SOCKET, socket.SO_REUSEADDR, 0, 5, 1, nil},
		{"SO_REUSEPORT", socket.SOL_SOCKET, socket.SO_REUSEPORT, 0, 1, 1, nil},
		{"SO_TYPE", socket.SOL_SOCKET, socket.SO_TYPE, 1, 1, 1, syscall.ENOPROTOOPT},
		{"SO_ERROR", socket.SOL_SOCKET, socket.SO_ERROR, 0, 1, 0, syscall.ENOPROTOOPT},
		{"SO_DOMAIN", socket.SOL_SOCKET, socket.SO_DOMAIN, 2, 1, 2, syscall.ENOPROTOOPT},
		{"SO_PROTOCOL", socket.SOL_SOCKET, socket.SO_PROTOCOL, 6, 1, 6, syscall.ENOPROTOOPT},
		{"SO_ACCEPTCONN", socket.SOL_SOCKET, socket.SO_ACCEPTCONN, 0, 1, 0, syscall.ENOPROTOOPT},
		{"SO_SNDBUF", socket.SOL_SOCKET, socket.SO_SNDBUF, 16384, 20000, 40000, nil},
		{"SO_SNDBUF low", socket.SOL_SOCKET, socket.SO_SNDBUF, 16384, 1, 4608, nil},
		{"SO_SNDBUF high", socket.SOL_SOCKET, socket.SO_SNDBUF, 16384, -1, 425984, nil},
		{"SO_RCVBUF", socket.SOL_SOCKET, socket.SO_RCVBUF, 131072, 20000, 40000, nil},
		{"SO_RCVBUF low", socket.SOL_SOCKET, socket.SO_RCVBUF, 131072, 1, 2304, nil},
		{"SO_RCVBUF high", socket.SOL_SOCKET, socket.SO_RCVBUF, 131072, 1 << 30, 425984, nil},
		{"SO_RCVBUFFORCE", socket.SOL_SOCKET, socket.SO_RCVBUFFORCE, -1, 1 << 20, -1, nil},
		{"SO_KEEPALIVE", socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0, 1, 1, nil},
		{"SO_RCVLOWAT", socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1, 100, 100, nil},
		{"SO_RCVLOWAT 0", socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1, 0, 1, nil},
		{"SO_RCVLOWAT high", socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1, -1, 3145728, nil},
		{"SO_SNDLOWAT", socket.SOL_SOCKET, socket.SO_SNDLOWAT, 1, 100, 1, syscall.ENOPROTOOPT},
		{"SO_ZEROCOPY", socket.SOL_SOCKET, socket.SO_ZEROCOPY, 0, 1, 1, nil},
		{"SO_ZEROCOPY 2", socket.SOL_SOCKET, socket.SO_ZEROCOPY, 0, 2, 0, syscall.EINVAL},
		{"SO_MAX_PACING_RATE", socket.SOL_SOCKET, socket.SO_MAX_PACING_RATE, -1, -1, -1, nil},
		{"SO_MAX_PACING_RATE", socket.SOL_SOCKET, socket.SO_MAX_PACING_RATE, -1, 1000, 1000, nil},
		{"SO_BROADCAST", socket.SOL_SOCKET, socket.SO_BROADCAST, 0, 1, 1, nil},
		{"TCP_NODELAY", socket.IPPROTO_TCP, socket.TCP_NODELAY, 0, 2, 1, nil},
		{"TCP_CORK", socket.IPPROTO_TCP, socket.TCP_CORK, 0, 1, 1, nil},
		{"TCP_QUICKACK", socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1, 1, 1, nil},
		{"TCP_MAXSEG", socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536, 1000, 1000, nil},
		{"TCP_MAXSEG low", socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536, 87, 536, syscall.EINVAL},
		{"TCP_MAXSEG high", socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536, 32768, 536, syscall.EINVAL},
		{"TCP_KEEPIDLE", socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 7200, 10, 10, nil},
		{"TCP_KEEPIDLE high", socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 7200, 32768, 7200, syscall.EINVAL},
		{"TCP_KEEPINTVL", socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 75, 10, 10, nil},
		{"TCP_KEEPCNT", socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 9, 127, 127, nil},
		{"TCP_KEEPCNT high", socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 9, 128, 9, syscall.EINVAL},
		{"TCP_SYNCNT", socket.IPPROTO_TCP, socket.TCP_SYNCNT, -1, 3, 3, nil},
		{"TCP_SYNCNT 0", socket.IPPROTO_TCP, socket.TCP_SYNCNT, -1, 0, -1, syscall.EINVAL},
		{"TCP_USER_TIMEOUT", socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 0, 1234, 1234, nil},
		{"TCP_USER_TIMEOUT -1", socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 0, -1, 0, syscall.EINVAL},
		{"TCP_LINGER2", socket.IPPROTO_TCP, socket.TCP_LINGER2, 60, 5, 5, nil},
		{"TCP_LINGER2 -5", socket.IPPROTO_TCP, socket.TCP_LINGER2, 60, -5, -1, nil},
		{"TCP_LINGER2 high", socket.IPPROTO_TCP, socket.TCP_LINGER2, 60, 500, 120, nil},
		{"TCP_DEFER_ACCEPT", socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 0, 5, 7, nil},
		{"TCP_DEFER_ACCEPT long", socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 0, 1000, 1087, nil},
		{"TCP_WINDOW_CLAMP", socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, 0, 1, 1152, nil},
		{"TCP_NOTSENT_LOWAT", socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, 0, 1000, 1000, nil},
		{"TCP_INQ", socket.IPPROTO_TCP, socket.TCP_INQ, 0, 1, 1, nil},
		{"TCP_INQ 2", socket.IPPROTO_TCP, socket.TCP_INQ, 0, 2, 0, syscall.EINVAL},
		{"TCP_SAVE_SYN", socket.IPPROTO_TCP, socket.TCP_SAVE_SYN, 0, 1, 1, nil},
		{"TCP_SAVE_SYN 2", socket.IPPROTO_TCP, socket.TCP_SAVE_SYN, 0, 2, 0, syscall.EINVAL},
		{"TCP_FASTOPEN", socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 0, 5, 5, nil},
		{"TCP_FASTOPEN_CONNECT", socket.IPPROTO_TCP, socket.TCP_FASTOPEN_CONNECT, 0, 1, 1, nil},
		{"TCP_FASTOPEN_NO_COOKIE", socket.IPPROTO_TCP, socket.TCP_FASTOPEN_NO_COOKIE, 0, 1, 1, nil},
		{"TCP_THIN_LINEAR_TIMEOUTS", socket.IPPROTO_TCP, socket.TCP_THIN_LINEAR_TIMEOUTS, 0, 1, 1, nil},
		{"TCP_RTO_MAX_MS", socket.IPPROTO_TCP, socket.TCP_RTO_MAX_MS, 120000, 2000, 2000, nil},
		{"TCP_RTO_MIN_US", socket.IPPROTO_TCP, socket.TCP_RTO_MIN_US, 200000, 1000, 1000, nil},
		{"TCP_REPAIR", socket.IPPROTO_TCP, socket.TCP_REPAIR, -1, 1, -1, syscall.ENOPROTOOPT},
		{"IP_TTL", socket.IPPROTO_IP, socket.IP_TTL, 64, 3, 3, nil},
		{"IP_TTL 0", socket.IPPROTO_IP, socket.IP_TTL, 64, 0, 64, syscall.EINVAL},
		{"IP_TTL -1", socket.IPPROTO_IP, socket.IP_TTL, 64, -1, 64, nil},
		{"IP_TOS", socket.IPPROTO_IP, socket.IP_TOS, 0, 0x1f, 0x1c, nil},
		{"IP_MTU_DISCOVER", socket.IPPROTO_IP, socket.IP_MTU_DISCOVER, 1, 0, 0, nil},
		{"IP_MTU_DISCOVER 9", socket.IPPROTO_IP, socket.IP_MTU_DISCOVER, 1, 9, 1, syscall.EINVAL},
		{"IP_MTU_DISCOVER PROBE", socket.IPPROTO_IP, socket.IP_MTU_DISCOVER, 1, 3, 3, nil},
		{"IP_MINTTL", socket.IPPROTO_IP, socket.IP_MINTTL, 0, 255, 255, nil},
		{"IP_MINTTL high", socket.IPPROTO_IP, socket.IP_MINTTL, 0, 256, 0, syscall.EINVAL},
		{"IP_RECVERR", socket.IPPROTO_IP, socket.IP_RECVERR, 0, 1, 1, nil},
		{"IPV6_V6ONLY on AF_INET", socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, -1, 1, -1, syscall.ENOPROTOOPT},
		{"level SOL_UDP", socket.SOL_UDP, socket.UDP_CORK, -1, 1, -1, syscall.ENOPROTOOPT},
	} {
		fd := must(p.Socket(socket.AF_INET, socket.SOCK_STREAM, 0))
		get := func() int32 {
			var b [4]byte
			if n, err := p.Getsockopt(fd, o.level, o.name, b[:]); err != nil {
				return -1
			} else if n != 4 {
				t.Errorf("%s is of %d octets", o.what, n)
			}
			return int32(binary.LittleEndian.Uint32(b[:]))
		}
		if got := get(); got != o.first && o.first != -1 {
			t.Errorf("%s is %d at first, want %d", o.what, got, o.first)
		}
		if err := p.Setsockopt(fd, o.level, o.name, words(o.set)); !errors.Is(err, o.err) {
			t.Errorf("%s set to %d: %v, want %v", o.what, o.set, err, o.err)
		}
		if got := get(); got != o.want && o.want != -1 {
			t.Errorf("%s set to %d is %d, want %d", o.what, o.set, got, o.want)
		}
		if err := p.Close(fd); err != nil {
			t.Error(err)
		}
	}
}
