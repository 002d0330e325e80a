package afpacket

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/internal/vnet"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/wire"
)

// queueOctets is how much the socket's queue is to hold, by the kernel's count: as much as tens of super-packets.
const queueOctets = 8 << 20

// indexOf returns the number of the interface.
func indexOf(name string) (int, error) {
	ifr, err := unix.NewIfreq(name)
	if err != nil || name == "" {
		return 0, fmt.Errorf("afpacket: %q is no name for an interface: 1 to 15 octets, please (%w)", name, unix.EINVAL)
	}
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(s)
		err = unix.IoctlIfreq(s, unix.SIOCGIFINDEX, ifr)
	}
	switch {
	case errors.Is(err, unix.ENODEV):
		return 0, fmt.Errorf("afpacket: there is no interface %s: `ip link` lists those there are (%w)", name, err)
	case err != nil:
		return 0, fmt.Errorf("afpacket: cannot find %s: %w", name, err)
	}
	return int(ifr.Uint32()), nil
}

// openSocket returns a non-blocking packet socket that hears and speaks on the interface.
func openSocket(name string, index int, s state, cfg Config) (fd int, err error) {
	switch s.kind {
	case unix.ARPHRD_ETHER:
	case unix.ARPHRD_LOOPBACK:
		return -1, fmt.Errorf("afpacket: %s is the kernel's loopback interface, where there is nobody else to talk to: name an Ethernet "+
			"interface (%w)", name, unix.EPFNOSUPPORT)
	default:
		return -1, fmt.Errorf("afpacket: %s is no Ethernet interface (its type is %d): name one that is (%w)", name, s.kind,
			unix.EPFNOSUPPORT)
	}
	// Of no protocol, so that nothing comes before it is known from where.
	fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, explainSocket(name, err)
	}
	if err = prepare(fd, index, cfg); err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: index})
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("afpacket: cannot use %s: %w", name, err)
	}
	return fd, nil
}

// explainSocket says what it means that there is no packet socket to be had.
func explainSocket(name string, err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("afpacket: not permitted to open %s: run as root, or allow the program packet sockets with "+
			"`setcap cap_net_raw+ep PROGRAM` as root (%w)", name, err)
	case errors.Is(err, unix.EAFNOSUPPORT):
		return fmt.Errorf("afpacket: cannot open %s because the kernel has no packet sockets: load them with `modprobe af_packet` (%w)",
			name, err)
	}
	return fmt.Errorf("afpacket: cannot open %s: %w", name, err)
}

// prepare sets the options of the socket.
func prepare(fd, index int, cfg Config) error {
	for _, o := range []struct {
		option int
		name   string
	}{
		{unix.PACKET_VNET_HDR, "PACKET_VNET_HDR"},
		{unix.PACKET_IGNORE_OUTGOING, "PACKET_IGNORE_OUTGOING, which Linux has since 4.20"},
		{unix.PACKET_AUXDATA, "PACKET_AUXDATA"},
	} {
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, o.option, 1); err != nil {
			return fmt.Errorf("the kernel does not know %s: %w", o.name, err)
		}
	}
	// Past the kernel's limit if this program may; else up to it.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, queueOctets) != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, queueOctets); err != nil {
			return fmt.Errorf("no memory for the queue: %w", err)
		}
	}
	// Which groups the stack is in the interface does not know.
	if err := listen(fd, index, unix.PACKET_MR_ALLMULTI, nil); err != nil {
		return fmt.Errorf("it does not take multicast: %w", err)
	}
	if cfg.Addr != (wire.MAC{}) {
		if err := listen(fd, index, unix.PACKET_MR_UNICAST, cfg.Addr[:]); err != nil {
			return fmt.Errorf("it does not listen to %v: %w", cfg.Addr, err)
		}
	}
	if cfg.Promiscuous {
		if err := listen(fd, index, unix.PACKET_MR_PROMISC, nil); err != nil {
			return fmt.Errorf("it does not become promiscuous: %w", err)
		}
	}
	return nil
}

// listen has the interface take what it would not otherwise, as long as the socket is open.
func listen(fd, index int, what uint16, addr []byte) error {
	m := unix.PacketMreq{Ifindex: int32(index), Type: what, Alen: uint16(len(addr))}
	copy(m.Address[:], addr)
	return unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &m)
}

// networkOrder returns v as it is in memory in network order.
func networkOrder(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}

// takes returns what the kernel takes with the headers of package vnet. It tells nobody whether it knows super-packets of UDP, as it
// does since Linux 6.2.
func takes() link.Offload {
	var u unix.Utsname
	var major, minor int
	if unix.Uname(&u) == nil {
		fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &major, &minor) // zeros: an old one
	}
	if major > 6 || major == 6 && minor >= 2 {
		return vnet.WithUDP
	}
	return vnet.Offloads
}
