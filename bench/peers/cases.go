package main

import (
	"fmt"
	"slices"
)

// work is what is measured, between the meter's begin and end.
type work func(p *pair, m *meter) error

// benchmark is some work, and the systems that do it.
type benchmark struct {
	name   string
	unit   unit
	also   []string // columns beside those of the unit
	family family
	on     []system
	work   work
	goals  []goal
	once   bool   // it comes to the same each time
	floor  []part // what nobody does without
	point  point
}

// columns are what a case is told in, the first being what it is about.
func (c *benchmark) columns() []string {
	all := slices.Concat([]string{c.unit.rate}, c.also, []string{c.unit.cpu, c.unit.allocs})
	return slices.DeleteFunc(all, func(name string) bool { return name == "" })
}

// twoCopies: of the writer's octets in, and out to the reader.
var twoCopies = []part{{2, copying}}

// Goals that several cases share.
var (
	fastPlain  = goal{"Gbit/s", 4, "gVisor"}
	fastLarge  = []goal{{"Gbit/s", 2, "gVisor"}, {"Gbit/s", 1.3, "Linux"}}
	fastWire   = []goal{{"Gbit/s", 1.3, "gVisor"}, {"Gbit/s", 0.7, "Linux"}}
	noGarbage  = goal{"allocs", 0, ""}
	manyOpened = []goal{{"connections/s", 10, "gVisor"}}
	manyUDP    = []goal{{"received/s", 8, "gVisor"}, noGarbage}
	routed     = []goal{{"packets/s", 2e6, ""}, {"packets/s", 10, "gVisor"}, noGarbage}
	wireUDP    = []goal{{"received/s", 2, "gVisor"}}
)

var cases = slices.Concat([]benchmark{
	{name: "TCP bulk, packets of 1500 octets, 1 connection", unit: octets, on: plain, work: bulk(1), floor: twoCopies,
		goals: []goal{fastPlain}},
	{name: "TCP bulk, packets of 1500 octets, 8 connections", unit: octets, on: plain, work: bulk(8), floor: twoCopies,
		goals: []goal{fastPlain, {"Gbit/s", 1.5, "Linux"}}},
	{name: "TCP bulk, super-packets, 1 connection", unit: octets, on: large, work: bulk(1), floor: twoCopies, goals: fastLarge},
	{name: "TCP bulk, super-packets, 8 connections", unit: octets, on: large, work: bulk(8), floor: twoCopies, goals: fastLarge},
}, wireBulk(1, v4), wireBulk(1, v6), wireBulk(8, v4), []benchmark{
	{name: "TCP, one octet there and back", unit: trips, also: []string{p50, p99}, on: trip, work: roundTrips, floor: []part{{2, waking}},
		goals: []goal{{p50, 5, "gVisor"}, {p99, 5, "gVisor"}, noGarbage}},
	{name: "TCP, one octet to the kernel and back", unit: trips, also: []string{p50, p99}, on: onWire(toKernel), work: roundTrips,
		floor: []part{{1, smallWrite}, {1, smallRead}, {2, waking}}, goals: []goal{{p50, 1 / 1.2, "Linux"}, {p99, 1 / 1.2, "Linux"}}},
	{name: "TCP, one octet there and back beside bulk", unit: octets, also: []string{p50, p99}, on: beside, work: besideBulk},
	{name: "TCP connect, one octet, close, 1 client", unit: each("connections/s"), on: small, work: connects(1), goals: manyOpened},
	{name: "TCP connect, one octet, close, 8 clients", unit: each("connections/s"), on: small, work: connects(8), goals: manyOpened},
	{name: "UDP, 64 octets", unit: each("received/s"), on: smallUDP, work: datagrams(64), goals: manyUDP},
	{name: "UDP, 1400 octets", unit: each("received/s"), on: smallUDP, work: datagrams(1400), goals: manyUDP},
	{name: "UDP to the kernel, 1400 octets", unit: each("received/s"), on: onWireUDP(toKernel), work: datagrams(1400),
		floor: []part{{1, fullWrite}}, goals: wireUDP},
	{name: "UDP from the kernel, 1400 octets", unit: each("received/s"), on: onWireUDP(fromKernel), work: datagrams(1400),
		floor: []part{{1, fullRead}}, goals: wireUDP},
	{name: "UDP, 1400 octets, many in a buffer (UDP_SEGMENT)", unit: each("received/s"), on: superUDP, work: datagrams(1400)},
	{name: "UDP to the kernel, 1400 octets, many in a buffer", unit: each("received/s"), on: onWireSuper(toKernel), work: datagrams(1400)},
	{name: "UDP from the kernel, 1400 octets, many in a buffer", unit: each("received/s"), on: onWireSuper(fromKernel), work: datagrams(1400)},
}, forwarding(v4, fewDestinations), forwarding(v4, manyDestinations), forwarding(v6, fewDestinations), forwarding(v6, manyDestinations), []benchmark{
	{name: "HTTP server: size over package net, modules", unit: size, also: []string{modules}, on: programs, work: hello, once: true,
		goals: []goal{{addedMB, 1.3, ""}, {modules, 6, ""}}},
})

// forwarding is with 1,000,000 IPv4 routes or 200,000 IPv6 routes.
func forwarding(f family, destinations int) []benchmark {
	return []benchmark{{name: fmt.Sprintf("Forwarding, %v, 64 octets, one core, %s destinations", f, thousands(destinations)), unit: each("packets/s"),
		family: f, on: routers(destinations), work: forward, goals: routed}}
}

// wireBulk is bulk in both directions.
func wireBulk(connections int, f family) []benchmark {
	name := func(way string) string {
		s := fmt.Sprintf("TCP bulk %s the kernel, %v, %d connection", way, f, connections)
		if connections > 1 {
			s += "s"
		}
		return s
	}
	on := onWire
	if connections > 1 {
		on = onWireMany
	}
	return []benchmark{
		{name: name("to"), unit: octets, family: f, on: on(toKernel), work: bulk(connections),
			floor: []part{{2, copying}, {1, largeWrite}}, goals: fastWire},
		{name: name("from"), unit: octets, family: f, on: on(fromKernel), work: bulk(connections),
			floor: []part{{2, copying}, {1, largeRead}}, goals: fastWire},
	}
}

// idleCases are for memory: a thousand connections, ten times as many, and so on.
func idleCases(most int) (all []benchmark) {
	for n := 1000; ; n = min(10*n, most) {
		c := benchmark{name: fmt.Sprintf("TCP idle, %s connections", thousands(n)), unit: each("opened/s"), also: []string{idleOctets}, on: small,
			work: idle(n), point: point{series: "Memory of idle connections", column: idleTotal, x: float64(n)}}
		if n >= 100_000 {
			c.goals = []goal{{idleOctets, 2048, ""}, {"opened/s", 10, "gVisor"}}
		}
		if all = append(all, c); n >= most {
			return all
		}
	}
}

// growthCases are for what is lost with many connections.
func growthCases() (all []benchmark) {
	for n := 1; n <= 10_000; n *= 10 {
		all = append(all, benchmark{name: fmt.Sprintf("TCP, messages of 16 KiB, %s active connections", thousands(n)), unit: octets,
			also: []string{p50, p99}, on: crowds, work: growth(n),
			point: point{series: "Active connections, Gbit/s", column: octets.rate, x: float64(n), loss: true}})
	}
	return all
}
