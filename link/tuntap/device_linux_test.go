package tuntap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/internal/netns"
	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// patience is how long a test waits for what must happen. It is not reached where the code is right.
const patience = 10 * time.Second

func openDevice(t *testing.T, name string, cfg Config) *Device {
	t.Helper()
	d, err := Open(name, cfg)
	if err != nil {
		if errors.Is(err, syscall.ENOENT) {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// receiver passes on what it is told, but for frames the kernel sends of its own accord.
type receiver struct {
	frames  chan *packet.Buffer
	changed chan link.Info
}

func newReceiver() *receiver {
	return &receiver{make(chan *packet.Buffer, 1000), make(chan link.Info, 10)}
}

func (r *receiver) Deliver(_ int, b *packet.Batch) {
	for p := b.Pop(); p != nil; p = b.Pop() {
		if f := p.Bytes(); p.EtherType == 0 && binary.BigEndian.Uint16(f[12:]) != 0x88b5 || p.EtherType == wire.EtherTypeIPv6 {
			p.Free()
			continue
		}
		r.frames <- p
	}
}

func (r *receiver) Ready(int)              {}
func (r *receiver) Changed(info link.Info) { r.changed <- info }

func wait[T any](t *testing.T, c chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
	}
	return v
}

// kernelSide is a packet socket on the kernel's side of a TAP.
type kernelSide int

func openKernelSide(t *testing.T, name string) kernelSide {
	t.Helper()
	const proto = 0xb588 // 0x88b5 in network order: local experimental
	s, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(s) })
	i, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(s, &unix.SockaddrLinklayer{Protocol: proto, Ifindex: i.Index}); err != nil {
		t.Fatal(err)
	}
	tv := unix.NsecToTimeval(int64(patience))
	if err := unix.SetsockoptTimeval(s, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		t.Fatal(err)
	}
	return kernelSide(s)
}

func (s kernelSide) send(t *testing.T, frame []byte) {
	t.Helper()
	if _, err := unix.Write(int(s), frame); err != nil {
		t.Fatalf("the kernel's side did not send: %v", err)
	}
}

func (s kernelSide) receive(t *testing.T) []byte {
	t.Helper()
	b := make([]byte, 70000)
	n, err := unix.Read(int(s), b)
	if err != nil {
		t.Fatalf("nothing came on the kernel's side: %v", err)
	}
	return b[:n]
}

// frame returns an Ethernet frame of n octets.
func frame(i, n int) []byte {
	f := make([]byte, n)
	copy(f, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5})
	for j := 14; j < n; j++ {
		f[j] = byte(i + j)
	}
	return f
}

func send(t *testing.T, d *Device, frames ...[]byte) error {
	t.Helper()
	var b packet.Batch
	for _, f := range frames {
		b.Push(packet.From(f))
	}
	err := d.Send(0, &b)
	b.Free()
	return err
}

func TestTAP(t *testing.T) {
	netns.Enter(t)
	addr := wire.MAC{2, 0, 0, 0, 0, 9}
	d := openDevice(t, "otap0", Config{Addr: addr, NoOffload: true})
	r := newReceiver()
	if err := d.Attach(r); err != nil {
		t.Fatal(err)
	}
	want := link.Info{MTU: 1500, Addr: addr, Medium: link.Ethernet, Queues: 1, SendQueues: runtime.GOMAXPROCS(0), Up: true, Doorbell: d.bell}
	if got := d.Info(); got != want || d.Name() != "otap0" {
		t.Errorf("%s: Info = %+v, want %+v", d.Name(), got, want)
	}
	netns.IP(t, "link set otap0 up")
	k := openKernelSide(t, "otap0")

	const n = 200
	var out [][]byte
	for i := range n {
		out = append(out, frame(i, 60+i*7))
	}
	for i := range n {
		if i%20 == 0 { // as many as the packet socket holds
			if err := send(t, d, out[i:i+20]...); err != nil {
				t.Fatal(err)
			}
		}
		if got := k.receive(t); !bytes.Equal(got, out[i]) {
			t.Fatalf("frame %d out: % x\nwant % x", i, got, out[i])
		}
	}
	for i := range n {
		k.send(t, out[i])
	}
	for i := range n {
		p := wait(t, r.frames, "a frame")
		if !bytes.Equal(p.Bytes(), out[i]) {
			t.Fatalf("frame %d in: % x\nwant % x", i, p.Bytes(), out[i])
		}
		p.Free()
	}
	if s := d.Stats(); s.OutFrames != n || s.InFrames < n || s.OutDrops != 0 || s.InDrops != 0 {
		t.Errorf("Stats = %+v", s)
	}

	if err := d.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := net.InterfaceByName("otap0"); err == nil {
		t.Error("the device is still there after Close")
	}
	if err := send(t, d, frame(0, 60)); !errors.Is(err, link.ErrClosed) {
		t.Errorf("Send after Close: %v, want ErrClosed", err)
	}
	if err := d.Attach(r); !errors.Is(err, link.ErrClosed) {
		t.Errorf("Attach after Close: %v, want ErrClosed", err)
	}
	if err := d.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	select {
	case <-d.queues[0].done:
	default:
		t.Error("the reading goroutine is still there after Close")
	}
}

func TestTUN(t *testing.T) {
	for _, no := range []bool{false, true} {
		t.Run(fmt.Sprintf("NoOffload %v", no), func(t *testing.T) { testTUN(t, no) })
	}
}

func testTUN(t *testing.T, no bool) {
	netns.Enter(t)
	d := openDevice(t, "otun%d", Config{TUN: true, NoOffload: no})
	r := newReceiver()
	d.Attach(r)
	if i := d.Info(); d.Name() != "otun0" || i.Medium != link.IP || i.Addr != (wire.MAC{}) {
		t.Errorf("%s: %+v", d.Name(), i)
	}
	netns.IP(t, "address add 192.0.2.1/24 dev otun0")
	netns.IP(t, "link set otun0 up")
	c, err := net.Dial("udp", "192.0.2.2:5000")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte("there")); err != nil {
		t.Fatal(err)
	}
	p := wait(t, r.frames, "the datagram")
	if got := p.Flags&packet.ChecksumLater != 0; got == no {
		t.Errorf("its checksum is left to us: %v", got)
	}
	offload.Finish(p, 0)
	f := p.Bytes()
	if p.EtherType != wire.EtherTypeIPv4 || f[0] != 0x45 || !bytes.HasSuffix(f, []byte("there")) {
		t.Fatalf("came EtherType %#x: % x", p.EtherType, f)
	}
	// Back the way it came, with addresses and ports exchanged; so the checksums stay right.
	for i := range 4 {
		f[12+i], f[16+i] = f[16+i], f[12+i]
	}
	for i := range 2 {
		f[20+i], f[22+i] = f[22+i], f[20+i]
	}
	if err := send(t, d, f, []byte{0x10, 0}); err != nil {
		t.Fatal(err)
	}
	p.Free()
	b := make([]byte, 100)
	if n, err := c.Read(b); err != nil || string(b[:n]) != "there" {
		t.Errorf("read %q, %v", b[:n], err)
	}
	// The kernel takes IPv4 and IPv6 only: EINVAL.
	if s := d.Stats(); s.OutFrames != 1 || s.OutDrops != 1 {
		t.Errorf("Stats = %+v, want one frame sent and one dropped", s)
	}
}

// While the kernel's side is down, frames are dropped and counted; later ones pass.
func TestDown(t *testing.T) {
	netns.Enter(t)
	d := openDevice(t, "otap0", Config{})
	if err := send(t, d, frame(1, 60), frame(2, 60)); err != nil {
		t.Errorf("Send to a device that is down: %v", err)
	}
	if s := d.Stats(); s.OutDrops != 2 || s.OutFrames != 0 {
		t.Errorf("Stats = %+v, want two drops", s)
	}
	netns.IP(t, "link set otap0 up")
	k := openKernelSide(t, "otap0")
	if err := send(t, d, frame(3, 60)); err != nil {
		t.Fatal(err)
	}
	if got := k.receive(t); !bytes.Equal(got, frame(3, 60)) {
		t.Errorf("came % x", got)
	}
	netns.IP(t, "link set otap0 down")
	if err := send(t, d, frame(4, 60)); err != nil || d.Stats().OutDrops != 3 {
		t.Errorf("Send after the device went down: %v, %+v", err, d.Stats())
	}
	if !d.Info().Up {
		t.Error("the link is dead")
	}
}

func TestDeleted(t *testing.T) {
	netns.Enter(t)
	d := openDevice(t, "otap0", Config{})
	r := newReceiver()
	d.Attach(r)
	netns.IP(t, "link set otap0 up")
	netns.IP(t, "link delete otap0")
	if info := wait(t, r.changed, "Changed"); info.Up {
		t.Errorf("Changed(%+v), want Up false", info)
	}
	err := send(t, d, frame(1, 60))
	if err == nil || errors.Is(err, link.ErrClosed) || !strings.Contains(err.Error(), "otap0 is gone") {
		t.Errorf("Send = %v, want that the device is gone", err)
	}
	if d.Info().Up {
		t.Error("still up")
	}
	if err := d.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// A frame longer than the buffers is lost, but from then on the new MTU is known.
func TestMTUGrows(t *testing.T) {
	netns.Enter(t)
	d := openDevice(t, "otap0", Config{})
	r := newReceiver()
	d.Attach(r)
	netns.IP(t, "link set otap0 up mtu 9000")
	k := openKernelSide(t, "otap0")
	k.send(t, frame(1, 9014))
	if info := wait(t, r.changed, "Changed"); info.MTU != 9000 || !info.Up {
		t.Errorf("Changed(%+v), want an MTU of 9000", info)
	}
	k.send(t, frame(2, 9014))
	p := wait(t, r.frames, "the frame")
	if !bytes.Equal(p.Bytes(), frame(2, 9014)) {
		t.Errorf("a frame of %d octets came, not the second sent", p.Len())
	}
	p.Free()
	if s := d.Stats(); s.InDrops != 1 {
		t.Errorf("Stats = %+v, want one drop", s)
	}
}

// Attach(nil) waits until no call is under way.
func TestDetach(t *testing.T) {
	netns.Enter(t)
	d := openDevice(t, "otap0", Config{})
	r := newReceiver()
	r.frames = make(chan *packet.Buffer) // Deliver is under way until the frame is taken
	d.Attach(r)
	if err := d.Attach(newReceiver()); !errors.Is(err, link.ErrAttached) {
		t.Errorf("second Attach = %v, want ErrAttached", err)
	}
	netns.IP(t, "link set otap0 up")
	k := openKernelSide(t, "otap0")
	k.send(t, frame(1, 60))
	detached := make(chan struct{})
	wait(t, r.frames, "the frame").Free()
	k.send(t, frame(2, 60))
	go func() {
		d.Attach(nil)
		close(detached)
	}()
	for {
		select {
		case p := <-r.frames:
			p.Free()
			continue
		case <-detached:
		case <-time.After(patience):
			t.Fatal("Attach(nil) did not return")
		}
		break
	}
	k.send(t, frame(3, 60))
	again := newReceiver()
	d.Attach(again)
	k.send(t, frame(4, 60))
	for {
		p := wait(t, again.frames, "a frame for the second receiver")
		last := bytes.Equal(p.Bytes(), frame(4, 60))
		p.Free()
		if last {
			break
		}
	}
}

func TestOpenErrors(t *testing.T) {
	netns.Enter(t)
	busy := openDevice(t, "obusy", Config{})
	netns.IP(t, "tuntap add dev otun9 mode tun")
	netns.IP(t, "tuntap add dev otap9 mode tap")
	netns.IP(t, "tuntap add dev oother mode tap user 12345")
	netns.IP(t, "tuntap add dev omulti mode tap multi_queue")
	netns.IP(t, "tuntap add dev osingle mode tap")
	tests := []struct {
		name, path, dev string
		cfg             Config
		drop            bool // without CAP_NET_ADMIN
		errno           error
		want            string
	}{
		{"missing driver", "/dev/net/nosuch", "otap1", Config{}, false, syscall.ENOENT, "there is no /dev/net/nosuch: load the driver with `modprobe tun`"},
		{"busy", cloneDevice, "obusy", Config{}, false, syscall.EBUSY, "obusy is in use by another program"},
		{"TAP asked of a TUN", cloneDevice, "otun9", Config{}, false, syscall.EINVAL, "otun9 is a tun device, not a tap"},
		{"TUN asked of a TAP", cloneDevice, "otap9", Config{TUN: true}, false, syscall.EINVAL, "otap9 is a tap device, not a tun"},
		{"several queues", cloneDevice, "omulti", Config{}, false, syscall.EINVAL, "omulti was made with flags that do not fit"},
		{"several queues asked of one", cloneDevice, "osingle", Config{Queues: 2}, false, syscall.EINVAL, "`ip tuntap add dev osingle mode tap multi_queue`"},
		{"too many queues", cloneDevice, "otap1", Config{Queues: 257}, false, nil, "cannot have 257 queues: ask for 1 to 256"},
		{"less than no queue", cloneDevice, "otap1", Config{Queues: -1}, false, nil, "cannot have -1 queues: ask for 1 to 256"},
		{"no TAP at all", cloneDevice, "lo", Config{}, false, syscall.EINVAL, "lo is neither a TAP nor a TUN device"},
		{"name too long", cloneDevice, "sixteen-octets-x", Config{}, false, nil, `device name "sixteen-octets-x" is too long: at most 15 octets`},
		{"name with a slash", cloneDevice, "a/b", Config{}, false, nil, `"a/b" is no name for a device`},
		{"name with a space", cloneDevice, "a b", Config{}, false, nil, `"a b" is no name for a device`},
		{"name of a folder", cloneDevice, "..", Config{}, false, nil, `".." is no name for a device`},
		{"not permitted to create", cloneDevice, "otap1", Config{}, true, syscall.EPERM, "not permitted to create otap1: run as root, or first `ip tuntap add dev otap1 mode tap user $USER` as root"},
		{"not permitted to create a TUN", cloneDevice, "", Config{TUN: true}, true, syscall.EPERM, "not permitted to create a new tun"},
		{"another user's", cloneDevice, "oother", Config{}, true, syscall.EPERM, "not permitted to use oother, which belongs to another user"},
	}
	for _, tt := range tests {
		if tt.drop {
			netns.Drop(t, unix.CAP_NET_ADMIN)
		}
		d, err := open(tt.path, tt.dev, tt.cfg)
		if err == nil {
			d.Close()
			t.Errorf("%s: no error", tt.name)
			continue
		}
		if !strings.HasPrefix(err.Error(), "tuntap: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %q, want %q in it", tt.name, err, tt.want)
		}
		if tt.errno != nil && !errors.Is(err, tt.errno) {
			t.Errorf("%s: %q does not wrap %v", tt.name, err, tt.errno)
		}
	}
	busy.Close()
}

func TestExplainOpen(t *testing.T) {
	for _, tt := range []struct {
		errno syscall.Errno
		want  string
	}{
		{syscall.ENOENT, "modprobe tun"},
		{syscall.ENODEV, "modprobe tun"},
		{syscall.EACCES, "run as root"},
		{syscall.EPERM, "run as root"},
		{syscall.EMFILE, "tuntap: cannot open tap0: /dev/net/tun: too many open files"},
	} {
		err := explainOpen(cloneDevice, "tap0", tt.errno)
		if !strings.Contains(err.Error(), tt.want) || !errors.Is(err, tt.errno) || strings.Contains(err.Error(), "%!") {
			t.Errorf("%v: %q, want %q in it", tt.errno, err, tt.want)
		}
	}
}

// Bytes per second are those of frames on the way to the kernel, which drops them as soon as it sees that nobody
// wants them.
func BenchmarkSend(b *testing.B) {
	netns.Enter(b)
	d, err := Open("otap0", Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	netns.IP(b, "link set otap0 up")
	for _, n := range []int{64, 1514} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := frame(0, n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			var bt packet.Batch
			for b.Loop() {
				bt.Push(packet.From(f))
				d.Send(0, &bt)
			}
		})
	}
}
