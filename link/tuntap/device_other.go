//go:build !linux

package tuntap

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/onlink-go/onlink/link"
)

// Device is a TAP or TUN device. Only Linux has them; elsewhere there is never one.
type Device struct{ link.Link }

// Open fails with [errors.ErrUnsupported]: this package works on Linux only.
func Open(name string, cfg Config) (*Device, error) {
	if err := errors.Join(checkName(name), cfg.check()); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("tuntap: cannot open %s %q: only Linux has such devices, and this is %s: %w", cfg.mode(), name,
		runtime.GOOS, errors.ErrUnsupported)
}

// Name returns the name of the device.
func (d *Device) Name() string { return "" }

// Stats returns the counters of the device.
func (d *Device) Stats() link.Stats { return link.Stats{} }
