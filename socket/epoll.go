package socket

import (
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/ready"
)

// EpollEvent is struct epoll_event.
type EpollEvent struct {
	Events uint32
	Data   uint64
}

// private are the bits of an interest that are not events.
const private = EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE

// maxNesting is how deep epoll instances may watch each other.
const maxNesting = 5

// epoll is an epoll instance. What it watches is watched level-triggered or, with EPOLLET, edge-triggered: then it is
// reported only after something happened to it.
type epoll struct {
	common

	list  sync.Mutex // guards all below; a leaf below the queues
	items []*interest
	ready []*interest // something happened to these, in that order
}

// interest is a file that an epoll instance watches, under a descriptor.
type interest struct {
	ep *epoll
	f  file
	fd int

	// ep.list guards:
	want   uint32 // events, and the private bits; no events: it has been reported once (EPOLLONESHOT)
	data   uint64
	queued bool // it is in ep.ready
	gone   bool // it is not in ep.items
}

// woken implements entry: an edge.
func (i *interest) woken(ev ready.Events) {
	if i.enqueue(ev) {
		i.ep.Notify(ready.Read)
	}
}

// enqueue puts i among the ready ones if ev concerns it.
func (i *interest) enqueue(ev ready.Events) bool {
	ep := i.ep
	ep.list.Lock()
	defer ep.list.Unlock()
	if i.gone || ready.Events(i.want&^uint32(private))&ev == 0 {
		return false
	}
	if !i.queued {
		i.queued = true
		ep.ready = append(ep.ready, i)
	}
	return true
}

// EpollCreate makes an epoll instance. flags are epoll_create1's: EPOLL_CLOEXEC. Errors: EINVAL, EMFILE.
func (t *Table) EpollCreate(flags int) (int, error) {
	if flags&^EPOLL_CLOEXEC != 0 {
		return -1, syscall.EINVAL
	}
	ep := &epoll{}
	ep.rt = t.rt
	return t.install(ep, flags != 0)
}

// EpollCtl adds fd to what epfd watches, changes what for, or removes it: EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL.
// A file is removed by itself when it ends. Errors: EBADF, EINVAL, EEXIST, ENOENT, ELOOP.
func (t *Table) EpollCtl(epfd, op, fd int, ev EpollEvent) error {
	e, err := t.file(epfd)
	if err != nil {
		return err
	}
	defer t.put(e)
	f, err := t.file(fd)
	if err != nil {
		return err
	}
	defer t.put(f)
	ep, ok := e.(*epoll)
	if !ok || e == f {
		return syscall.EINVAL
	}
	if ev.Events&EPOLLEXCLUSIVE != 0 && op != EPOLL_CTL_DEL {
		const allowed = EPOLLEXCLUSIVE | EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET
		if _, nested := f.(*epoll); nested || op == EPOLL_CTL_MOD || ev.Events&^uint32(allowed) != 0 {
			return syscall.EINVAL
		}
	}
	ev.Events |= EPOLLERR | EPOLLHUP
	i := ep.find(f, fd)
	switch {
	case op == EPOLL_CTL_ADD && i != nil:
		return syscall.EEXIST
	case op == EPOLL_CTL_ADD:
		return ep.add(f, fd, ev)
	case op != EPOLL_CTL_MOD && op != EPOLL_CTL_DEL:
		return syscall.EINVAL
	case i == nil:
		return syscall.ENOENT
	case op == EPOLL_CTL_DEL:
		f.base().queue.remove(i)
		ep.forget(i)
		return nil
	}
	ep.list.Lock()
	i.want, i.data = ev.Events, ev.Data
	ep.list.Unlock()
	i.woken(f.poll())
	return nil
}

// find returns the interest in f under fd, or nil.
func (ep *epoll) find(f file, fd int) *interest {
	ep.list.Lock()
	defer ep.list.Unlock()
	for _, i := range ep.items {
		if i.f == f && i.fd == fd {
			return i
		}
	}
	return nil
}

// add begins to watch f.
func (ep *epoll) add(f file, fd int, ev EpollEvent) error {
	if inner, ok := f.(*epoll); ok && inner.depth(ep) >= maxNesting {
		return syscall.ELOOP
	}
	i := &interest{ep: ep, f: f, fd: fd, want: ev.Events, data: ev.Data}
	ep.list.Lock()
	ep.items = append(ep.items, i)
	ep.list.Unlock()
	f.base().queue.add(i)
	i.woken(f.poll())
	return nil
}

// depth returns how many epoll instances deep ep watches, itself included; maxNesting if it watches target.
func (ep *epoll) depth(target *epoll) int {
	if ep == target {
		return maxNesting
	}
	ep.list.Lock()
	items := slices.Clone(ep.items)
	ep.list.Unlock()
	d := 1
	for _, i := range items {
		if inner, ok := i.f.(*epoll); ok {
			d = max(d, inner.depth(target)+1)
		}
	}
	return d
}

// forget ends the interest i.
func (ep *epoll) forget(i *interest) {
	ep.list.Lock()
	defer ep.list.Unlock()
	is := func(o *interest) bool { return o == i }
	ep.items = slices.DeleteFunc(ep.items, is)
	ep.ready = slices.DeleteFunc(ep.ready, is)
	i.gone, i.queued = true, false
}

// EpollWait waits until something epfd watches is ready, or timeout is over: 0: at once, negative: never. It fills ev and
// returns how many. Errors: EBADF, EINVAL.
func (t *Table) EpollWait(epfd int, ev []EpollEvent, timeout time.Duration) (int, error) {
	f, err := t.file(epfd)
	if err != nil {
		return -1, err
	}
	defer t.put(f)
	ep, ok := f.(*epoll)
	if !ok || len(ev) == 0 {
		return -1, syscall.EINVAL
	}
	end := deadline(t.rt, timeout)
	for {
		turn := ep.now()
		if n := ep.collect(ev); n > 0 {
			return n, nil
		}
		if timeout == 0 || !ep.wait(turn, end) {
			return ep.collect(ev), nil
		}
	}
}

// collect reports what is ready: each interest that something happened to is asked again what it is ready for. One that
// is level-triggered stays among the ready ones, behind the others, until it is not.
func (ep *epoll) collect(ev []EpollEvent) int {
	ep.list.Lock()
	defer ep.list.Unlock()
	rest := ep.ready
	ep.ready = nil
	n := 0
	for len(rest) > 0 && n < len(ev) {
		i := rest[0]
		rest = rest[1:]
		if i.gone {
			continue
		}
		i.queued = false // from here on it may be put there again
		ep.list.Unlock()
		is := i.f.poll()
		ep.list.Lock()
		got := uint32(is) & (i.want &^ uint32(private))
		if i.gone || got == 0 {
			continue
		}
		ev[n] = EpollEvent{got, i.data}
		n++
		switch {
		case i.want&EPOLLONESHOT != 0:
			i.want &= private
		case i.want&EPOLLET == 0 && !i.queued:
			i.queued = true
			ep.ready = append(ep.ready, i)
		}
	}
	ep.ready = append(rest, ep.ready...)
	return n
}

// poll implements file: an epoll instance is readable when one of what it watches is ready.
func (ep *epoll) poll() ready.Events {
	ep.list.Lock()
	items := slices.Clone(ep.ready)
	ep.list.Unlock()
	for _, i := range items {
		is := uint32(i.f.poll())
		ep.list.Lock()
		is &= i.want &^ uint32(private)
		ep.list.Unlock()
		if is != 0 {
			return ready.Read
		}
	}
	return 0
}

// release implements file.
func (ep *epoll) release() error {
	ep.list.Lock()
	items := ep.items
	ep.items, ep.ready = nil, nil
	for _, i := range items {
		i.gone = true
	}
	ep.list.Unlock()
	for _, i := range items {
		i.f.base().queue.remove(i)
	}
	return nil
}

// forsake ends the interest of all epoll instances in the file, which is over.
func (q *queue) forsake() {
	q.mu.Lock()
	entries := q.entries
	q.entries = nil
	q.mu.Unlock()
	for _, e := range entries {
		if i, ok := e.(*interest); ok {
			i.ep.forget(i)
		}
	}
}
