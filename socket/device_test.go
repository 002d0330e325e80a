package socket_test

import (
	"bytes"
	"errors"
	"net/netip"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink/socket"
)

// SO_BINDTODEVICE and SO_BINDTOIFINDEX, row after row on one socket; the values are what Linux 6.18 answers.
func TestBindToDevice(t *testing.T) {
	long := bytes.Repeat([]byte("a"), 40)
	for _, typ := range []int{socket.SOCK_STREAM, socket.SOCK_DGRAM} {
		p := newTable(t)
		fd, err := p.Socket(socket.AF_INET, typ, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range []struct {
			what  string
			name  int
			value []byte
			set   error
			get   []byte // SO_BINDTODEVICE after it
			err   error
			index int32 // SO_BINDTOIFINDEX after it
		}{
			{"no such name", socket.SO_BINDTODEVICE, []byte("eth9"), syscall.ENODEV, nil, nil, 0},
			{"name", socket.SO_BINDTODEVICE, []byte("lo"), nil, []byte("lo\x00"), nil, 1},
			{"name too long", socket.SO_BINDTODEVICE, long, syscall.ENODEV, []byte("lo\x00"), nil, 1},
			{"no name", socket.SO_BINDTODEVICE, nil, nil, nil, nil, 0},
			{"name and more", socket.SO_BINDTODEVICE, []byte("lo\x00eth0"), nil, []byte("lo\x00"), nil, 1},
			{"index 0", socket.SO_BINDTOIFINDEX, words(0), nil, nil, nil, 0},
			{"no such index", socket.SO_BINDTOIFINDEX, words(77), nil, nil, syscall.ENODEV, 77},
			{"index below 0", socket.SO_BINDTOIFINDEX, words(-1), syscall.EINVAL, nil, syscall.ENODEV, 77},
			{"short index", socket.SO_BINDTOIFINDEX, []byte{1}, syscall.EINVAL, nil, syscall.ENODEV, 77},
			{"index", socket.SO_BINDTOIFINDEX, words(1), nil, []byte("lo\x00"), nil, 1},
		} {
			if err := p.Setsockopt(fd, socket.SOL_SOCKET, row.name, row.value); !errors.Is(err, row.set) {
				t.Errorf("%s: set: %v, want %v", row.what, err, row.set)
			}
			b := make([]byte, 16)
			n, err := p.Getsockopt(fd, socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b)
			if !errors.Is(err, row.err) || err == nil && !bytes.Equal(b[:n], row.get) {
				t.Errorf("%s: get: %q, %v, want %q, %v", row.what, b[:n], err, row.get, row.err)
			}
			if n, err := p.Getsockopt(fd, socket.SOL_SOCKET, socket.SO_BINDTOIFINDEX, b); err != nil || !bytes.Equal(b[:n], words(row.index)) {
				t.Errorf("%s: index: %v, %v, want %d", row.what, b[:n], err, row.index)
			}
		}
		if _, err := p.Getsockopt(fd, socket.SOL_SOCKET, socket.SO_BINDTODEVICE, make([]byte, 15)); err != syscall.EINVAL {
			t.Errorf("room for 15 octets: %v", err)
		}
		// Two sockets of one port, each on another interface.
		any := netip.MustParseAddrPort("0.0.0.0:80")
		other, _ := p.Socket(socket.AF_INET, typ, 0)
		if err := p.Setsockopt(other, socket.SOL_SOCKET, socket.SO_BINDTOIFINDEX, words(2)); err != nil {
			t.Error(err)
		}
		third, _ := p.Socket(socket.AF_INET, typ, 0)
		for i, want := range []error{nil, nil, syscall.EADDRINUSE} {
			if err := p.Bind([]int{fd, other, third}[i], any); !errors.Is(err, want) {
				t.Errorf("bind number %d: %v, want %v", i, err, want)
			}
		}
	}
}
