package socket

import (
	"encoding/binary"
	"syscall"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/mcast"
	"github.com/onlink-go/onlink/wire"
)

// isGroupOption reports whether an option is about multicast groups.
func (s *datagram) isGroupOption(level, name int) bool {
	switch level {
	case IPPROTO_IP:
		return name >= IP_MULTICAST_IF && name <= IP_MULTICAST_ALL
	case IPPROTO_IPV6:
		return s.domain == AF_INET6 && (name >= IPV6_MULTICAST_IF && name <= IPV6_LEAVE_GROUP || name == IPV6_MULTICAST_ALL ||
			name >= MCAST_JOIN_GROUP && name <= MCAST_MSFILTER)
	}
	return false
}

// setGroups sets one. mu locked.
func (s *datagram) setGroups(level, name int, b []byte) error {
	four := level == IPPROTO_IP
	if name >= MCAST_JOIN_GROUP && name <= MCAST_MSFILTER {
		return errnoOf(s.setProtocolIndependent(four, name, b))
	}
	if four {
		return errnoOf(s.setGroups4(name, b))
	}
	return errnoOf(s.setGroups6(name, b))
}

func errnoOf(err error) error {
	if err == nil {
		return nil
	}
	return errno(err)
}

// sending changes how the socket sends to groups.
func (s *datagram) sending(four bool, f func(*dgram.GroupSending)) error {
	g := s.groups.GroupSending(four)
	f(&g)
	return s.groups.SetGroupSending(four, g)
}

func (s *datagram) setGroups4(name int, b []byte) error {
	n := byteValue(b)
	switch name {
	case IP_MULTICAST_IF:
		return s.setMulticastIf(b)
	case IP_MULTICAST_TTL:
		if n == -1 {
			n = 1
		}
		if len(b) < 1 || n < 0 || n > 255 {
			return syscall.EINVAL
		}
		return s.sending(true, func(g *dgram.GroupSending) { g.HopLimit = dgram.Hops(uint8(n)) })
	case IP_MULTICAST_LOOP:
		if len(b) < 1 {
			return syscall.EINVAL
		}
		return s.sending(true, func(g *dgram.GroupSending) { g.NoLoop = n == 0 })
	case IP_MULTICAST_ALL:
		if len(b) < 1 || n != 0 && n != 1 {
			return syscall.EINVAL
		}
		return s.groups.SetHearAll(true, n == 1)
	case IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP:
		return s.membership4(name, b)
	case IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE, IP_UNBLOCK_SOURCE:
		// struct ip_mreq_source
		if len(b) != 12 {
			return syscall.EINVAL
		}
		index, err := s.interfaceOf(wire.AddrFrom4(b[4:]), 0)
		if err != nil {
			return err
		}
		return s.changeSource(name-IP_UNBLOCK_SOURCE+mcastOldSource, index, wire.AddrFrom4(b), wire.AddrFrom4(b[8:]))
	case IP_MSFILTER:
		return s.setFilter4(b)
	}
	return syscall.ENOPROTOOPT
}

// mcastOldSource tells changeSource that its names are IPv4's own, in their order: unblock, block, add, drop.
const mcastOldSource = 1000

// interfaceOf returns the interface that the address or the index in a struct ip_mreqn names; 0: any.
func (s *datagram) interfaceOf(a wire.Addr, index int32) (int32, error) {
	if index != 0 || a.IsUnspecified() {
		return index, nil
	}
	for _, i := range s.t.ip.Snapshot().Interfaces {
		if i.Address(a) != nil {
			return i.Index, nil
		}
	}
	return 0, syscall.ENODEV
}

// setMulticastIf takes IP_MULTICAST_IF: a struct in_addr, ip_mreq or ip_mreqn.
func (s *datagram) setMulticastIf(b []byte) error {
	var addr wire.Addr
	var index int32
	switch {
	case len(b) >= 12:
		addr, index = wire.AddrFrom4(b[4:]), int32At(b[8:])
	case len(b) >= 8:
		addr = wire.AddrFrom4(b[4:])
	case len(b) >= 4:
		addr = wire.AddrFrom4(b)
	default:
		return syscall.EINVAL
	}
	if addr.IsUnspecified() {
		addr = wire.Addr{}
	}
	index, err := s.interfaceOf(addr, index)
	if err != nil || index != 0 && s.t.ip.Snapshot().Interface(index) == nil {
		return syscall.EADDRNOTAVAIL
	}
	return s.sending(true, func(g *dgram.GroupSending) { g.Interface, g.Source = index, addr })
}

// membership4 takes IP_ADD_MEMBERSHIP and IP_DROP_MEMBERSHIP: a struct ip_mreq or ip_mreqn.
func (s *datagram) membership4(name int, b []byte) error {
	if len(b) < 8 {
		return syscall.EINVAL
	}
	group, index := wire.AddrFrom4(b), int32(0)
	if len(b) >= 12 {
		index = int32At(b[8:])
	}
	if !group.IsMulticast() && name == IP_ADD_MEMBERSHIP {
		return syscall.EINVAL
	}
	index, err := s.interfaceOf(wire.AddrFrom4(b[4:]), index)
	switch {
	case !group.IsMulticast():
		return syscall.EADDRNOTAVAIL
	case err != nil && name == IP_DROP_MEMBERSHIP:
		return syscall.EADDRNOTAVAIL
	case err != nil:
		return err
	case name == IP_ADD_MEMBERSHIP:
		return s.groups.Join(index, group, mcast.All)
	}
	return s.groups.Leave(index, group)
}

// changeSource takes the options that change a list of sources.
func (s *datagram) changeSource(name int, index int32, group, source wire.Addr) error {
	switch name {
	case MCAST_JOIN_SOURCE_GROUP, mcastOldSource + 2:
		err := s.groups.Join(index, group, mcast.NewFilter(mcast.Include, source))
		if err == syscall.EADDRINUSE {
			err = s.groups.AddSource(index, group, source, mcast.Include)
		}
		return err
	case MCAST_LEAVE_SOURCE_GROUP, mcastOldSource + 3:
		return s.groups.RemoveSource(index, group, source, mcast.Include)
	case MCAST_BLOCK_SOURCE, mcastOldSource + 1:
		return s.groups.AddSource(index, group, source, mcast.Exclude)
	}
	return s.groups.RemoveSource(index, group, source, mcast.Exclude)
}

// setFilter4 takes IP_MSFILTER: a struct ip_msfilter.
func (s *datagram) setFilter4(b []byte) error {
	const head = 16
	if len(b) < head {
		return syscall.EINVAL
	}
	n := binary.LittleEndian.Uint32(b[12:])
	switch {
	case n > uint32(s.t.ip.Settings().MaxSources4):
		return syscall.ENOBUFS
	case head+4*int(n) > len(b):
		return syscall.EINVAL
	}
	var sources []wire.Addr
	for i := range int(n) {
		sources = append(sources, wire.AddrFrom4(b[head+4*i:]))
	}
	index, err := s.interfaceOf(wire.AddrFrom4(b[4:]), 0)
	if err != nil {
		return err
	}
	return s.setFilter(index, wire.AddrFrom4(b), binary.LittleEndian.Uint32(b[8:]), sources)
}

func (s *datagram) setFilter(index int32, group wire.Addr, mode uint32, sources []wire.Addr) error {
	switch {
	case !group.IsMulticast(), mode > MCAST_INCLUDE:
		return syscall.EINVAL
	case mode == MCAST_EXCLUDE:
		return s.groups.SetFilter(index, group, mcast.NewFilter(mcast.Exclude, sources...))
	}
	return s.groups.SetFilter(index, group, mcast.NewFilter(mcast.Include, sources...))
}

func (s *datagram) setGroups6(name int, b []byte) error {
	if name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP {
		// struct ipv6_mreq
		if len(b) < 20 {
			return syscall.EINVAL
		}
		group, index := wire.AddrFrom16(b), int32At(b[16:])
		switch {
		case group.Is4() || !group.IsMulticast():
			return syscall.EINVAL
		case name == IPV6_JOIN_GROUP:
			return s.groups.Join(index, group, mcast.All)
		}
		return s.groups.Leave(index, group)
	}
	n, err := intValue(b)
	if err != nil {
		return err
	}
	switch name {
	case IPV6_MULTICAST_IF:
		if n != 0 && s.t.ip.Snapshot().Interface(int32(n)) == nil {
			return syscall.ENODEV
		}
		return s.sending(false, func(g *dgram.GroupSending) { g.Interface = int32(n) })
	case IPV6_MULTICAST_HOPS:
		if n == -1 {
			n = 1
		}
		if n < 0 || n > 255 {
			return syscall.EINVAL
		}
		return s.sending(false, func(g *dgram.GroupSending) { g.HopLimit = dgram.Hops(uint8(n)) })
	case IPV6_MULTICAST_LOOP:
		if n != 0 && n != 1 {
			return syscall.EINVAL
		}
		return s.sending(false, func(g *dgram.GroupSending) { g.NoLoop = n == 0 })
	case IPV6_MULTICAST_ALL:
		return s.groups.SetHearAll(false, n != 0)
	}
	return syscall.ENOPROTOOPT
}

// The structs of RFC 3678, 5.1: an interface index, and struct sockaddr_storages.
const (
	sizeofStorage     = 128
	groupReqGroup     = 8
	groupReqSource    = groupReqGroup + sizeofStorage
	sizeofGroupReq    = groupReqSource
	sizeofGroupSource = groupReqSource + sizeofStorage
	groupFilterMode   = groupReqSource
	groupFilterList   = groupFilterMode + 8
)

// storage reads a struct sockaddr_storage of the family of a level.
func storage(four bool, b []byte) (wire.Addr, bool) {
	family := binary.LittleEndian.Uint16(b)
	if four {
		return wire.AddrFrom4(b[4:]), family == AF_INET
	}
	return wire.AddrFrom16(b[8:]), family == AF_INET6
}

// setProtocolIndependent takes the options of RFC 3678, 5.1.
func (s *datagram) setProtocolIndependent(four bool, name int, b []byte) error {
	least := sizeofGroupSource
	switch name {
	case MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP:
		least = sizeofGroupReq
	case MCAST_MSFILTER:
		least = groupFilterList
	}
	if len(b) < least {
		return syscall.EINVAL
	}
	index := int32At(b)
	group, ok := storage(four, b[groupReqGroup:])
	switch name {
	case MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP:
		switch {
		case !ok && four:
			return syscall.EINVAL
		case !ok:
			return syscall.EADDRNOTAVAIL
		case !four && group.Is4():
			return syscall.EINVAL
		case name == MCAST_JOIN_GROUP:
			return s.groups.Join(index, group, mcast.All)
		}
		return s.groups.Leave(index, group)
	case MCAST_MSFILTER:
		return s.setFilterList(four, index, group, ok, b)
	}
	source, sok := storage(four, b[groupReqSource:])
	if !ok || !sok {
		return syscall.EADDRNOTAVAIL
	}
	return s.changeSource(name, index, group, source)
}

// setFilterList takes MCAST_MSFILTER: a struct group_filter.
func (s *datagram) setFilterList(four bool, index int32, group wire.Addr, ok bool, b []byte) error {
	n, most := binary.LittleEndian.Uint32(b[groupFilterMode+4:]), s.t.ip.Settings().MaxSources6
	if four {
		most = s.t.ip.Settings().MaxSources4
	}
	switch {
	case n > uint32(most):
		return syscall.ENOBUFS
	case groupFilterList+sizeofStorage*int(n) > len(b):
		return syscall.EINVAL
	case !ok:
		return syscall.EADDRNOTAVAIL
	}
	var sources []wire.Addr
	for i := range int(n) {
		a, ok := storage(four, b[groupFilterList+sizeofStorage*i:])
		if !ok {
			return syscall.EADDRNOTAVAIL
		}
		sources = append(sources, a)
	}
	return s.setFilter(index, group, binary.LittleEndian.Uint32(b[groupFilterMode:]), sources)
}

// getGroups writes an option about groups. mu locked.
func (s *datagram) getGroups(level, name int, b []byte) (int, error) {
	four := level == IPPROTO_IP
	g := s.groups.GroupSending(four)
	write := put
	if four {
		write = putByte
	}
	switch {
	case four && name == IP_MULTICAST_IF:
		var a [4]byte
		g.Source.Put4(a[:])
		return copy(b, a[:]), nil
	case name == IPV6_MULTICAST_IF && !four:
		return put(b, int(g.Interface))
	case four && name == IP_MULTICAST_TTL, !four && name == IPV6_MULTICAST_HOPS:
		return write(b, int(g.HopLimit.Get()))
	case four && name == IP_MULTICAST_LOOP, !four && name == IPV6_MULTICAST_LOOP:
		return write(b, bit(!g.NoLoop))
	case four && name == IP_MULTICAST_ALL, !four && name == IPV6_MULTICAST_ALL:
		return write(b, bit(s.groups.HearsAll(four)))
	case four && name == IP_MSFILTER:
		return s.getFilter4(b)
	}
	return 0, syscall.ENOPROTOOPT
}

// getFilter4 answers IP_MSFILTER: b says which group, and for how many sources there is room.
func (s *datagram) getFilter4(b []byte) (int, error) {
	const head = 16
	if len(b) < head {
		return 0, syscall.EINVAL
	}
	index, err := s.interfaceOf(wire.AddrFrom4(b[4:]), 0)
	if err != nil {
		return 0, err
	}
	f, err := s.groups.Filter(index, wire.AddrFrom4(b))
	if err != nil {
		return 0, errno(err)
	}
	mode := uint32(MCAST_EXCLUDE)
	if f.Mode == mcast.Include {
		mode = MCAST_INCLUDE
	}
	room := min(int(binary.LittleEndian.Uint32(b[12:])), (len(b)-head)/4, len(f.Sources))
	binary.LittleEndian.PutUint32(b[8:], mode)
	binary.LittleEndian.PutUint32(b[12:], uint32(len(f.Sources)))
	for i := range room {
		f.Sources[i].Put4(b[head+4*i:])
	}
	return head + 4*room, nil
}
