package tuntap

import (
	"errors"
	"fmt"
	"runtime"
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

// Device is a TAP or TUN device. It is a [link.Link]. One goroutine reads each of its queues until Close.
type Device struct {
	name   string
	queues []*queue
	steer  *steering // which queue frames go by; nil: there is one only
	ctl    int       // a socket in the device's network namespace, for ioctls
	slot   *link.Slot
	vnet   bool // a virtio-net header is in front of each frame
	bell   *vnet.Doorbell

	mu   sync.RWMutex // Send has it for reading, so that nothing is closed meanwhile
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
	fds, name, can, err := openQueues(path, name, cfg)
	if err != nil {
		return nil, err
	}
	d := &Device{name: name, ctl: -1, slot: link.NewSlot(cfg.Runtime), vnet: !cfg.NoOffload}
	d.info = link.Info{Medium: link.IP, Queues: len(fds), SendQueues: runtime.GOMAXPROCS(0), Up: true, Offload: can}
	if d.ctl, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
		err = fmt.Errorf("tuntap: cannot ask for the MTU of %s: %w", name, err)
	} else {
		d.info.MTU, err = d.mtu()
	}
	if err == nil {
		d.bell, err = vnet.NewDoorbell()
	}
	if err != nil {
		closeAll(append(fds, d.ctl))
		return nil, err
	}
	d.info.Doorbell = d.bell
	if !cfg.TUN {
		d.info.Medium, d.info.Addr = link.Ethernet, cfg.Addr
		if cfg.Addr == (wire.MAC{}) {
			d.info.Addr = link.RandomMAC(cfg.Runtime)
		}
	}
	if len(fds) > 1 {
		d.steer = newSteering(len(fds), d.info.Medium.HeaderLen())
	}
	for i, fd := range fds {
		d.queues = append(d.queues, newQueue(d, i, fd, path))
	}
	for _, q := range d.queues {
		go q.read()
	}
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
	d.mu.RLock()
	defer d.mu.RUnlock()
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

// Send writes the frames of b to the device, each by its flow's queue, whatever q is. One that the kernel refuses, because its side
// is down or the frame makes no sense, is dropped and counted. The error is link.ErrClosed, or says that the device is gone.
//
// A write waits for nothing, not for other writes either: the caller's processor takes the frame as far as the kernel's socket.
func (d *Device) Send(_ int, b *packet.Batch) error {
	err, gone := d.send(b)
	if gone {
		return d.die(err)
	}
	return err
}

// send is Send; gone says that the error is the kernel's, and means that the device is.
func (d *Device) send(b *packet.Batch) (err error, gone bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.err != nil {
		return d.err, false
	}
	header := d.info.Medium.HeaderLen()
	for p := b.Front(); p != nil; p = b.Front() {
		n, q := p.Len(), d.queues[0]
		if d.steer != nil {
			q = d.queues[d.steer.out(p.Bytes())]
		}
		if d.vnet {
			vnet.Put(p, header)
		}
		switch err := q.write(p.Bytes()); err {
		case nil:
			d.outFrames.Add(1)
			d.outOctets.Add(uint64(n))
		case unix.EBADFD, unix.ENODEV:
			return err, true
		default:
			// EIO: the kernel's side is down. EINVAL: no frame or IP packet. ENOBUFS, ENOMEM: as it says.
			d.outDrops.Add(1)
		}
		b.Pop().Free()
	}
	return nil, false
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
	var err error
	for _, q := range d.queues {
		err = errors.Join(err, q.file.Close())
	}
	for _, q := range d.queues {
		<-q.done
	}
	err = errors.Join(err, d.bell.Close())
	unix.Close(d.ctl)
	return err
}

// die notes that the device is gone and tells the receiver, once. It returns the error for Send.
func (d *Device) die(cause error) error {
	if errno, ok := errors.AsType[syscall.Errno](cause); ok {
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
