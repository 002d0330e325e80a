//go:build !linux

package main

import (
	"errors"
	"net"
	"time"

	"github.com/onlink-go/onlink/link/tuntap"
)

// Elsewhere there is no kernel of Linux's to measure, and unavailable to talk to.

type direction bool

const (
	toKernel   direction = false
	fromKernel direction = true
)

const noOffload = ""

func unavailable(family) (*pair, error) { return nil, errors.New("needs Linux") }

func onlinkTap(direction, tuntap.Config) opener { return unavailable }

func onlinkPacket(direction) opener { return unavailable }

func gvisorTUN(direction) opener { return unavailable }

const ring, recvmmsg = 0, 0

func gvisorPacket(direction, int) opener { return unavailable }

func kernelVeth(int, string) opener { return unavailable }

func processorTime() time.Duration { return 0 }

func isolate() {}

func slab() float64 { return 0 }

func priceDevice() prices { return nil }

func atHome(f func()) error { f(); return nil }

func kernelSuper(*net.UDPConn, int) error { return errors.ErrUnsupported }
