package afpacket

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/vnet"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/wire"
)

// Device is an interface of the kernel's. It is a [link.Link]. One goroutine reads it until Close, and one what the kernel
// tells of its state.
type Device struct {
	name      string
	index     int
	ownAddr   bool // the interface's address is the stack's
	noOffload bool
	file      *os.File // the packet socket
	raw       syscall.RawConn
	watch     *watch
	slot      *link.Slot
	bell      *vnet.Doorbell
	all       sync.WaitGroup // the goroutines

	mu   sync.Mutex
	info link.Info
	err  error // why the device is dead, or link.ErrClosed

	gone chan struct{} // closed when the interface does not exist any more

	out []sender // by send queue

	inFrames, inOctets, inDrops, outFrames, outOctets, outDrops atomic.Uint64
}

var _ link.Link = (*Device)(nil)

// Open opens the interface of that name, which may be down. Errors are sentences that say what to do, and wrap the
// syscall.Errno: EPERM without CAP_NET_RAW, ENODEV without such an interface, EPFNOSUPPORT if it is not an Ethernet one.
func Open(name string, cfg Config) (*Device, error) {
	if cfg.Runtime == nil {
		cfg.Runtime = clock.NewReal()
	}
	d := &Device{name: name, ownAddr: cfg.Addr == (wire.MAC{}), noOffload: cfg.NoOffload, slot: link.NewSlot(cfg.Runtime),
		gone: make(chan struct{})}
	d.out = make([]sender, min(runtime.GOMAXPROCS(0), mostSenders))
	d.info = link.Info{Medium: link.Ethernet, Queues: 1, SendQueues: len(d.out), Addr: cfg.Addr}
	if !cfg.NoOffload {
		d.info.Offload = takes()
	}
	var err error
	if d.index, err = indexOf(name); err != nil {
		return nil, err
	}
	// The watch comes first, so that no change is missed.
	if d.watch, err = openWatch(name, d.index); err != nil {
		return nil, err
	}
	fd := -1
	state, err := d.watch.first()
	if err == nil {
		fd, err = openSocket(name, d.index, state, cfg)
	}
	if err != nil {
		d.watch.close()
		return nil, err
	}
	d.adopt(state)
	// Non-blocking, so that the runtime's poller takes the descriptors.
	d.file = os.NewFile(uintptr(fd), "packet socket on "+name)
	if d.raw, err = d.file.SyscallConn(); err == nil {
		err = d.watch.begin()
	}
	if err == nil {
		d.bell, err = vnet.NewDoorbell()
	}
	if err != nil {
		d.file.Close()
		d.watch.close()
		return nil, fmt.Errorf("afpacket: cannot open %s: %w", name, err)
	}
	d.info.Doorbell = d.bell
	for i := range d.out {
		d.out[i].init(d, i)
	}
	d.all.Go(d.read)
	d.all.Go(d.follow)
	return d, nil
}

// Name returns the name that the interface had when it was opened.
func (d *Device) Name() string { return d.name }

// Info returns the link's present properties. It is up if the interface is and has a carrier.
func (d *Device) Info() link.Info {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.info
}

// Gone returns a channel that is closed when the interface does not exist any more, and the link is dead. That the link is not
// up may have other reasons.
func (d *Device) Gone() <-chan struct{} { return d.gone }

// Stats returns the counters of the device. Drops are also those of the socket's queue, where frames wait to be read.
func (d *Device) Stats() link.Stats {
	d.raw.Control(func(fd uintptr) {
		// Asking sets the kernel's counters to zero.
		if s, err := unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			d.inDrops.Add(uint64(s.Drops))
		}
	})
	return link.Stats{
		InFrames: d.inFrames.Load(), InOctets: d.inOctets.Load(), InDrops: d.inDrops.Load(),
		OutFrames: d.outFrames.Load(), OutOctets: d.outOctets.Load(), OutDrops: d.outDrops.Load(),
	}
}

// Attach makes r the receiver; see [link.Link]. Frames that come while there is none are freed.
func (d *Device) Attach(r link.Receiver) error { return d.slot.Attach(r) }

// Close closes the device and returns when nothing reads it any more. The interface remains as it was.
func (d *Device) Close() error {
	if !d.slot.Close() {
		return nil
	}
	d.mu.Lock()
	d.err = link.ErrClosed
	d.info.Up = false
	d.mu.Unlock()
	err := errors.Join(d.file.Close(), d.watch.close(), d.bell.Close())
	for i := range d.out {
		d.out[i].finish() // no goroutine begins any more
	}
	d.all.Wait()
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
	err := fmt.Errorf("afpacket: %s is gone: it was deleted, or moved, while in use (%w)", d.name, cause)
	d.err = err
	close(d.gone)
	d.info.Up = false
	info := d.info
	d.mu.Unlock()
	d.slot.Changed(info)
	return err
}

// follow tells the receiver what becomes of the interface, until the device is closed or the interface gone.
func (d *Device) follow() {
	for {
		state, err := d.watch.next()
		switch {
		case errors.Is(err, os.ErrClosed):
			return
		case err != nil:
			d.die(err)
			return
		}
		if info, changed := d.adopt(state); changed {
			d.slot.Changed(info)
		}
	}
}

// adopt makes s the interface's state. It returns the link's properties, and whether they are new.
func (d *Device) adopt(s state) (info link.Info, changed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.info, false
	}
	was := d.info
	d.info.Up, d.info.MTU = s.up, s.mtu
	if d.ownAddr {
		d.info.Addr = s.addr
	}
	return d.info, d.info != was
}
