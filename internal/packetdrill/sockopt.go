package packetdrill

import (
	"bytes"
	"fmt"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// optionArgs reads descriptor, level and name of getsockopt and setsockopt.
func (a args) option() (fd, level, name int, err error) {
	n, err := a.ints(5, 0, 1, 2)
	if err != nil {
		return 0, 0, 0, err
	}
	return a.r.liveFD(n[0]), n[1], n[2], nil
}

func callSetsockopt(r *runner, c *call, a args) error {
	fd, level, name, err := a.option()
	if err != nil {
		return err
	}
	n, err := a.int(4)
	if err != nil {
		return err
	}
	if n < 0 || n > maxBuffer {
		return fmt.Errorf("an option of %d octets", n)
	}
	value, err := a.value(a.list[3], n)
	c.run = func() (int, error) { return 0, r.world.Setsockopt(fd, level, name, value) }
	return err
}

// value lays out the value of a socket option in n octets: [1], [1, 2], "text", {onoff = 1, linger = 5},
// {tv_sec = 1, tv_usec = 0}, or an IPv6 address. A value shorter than that is padded with zeros.
func (a args) value(x script.Expr, n int) ([]byte, error) {
	var b []byte
	e := a.r.eval()
	switch x := x.(type) {
	case *script.List:
		for _, elem := range x.Elems {
			v, err := e.num(elem)
			if err != nil {
				return nil, err
			}
			if n == 8 && len(x.Elems) == 1 {
				b = le.AppendUint64(b, uint64(v))
			} else {
				b = le.AppendUint32(b, uint32(v))
			}
		}
	case *script.Str:
		b = []byte(x.Value)
	case *script.Struct:
		var err error
		if x.Field("tcpm_key") != nil {
			b, err = a.md5sig(x)
		} else {
			b, err = e.structure(x)
		}
		if err != nil {
			return nil, err
		}
	case *script.Call:
		addr, err := e.inet(x)
		if err != nil {
			return nil, err
		}
		b = addr.AsSlice()
	default:
		return nil, fmt.Errorf("%s is no value of an option: write [%[1]s]", x)
	}
	return append(b, make([]byte, max(0, n-len(b)))...)[:n], nil
}

// structure lays out struct linger, of two ints, and struct timeval, of two longs.
func (e evaluator) structure(x *script.Struct) ([]byte, error) {
	names, size := []string{"onoff", "linger"}, 4
	if x.Field("tv_sec") != nil {
		names, size = []string{"tv_sec", "tv_usec"}, 8
	}
	var b []byte
	if len(x.Fields) != len(names) {
		return nil, fmt.Errorf("%s is of a form unknown", x)
	}
	for i, name := range names {
		f := &x.Fields[i]
		if f.Name != "" && f.Name != name && f.Name != "l_"+name {
			return nil, fmt.Errorf("%s is of a form unknown", x)
		}
		v, err := e.num(f.Value)
		if err != nil {
			return nil, err
		}
		b = append(b, le.AppendUint64(nil, uint64(v))[:size]...)
	}
	return b, nil
}

func callGetsockopt(r *runner, c *call, a args) error {
	fd, level, name, err := a.option()
	if err != nil {
		return err
	}
	n, err := a.bracketed(4)
	if err != nil {
		return err
	}
	if n < 0 || n > maxBuffer {
		return fmt.Errorf("an option of %d octets", n)
	}
	got := make([]byte, n)
	length := 0
	c.run = func() (int, error) {
		var err error
		length, err = r.world.Getsockopt(fd, level, name, got)
		return 0, err
	}
	if a.any(3) {
		return nil
	}
	want, err := a.value(a.list[3], n)
	c.after = func(result int) error {
		switch {
		case result != 0:
			return nil
		case length != n:
			return fmt.Errorf("the option's length is %d, expected %d", length, n)
		case !bytes.Equal(want, got):
			return fmt.Errorf("the option is %s, expected %s", formatValue(got, a.list[3]), formatValue(want, a.list[3]))
		}
		return nil
	}
	return err
}

// formatValue writes the value of an option in the way of like.
func formatValue(b []byte, like script.Expr) string {
	if _, ok := like.(*script.Str); ok {
		return fmt.Sprintf("%q", b)
	}
	if _, ok := like.(*script.List); ok && len(b) == 4 {
		return fmt.Sprintf("[%d]", getInt(b))
	}
	return fmt.Sprintf("[% x]", b)
}
