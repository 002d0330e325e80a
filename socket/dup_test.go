package socket_test

import (
	"bytes"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink/socket"
)

// A file lasts as long as one of its descriptors does, and F_DUPFD finds the lowest free one from its argument on. A
// listener tells the keys of its Fast Open cookies, or else the stack's.
func TestDuplicates(t *testing.T) {
	pair(t, func(p *process) {
		fd := must(p.Socket(socket.AF_INET, socket.SOCK_STREAM, 0))
		if got := must(p.Fcntl(fd, socket.F_DUPFD, 0)); got != fd+1 {
			t.Errorf("the lowest is %d, want %d", got, fd+1)
		}
		high := must(p.Fcntl(fd, socket.F_DUPFD_CLOEXEC, 100))
		if flags := must(p.Fcntl(high, socket.F_GETFD, 0)); high != 100 || flags != socket.FD_CLOEXEC {
			t.Errorf("descriptor %d with flags %d", high, flags)
		}
		_, err := p.Fcntl(fd, socket.F_DUPFD, -1)
		wantErrno(t, "from -1", err, syscall.EINVAL)
		p.ok(p.Close(fd))
		p.ok(p.Close(fd + 1))
		keys := make([]byte, 40)
		set := func(n int) error {
			return p.Setsockopt(high, socket.IPPROTO_TCP, socket.TCP_FASTOPEN_KEY, bytes.Repeat([]byte{7}, n))
		}
		if n := must(p.Getsockopt(high, socket.IPPROTO_TCP, socket.TCP_FASTOPEN_KEY, keys)); n != 16 {
			t.Errorf("the stack's key has %d octets", n)
		}
		wantErrno(t, "15 octets", set(15), syscall.EINVAL)
		for _, n := range []int{16, 32} {
			p.ok(set(n))
			if got := must(p.Getsockopt(high, socket.IPPROTO_TCP, socket.TCP_FASTOPEN_KEY, keys)); got != n || keys[n-1] != 7 {
				t.Errorf("%d octets of keys, want %d: % x", got, n, keys)
			}
		}
		p.ok(p.Close(high))
		wantErrno(t, "after the last", p.Close(high), syscall.EBADF)
	}, func(*process) {})
}
