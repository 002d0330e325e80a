//go:build !linux

package main

import (
	"errors"
	"time"

	"github.com/onlink-go/onlink/link/tuntap"
)

// Elsewhere there is no kernel of Linux's to measure, and none to talk to.

type direction bool

const (
	toKernel   direction = false
	fromKernel direction = true
)

const noOffload = ""

func none(family) (*pair, error) { return nil, errors.New("needs Linux") }

func onlinkTap(direction, tuntap.Config) opener { return none }

func onlinkPacket(direction) opener { return none }

func gvisorTUN(direction) opener { return none }

const ring, recvmmsg = 0, 0

func gvisorPacket(direction, int) opener { return none }

func kernelVeth(int, string) opener { return none }

func processorTime() time.Duration { return 0 }

func isolate() {}
