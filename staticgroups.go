package onlink

import (
	"fmt"
	"net/netip"
	"sync"
	"syscall"
)

// staticGroups are the multicast groups that were joined for nobody in particular.
type staticGroups struct {
	sync.Mutex
	leave map[staticGroup]func()
}

type staticGroup struct {
	index int32
	group netip.Addr
}

// AddGroup has the interface receive a multicast group from every source, until RemoveGroup, as a router or somebody who looks
// at what comes may want it; JoinGroup is for programs. Errors: EEXIST if that was done already, and those of JoinGroup.
func (i *Interface) AddGroup(group netip.Addr) error {
	g := &i.stack.memberships
	g.Lock()
	defer g.Unlock()
	key := staticGroup{i.i.Index, group.Unmap().WithZone("")}
	if g.leave[key] != nil {
		return fmt.Errorf("onlink: group %v: added on %s already: %w", group, i.Name(), syscall.EEXIST)
	}
	leave, err := i.JoinGroup(key.group)
	if err != nil {
		return err
	}
	if g.leave == nil {
		g.leave = make(map[staticGroup]func())
	}
	g.leave[key] = leave
	return nil
}

// RemoveGroup undoes AddGroup. Errors: ENOENT if there is nothing to undo.
func (i *Interface) RemoveGroup(group netip.Addr) error {
	g := &i.stack.memberships
	g.Lock()
	defer g.Unlock()
	key := staticGroup{i.i.Index, group.Unmap().WithZone("")}
	leave := g.leave[key]
	if leave == nil {
		return fmt.Errorf("onlink: group %v: not added on %s: %w", group, i.Name(), syscall.ENOENT)
	}
	delete(g.leave, key)
	leave()
	return nil
}
