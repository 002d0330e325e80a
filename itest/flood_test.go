package itest

import (
	"io"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// forge writes the n'th SYN of a flood, with its IPv4 header, to b and returns it.
func forge(b []byte, to netip.Addr, port uint16, n uint32) []byte {
	tcp := wire.TCPHeader{SrcPort: uint16(n), DstPort: port, Seq: n * 2654435761, Flags: wire.SYN, Window: 65535,
		Options: wire.TCPOptions{MSS: 1460, SACKPermitted: true, HasWindowScale: true, WindowScale: 7, HasTimestamps: true, TSVal: n}}
	b = b[:wire.IPv4MinLen+tcp.Len()]
	src, dst := wire.Addr4(10, byte(n>>16), byte(n>>8), byte(n)), wire.AddrFrom(to)
	ip := wire.IPv4Header{TotalLen: len(b), TTL: 64, Protocol: wire.ProtoTCP, Src: src, Dst: dst}
	ip.Put(b)
	tcp.Put(b[wire.IPv4MinLen:])
	wire.FinishChecksum(b[wire.IPv4MinLen:], wire.TCPChecksumOffset, wire.ProtoTCP, src, dst)
	return b
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// 200,000 forged SYNs come over a TAP, as fast as the kernel sends them: they take a bounded amount of memory, and while they
// come a genuine client of the kernel's connects within three tries.
func TestSYNFlood(t *testing.T) {
	const syns = 200_000
	r := newRig(t, setup{})
	l, port := r.stackListen()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	address := net.JoinHostPort(v4.stack, port)
	echo := func() (again uint8) {
		c, err := r.kernelDial("tcp4", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Error(err)
		}
		raw, err := c.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		raw.Control(func(fd uintptr) {
			if i, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
				again = uint8(i.Total_retrans)
			}
		})
		got := make([]byte, 5)
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello" {
			t.Errorf("%q, %v", got, err)
		}
		return again
	}
	echo()
	before := heap()
	to := netip.MustParseAddr(v4.stack)
	half, done := make(chan bool), make(chan error)
	r.do(func() {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer unix.Close(fd)
			number := l.Addr().(*net.TCPAddr).Port
			b := make([]byte, 128)
			for n := range uint32(syns) {
				if n == syns/4 {
					close(half)
				}
				err := unix.Sendto(fd, forge(b, to, uint16(number), n), 0, &unix.SockaddrInet4{Addr: to.As4()})
				if err != nil && err != syscall.ENOBUFS {
					done <- err
					return
				}
			}
			done <- nil
		}()
	})
	<-half
	if again := echo(); again > 2 {
		t.Errorf("a genuine client sent its SYN %d times", again+1)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	echo()
	v := r.Snapshot().Counters
	sent := v.Get(mib.TcpExtSyncookiesSent)
	t.Logf("%d segments came, %d cookies went, %d came back", v.Get(mib.TcpInSegs), sent, v.Get(mib.TcpExtSyncookiesRecv))
	if sent < syns/20 {
		t.Errorf("%d cookies sent: that was no flood", sent)
	}
	if grown := heap() - before; grown > 16<<20 {
		t.Errorf("the flood takes %d octets", grown)
	}
}
