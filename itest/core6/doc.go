// Package core6 is a set of cases of what an IPv6 node must do, each with the sentence that says so: the packet format and
// its extension headers (RFC 8200), Neighbor Discovery of hosts and routers (RFC 4861, RFC 4191), address
// autoconfiguration (RFC 4862), path MTU (RFC 8201), ICMPv6 (RFC 4443), and group reports (RFC 3810).
//
// The cases of package conform are single questions, which are put to the Linux kernel too. A [Case] here is a talk: the
// tester plays routers and neighbors, sends frames, and waits for the node's in [Bench] verbs: what must come, within
// which time, and what must not. The node is one of onlink in virtual time ([NewBench]), so that a day of lifetimes takes
// no time. Some of the cases are put to the command onlink up behind a TAP too, in real time.
package core6
