// Package ip is the internet layer: IPv4 (RFC 791, 1122, 1812) and IPv6 (RFC 8200, 4291) with ICMP (RFC 792),
// ICMPv6 (RFC 4443), ARP and Neighbor Discovery at work (RFC 826, 4861, 4862), for a host or a router. The families
// are separate in the headers and joined everywhere else; file names carry 4 or 6 where there is one.
//
// A packet in (queue.go): the link's goroutine takes each frame of a batch as far as it goes without a lock:
//
//	queue.go                        link header
//	input4.go, input6.go            header checks, options, extension headers
//	decide.go                       ours, forward, or drop? Remembered by pair of addresses
//	forward.go                      send it on: no lock
//	icmp.go, icmperror.go           echo; errors about what we sent
//	complain.go                     ICMP errors about what we got
//
// then what needs the control shard, locked once a batch:
//
//	ndinput.go, resolver.go         ARP, Neighbor Discovery, duplicate address detection
//	autoconf.go, addresses.go       Router Advertisements, addresses of our own making, lifetimes
//	reassinput.go, reass.go         fragments
//
// then the transports, each shard locked once (upper.go), and then all that is to be sent (transmit.go).
//
// Who taps an interface (tap.go) sees the frames before all that, and those that go out when the link gets them.
//
// A packet out: output.go tells the nine steps.
//
// Configuration (configure.go, device.go) is kept under the lock of the control shard and published as an immutable
// snapshot, which the packet path loads once a batch. The Layer has no goroutines: it runs on those of links, sockets
// and timers.
//
// Left out: IGMP and MLD, so that groups are a receive filter only; redirects;
// proxies; multicast routing; source routes and record route; the Authentication Header; jumbograms; ICMP timestamps.
package ip
