//go:build !linux

package ip

import "syscall"

// errIsolated stands for ENONET, which only Linux has.
const errIsolated = syscall.EHOSTUNREACH
