//go:build !linux

package main

import (
	"context"
	"errors"
	"time"
)

// errNotLinux is what measuring the kernel's TCP answers elsewhere.
var errNotLinux = errors.New("-kernel needs Linux")

func buildCommand(context.Context) (path string, remove func(), err error) {
	return "", nil, errNotLinux
}

func realTime(context.Context, string, job, string, uint64, time.Duration) (run, error) {
	return run{}, errNotLinux
}

func realShares(context.Context, string, string, uint64, bool, time.Duration) (shares, error) {
	return shares{}, errNotLinux
}
