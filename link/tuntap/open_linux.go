package tuntap

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/internal/vnet"
	"github.com/onlink-go/onlink/link"
)

// cloneDevice is where TAP and TUN devices come from.
const cloneDevice = "/dev/net/tun"

// openQueues opens the device's queues and returns their descriptors, non-blocking ones, the device's name, and what the kernel
// takes.
func openQueues(path, name string, cfg Config) (fds []int, actual string, can link.Offload, err error) {
	if err := cfg.check(); err != nil {
		return nil, "", 0, err
	}
	for len(fds) < max(cfg.Queues, 1) {
		var fd int
		if fd, name, can, err = openFD(path, name, cfg); err != nil {
			closeAll(fds)
			return nil, "", 0, err
		}
		fds = append(fds, fd)
	}
	return fds, name, can, nil
}

// closeAll closes descriptors; negative ones are none.
func closeAll(fds []int) {
	for _, fd := range fds {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// openFD opens the device and returns a non-blocking descriptor, the device's name, and what the kernel takes.
func openFD(path, name string, cfg Config) (fd int, actual string, can link.Offload, err error) {
	if err := checkName(name); err != nil {
		return -1, "", 0, err
	}
	shown := name
	if shown == "" {
		shown = "a new " + cfg.mode()
	}
	fd, err = unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, "", 0, explainOpen(path, shown, err)
	}
	ifr, err := unix.NewIfreq(name)
	if err == nil {
		flags := uint16(unix.IFF_TAP)
		if cfg.TUN {
			flags = unix.IFF_TUN
		}
		if !cfg.NoOffload {
			flags |= unix.IFF_VNET_HDR
		}
		if cfg.Queues > 1 {
			flags |= unix.IFF_MULTI_QUEUE
		}
		ifr.SetUint16(flags | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	}
	if err != nil {
		unix.Close(fd)
		return -1, "", 0, explainAttach(shown, &cfg, kindOf(name), err)
	}
	if !cfg.NoOffload {
		if can, err = accept(fd); err != nil {
			unix.Close(fd)
			return -1, "", 0, fmt.Errorf("tuntap: %s does not take super-packets (%w): open it with NoOffload", ifr.Name(), err)
		}
	}
	return fd, ifr.Name(), can, nil
}

// accept has the kernel send us super-packets, of TCP and if it can of UDP, and frames whose checksum is yet to be made. It
// returns what the kernel takes from us: the same.
func accept(fd int) (link.Offload, error) {
	const tcp, udp = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6 | unix.TUN_F_TSO_ECN, unix.TUN_F_USO4 | unix.TUN_F_USO6
	err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, tcp|udp)
	if err == nil {
		return vnet.WithUDP, nil
	}
	if err == unix.EINVAL { // before Linux 6.2
		err = unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, tcp)
	}
	return vnet.Offloads, err
}

// explainOpen says what it means that /dev/net/tun cannot be opened.
func explainOpen(path, name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return fmt.Errorf("tuntap: cannot open %s because there is no %s: load the driver with `modprobe tun`, or start the "+
			"container with `--device %s` (%w)", name, path, cloneDevice, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("tuntap: cannot open %s because this user may not open %s: run as root, or allow it with "+
			"`chmod 666 %[2]s` as on most systems (%w)", name, path, err)
	}
	return fmt.Errorf("tuntap: cannot open %s: %s: %w", name, path, err)
}

// kind is what interface exists under a name.
type kind string

const (
	absent kind = ""
	tap    kind = "tap"
	tun    kind = "tun"
	other  kind = "other"
)

// kindOf returns what the interface of that name is.
func kindOf(name string) kind {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return absent
	}
	defer unix.Close(s)
	if ifr, err := unix.NewIfreq(name); err != nil || unix.IoctlIfreq(s, unix.SIOCGIFFLAGS, ifr) != nil {
		return absent
	}
	info, err := unix.IoctlGetEthtoolDrvinfo(s, name)
	if err != nil || text(info.Driver[:]) != "tun" {
		return other
	}
	if text(info.Bus_info[:]) == "tun" {
		return tun
	}
	return tap
}

func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

// explainAttach says what it means that the kernel does not give out the device.
func explainAttach(name string, cfg *Config, is kind, err error) error {
	mode := cfg.mode()
	switch {
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("tuntap: %s is in use by another program: stop that, or use another device (%w)", name, err)
	case is == other:
		return fmt.Errorf("tuntap: %s is neither a TAP nor a TUN device: use another name (%w)", name, err)
	case errors.Is(err, unix.EPERM) && is != absent:
		return fmt.Errorf("tuntap: not permitted to use %s, which belongs to another user: run as root, or make one for "+
			"yourself with `ip tuntap add dev NAME mode %s user $USER` as root (%w)", name, mode, err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("tuntap: not permitted to create %s: run as root, or first `ip tuntap add dev %[1]s mode %[2]s user "+
			"$USER` as root (%[3]w)", name, mode, err)
	case errors.Is(err, unix.EINVAL) && is != absent && string(is) != mode:
		return fmt.Errorf("tuntap: %s is a %s device, not a %s: open it as one, or use another name (%w)", name, is, mode, err)
	case errors.Is(err, unix.EINVAL) && is != absent:
		if cfg.Queues > 1 {
			mode += " multi_queue"
		}
		return fmt.Errorf("tuntap: %s was made with flags that do not fit, as multi_queue (for several queues, and only for them) "+
			"or vnet_hdr: make it anew with `ip tuntap add dev %[1]s mode %[2]s` (%[3]w)", name, mode, err)
	}
	return fmt.Errorf("tuntap: cannot open %s %s: %w", mode, name, err)
}
