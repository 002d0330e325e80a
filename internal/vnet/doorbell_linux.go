package vnet

import (
	"encoding/binary"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Doorbell is a link.Doorbell: a descriptor that the runtime's poller watches.
type Doorbell struct {
	rung atomic.Bool
	file *os.File
	raw  syscall.RawConn

	look  func(fd uintptr) bool // these two are made once
	write func(fd uintptr)
}

// NewDoorbell returns a doorbell, to be closed after its last use.
func NewDoorbell() (*Doorbell, error) {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	d := &Doorbell{file: os.NewFile(uintptr(fd), "doorbell")}
	if d.raw, err = d.file.SyscallConn(); err != nil {
		d.file.Close()
		return nil, err
	}
	d.look = func(uintptr) bool { return d.rung.Load() }
	d.write = func(fd uintptr) { unix.Write(int(fd), one) }
	return d, nil
}

// one is what is written to an eventfd. The count that it adds to is never read: to a poller that waits for edges, as Go's does,
// each write is an event, and only the one after 2^64 - 2 others is refused.
var one = binary.NativeEndian.AppendUint64(nil, 1)

// Arm implements link.Doorbell.
func (d *Doorbell) Arm() { d.rung.Store(false) }

// Wait implements link.Doorbell.
func (d *Doorbell) Wait() bool { return d.raw.Read(d.look) == nil }

// Ring implements link.Doorbell.
func (d *Doorbell) Ring() {
	if !d.rung.Swap(true) {
		d.raw.Control(d.write)
	}
}

// Close ends Wait for good.
func (d *Doorbell) Close() error { return d.file.Close() }
