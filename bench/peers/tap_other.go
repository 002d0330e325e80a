//go:build !linux

package main

type direction bool

const (
	toKernel   direction = false
	fromKernel direction = true
)

func onlinkTap(direction, bool, bool) func() (*pair, error) { return kernelVeth }
