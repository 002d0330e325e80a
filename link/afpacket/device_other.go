//go:build !linux

package afpacket

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/onlink-go/onlink/link"
)

// Device is an interface of the kernel's. Only Linux has packet sockets; elsewhere there is never one.
type Device struct{ link.Link }

// Open fails with [errors.ErrUnsupported]: this package works on Linux only.
func Open(name string, cfg Config) (*Device, error) {
	return nil, fmt.Errorf("afpacket: cannot open %q: only Linux has packet sockets, and this is %s: %w", name, runtime.GOOS,
		errors.ErrUnsupported)
}

// Name returns the name of the interface.
func (d *Device) Name() string { return "" }

// Gone returns a channel that is closed when the interface does not exist any more.
func (d *Device) Gone() <-chan struct{} { return nil }

// Stats returns the counters of the device.
func (d *Device) Stats() link.Stats { return link.Stats{} }
