//go:build !linux

// Package netns makes network namespaces of the Linux kernel: elsewhere there are none.
package netns
