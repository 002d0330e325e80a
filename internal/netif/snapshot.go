package netif

import "github.com/onlink-go/onlink/wire"

// Kind says in which way an address is ours to receive.
type Kind uint8

// The kinds.
const (
	NotOurs   Kind = iota
	Unicast        // assigned to one of our interfaces
	Broadcast      // an IPv4 broadcast address of the interface the packet came in by
	Group          // a multicast group that interface receives
	Anycast        // assigned to one of our interfaces, and perhaps to other nodes': nothing is sent from it
	elsewhere      // in the table without scope: a broadcast address of some interface
)

// Local says in which way an address is ours.
type Local struct {
	Kind Kind
	If   *Interface // that has it
}

// place is an address where it means one thing: the interface's index for link-local addresses, groups and
// broadcasts, else 0.
type place struct {
	addr  wire.Addr
	index int32
}

// Snapshot is all interfaces at one moment. It is immutable.
type Snapshot struct {
	Interfaces []*Interface // by ascending index
	byIndex    []*Interface
	local      map[place]Local
	sieve      sieve // of the addresses in local
	loopback   Local
}

// NewSnapshot returns the snapshot of the given interfaces, ordered by ascending index.
func NewSnapshot(ifs []*Interface) *Snapshot {
	s := &Snapshot{Interfaces: ifs, local: make(map[place]Local)}
	if n := len(ifs); n > 0 {
		s.byIndex = make([]*Interface, ifs[n-1].Index+1)
	}
	for _, i := range ifs {
		s.byIndex[i.Index] = i
		s.add(i)
	}
	return s
}

func (s *Snapshot) add(i *Interface) {
	if i.Loopback {
		s.loopback = Local{Unicast, i}
	}
	for _, g := range i.Groups {
		s.put(place{g.Group, i.Index}, Local{Group, i})
	}
	for k := range i.Addrs {
		a := &i.Addrs[k]
		if !a.Assigned() {
			continue
		}
		if ones, zeros, ok := a.Broadcasts(); ok && !i.Loopback {
			for _, b := range [...]wire.Addr{ones, zeros} {
				s.put(place{b, i.Index}, Local{Broadcast, i})
				if s.local[place{b, 0}].Kind == NotOurs {
					s.put(place{b, 0}, Local{Kind: elsewhere})
				}
			}
		}
		at := place{a.Addr, 0}
		if a.Addr.NeedsScope() {
			at.index = i.Index
		}
		// The first interface that has an address keeps it; a unicast address wins over others.
		kind := Unicast
		if a.Anycast {
			kind = Anycast
		}
		if have := s.local[at].Kind; have == NotOurs || have == elsewhere || have == Anycast {
			s.put(at, Local{kind, i})
		}
	}
	for _, a := range i.SubnetRouters {
		at := place{a, 0}
		if a.NeedsScope() {
			at.index = i.Index
		}
		if s.local[at].Kind == NotOurs {
			s.put(at, Local{Anycast, i})
		}
	}
}

func (s *Snapshot) put(at place, l Local) {
	s.local[at] = l
	s.sieve.add(at.addr)
}

// sieve has a bit for each address that was added to it, and so for some others: most addresses that are not there have none.
// That spares a router, which looks up addresses that are not its own, the map.
type sieve [16]uint64

func (v *sieve) add(a wire.Addr) {
	h := sift(a)
	v[h>>6%16] |= 1 << (h & 63)
}

func (v *sieve) has(a wire.Addr) bool {
	h := sift(a)
	return v[h>>6%16]&(1<<(h&63)) != 0
}

func sift(a wire.Addr) uint64 { return ((a.Hi ^ a.Lo<<1) * 0x9e3779b97f4a7c15) >> 54 }

// Interface returns the interface with the given index, or nil.
func (s *Snapshot) Interface(index int32) *Interface {
	if index <= 0 || int(index) >= len(s.byIndex) {
		return nil
	}
	return s.byIndex[index]
}

// AnyBroadcast reports whether a is an IPv4 broadcast address on any interface.
func (s *Snapshot) AnyBroadcast(a wire.Addr) bool {
	return a == wire.Broadcast4 || s.local[place{a, 0}].Kind == elsewhere
}

// Lookup says in which way a is ours for a packet that came in by, or is to leave by, the interface with the
// given index (0: not known). A unicast address counts on whichever interface it is, as RFC 1122, 3.3.4.2 allows
// ("weak ES model"), except link-local ones, which count on their own link only.
func (s *Snapshot) Lookup(a wire.Addr, index int32) Local {
	if a.Is4() {
		if a.IsLoopback() { // RFC 1122, 3.2.1.3 (g): all of 127/8 is the host itself
			return s.loopback
		}
		if a == wire.Broadcast4 {
			return Local{Broadcast, s.Interface(index)}
		}
	}
	if !s.sieve.has(a) {
		return Local{}
	}
	if !a.Is4() && a.NeedsScope() {
		return s.local[place{a, index}]
	}
	l := s.local[place{a, 0}]
	if l.Kind == Unicast || l.Kind == Anycast {
		return l
	}
	if index != 0 && (l.Kind == elsewhere || a.IsMulticast()) {
		return s.local[place{a, index}]
	}
	return Local{}
}
