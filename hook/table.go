package hook

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Table holds the chains of one stack. The zero Table has no hooks.
type Table struct {
	active atomic.Pointer[Active]
	mu     sync.Mutex // of changes
}

// Active is what a Table holds at one moment. It does not change.
type Active [numPoints]Hooks

// Active returns the hooks there are now, nil if there is none at any point: one atomic load, which holds for a batch of packets.
// The nil Table has none.
func (t *Table) Active() *Active {
	if t == nil {
		return nil
	}
	return t.active.Load()
}

// Chain returns the chain at a point. It panics if there is no such point.
func (t *Table) Chain(at Point) *Chain {
	if at >= numPoints {
		panic("hook: no such point")
	}
	return &Chain{t, at}
}

// Chain is what is called at one point. Its methods may be called from any goroutine, hooks included.
type Chain struct {
	table *Table
	at    Point
}

// Add makes f a hook of the chain: those of lower priority are called before it, those of its own if they were added before. The
// name is what traces and lists call it; it need not be the only one of that name. remove takes it out again; a call under way
// may still end after remove has returned.
func (c *Chain) Add(priority int, name string, f Func) (remove func()) {
	h := &Hook{Name: name, Priority: priority, f: f}
	c.change(func(old Hooks) Hooks {
		i := len(old)
		for i > 0 && old[i-1].Priority > priority {
			i--
		}
		return slices.Insert(slices.Clone(old), i, h)
	})
	return func() {
		c.change(func(old Hooks) Hooks {
			return slices.DeleteFunc(slices.Clone(old), func(o *Hook) bool { return o == h })
		})
	}
}

// Hooks returns the hooks of the chain in the order they are called.
func (c *Chain) Hooks() Hooks {
	if a := c.table.Active(); a != nil {
		return a[c.at]
	}
	return nil
}

// change publishes what f makes of the chain.
func (c *Chain) change(f func(Hooks) Hooks) {
	t := c.table
	t.mu.Lock()
	defer t.mu.Unlock()
	var next Active
	if old := t.active.Load(); old != nil {
		next = *old
	}
	next[c.at] = f(next[c.at])
	for _, h := range next {
		if len(h) > 0 {
			t.active.Store(&next)
			return
		}
	}
	t.active.Store(nil)
}
