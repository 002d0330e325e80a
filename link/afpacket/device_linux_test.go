package afpacket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/internal/netns"
	"github.com/onlink-go/onlink/internal/vnet"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/linktest"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// patience is how long a test waits for what must happen. It is not reached where the code is right.
const patience = 10 * time.Second

// inNamespace runs the rest of the test in a network namespace of its own, with the two ends of a veth pair, ov0 and ov1, on
// which the kernel says nothing of its own accord.
func inNamespace(t testing.TB) {
	t.Helper()
	netns.Enter(t)
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Skipf("needs to silence the kernel: %v", err)
	}
	netns.IP(t, "link add ov0 type veth peer name ov1")
	netns.IP(t, "link set ov0 up")
	netns.IP(t, "link set ov1 up")
}

func openDevice(t testing.TB, name string, cfg Config) *Device {
	t.Helper()
	d, err := Open(name, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// pair returns both ends.
func pair(t testing.TB) (a, b *Device) {
	t.Helper()
	inNamespace(t)
	a, b = openDevice(t, "ov0", Config{}), openDevice(t, "ov1", Config{})
	eventually(t, "both are up", func() bool { return a.Info().Up && b.Info().Up })
	return a, b
}

// eventually waits until done returns true.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not happen: %s", what)
		}
	}
}

func attach(t *testing.T, d *Device, r link.Receiver) {
	t.Helper()
	if err := d.Attach(r); err != nil {
		t.Fatal(err)
	}
}

// send sends the frames. A veth takes all at once.
func send(t *testing.T, d *Device, frames ...*packet.Buffer) {
	t.Helper()
	sendBy(t, d, 0, frames...)
}

// sendBy is send by a queue; one that is not there is another.
func sendBy(t *testing.T, d *Device, q int, frames ...*packet.Buffer) {
	t.Helper()
	var b packet.Batch
	for _, p := range frames {
		b.Push(p)
	}
	if err := d.Send(q, &b); err != nil || !b.Empty() {
		t.Errorf("Send: %v, and %d frames left", err, b.Len())
		b.Free()
	}
}

// "Send sends the packets of b, in order." Both ways, and by several goroutines at once, by queues of their own as far as there are some.
func TestOrder(t *testing.T) {
	const senders, each = 4, 300
	a, b := pair(t)
	var ra, rb linktest.Recorder
	attach(t, a, &ra)
	attach(t, b, &rb)
	ia, ib := a.Info(), b.Info()
	var all sync.WaitGroup
	for s := range uint32(senders) {
		all.Go(func() {
			for seq := range uint32(each) {
				n := 32 + int(seq*7)%1400
				sendBy(t, a, int(s), linktest.Frame(ia, ib, s, seq, n))
				sendBy(t, b, int(s), linktest.Frame(ib, ia, s, seq, n))
			}
		})
	}
	all.Wait()
	eventually(t, "all frames come", func() bool {
		return len(ra.Frames()) == senders*each && len(rb.Frames()) == senders*each
	})
	ra.Check(t, each, each, each, each)
	rb.Check(t, each, each, each, each)
	for _, d := range []*Device{a, b} {
		if s := d.Stats(); s.OutFrames != senders*each || s.InFrames != senders*each || s.InDrops != 0 || s.OutDrops != 0 || s.InOctets != s.OutOctets {
			t.Errorf("%s: Stats = %+v", d.Name(), s)
		}
	}
}

// A Deliver that sends back neither nests nor deadlocks.
func TestEcho(t *testing.T) {
	const hops = 2000
	a, b := pair(t)
	ia, ib := a.Info(), b.Info()
	done := make(chan struct{})
	var ra, rb linktest.Recorder
	back := func(d *Device, from, to link.Info) func(int, *packet.Buffer) {
		return func(_ int, p *packet.Buffer) {
			_, seq, _ := linktest.Number(p)
			p.Free()
			if seq+1 == hops {
				close(done)
				return
			}
			send(t, d, linktest.Frame(from, to, 0, seq+1, 64))
		}
	}
	ra.OnDeliver, rb.OnDeliver = back(a, ia, ib), back(b, ib, ia)
	attach(t, a, &ra)
	attach(t, b, &rb)
	send(t, a, linktest.Frame(ia, ib, 0, 0, 64))
	wait(t, done, "the last hop")
	if n := len(ra.Frames()) + len(rb.Frames()); n != hops {
		t.Errorf("%d hops, want %d", n, hops)
	}
}

func isGone(d *Device) bool {
	select {
	case <-d.Gone():
		return true
	default:
		return false
	}
}

func wait[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
	}
	return v
}

// "Attach(nil) detaches the receiver and waits until no call to it is under way." So does Close.
func TestDetach(t *testing.T) {
	for name, detach := range map[string]func(*Device){
		"Attach": func(d *Device) { d.Attach(nil) },
		"Close":  func(d *Device) { d.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t)
			ia, ib := a.Info(), b.Info()
			inside, release, detached := make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
			var rb linktest.Recorder
			rb.OnDeliver = func(_ int, p *packet.Buffer) {
				p.Free()
				inside <- struct{}{}
				<-release
			}
			attach(t, b, &rb)
			if err := b.Attach(&rb); !errors.Is(err, link.ErrAttached) {
				t.Errorf("second Attach: %v, want ErrAttached", err)
			}
			send(t, a, linktest.Frame(ia, ib, 0, 0, 64))
			wait(t, inside, "the frame")
			go func() {
				detach(b)
				close(detached)
			}()
			select {
			case <-detached:
				t.Error("returned while a Deliver was under way")
			case <-time.After(20 * time.Millisecond): // long enough to find the fault; a right one waits for ever
			}
			close(release)
			wait(t, detached, "the end")
			send(t, a, linktest.Frame(ia, ib, 0, 1, 64))
			if name == "Attach" { // what comes now is gone, what comes later arrives
				eventually(t, "the second frame is gone", func() bool { return b.Stats().InFrames == 2 })
				var again linktest.Recorder
				attach(t, b, &again)
				eventually(t, "a frame for the next receiver", func() bool {
					send(t, a, linktest.Frame(ia, ib, 0, 7, 64))
					return len(again.Frames()) > 0
				})
			}
			rb.Check(t, 1)
		})
	}
}

// "Send and Attach fail with ErrClosed afterwards. Closing twice is no error." The interface stays.
func TestClose(t *testing.T) {
	a, b := pair(t)
	if err := a.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	var batch packet.Batch
	batch.Push(linktest.Frame(a.Info(), b.Info(), 0, 0, 64))
	if err := a.Send(0, &batch); !errors.Is(err, link.ErrClosed) || batch.Len() != 1 {
		t.Errorf("Send after Close: %v and %d frames left, want ErrClosed and 1", err, batch.Len())
	}
	batch.Free()
	if err := a.Attach(&linktest.Recorder{}); !errors.Is(err, link.ErrClosed) {
		t.Errorf("Attach after Close: %v, want ErrClosed", err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if a.Info().Up || isGone(a) {
		t.Errorf("closed: up %v, gone %v", a.Info().Up, isGone(a))
	}
	openDevice(t, "ov0", Config{})
}

// The receiver is told what becomes of the interface.
func TestChanges(t *testing.T) {
	a, b := pair(t)
	var r linktest.Recorder
	attach(t, a, &r)
	last := func(what string, is func(link.Info) bool) {
		t.Helper()
		eventually(t, what, func() bool {
			c := r.Changes()
			return len(c) > 0 && is(c[len(c)-1]) && a.Info() == c[len(c)-1]
		})
	}
	netns.IP(t, "link set ov1 down")
	last("no carrier", func(i link.Info) bool { return !i.Up })
	send(t, a, linktest.Frame(a.Info(), b.Info(), 0, 0, 64)) // to nowhere
	netns.IP(t, "link set ov1 up")
	last("carrier again", func(i link.Info) bool { return i.Up })
	netns.IP(t, "link set ov0 mtu 1400")
	last("the MTU", func(i link.Info) bool { return i.Up && i.MTU == 1400 })
	netns.IP(t, "link set ov0 address 02:00:00:00:00:77")
	last("the address", func(i link.Info) bool { return i.Up && i.Addr == wire.MAC{2, 0, 0, 0, 0, 0x77} })

	netns.IP(t, "link set ov0 down")
	last("down", func(i link.Info) bool { return !i.Up })
	drops := a.Stats().OutDrops
	send(t, a, linktest.Frame(a.Info(), b.Info(), 0, 0, 64))
	if got := a.Stats().OutDrops; got != drops+1 || isGone(a) {
		t.Errorf("down: %d drops, want %d; gone %v", got, drops+1, isGone(a))
	}
	netns.IP(t, "link set ov0 up")
	last("up again", func(i link.Info) bool { return i.Up })
	send(t, b, linktest.Frame(b.Info(), a.Info(), 0, 0, 64))
	eventually(t, "a frame after that", func() bool { return len(r.Frames()) == 1 })

	netns.IP(t, "link delete ov0")
	last("gone", func(i link.Info) bool { return !i.Up && isGone(a) })
	var batch packet.Batch
	batch.Push(linktest.Frame(a.Info(), b.Info(), 0, 0, 64))
	err := a.Send(0, &batch)
	if !errors.Is(err, syscall.ENODEV) || !strings.Contains(err.Error(), "ov0 is gone") || batch.Len() != 1 {
		t.Errorf("Send = %v, want that the interface is gone; %d frames left", err, batch.Len())
	}
	batch.Free()
	if err := a.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// A link whose interface is down when it is opened comes to life with it.
func TestOpenDown(t *testing.T) {
	inNamespace(t)
	netns.IP(t, "link set ov0 down")
	a, b := openDevice(t, "ov0", Config{}), openDevice(t, "ov1", Config{})
	if a.Info().Up || b.Info().Up {
		t.Errorf("up: %v, %v", a.Info(), b.Info())
	}
	netns.IP(t, "link set ov0 up")
	eventually(t, "up", func() bool { return a.Info().Up && b.Info().Up })
	var r linktest.Recorder
	attach(t, a, &r)
	send(t, b, linktest.Frame(b.Info(), a.Info(), 0, 0, 64))
	eventually(t, "the frame", func() bool { return len(r.Frames()) == 1 })
}

// readied notes which queues are ready.
type readied struct{ calls chan int }

func (readied) Deliver(_ int, b *packet.Batch) { b.Free() }
func (r readied) Ready(q int)                  { r.calls <- q }
func (readied) Changed(link.Info)              {}

// "What it leaves in b stays the caller's, who may try again when Receiver.Ready is called." A slow way out fills the queue.
func TestReady(t *testing.T) {
	if _, err := exec.LookPath("tc"); err != nil {
		t.Skip("needs the program tc (iproute2)")
	}
	a, b := pair(t)
	if out, err := exec.Command("tc", "qdisc", "add", "dev", "ov0", "root", "tbf", "rate", "40mbit", "burst", "10k", "limit", "10m").CombinedOutput(); err != nil {
		t.Skipf("needs a traffic shaper: %s", out)
	}
	queue := a.Info().SendQueues - 1
	ready := readied{make(chan int, 100)}
	var rb linktest.Recorder
	attach(t, a, ready)
	attach(t, b, &rb)
	const n = 1000
	left := 0
	var batch packet.Batch
	for seq := range uint32(n) {
		batch.Push(linktest.Frame(a.Info(), b.Info(), 0, seq, 1400))
	}
	for {
		if err := a.Send(queue, &batch); err != nil {
			t.Fatal(err)
		}
		if batch.Empty() {
			break
		}
		left++
		if _, _, intact := linktest.Number(batch.Front()); !intact || batch.Front().Len() != 1400 {
			t.Fatal("a frame left is not as it was")
		}
		if q := wait(t, ready.calls, "Ready"); q != queue {
			t.Fatalf("queue %d is ready, want %d", q, queue)
		}
	}
	if left == 0 {
		t.Errorf("the link took %d frames and was not full", n)
	}
	eventually(t, "all frames come", func() bool { return len(rb.Frames()) == n })
	rb.Check(t, n)
}

// catcher keeps frames.
type catcher chan *packet.Buffer

func (c catcher) Deliver(_ int, b *packet.Batch) {
	for p := b.Pop(); p != nil; p = b.Pop() {
		c <- p
	}
}
func (c catcher) Ready(int)         {}
func (c catcher) Changed(link.Info) {}

// The kernel takes a VLAN tag off a frame; it is there again when the frame is delivered.
func TestVLAN(t *testing.T) {
	a, b := pair(t)
	c := make(catcher, 10)
	attach(t, b, c)
	for _, tpid := range []uint16{0x8100, 0x88a8} {
		f := bytes.Clone(linktest.Frame(a.Info(), b.Info(), 0, 0, 100).Bytes())
		binary.BigEndian.PutUint16(f[12:], tpid)
		binary.BigEndian.PutUint16(f[14:], 0x6005) // priority 3, VLAN 5
		binary.BigEndian.PutUint16(f[16:], 0x88b5)
		send(t, a, packet.From(f))
		p := wait(t, c, "the frame")
		if !bytes.Equal(p.Bytes(), f) {
			t.Errorf("came % x\nwant % x", p.Bytes()[:20], f[:20])
		}
		p.Free()
	}
}

// Frames that the kernel sends on the interface itself are not delivered.
func TestOutgoing(t *testing.T) {
	a, b := pair(t)
	c := make(catcher, 10)
	attach(t, a, c)
	other := openDevice(t, "ov0", Config{}) // it sends as the kernel does
	send(t, other, linktest.Frame(a.Info(), b.Info(), 9, 0, 64))
	send(t, b, linktest.Frame(b.Info(), a.Info(), 1, 0, 64))
	if sender, _, _ := linktest.Number(wait(t, c, "a frame")); sender != 1 {
		t.Errorf("a frame of sender %d came first", sender)
	}
}

// flags returns what the kernel says of an interface.
func flags(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("ip", "-d", "link", "show", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// A promiscuous device makes the interface so; others have it take all multicast, which the stack chooses from.
func TestListening(t *testing.T) {
	inNamespace(t)
	d := openDevice(t, "ov0", Config{Addr: wire.MAC{2, 0, 0, 0, 0, 5}})
	if f := flags(t, "ov0"); !strings.Contains(f, "allmulti 1") {
		t.Errorf("not all multicast: %s", f)
	}
	if d.Info().Addr != (wire.MAC{2, 0, 0, 0, 0, 5}) {
		t.Errorf("Info = %+v", d.Info())
	}
	d.Close()
	if f := flags(t, "ov0"); !strings.Contains(f, "allmulti 0") || !strings.Contains(f, "promiscuity 0") {
		t.Errorf("after Close: %s", f)
	}
	openDevice(t, "ov0", Config{Promiscuous: true})
	if f := flags(t, "ov0"); !strings.Contains(f, "promiscuity 1") {
		t.Errorf("not promiscuous: %s", f)
	}
}

func TestOpenErrors(t *testing.T) {
	inNamespace(t)
	netns.IP(t, "tuntap add dev otun mode tun")
	for _, tt := range []struct {
		name  string
		drop  bool // without CAP_NET_RAW
		errno syscall.Errno
		want  string
	}{
		{"nosuch", false, syscall.ENODEV, "there is no interface nosuch: `ip link` lists"},
		{"", false, syscall.EINVAL, `"" is no name for an interface`},
		{"sixteen-octets-x", false, syscall.EINVAL, `"sixteen-octets-x" is no name for an interface`},
		{"lo", false, syscall.EPFNOSUPPORT, "lo is the kernel's loopback interface"},
		{"otun", false, syscall.EPFNOSUPPORT, "otun is no Ethernet interface (its type is 65534)"},
		{"ov0", true, syscall.EPERM, "not permitted to open ov0: run as root, or allow the program packet sockets with `setcap cap_net_raw"},
	} {
		if tt.drop {
			netns.Drop(t, unix.CAP_NET_RAW)
		}
		d, err := Open(tt.name, Config{})
		if err == nil {
			d.Close()
			t.Errorf("%q: no error", tt.name)
			continue
		}
		if !strings.HasPrefix(err.Error(), "afpacket: ") || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, tt.errno) {
			t.Errorf("%q: %q, want %q in it and %v", tt.name, err, tt.want, tt.errno)
		}
	}
}

// What a device takes beyond finished frames.
func TestOffloads(t *testing.T) {
	inNamespace(t)
	if got := openDevice(t, "ov0", Config{}).Info().Offload; got != takes() || got&vnet.Offloads != vnet.Offloads {
		t.Errorf("Offload = %v", got)
	}
	if got := openDevice(t, "ov0", Config{NoOffload: true}).Info().Offload; got != 0 {
		t.Errorf("with NoOffload: %v", got)
	}
}
