// Package conform is a set of cases of how an IPv6 and IPv4 node answers frames, and the means to put one to a stack in
// virtual time and to the Linux kernel behind a TAP device.
//
// A [Case] is a value: what node it is for, the frames that come in, and in words what must come out. A [Host] takes
// frames and returns those that it sent because of them; [NewStack] makes one of onlink, [NewKernel] one of the kernel in
// a network namespace of its own. What a host sends is compared as the text that [Describe] makes of it, in which fields
// that a host is free to choose (IPv4's Identification, a MAC address known already) are left out.
//
// The tester plays all neighbors: it answers ARP requests and Neighbor Solicitations for every address that is not the
// node's, so that no case has to. Neighbor Discovery, router solicitations and group membership reports of the node are
// left out of what is compared unless a case asks for them.
package conform
