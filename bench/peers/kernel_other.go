//go:build !linux

package main

import (
	"errors"
	"time"
)

var errLinux = errors.New("needs Linux")

func kernelVeth() (*pair, error) { return nil, errLinux }

func kernelPlain() (*pair, error) { return nil, errLinux }

func processorTime() time.Duration { return 0 }

func isolate() {}
