package packetdrill

import (
	"fmt"
	"time"

	"github.com/onlink-go/onlink/internal/packetdrill/abi"
	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// milliseconds converts a timeout of poll and epoll_wait; negative: for ever.
func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func pollNames(bits int16) string   { return abi.FlagNames("POLL", uint64(uint16(bits))) }
func epollNames(bits uint32) string { return abi.FlagNames("EPOLL", uint64(bits)) }

func callPoll(r *runner, c *call, a args) error {
	n, err := a.ints(3, 1, 2)
	if err != nil {
		return err
	}
	l, ok := a.list[0].(*script.List)
	if !ok || len(l.Elems) != n[0] {
		return fmt.Errorf("argument 1: %s is no list of %d descriptors", a.list[0], n[0])
	}
	var fds []PollFD
	var want []int16
	for _, e := range l.Elems {
		s, ok := e.(*script.Struct)
		if !ok {
			return fmt.Errorf("%s is no pollfd", e)
		}
		var v [3]int
		for i, name := range [...]string{"fd", "events", "revents"} {
			if v[i], err = r.eval().int32(s.Field(name)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		fds = append(fds, PollFD{FD: r.liveFD(v[0]), Events: int16(v[1])})
		want = append(want, int16(v[2]))
	}
	c.run = func() (int, error) { return r.world.Poll(fds, milliseconds(n[1])) }
	c.after = func(result int) error {
		for i := range fds {
			if result >= 0 && fds[i].Revents != want[i] {
				return fmt.Errorf("revents of descriptor %d are %s, expected %s", i, pollNames(fds[i].Revents),
					pollNames(want[i]))
			}
		}
		return nil
	}
	return nil
}

func callEpollCreate(r *runner, c *call, a args) error {
	n, err := a.ints(1, 0)
	if err != nil {
		return err
	}
	flags := n[0]
	if c.name == "epoll_create" {
		flags = 0 // the size is not looked at
	}
	c.run = func() (int, error) { return r.world.EpollCreate(flags) }
	c.opens(func(fd int) error {
		_, err := r.newFD(c, fd, nil)
		return err
	})
	return nil
}

// epollEvent reads {events = EPOLLIN, fd = 4}; its data may be ptr, u32 or u64 instead.
func (r *runner) epollEvent(x script.Expr) (ev EpollEvent, err error) {
	s, ok := x.(*script.Struct)
	if !ok {
		return ev, fmt.Errorf("%s is no epoll_event", x)
	}
	bits, err := r.eval().num(s.Field("events"))
	if err != nil {
		return ev, fmt.Errorf("events: %w", err)
	}
	ev.Events = uint32(bits)
	for i := range s.Fields {
		f := &s.Fields[i]
		if f.Name == "events" {
			continue
		}
		v, err := r.eval().num(f.Value)
		if err != nil {
			return ev, fmt.Errorf("%s: %w", f.Name, err)
		}
		switch f.Name {
		case "fd":
			ev.Data = uint64(uint32(r.liveFD(int(v))))
		case "u32":
			ev.Data = uint64(uint32(v))
		case "ptr", "u64":
			ev.Data = uint64(v)
		default:
			return ev, fmt.Errorf("epoll_event has no field %q", f.Name)
		}
	}
	return ev, nil
}

func callEpollCtl(r *runner, c *call, a args) error {
	n, err := a.ints(4, 0, 1, 2)
	if err != nil {
		return err
	}
	var ev EpollEvent
	if !a.isNull(3) {
		if ev, err = r.epollEvent(a.list[3]); err != nil {
			return err
		}
	}
	c.run = func() (int, error) { return 0, r.world.EpollCtl(r.liveFD(n[0]), n[1], r.liveFD(n[2]), ev) }
	return nil
}

func callEpollWait(r *runner, c *call, a args) error {
	n, err := a.ints(4, 0, 2, 3)
	if err != nil {
		return err
	}
	if n[1] < 0 || n[1] > 1<<16 {
		return fmt.Errorf("%d events", n[1])
	}
	var want []EpollEvent
	list := []script.Expr{a.list[1]}
	if l, ok := a.list[1].(*script.List); ok {
		list = l.Elems
	}
	for _, x := range list {
		if _, any := x.(*script.Ellipsis); any {
			continue
		}
		ev, err := r.epollEvent(x)
		if err != nil {
			return err
		}
		want = append(want, ev)
	}
	got := make([]EpollEvent, n[1])
	c.run = func() (int, error) { return r.world.EpollWait(r.liveFD(n[0]), got, milliseconds(n[2])) }
	c.after = func(result int) error {
		for i := range want {
			if i >= result {
				break
			}
			if w, g := want[i], got[i]; w.Events != g.Events {
				return fmt.Errorf("events of event %d are %s, expected %s", i, epollNames(g.Events), epollNames(w.Events))
			} else if w.Data != g.Data {
				return fmt.Errorf("data of event %d are %d, expected %d", i, g.Data, w.Data)
			}
		}
		return nil
	}
	return nil
}
