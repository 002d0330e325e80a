package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/link/fdbased"
)

// How gVisor reads a packet socket.
const (
	ring     = fdbased.PacketMMap // a ring that is mapped (PACKET_MMAP)
	recvmmsg = fdbased.RecvMMsg
)

// gvisorPacket is gVisor's stack on a packet socket, at one end of a veth pair: its own fdbased with super-packets and checksum
// offload, as runsc has it.
func gvisorPacket(d direction, mode fdbased.PacketDispatchMode) opener {
	return d.onVeth(func() (host, error) {
		i, err := net.InterfaceByName(farName)
		if err != nil {
			return host{}, err
		}
		fd, err := packetSocket(i.Index)
		if err != nil {
			return host{}, err
		}
		// With one processor, what was read is handled where it was read, which measured as the fastest.
		// TXChecksumOffload is not set: with it, only what is not TCP changes, and has no checksum then. TCP leaves its to the
		// kernel wherever there is GSO.
		l, err := fdbased.New(&fdbased.Options{FDs: []int{fd}, MTU: uint32(i.MTU), EthernetHeader: true, Address: tcpip.LinkAddress(i.HardwareAddr),
			PacketDispatchMode: mode, ProcessorsPerChannel: 1, GSOMaxSize: 65536, RXChecksumOffload: true})
		if err != nil {
			unix.Close(fd)
			return host{}, err
		}
		h, err := gvisorHost(l, serverAddrs)
		if err != nil {
			unix.Close(fd)
			return host{}, err
		}
		stop := h.close
		h.close = func() {
			stop()
			unix.Close(fd)
		}
		return h, nil
	})
}

// packetSocket opens a socket on an interface with virtio-net headers and large buffers.
func packetSocket(index int) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("a packet socket: %w", err)
	}
	const buffer = 4 << 20
	protocol := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, buffer),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: index}))
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("a packet socket: %w", err)
	}
	return fd, nil
}
