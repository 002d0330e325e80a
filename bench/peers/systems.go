package main

import (
	"strings"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/tuntap"
)

// opener makes the two ends of a system in one of its configurations.
type opener func(f family) (*pair, error)

// system is a stack, or a kernel, in one of its configurations.
type system struct {
	name string
	open opener
}

// ours reports whether a system is ours by its name.
func ours(name string) bool { return strings.HasPrefix(name, "onlink") }

// The systems. Each is there in whatever configurations have come out best for it somewhere.
var (
	plain = []system{
		{"onlink", onlinkMemory(plainCable, onlink.Config{})},
		{"gVisor, queue", gvisorQueue(1500, 0, usual)},
		{"gVisor, queue, its software GSO", gvisorQueue(1500, softwareGSO, usual)},
		{"Linux, veth, offloads off", kernelVeth(1500, noOffload)},
	}
	large = []system{
		{"onlink, super-packets", onlinkMemory(superCable, onlink.Config{})},
		{"onlink, MTU 65535", onlinkMemory(jumboCable, onlink.Config{})},
		{"gVisor, queue, GSO", gvisorQueue(1500, hostGSO, usual)},
		{"gVisor, queue, MTU 65535", gvisorQueue(jumboMTU, 0, usual)},
		{"Linux, veth", kernelVeth(1500, "")},
		{"Linux, veth, MTU 65535", kernelVeth(jumboMTU, "")},
	}
	small = []system{
		{"onlink", onlinkMemory(plainCable, onlink.Config{})},
		{"gVisor, queue", gvisorQueue(1500, 0, usual)},
		{"Linux, veth", kernelVeth(1500, "")},
	}
	// With a processor that looks for the answer.
	trip = append(small[:len(small):len(small)],
		system{"onlink, busy polling", onlinkMemory(plainCable, onlink.Config{TCP: onlink.TCPConfig{BusyRead: 100 * time.Microsecond}})})
	smallUDP = append(small[:len(small):len(small)],
		system{"onlink, batches", by(batches, onlinkMemory(plainCable, onlink.Config{}))},
		system{"Linux, veth, batches", by(batches, kernelVeth(1500, ""))})
	superUDP = []system{
		{"onlink", by(supers, onlinkMemory(superCable, onlink.Config{}))},
		{"Linux, veth", by(supers, kernelVeth(1500, ""))},
	}
	programs = []system{
		{"onlink", helloPair("onlink", "github.com/onlink-go/onlink")},
		{"gVisor", helloPair("gvisor", "gvisor.dev/gvisor")},
	}
	// On one shard the two connections share a lock, and one goroutine answers for both.
	beside = []system{
		{"onlink, one shard", onlinkMemory(superCable, onlink.Config{Shards: 1})},
		{"onlink", onlinkMemory(superCable, onlink.Config{})},
		{"gVisor, queue, GSO", gvisorQueue(1500, hostGSO, usual)},
		{"Linux, veth", kernelVeth(1500, "")},
	}
)

// onWire are the systems that talk to the kernel; over veth the kernel talks to itself.
func onWire(d direction) []system {
	return []system{
		{"onlink, TAP", onlinkTap(d, tuntap.Config{})},
		{"onlink, TUN", onlinkTap(d, tuntap.Config{TUN: true})},
		{"onlink, packet socket", onlinkPacket(d)},
		{"gVisor, TUN, virtio-net headers", gvisorTUN(d)},
		{"gVisor, packet socket, GSO, recvmmsg", gvisorPacket(d, recvmmsg)},
		{"gVisor, packet socket, GSO, PACKET_MMAP", gvisorPacket(d, ring)},
		{"Linux, veth", kernelVeth(1500, "")},
	}
}

// onWireUDP are those, and those that move many datagrams at a time where they can: gVisor cannot, but the kernel that it talks to.
func onWireUDP(d direction) []system {
	return append(onWire(d),
		system{"onlink, TUN, batches", by(batches, onlinkTap(d, tuntap.Config{TUN: true}))},
		system{"gVisor, TUN, batches at the kernel", by(batches, gvisorTUN(d))})
}

// onWireSuper are those that have super-packets of UDP.
func onWireSuper(d direction) []system {
	return []system{
		{"onlink, TAP", by(supers, onlinkTap(d, tuntap.Config{}))},
		{"onlink, TUN", by(supers, onlinkTap(d, tuntap.Config{TUN: true}))},
		{"Linux, veth", by(supers, kernelVeth(1500, ""))},
	}
}

// by has datagrams moved in a mode.
func by(m udpMode, open opener) opener {
	return func(f family) (*pair, error) {
		p, err := open(f)
		if err == nil {
			p.mode = m
		}
		return p, err
	}
}

// onWireMany are those for many connections.
func onWireMany(d direction) []system {
	return append(onWire(d), system{"onlink, TUN, 2 queues", onlinkTap(d, tuntap.Config{TUN: true, Queues: 2})})
}

// routers are those that forward, to so many destinations.
func routers(destinations int) []system {
	return []system{
		{"onlink, 1,000,000 or 200,000 routes", onlinkRouter(1_000_000, 200_000, destinations)},
		{"gVisor, two routes", gvisorRouter(destinations)},
	}
}

// crowds are those for many connections at once: their links hold a packet of each, so that none is lost.
var crowds = []system{
	{"onlink", onlinkMemory(wideCable, onlink.Config{})},
	{"gVisor, queue, GSO", gvisorQueue(1500, hostGSO, wide)},
	{"Linux, veth", kernelVeth(1500, "")},
}
