package dgram

import (
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/mcast"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Groups are a socket's memberships in multicast groups, and how it sends to them. They may be there before the socket is, and
// outlive it. All methods may be called at once from several goroutines.
type Groups struct {
	ip      *ip.Layer
	change  sync.Mutex // of those who replace groupState
	current atomic.Pointer[groupState]
}

// groupState does not change; it is replaced.
type groupState struct {
	joined []hearing
	send   [2]GroupSending // IPv4, IPv6
	own    [2]bool         // hear only what the socket itself joined
	closed bool
}

// hearing is a group that the socket joined on an interface.
type hearing struct {
	index  int32
	group  wire.Addr
	filter mcast.Filter
	member *ip.Membership
	listed bool // it had a list of sources: the mode is settled, as with Linux
}

// GroupSending is how a socket sends to groups of one family. The zero value is the default.
type GroupSending struct {
	Interface int32     // 0: as the routes say
	Source    wire.Addr // zero: one to be chosen
	NoLoop    bool      // members on this host do not hear it
	HopLimit  HopLimit
}

// HopLimit is a TTL or hop limit, 0 among them. The zero HopLimit is the default.
type HopLimit uint16

// Hops returns the HopLimit n.
func Hops(n uint8) HopLimit { return HopLimit(n) + 1 }

// Get returns the number, which is 1 by default (RFC 1112, 6.1; RFC 3493, 5.2).
func (h HopLimit) Get() uint8 {
	if h == 0 {
		return 1
	}
	return uint8(h - 1)
}

func family(a wire.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// NewGroups returns the Groups of a socket that joined none, for Config.
func NewGroups(l *ip.Layer) *Groups { return &Groups{ip: l} }

func (g *Groups) state() *groupState {
	if s := g.current.Load(); s != nil {
		return s
	}
	return &noGroups
}

var noGroups groupState

// Hears reports whether the socket wants a datagram to a group, as Linux decides it: by its own filter if it joined the group
// on that interface, else whatever others joined, unless told otherwise (IP_MULTICAST_ALL).
func (s *Groups) Hears(p *packet.Buffer) bool {
	g := s.current.Load()
	if g == nil || !p.Dst.IsMulticast() {
		return true
	}
	for i := range g.joined {
		if j := &g.joined[i]; j.group == p.Dst && j.index == p.In {
			return j.filter.Accepts(p.Src)
		}
	}
	return !g.own[family(p.Dst)]
}

// Joined reports whether p was sent to a group that the socket joined on the interface it came in by.
func (s *Groups) Joined(p *packet.Buffer) bool {
	g := s.current.Load()
	return g != nil && p.Dst.IsMulticast() && g.find(p.In, p.Dst) >= 0
}

// toGroup fills in how the socket sends to the group to, where o and params do not say it.
func (s *Groups) toGroup(to *flow.Endpoint, o *SendOptions, params *ip.Params) {
	g := &s.state().send[family(to.Addr)]
	params.NoLoop = g.NoLoop
	if params.HopLimit == 0 {
		params.HopLimit = g.HopLimit.Get()
		params.HostOnly = params.HopLimit == 0
	}
	if o.Interface == 0 && to.Scope == 0 {
		o.Interface = g.Interface
	}
	if to.Scope == 0 && to.Addr.NeedsScope() {
		to.Scope = uint32(o.Interface)
	}
	if o.Source.IsUnspecified() {
		o.Source = g.Source
	}
}

// update replaces the state by what f makes of a copy.
func (s *Groups) update(f func(g *groupState) error) error {
	s.change.Lock()
	defer s.change.Unlock()
	g := *s.state()
	if g.closed {
		return syscall.EBADF
	}
	g.joined = slices.Clone(g.joined)
	err := f(&g)
	if err == nil {
		s.current.Store(&g)
	}
	return err
}

// GroupSending returns how the socket sends to groups of a family.
func (s *Groups) GroupSending(four bool) GroupSending {
	if four {
		return s.state().send[0]
	}
	return s.state().send[1]
}

// SetGroupSending changes that.
func (s *Groups) SetGroupSending(four bool, v GroupSending) error {
	return s.update(func(g *groupState) error {
		if four {
			g.send[0] = v
		} else {
			g.send[1] = v
		}
		return nil
	})
}

// SetHearAll says whether the socket hears groups of a family that others on this host joined: it does by default.
func (s *Groups) SetHearAll(four, all bool) error {
	return s.update(func(g *groupState) error {
		if four {
			g.own[0] = !all
		} else {
			g.own[1] = !all
		}
		return nil
	})
}

// HearsAll returns that.
func (s *Groups) HearsAll(four bool) bool {
	if four {
		return !s.state().own[0]
	}
	return !s.state().own[1]
}

// find returns the place of a group that the socket joined; with index 0 on any interface.
func (g *groupState) find(index int32, group wire.Addr) int {
	return slices.IndexFunc(g.joined, func(j hearing) bool { return j.group == group && (index == 0 || j.index == index) })
}

// where returns the interface that index and group mean.
func (s *Groups) where(index int32, group wire.Addr) (int32, error) {
	if !group.IsMulticast() {
		return 0, syscall.EINVAL
	}
	if index != 0 {
		if s.ip.Snapshot().Interface(index) == nil {
			return 0, syscall.ENODEV
		}
		return index, nil
	}
	return s.ip.GroupInterface(group)
}

// Join makes the socket hear what f says of a group on an interface; index 0: the one that a route leads to, or the first.
// Errors: EINVAL for a group that is none, ENODEV, EADDRINUSE if it joined before, ENOBUFS for too many.
func (s *Groups) Join(index int32, group wire.Addr, f mcast.Filter) error {
	index, err := s.where(index, group)
	if err != nil {
		return err
	}
	return s.update(func(g *groupState) error {
		if g.find(index, group) >= 0 {
			return syscall.EADDRINUSE
		}
		n := 0
		for _, j := range g.joined {
			n += 1 - family(j.group)
		}
		if group.Is4() && n >= s.ip.Settings().MaxMemberships {
			return syscall.ENOBUFS
		}
		m, err := s.ip.Join(index, group, f)
		if err == nil {
			g.joined = append(g.joined, hearing{index, group, f, m, len(f.Sources) > 0})
		}
		return err
	})
}

// Leave ends what Join began; index 0: on the first interface there is. Errors: EINVAL for a group that is none, EADDRNOTAVAIL
// if the socket did not join it.
func (s *Groups) Leave(index int32, group wire.Addr) error {
	if !group.IsMulticast() {
		return syscall.EINVAL
	}
	return s.update(func(g *groupState) error {
		i := g.find(index, group)
		if i < 0 {
			return syscall.EADDRNOTAVAIL
		}
		g.joined[i].member.Leave()
		g.joined = slices.Delete(g.joined, i, i+1)
		return nil
	})
}

// LeaveAll is Leave of all groups, for good.
func (s *Groups) LeaveAll() {
	s.change.Lock()
	defer s.change.Unlock()
	for _, j := range s.state().joined {
		j.member.Leave()
	}
	s.current.Store(&groupState{closed: true})
}

// AddSource puts a source into the list of a group that the socket joined, which has, or takes if its list is empty, the given
// mode; RemoveSource takes it out. Of the last source that is included the socket leaves the group. Errors, as Linux's:
// EINVAL for a group that is none or that the socket did not join, or another mode; EADDRNOTAVAIL for a source that is in
// the list already, or not; ENOBUFS for too many.
func (s *Groups) AddSource(index int32, group, source wire.Addr, m mcast.Mode) error {
	return s.changeSource(index, group, m, func(f mcast.Filter) (mcast.Filter, error) {
		switch {
		case len(f.Sources) >= s.maxSources(group):
			return f, syscall.ENOBUFS
		case f.Has(source):
			return f, syscall.EADDRNOTAVAIL
		}
		return f.With(source), nil
	})
}

// RemoveSource undoes AddSource.
func (s *Groups) RemoveSource(index int32, group, source wire.Addr, m mcast.Mode) error {
	return s.changeSource(index, group, m, func(f mcast.Filter) (mcast.Filter, error) {
		if !f.Has(source) {
			return f, syscall.EADDRNOTAVAIL
		}
		return f.Without(source), nil
	})
}

func (s *Groups) maxSources(group wire.Addr) int {
	if group.Is4() {
		return s.ip.Settings().MaxSources4
	}
	return s.ip.Settings().MaxSources6
}

func (s *Groups) changeSource(index int32, group wire.Addr, m mcast.Mode, change func(mcast.Filter) (mcast.Filter, error)) error {
	return s.ofJoined(index, group, func(g *groupState, i int) error {
		j := &g.joined[i]
		f := j.filter
		if f.Mode != m && (j.listed || len(f.Sources) > 0) {
			return syscall.EINVAL
		}
		f.Mode = m
		f, err := change(f)
		if err != nil {
			return err
		}
		if f.None() {
			j.member.Leave()
			g.joined = slices.Delete(g.joined, i, i+1)
			return nil
		}
		j.filter, j.listed = f, true
		j.member.Change(f)
		return nil
	})
}

// SetFilter replaces what the socket hears of a group that it joined; to hear nothing is to leave it. Errors: EINVAL for a group
// that is none or that the socket did not join, ENODEV, ENOBUFS for too many sources.
func (s *Groups) SetFilter(index int32, group wire.Addr, f mcast.Filter) error {
	if len(f.Sources) > s.maxSources(group) {
		return syscall.ENOBUFS
	}
	if f.None() {
		index, err := s.where(index, group)
		if err != nil {
			return err
		}
		return s.Leave(index, group)
	}
	return s.changeFilter(index, group, f)
}

func (s *Groups) changeFilter(index int32, group wire.Addr, f mcast.Filter) error {
	return s.ofJoined(index, group, func(g *groupState, i int) error {
		g.joined[i].filter, g.joined[i].listed = f, len(f.Sources) > 0
		g.joined[i].member.Change(f)
		return nil
	})
}

// ofJoined has change change the i'th of the groups joined, which is the one given. Errors: EINVAL for a group that is none or that
// the socket did not join, ENODEV, or those of change.
func (s *Groups) ofJoined(index int32, group wire.Addr, change func(g *groupState, i int) error) error {
	index, err := s.where(index, group)
	if err != nil {
		return err
	}
	return s.update(func(g *groupState) error {
		i := g.find(index, group)
		if i < 0 {
			return syscall.EINVAL
		}
		return change(g, i)
	})
}

// Filter returns what the socket hears of a group. Errors: EINVAL for a group that is none, ENODEV, EADDRNOTAVAIL if the
// socket did not join it.
func (s *Groups) Filter(index int32, group wire.Addr) (mcast.Filter, error) {
	index, err := s.where(index, group)
	if err != nil {
		return mcast.Filter{}, err
	}
	g := s.state()
	i := g.find(index, group)
	if i < 0 {
		return mcast.Filter{}, syscall.EADDRNOTAVAIL
	}
	return g.joined[i].filter, nil
}
