package main

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/rawfile"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// gvisorTUN is gVisor's stack on a TUN with virtio-net headers: super-packets and checksums on trust, both ways. Its own fdbased
// has such headers for sockets alone, so this link is made for it here.
func gvisorTUN(d direction) opener {
	return d.onDevice(func() (host, error) {
		t, err := openTUN()
		if err != nil {
			return host{}, err
		}
		h, err := gvisorHost(t, serverAddrs)
		if err != nil {
			t.file.Close()
			return host{}, err
		}
		t.running.Go(t.run)
		stop := h.close
		h.close = func() {
			t.file.Close()
			t.running.Wait()
			stop()
		}
		return h, nil
	})
}

// tun is a link to a TUN device.
type tun struct {
	gvisorLink
	fd      int
	file    *os.File // of fd, for waiting
	running sync.WaitGroup
}

func openTUN() (*tun, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("/dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(deviceName)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err == nil {
		err = unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, unix.TUN_F_CSUM|unix.TUN_F_TSO4|unix.TUN_F_TSO6)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("a TUN: %w", err)
	}
	t := &tun{gvisorLink: newGVisorLink(1500, ""), fd: fd, file: os.NewFile(uintptr(fd), deviceName)}
	t.SupportedGSOKind = stack.HostGSOSupported
	t.LinkEPCapabilities = stack.CapabilityRXChecksumOffload // of what is not TCP it has to make the checksums
	return t, nil
}

// Octets of a virtio-net header, and of the two buffers that a packet is read into: a small one leaves the second for the next.
const (
	virtioLen   = 10
	firstBuffer = 2 << 10
	nextBuffer  = 64 << 10
)

// run delivers what comes.
func (t *tun) run() {
	raw, err := t.file.SyscallConn()
	if err != nil {
		return
	}
	var views [2]*buffer.View
	var virtio [virtioLen]byte
	iovecs := []unix.Iovec{rawfile.IovecFromBytes(virtio[:]), {}, {}}
	var n uintptr
	var errno syscall.Errno
	read := func(fd uintptr) bool {
		n, _, errno = syscall.RawSyscall(unix.SYS_READV, fd, uintptr(unsafe.Pointer(&iovecs[0])), uintptr(len(iovecs)))
		return errno != syscall.EAGAIN
	}
	for {
		for i, size := range [2]int{firstBuffer, nextBuffer} {
			if views[i] == nil {
				views[i] = buffer.NewViewSize(size)
				iovecs[1+i] = rawfile.IovecFromBytes(views[i].AsSlice())
			}
		}
		if err := raw.Read(read); err != nil || errno != 0 {
			return
		}
		n := int(n) - virtioLen
		if n <= 0 {
			continue
		}
		var b buffer.Buffer
		views[0].CapLength(min(n, firstBuffer))
		b.Append(views[0])
		views[0] = nil
		if n > firstBuffer {
			views[1].CapLength(n - firstBuffer)
			b.Append(views[1])
			views[1] = nil
		}
		t.deliver(b)
	}
}

func (t *tun) deliver(b buffer.Buffer) {
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: b})
	defer p.DecRef()
	first, ok := p.Data().PullUp(1)
	if !ok {
		return
	}
	protocol := header.IPv4ProtocolNumber
	if header.IPVersion(first) == header.IPv6Version {
		protocol = header.IPv6ProtocolNumber
	}
	t.dispatcher.DeliverNetworkPacket(protocol, p)
}

// WritePackets implements stack.LinkEndpoint.
func (t *tun) WritePackets(pkts stack.PacketBufferList) (int, tcpip.Error) {
	for n, p := range pkts.AsSlice() {
		virtio := virtioHeader(p)
		var storage [8]unix.Iovec
		iovecs := rawfile.AppendIovecFromBytes(storage[:0], virtio[:], rawfile.MaxIovs)
		for _, v := range p.AsSlices() {
			iovecs = rawfile.AppendIovecFromBytes(iovecs, v, rawfile.MaxIovs)
		}
		if errno := rawfile.NonBlockingWriteIovec(t.fd, iovecs); errno != 0 {
			return n, tcpip.TranslateErrno(errno)
		}
	}
	return pkts.Len(), nil
}

// virtioHeader says what is left to the kernel (virtio 1.2, 5.1.6).
func virtioHeader(p *stack.PacketBuffer) (h [virtioLen]byte) {
	const needsChecksum, tcp4, tcp6 = 1, 1, 4
	put := func(at int, v uint16) { h[at], h[at+1] = byte(v), byte(v>>8) }
	gso := p.GSOOptions
	if gso.Type == stack.GSONone {
		return h
	}
	put(2, uint16(p.HeaderSize()))
	if gso.NeedsCsum {
		h[0] = needsChecksum
		put(6, gso.L3HdrLen)
		put(8, gso.CsumOffset)
	}
	if p.Data().Size() > int(gso.MSS) {
		h[1] = tcp4
		if gso.Type == stack.GSOTCPv6 {
			h[1] = tcp6
		}
		put(4, gso.MSS)
	}
	return h
}
