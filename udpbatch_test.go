package onlink_test

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/socket"
)

// What programs that read and write batches ask for.
var _ interface {
	ReadBatch(ms []ipv4.Message, flags int) (int, error)
	WriteBatch(ms []ipv4.Message, flags int) (int, error)
} = (*onlink.UDPConn)(nil)

// room returns n messages to read into.
func room(n int) []onlink.Message {
	ms := make([]onlink.Message, n)
	for i := range ms {
		ms[i].Buffers, ms[i].OOB = [][]byte{make([]byte, 10), make([]byte, 1490)}, make([]byte, 128)
	}
	return ms
}

// A batch arrives as its datagrams, whether they go each by itself or several in a packet, and however many are read at once.
func TestBatch(t *testing.T) {
	overCables(t, func(t *testing.T, a, b *onlink.Stack, to netip.AddrPort) {
		out, in := listenUDP(t, a, "udp", ":0"), listenUDP(t, b, "udp", ":7000")
		in.SetReadDeadline(time.Now().Add(10 * time.Second))
		if err := out.SetSegmentSize(700); err != nil {
			t.Fatal(err)
		}
		sizes := []int{0, 1, 700, 701, 7000, 20, 2100, 5}
		var send []onlink.Message
		var want [][]byte
		for i, n := range sizes {
			data := numbered(n)
			send = append(send, onlink.Message{Buffers: [][]byte{data[:n/3], data[n/3:]}, Addr: net.UDPAddrFromAddrPort(to)})
			for at := 0; at == 0 || at < n; at += 700 {
				want = append(want, data[at:min(at+700, n)])
			}
			if i == 0 {
				send[0].Buffers = nil
			}
		}
		for _, at := range []int{1, 2, 3, 5, 64} {
			if n, err := out.WriteBatch(send, 0); n != len(send) || err != nil {
				t.Fatalf("%d written, %v", n, err)
			}
			for i, m := range send {
				if m.N != sizes[i] {
					t.Errorf("wrote %d octets, want %d", m.N, sizes[i])
				}
			}
			ms := room(at)
			for i := 0; i < len(want); {
				n, err := in.ReadBatch(ms, 0)
				if err != nil || n < 1 || n > at {
					t.Fatalf("%d at a time: %d, %v", at, n, err)
				}
				for _, m := range ms[:n] {
					got := bytes.Join(m.Buffers, nil)[:m.N]
					if i >= len(want) || !bytes.Equal(got, want[i]) || m.Flags != 0 || m.NN == 0 {
						t.Fatalf("%d at a time: the %dth has %d octets, flags %#x, %d octets of control messages", at, i, m.N, m.Flags, m.NN)
					}
					from := m.Addr.(*net.UDPAddr)
					if from.Port != out.LocalAddr().(*net.UDPAddr).Port {
						t.Errorf("from %v", from)
					}
					i++
				}
			}
		}
	})
}

// A batch says what is wrong: nothing to read, with what has been written before, and what cannot be done.
func TestBatchErrors(t *testing.T) {
	a, b := newPairOn(t, mem.Config{Offload: link.Checksums | link.UDP}, nil)
	out, in := listenUDP(t, a, "udp", ":0"), listenUDP(t, b, "udp", ":7000")
	to := &net.UDPAddr{IP: net.ParseIP(server4), Port: 7000}
	ms := room(3)
	if n, err := in.ReadBatch(ms, socket.MSG_DONTWAIT); n != 0 || !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("nothing to read: %d, %v", n, err)
	}
	if n, err := in.ReadBatch(ms, socket.MSG_OOB); n != 0 || !errors.Is(err, syscall.EOPNOTSUPP) {
		t.Errorf("another flag: %d, %v", n, err)
	}
	if n, err := out.WriteBatch(ms, socket.MSG_OOB); n != 0 || !errors.Is(err, syscall.EOPNOTSUPP) {
		t.Errorf("writing with another flag: %d, %v", n, err)
	}
	if n, err := in.ReadBatch(nil, 0); n != 0 || err != nil {
		t.Errorf("no messages: %d, %v", n, err)
	}
	good, long := []byte("good"), make([]byte, 66000)
	send := []onlink.Message{{Buffers: [][]byte{good}, Addr: to}, {Buffers: [][]byte{long}, Addr: to}, {Buffers: [][]byte{good}, Addr: to}}
	if n, err := out.WriteBatch(send, 0); n != 1 || err != nil {
		t.Errorf("the second is too long: %d, %v", n, err)
	}
	if n, err := out.WriteBatch(send[1:], 0); n != 0 || !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("the first is too long: %d, %v", n, err)
	}
	for name, addr := range map[string]net.Addr{"none": nil, "TCP's": &net.TCPAddr{}, "nil": (*net.UDPAddr)(nil)} {
		if n, err := out.WriteBatch([]onlink.Message{{Buffers: [][]byte{good}, Addr: addr}}, 0); n != 0 || err == nil {
			t.Errorf("address %s: %d, %v", name, n, err)
		}
	}
	if n, err := out.WriteBatch([]onlink.Message{{Buffers: [][]byte{good}, Addr: to, OOB: []byte("no control message")}}, 0); n != 0 || !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a bad control message: %d, %v", n, err)
	}
	if n, err := in.ReadBatch(ms, 0); n != 1 || err != nil || ms[0].N != 4 {
		t.Errorf("reading: %d, %v", n, err)
	}
	// What does not fit is said to be cut off.
	if _, err := out.WriteBatch([]onlink.Message{{Buffers: [][]byte{good}, Addr: to}}, 0); err != nil {
		t.Fatal(err)
	}
	short := []onlink.Message{{Buffers: [][]byte{make([]byte, 3)}, OOB: make([]byte, 20)}}
	if n, err := in.ReadBatch(short, 0); n != 1 || err != nil || short[0].N != 3 || short[0].Flags != socket.MSG_TRUNC|socket.MSG_CTRUNC {
		t.Errorf("reading into too little: %d, %v, %+v", n, err, short[0])
	}
	done := make(chan error)
	go func() {
		_, err := in.ReadBatch(ms, 0)
		done <- err
	}()
	in.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if _, err := in.WriteBatch(send, 0); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// Several readers of one socket get all of what comes as packets of many datagrams, each once.
func TestReadersShare(t *testing.T) {
	a, b := newPairOn(t, mem.Config{Offload: link.Checksums | link.UDP}, nil)
	out, in := listenUDP(t, a, "udp", ":0"), listenUDP(t, b, "udp", ":7000")
	const packets, each, readers = 50, 20, 4
	seen := make(chan byte, packets*each)
	for i := range readers {
		go func() {
			ms := room(3)
			buf := make([]byte, 100)
			for {
				if i&1 == 0 {
					n, _, err := in.ReadFromUDPAddrPort(buf)
					if err != nil {
						return
					}
					if n != 10 {
						t.Errorf("a datagram of %d octets", n)
					}
					seen <- buf[0]
					continue
				}
				n, err := in.ReadBatch(ms, 0)
				if err != nil {
					return
				}
				for _, m := range ms[:n] {
					if m.N != 10 {
						t.Errorf("a datagram of %d octets", m.N)
					}
					seen <- m.Buffers[0][0]
				}
			}
		}()
	}
	to := netip.MustParseAddrPort(net.JoinHostPort(server4, "7000"))
	data := make([]byte, each*10)
	count := [packets]int{}
	for i := range packets {
		for j := range data {
			data[j] = byte(i)
		}
		if _, err := out.WriteMsg(data, &onlink.ControlMessage{SegmentSize: 10}, to); err != nil {
			t.Fatal(err)
		}
		for range each {
			select {
			case k := <-seen:
				count[k]++
			case <-time.After(10 * time.Second):
				t.Fatal("a datagram is missing")
			}
		}
	}
	for i, n := range count {
		if n != each {
			t.Errorf("%d datagrams of packet %d, want %d", n, i, each)
		}
	}
}
