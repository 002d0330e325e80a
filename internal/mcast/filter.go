package mcast

import (
	"slices"

	"github.com/onlink-go/onlink/wire"
)

// Mode is the filter mode of RFC 3376, 2.
type Mode uint8

// The modes: packets from the sources only, or from all but them.
const (
	Include Mode = iota
	Exclude
)

// String returns the mode in the RFC's letters.
func (m Mode) String() string {
	if m == Exclude {
		return "EXCLUDE"
	}
	return "INCLUDE"
}

// Filter is the reception state of a group: of a socket, or of an interface. The zero Filter wants nothing: RFC 3376, 2,
// "the non-existent state is considered to have a filter mode of INCLUDE and an empty source list".
type Filter struct {
	Mode    Mode
	Sources []wire.Addr // ascending, each once
}

// All is the filter of who hears every source.
var All = Filter{Mode: Exclude}

// NewFilter returns the filter of the sources, in any order.
func NewFilter(m Mode, sources ...wire.Addr) Filter {
	s := slices.Clone(sources)
	slices.SortFunc(s, compare)
	return Filter{m, slices.Compact(s)}
}

func compare(a, b wire.Addr) int { return a.Compare(b) }

// None reports whether f wants nothing.
func (f Filter) None() bool { return f.Mode == Include && len(f.Sources) == 0 }

// Has reports whether src is in the list.
func (f Filter) Has(src wire.Addr) bool {
	_, ok := slices.BinarySearchFunc(f.Sources, src, compare)
	return ok
}

// Accepts reports whether packets from src are wanted.
func (f Filter) Accepts(src wire.Addr) bool { return f.Has(src) == (f.Mode == Include) }

// Equal reports whether f and o want the same.
func (f Filter) Equal(o Filter) bool { return f.Mode == o.Mode && slices.Equal(f.Sources, o.Sources) }

// With returns f with src in its list.
func (f Filter) With(src wire.Addr) Filter {
	i, ok := slices.BinarySearchFunc(f.Sources, src, compare)
	if ok {
		return f
	}
	return Filter{f.Mode, slices.Insert(slices.Clone(f.Sources), i, src)}
}

// Without returns f without src in its list.
func (f Filter) Without(src wire.Addr) Filter {
	i, ok := slices.BinarySearchFunc(f.Sources, src, compare)
	if !ok {
		return f
	}
	return Filter{f.Mode, slices.Delete(slices.Clone(f.Sources), i, i+1)}
}

// Merge returns the filter that accepts what a or b does.
//
// RFC 3376, 3.2: "if *any* such record has a filter mode of EXCLUDE, then the filter mode of the interface record is EXCLUDE,
// and the source list of the interface record is the intersection of the source lists of all socket records in EXCLUDE
// mode, minus those source addresses that appear in any socket record in INCLUDE mode"; "if *all* such records
// have a filter mode of INCLUDE, then the filter mode of the interface record is INCLUDE, and the source list of the
// interface record is the union of the source lists of all the socket records." RFC 3810, 4.2: likewise.
func Merge(a, b Filter) Filter {
	switch {
	case a.Mode == Include && b.Mode == Include:
		return Filter{Include, union(a.Sources, b.Sources)}
	case a.Mode == Exclude && b.Mode == Exclude:
		return Filter{Exclude, intersection(a.Sources, b.Sources)}
	case a.Mode == Exclude:
		return Filter{Exclude, minus(a.Sources, b.Sources)}
	}
	return Filter{Exclude, minus(b.Sources, a.Sources)}
}

// The sets below are ascending lists. The RFCs write them A+B, A*B and A-B.

func union(a, b []wire.Addr) []wire.Addr {
	if len(b) == 0 {
		return a
	}
	all := append(slices.Clone(a), b...)
	slices.SortFunc(all, compare)
	return slices.Compact(all)
}

func intersection(a, b []wire.Addr) (both []wire.Addr) {
	for _, x := range a {
		if _, ok := slices.BinarySearchFunc(b, x, compare); ok {
			both = append(both, x)
		}
	}
	return both
}

func minus(a, b []wire.Addr) (rest []wire.Addr) {
	for _, x := range a {
		if _, ok := slices.BinarySearchFunc(b, x, compare); !ok {
			rest = append(rest, x)
		}
	}
	return rest
}
