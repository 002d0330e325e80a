//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// ownFile reports whether the file is this user's.
func ownFile(fi fs.FileInfo) bool {
	s, ok := fi.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Getuid()
}
