package packetdrill

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/onlink-go/onlink/internal/packetdrill/abi"
	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// evaluator works out expressions.
type evaluator struct{}

// num returns the value of an expression that is a number.
func (e evaluator) num(x script.Expr) (int64, error) {
	switch x := x.(type) {
	case *script.Int:
		return x.Value, nil
	case *script.Word:
		return e.word(x.Name)
	case *script.Unary:
		v, err := e.num(x.X)
		switch x.Op {
		case "-":
			v = -v
		case "~":
			v = ^v
		case "!":
			v = truth(v == 0)
		default:
			return 0, fmt.Errorf("%s is no operator", x.Op)
		}
		return v, err
	case *script.Binary:
		return e.binary(x)
	case *script.List:
		if len(x.Elems) == 1 {
			return e.num(x.Elems[0])
		}
	case *script.Call:
		return e.call(x)
	case nil:
		return 0, fmt.Errorf("a number is missing")
	}
	return 0, fmt.Errorf("%s is not a number", x)
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (e evaluator) word(name string) (int64, error) {
	if v, ok := abi.Value(name); ok {
		return v, nil
	}
	return 0, fmt.Errorf("%s: unknown name", name)
}

func (e evaluator) binary(x *script.Binary) (int64, error) {
	a, err := e.num(x.X)
	if err != nil {
		return 0, err
	}
	b, err := e.num(x.Y)
	if err != nil {
		return 0, err
	}
	switch x.Op {
	case "|":
		return a | b, nil
	case "&":
		return a & b, nil
	case "^":
		return a ^ b, nil
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	case "<<", ">>":
		if b < 0 || b > 63 {
			return 0, fmt.Errorf("cannot shift by %d", b)
		}
		if x.Op == "<<" {
			return a << b, nil
		}
		return a >> b, nil
	case "/", "%":
		if b == 0 {
			return 0, fmt.Errorf("division by zero")
		}
		if x.Op == "/" {
			return a / b, nil
		}
		return a % b, nil
	}
	return 0, fmt.Errorf("%s is no operator", x.Op)
}

// call works out the functions of the language.
func (e evaluator) call(x *script.Call) (int64, error) {
	arg := func() (int64, error) {
		if len(x.Args) != 1 {
			return 0, fmt.Errorf("%s takes one argument", x.Name)
		}
		return e.num(x.Args[0])
	}
	switch x.Name {
	case "htons", "ntohs":
		v, err := arg()
		return int64(uint16(v)>>8 | uint16(v)<<8), err
	case "htonl", "ntohl":
		v, err := arg()
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(v))
		return int64(binary.LittleEndian.Uint32(b[:])), err
	case "CMSG_LEN":
		v, err := arg()
		return cmsgHeader + v, err
	case "CMSG_SPACE":
		v, err := arg()
		return cmsgHeader + (v+7)&^7, err
	}
	return 0, fmt.Errorf("%s: unknown function", x.Name)
}

// int32 returns a number that fits an int or an unsigned int of C.
func (e evaluator) int32(x script.Expr) (int, error) {
	v, err := e.num(x)
	if err == nil && (v < -1<<31 || v > 1<<32-1) {
		err = fmt.Errorf("%d does not fit 32 bits", v)
	}
	return int(int32(v)), err
}

// sockaddr reads {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("1.2.3.4")}.
func (e evaluator) sockaddr(x *script.Struct) (netip.AddrPort, error) {
	family, err := e.num(x.Field("sa_family"))
	if err != nil {
		return netip.AddrPort{}, err
	}
	prefix := "sin_"
	switch family {
	case afUnspec:
		return netip.AddrPort{}, nil
	case afINET6:
		prefix = "sin6_"
	case afINET:
	default:
		return netip.AddrPort{}, fmt.Errorf("%s is of a family unknown", x)
	}
	port, err := e.num(x.Field(prefix + "port"))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%sport: %w", prefix, err)
	}
	addr, err := e.inet(x.Field(prefix + "addr"))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%saddr: %w", prefix, err)
	}
	return netip.AddrPortFrom(addr, uint16(port)>>8|uint16(port)<<8), nil
}

// inet reads an address: inet_addr("1.2.3.4"), inet_pton(AF_INET6, "::1"), "::1" or INADDR_ANY.
func (e evaluator) inet(x script.Expr) (netip.Addr, error) {
	switch x := x.(type) {
	case *script.Str:
		return netip.ParseAddr(x.Value)
	case *script.Call:
		if n := len(x.Args); n > 0 {
			if s, ok := x.Args[n-1].(*script.Str); ok {
				return netip.ParseAddr(s.Value)
			}
		}
	case *script.Word:
		if x.Name == "INADDR_ANY" {
			return netip.IPv4Unspecified(), nil
		}
		if x.Name == "in6addr_any" || x.Name == "IN6ADDR_ANY_INIT" {
			return netip.IPv6Unspecified(), nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%v is not an address", x)
}
