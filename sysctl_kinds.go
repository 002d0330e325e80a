package onlink

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/tcpsock"
)

// The kinds of settings there are in TCP, by what their values are and where they are kept.

// settings is where TCP's settings are.
type settings = tcpsock.Settings

// tcpKnob is a setting of TCP that is read by get and set by set.
func tcpKnob(name, doc string, get func(*settings) string, set func(*settings, string) error) knob {
	return knob{name: name, doc: doc, get: func(s *Stack) string { return get(s.tcp.Settings()) },
		set: func(s *Stack, v string) (err error) {
			trial := *s.tcp.Settings()
			if err := set(&trial, v); err != nil {
				return err
			}
			s.tcp.Configure(func(t *settings) { set(t, v) }) // of a value that has just been found to be good
			return nil
		}}
}

// number is a whole number from lo to hi.
func number(name string, field func(*settings) *int, lo, hi int, doc string) knob {
	return tcpKnob(name, doc+rangeDoc(lo, hi), func(t *settings) string { return strconv.Itoa(*field(t)) },
		func(t *settings, v string) error {
			n, err := parseNumber(v, lo, hi)
			if err == nil {
				*field(t) = n
			}
			return err
		})
}

// duration is a time of so many units, from lo to hi.
func duration(name string, field func(*settings) *time.Duration, unit time.Duration, lo, hi int, doc string) knob {
	return tcpKnob(name, doc+rangeDoc(lo, hi), func(t *settings) string { return strconv.Itoa(int(*field(t) / unit)) },
		func(t *settings, v string) error {
			n, err := parseNumber(v, lo, hi)
			if err == nil {
				*field(t) = time.Duration(n) * unit
			}
			return err
		})
}

// on is a switch: 0 is off, and any other value on.
func on(name string, field func(*settings) *bool, doc string) knob {
	return tcpKnob(name, doc, func(t *settings) string { return bit(*field(t)) }, func(t *settings, v string) error {
		n, err := parseNumber(v, 0, math.MaxUint8)
		if err == nil {
			*field(t) = n != 0
		}
		return err
	})
}

// off is a switch whose field says that it is off.
func off(name string, field func(*settings) *bool, doc string) knob {
	return tcpKnob(name, doc, func(t *settings) string { return bit(!*field(t)) }, func(t *settings, v string) error {
		n, err := parseNumber(v, 0, math.MaxUint8)
		if err == nil {
			*field(t) = n == 0
		}
		return err
	})
}

// triple is three numbers, each at least lo, that are kept times unit. A value of fewer leaves the others as they are.
func triple(name string, field func(*settings) *[3]int, unit, lo int, doc string) knob {
	get := func(t *settings) string {
		f := field(t)
		return fmt.Sprintf("%d\t%d\t%d", f[0]/unit, f[1]/unit, f[2]/unit)
	}
	return tcpKnob(name, doc, get, func(t *settings, v string) error {
		f := field(t)
		words := strings.Fields(v)
		if len(words) == 0 || len(words) > len(f) {
			return fmt.Errorf("must be up to three numbers: %w", syscall.EINVAL)
		}
		for i, w := range words {
			n, err := parseNumber(w, lo, math.MaxInt32)
			if err != nil {
				return err
			}
			f[i] = n * unit
		}
		return nil
	})
}

// only is a setting that describes what the stack does and cannot do otherwise: it takes the value it has. why is
// what the stack lacks.
func only(name, value, why string) knob {
	return knob{name: name, doc: why, get: func(*Stack) string { return value }, set: func(_ *Stack, v string) error {
		if strings.Join(strings.Fields(v), " ") != value {
			return fmt.Errorf("can only be %s here, %s: %w", value, why, syscall.EINVAL)
		}
		return nil
	}}
}

// idle is a setting that has no effect: in Linux neither, or since what it is about does not occur here. It is kept.
func idle(name string, initial, lo, hi int, why string) knob {
	return knob{name: name, doc: why + rangeDoc(lo, hi),
		get: func(s *Stack) string {
			s.idle.Lock()
			defer s.idle.Unlock()
			if v, ok := s.idle.values[name]; ok {
				return v
			}
			return strconv.Itoa(initial)
		},
		set: func(s *Stack, v string) error {
			n, err := parseNumber(v, lo, hi)
			if err != nil {
				return err
			}
			s.idle.Lock()
			defer s.idle.Unlock()
			if s.idle.values == nil {
				s.idle.values = make(map[string]string)
			}
			s.idle.values[name] = strconv.Itoa(n)
			return nil
		}}
}

func bit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func rangeDoc(lo, hi int) string {
	if hi >= math.MaxInt32 {
		return fmt.Sprintf("; at least %d", lo)
	}
	return fmt.Sprintf("; %d to %d", lo, hi)
}

// parseNumber reads a whole number as the kernel does: decimal, or hexadecimal with 0x, or octal with 0.
func parseNumber(v string, lo, hi int) (int, error) {
	n, err := strconv.ParseInt(v, 0, 64)
	if err != nil || n < int64(lo) || n > int64(hi) {
		return 0, fmt.Errorf("must be a whole number from %d to %d: %w", lo, hi, syscall.EINVAL)
	}
	return int(n), nil
}
