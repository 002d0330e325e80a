package packetdrill

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// transfer reads what all calls that read or write one buffer have in common: the descriptor, in the script and in the world,
// the buffer's length, and the flags of those that have some.
func (a args) transfer(name string) (number, fd, n, flags int, err error) {
	want := 3
	switch name {
	case "recv", "send":
		want = 4
	case "recvfrom", "sendto":
		want = 6
	}
	if err = a.count(want); err == nil && want > 3 {
		flags, err = a.int(3)
	}
	if err == nil {
		number, fd, err = a.fd(0)
	}
	if err == nil {
		n, err = a.int(2)
	}
	return number, fd, n, flags, err
}

// callRead is read, recv and recvfrom.
func callRead(r *runner, c *call, a args) error {
	_, fd, n, flags, err := a.transfer(c.name)
	if err != nil {
		return err
	}
	b, err := a.buffer(1, n)
	if b == nil {
		b = make([]byte, n) // NULL, with MSG_TRUNC
	}
	want, checked := a.list[1].(*script.Str)
	c.run = func() (int, error) { return r.world.Recvmsg(fd, &Msg{Buf: [][]byte{b}}, flags) }
	c.after = func(n int) error {
		if checked && n >= 0 && string(b[:min(n, len(b))]) != want.Value {
			return fmt.Errorf("%q was received, expected %q", b[:n], want.Value)
		}
		return nil
	}
	return err
}

// callWrite is write, send and sendto.
func callWrite(r *runner, c *call, a args) error {
	number, fd, n, flags, err := a.transfer(c.name)
	if err != nil {
		return err
	}
	b, err := a.buffer(1, n)
	if err != nil {
		return err
	}
	m := &Msg{Buf: [][]byte{b}}
	if len(a.list) == 6 {
		if m.Name, err = a.address(4, r.cfg.sockAddr(r.cfg.RemoteIP, r.cfg.ConnectPort)); err != nil {
			return err
		}
		r.sendingTo(number, m.Name, b)
	}
	c.run = func() (int, error) { return r.world.Sendmsg(fd, m, flags) }
	return nil
}

// sendingTo notes that a socket sends to addr; to a socket of ICMP's it gives an echo request to send.
func (r *runner) sendingTo(number int, addr netip.AddrPort, b []byte) {
	s := r.sockOf(number)
	if addr.IsValid() {
		r.connecting(number, addr)
	}
	if s == nil || !isICMP(s.proto) || len(b) == 0 {
		return
	}
	const echo4, echo6 = 8, 128
	b[0] = echo4
	if r.cfg.v6() {
		b[0] = echo6
	}
}

// iovec reads [{..., 1000}, {..., 500}].
func (a args) iovec(x script.Expr) ([][]byte, error) {
	l, ok := x.(*script.List)
	if !ok {
		return nil, fmt.Errorf("%v is no list of buffers", x)
	}
	var list [][]byte
	for _, e := range l.Elems {
		s, ok := e.(*script.Struct)
		if !ok || len(s.Fields) != 2 {
			return nil, fmt.Errorf("%v is no buffer and its length", e)
		}
		n, err := a.r.eval().int32(s.Fields[1].Value)
		if err != nil {
			return nil, err
		}
		b, err := args{a.r, []script.Expr{s.Fields[0].Value}}.buffer(0, n)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, nil
}

// vector reads the arguments of readv and writev.
func (a args) vector() (fd int, list [][]byte, err error) {
	if err := a.count(3); err != nil {
		return 0, nil, err
	}
	if _, fd, err = a.fd(0); err != nil {
		return 0, nil, err
	}
	if list, err = a.iovec(a.list[1]); err != nil {
		return 0, nil, err
	}
	n, err := a.int(2)
	if err == nil && n != len(list) {
		err = fmt.Errorf("%d buffers, but %d said", len(list), n)
	}
	return fd, list, err
}

func callReadv(r *runner, c *call, a args) error {
	fd, list, err := a.vector()
	c.run = func() (int, error) { return r.world.Recvmsg(fd, &Msg{Buf: list}, 0) }
	return err
}

func callWritev(r *runner, c *call, a args) error {
	fd, list, err := a.vector()
	c.run = func() (int, error) { return r.world.Sendmsg(fd, &Msg{Buf: list}, 0) }
	return err
}

// msghdr reads {msg_name(...) = ..., msg_iov(1) = [{..., 1000}], msg_flags = 0, msg_control = […]}. hasName reports whether
// it has a name.
func (a args) msghdr(x script.Expr) (m *Msg, hasName bool, err error) {
	s, ok := x.(*script.Struct)
	if !ok {
		return nil, false, fmt.Errorf("%v is no msghdr", x)
	}
	m = &Msg{}
	for i := range s.Fields {
		f := &s.Fields[i]
		switch f.Name {
		case "msg_name":
			hasName = true
		case "msg_iov":
			if m.Buf, err = a.iovec(f.Value); err != nil {
				return nil, false, err
			}
			if f.Count == nil {
				break
			}
			n, err := a.r.eval().int32(f.Count)
			if err != nil {
				return nil, false, err
			}
			if n != len(m.Buf) {
				return nil, false, fmt.Errorf("msg_iov has %d buffers, but %d are said", len(m.Buf), n)
			}
		case "msg_flags":
			if m.Flags, err = a.r.eval().int32(f.Value); err != nil {
				return nil, false, err
			}
		case "msg_control":
			if m.Control, err = a.control(f.Value); err != nil {
				return nil, false, err
			}
		default:
			return nil, false, fmt.Errorf("msghdr has no field %q", f.Name)
		}
	}
	return m, hasName, nil
}

func callRecvmsg(r *runner, c *call, a args) error {
	if err := a.count(3); err != nil {
		return err
	}
	_, fd, err := a.fd(0)
	if err != nil {
		return err
	}
	want, _, err := a.msghdr(a.list[1])
	if err != nil {
		return err
	}
	flags, err := a.int(2)
	m := &Msg{Buf: want.Buf, Control: make([]byte, len(want.Control))}
	c.run = func() (int, error) { return r.world.Recvmsg(fd, m, flags) }
	c.after = func(n int) error {
		if n < 0 {
			return nil
		}
		if m.Flags != want.Flags {
			return fmt.Errorf("msg_flags are %#x, expected %#x", m.Flags, want.Flags)
		}
		return r.compareControl(want.Control, m.Control)
	}
	return err
}

func callSendmsg(r *runner, c *call, a args) error {
	if err := a.count(3); err != nil {
		return err
	}
	number, fd, err := a.fd(0)
	if err != nil {
		return err
	}
	m, named, err := a.msghdr(a.list[1])
	if err != nil {
		return err
	}
	if m.Flags != 0 {
		return errors.New("sendmsg does not look at msg_flags")
	}
	if named {
		m.Name = r.cfg.sockAddr(r.cfg.RemoteIP, r.cfg.ConnectPort)
		r.connecting(number, m.Name)
	}
	flags, err := a.int(2)
	c.run = func() (int, error) { return r.world.Sendmsg(fd, m, flags) }
	return err
}
