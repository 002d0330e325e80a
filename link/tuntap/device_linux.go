package tuntap

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/vnet"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// maxBatch is how many frames are read before they are delivered.
const maxBatch = 64

// Device is a TAP or TUN device. It is a [link.Link]. One goroutine reads it until Close.
type Device struct {
	name string
	file *os.File
	ctl  int // a socket in the device's network namespace, for ioctls
	slot *link.Slot
	done chan struct{} // closed when nothing is read any more
	vnet bool          // a virtio-net header is in front of each frame

	mu   sync.Mutex
	info link.Info
	err  error // why the device is dead, or link.ErrClosed

	inFrames, inOctets, inDrops, outFrames, outOctets, outDrops atomic.Uint64
}

var _ link.Link = (*Device)(nil)

// Open opens the device of that name, and creates it if there is none; the kernel chooses the name, or the number
// for a %d in it, if asked to. Errors are sentences that say what to do, and wrap the syscall.Errno.
func Open(name string, cfg Config) (*Device, error) { return open(cloneDevice, name, cfg) }

func open(path, name string, cfg Config) (*Device, error) {
	if cfg.Runtime == nil {
		cfg.Runtime = clock.NewReal()
	}
	fd, name, can, err := openFD(path, name, cfg)
	if err != nil {
		return nil, err
	}
	ctl, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("tuntap: cannot ask for the MTU of %s: %w", name, err)
	}
	d := &Device{name: name, ctl: ctl, slot: link.NewSlot(cfg.Runtime), done: make(chan struct{}), vnet: !cfg.NoOffload}
	d.info = link.Info{Medium: link.IP, Queues: 1, Up: true, Offload: can}
	if d.info.MTU, err = d.mtu(); err != nil {
		unix.Close(fd)
		unix.Close(ctl)
		return nil, err
	}
	if !cfg.TUN {
		d.info.Medium, d.info.Addr = link.Ethernet, cfg.Addr
		if cfg.Addr == (wire.MAC{}) {
			d.info.Addr = link.RandomMAC(cfg.Runtime)
		}
	}
	// Non-blocking, and with its device attached already: so the runtime's poller takes the descriptor.
	d.file = os.NewFile(uintptr(fd), path)
	go d.read()
	return d, nil
}

// mtu asks the kernel for the device's MTU.
func (d *Device) mtu() (int, error) {
	ifr, err := unix.NewIfreq(d.name)
	if err == nil {
		err = unix.IoctlIfreq(d.ctl, unix.SIOCGIFMTU, ifr)
	}
	if err != nil {
		return 0, fmt.Errorf("tuntap: cannot ask for the MTU of %s: %w", d.name, err)
	}
	return int(ifr.Uint32()), nil
}

// Name returns the name of the device on the kernel's side.
func (d *Device) Name() string { return d.name }

// Info returns the link's properties. The MTU is the kernel's when the device was opened, or when a frame last came
// that was longer.
func (d *Device) Info() link.Info {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.info
}

// Stats returns the counters of the device.
func (d *Device) Stats() link.Stats {
	return link.Stats{
		InFrames: d.inFrames.Load(), InOctets: d.inOctets.Load(), InDrops: d.inDrops.Load(),
		OutFrames: d.outFrames.Load(), OutOctets: d.outOctets.Load(), OutDrops: d.outDrops.Load(),
	}
}

// Attach makes r the receiver; see [link.Link]. Frames that come while there is none are freed.
func (d *Device) Attach(r link.Receiver) error { return d.slot.Attach(r) }

// Send writes the frames of b to the device. One that the kernel refuses, because its side is down or the frame
// makes no sense, is dropped and counted. The error is link.ErrClosed, or says that the device is gone.
func (d *Device) Send(q int, b *packet.Batch) error {
	d.mu.Lock()
	err, header := d.err, d.info.Medium.HeaderLen()
	d.mu.Unlock()
	if err != nil {
		return err
	}
	for p := b.Front(); p != nil; p = b.Front() {
		n := p.Len()
		if d.vnet {
			vnet.Put(p, header)
		}
		_, err := d.file.Write(p.Bytes())
		switch {
		case err == nil:
			d.outFrames.Add(1)
			d.outOctets.Add(uint64(n))
		case errors.Is(err, os.ErrClosed):
			return link.ErrClosed
		case errors.Is(err, unix.EBADFD), errors.Is(err, unix.ENODEV):
			return d.die(err)
		default:
			// EIO: the kernel's side is down. EINVAL: no frame or IP packet. ENOBUFS, ENOMEM: as it says.
			d.outDrops.Add(1)
		}
		b.Pop().Free()
	}
	return nil
}

// Close closes the device and returns when nothing reads it any more.
func (d *Device) Close() error {
	if !d.slot.Close() {
		return nil
	}
	d.mu.Lock()
	d.err = link.ErrClosed
	d.info.Up = false
	d.mu.Unlock()
	err := d.file.Close()
	<-d.done
	unix.Close(d.ctl)
	return err
}

// die notes that the device is gone and tells the receiver, once. It returns the error for Send.
func (d *Device) die(cause error) error {
	var errno syscall.Errno
	if errors.As(cause, &errno) {
		cause = errno
	}
	d.mu.Lock()
	if d.err != nil {
		defer d.mu.Unlock()
		return d.err
	}
	err := fmt.Errorf("tuntap: %s is gone: it was deleted while in use (%w)", d.name, cause)
	d.err = err
	d.info.Up = false
	info := d.info
	d.mu.Unlock()
	d.slot.Changed(info)
	return err
}

// read delivers what comes until the device is closed or gone.
func (d *Device) read() {
	defer close(d.done)
	raw, err := d.file.SyscallConn()
	if err != nil {
		return // closed already
	}
	r := reader{d: d}
	for err == nil {
		err = raw.Read(r.fill)
		if !r.batch.Empty() {
			d.slot.Deliver(0, &r.batch)
		}
		if r.truncated {
			r.truncated = false
			d.refresh()
		}
		if err == nil {
			err = r.err
		}
	}
	if r.spare != nil {
		r.spare.Free()
	}
	if !errors.Is(err, os.ErrClosed) {
		d.die(err)
	}
}

// refresh asks for the MTU again, and tells the receiver if it changed.
func (d *Device) refresh() {
	mtu, err := d.mtu()
	if err != nil {
		return // the device is going; reading will tell
	}
	d.mu.Lock()
	changed := mtu != d.info.MTU && d.err == nil
	if changed {
		d.info.MTU = mtu
	}
	info := d.info
	d.mu.Unlock()
	if changed {
		d.slot.Changed(info)
	}
}

// reader reads frames into a batch.
type reader struct {
	d         *Device
	batch     packet.Batch
	spare     *packet.Buffer // to read into
	truncated bool           // a frame was longer than the MTU promised
	err       error
}

// batchOctets is after how many octets a batch is delivered: what was read is to be used while the cache has it.
const batchOctets = 128 << 10

// smallFrame is up to how many octets a frame is copied to a block of its size, so that the large one can be read into again.
const smallFrame = 4 << 10

// fill reads what is there, at most a batch. It returns false if there is nothing: so the poller waits for more.
func (r *reader) fill(fd uintptr) bool {
	info := r.d.Info()
	octets := 0
	for r.batch.Len() < maxBatch && octets < batchOctets && !r.truncated {
		if r.spare == nil {
			r.spare = packet.New(r.longest(&info))
		}
		n, err := unix.Read(int(fd), r.spare.Bytes())
		switch err {
		case nil:
			octets += n
			r.take(n, &info)
		case unix.EINTR:
		case unix.EAGAIN:
			return !r.batch.Empty() || r.truncated
		default:
			r.err = err
			return true
		}
	}
	return true
}

// longest returns how many octets to read at once: one more than the longest frame has, to notice a longer one.
func (r *reader) longest(info *link.Info) int {
	if r.d.vnet {
		return vnet.LongestRead
	}
	return min(info.MaxFrame()+1, packet.MaxLen)
}

// take puts the frame of n octets that was read into the batch.
func (r *reader) take(n int, info *link.Info) {
	d, p := r.d, r.spare
	if r.d.vnet && n <= smallFrame {
		p = packet.From(r.spare.Bytes()[:n])
	} else {
		r.truncated = n == p.Len()
		r.spare = nil
		p.Truncate(n)
	}
	ok := !r.truncated && n > 0
	if ok && d.vnet {
		ok = vnet.Take(p)
		n = p.Len()
		r.truncated = p.GSOSize == 0 && n > info.MaxFrame()
	}
	if !ok || r.truncated || !vnet.Land(info.Medium, p) {
		d.inDrops.Add(1)
		p.Free()
		return
	}
	d.inFrames.Add(1)
	d.inOctets.Add(uint64(n))
	r.batch.Push(p)
}
