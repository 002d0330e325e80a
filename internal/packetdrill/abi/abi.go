// Package abi knows what the names of Linux's socket interface stand for: socket options, flags, families, errors. The
// values are those of the generic architecture (amd64, arm64, …) whatever system the program runs on, because scripts of
// packetdrill and the socket calls they make speak Linux everywhere.
//
// It holds the names a script may use; a name it lacks is one to add to its tables.
package abi

import (
	"slices"
	"strconv"
	"strings"
)

// constant is a name and what it stands for.
type constant struct {
	name  string
	value uint64
}

// Value returns what a name stands for: SO_REUSEADDR, EPOLLIN, EAGAIN, …
func Value(name string) (int64, bool) {
	for _, table := range [][]constant{options, constants} {
		if i, ok := slices.BinarySearchFunc(table, name, func(c constant, n string) int {
			return strings.Compare(c.name, n)
		}); ok {
			return int64(table[i].value), true
		}
	}
	n, ok := Errno(name)
	return int64(n), ok
}

// Errno returns the number of an error: 11 of EAGAIN.
func Errno(name string) (int, bool) {
	for _, e := range errnos {
		if e.name == name {
			return int(e.value), true
		}
	}
	return 0, false
}

// ErrnoName returns the name of an error's number: EAGAIN of 11. A number that has none comes back in digits.
func ErrnoName(n int) string {
	for _, e := range errnos {
		if int(e.value) == n {
			return e.name
		}
	}
	return strconv.Itoa(n)
}

// FlagNames returns the bits of a word by their names, joined as a script joins them: POLLIN|POLLOUT. The names begin
// with prefix ("POLL", "EPOLL", "MSG_", "O_", "SOF_TIMESTAMPING_", "TCPI_OPT_"); what has no name is one number, and 0
// is "0".
func FlagNames(prefix string, bits uint64) string {
	var names []string
	for _, table := range [][]constant{options, constants} {
		for _, c := range table {
			if v := c.value; bits&v == v && v&(v-1) == 0 && v != 0 && strings.HasPrefix(c.name, prefix) {
				names = append(names, c.name)
				bits &^= v
			}
		}
	}
	if bits != 0 || names == nil {
		digits := "0"
		if bits != 0 {
			digits = "0x" + strconv.FormatUint(bits, 16)
		}
		names = append(names, digits)
	}
	return strings.Join(names, "|")
}
