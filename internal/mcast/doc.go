// Package mcast is the host side of multicast group management: IGMP versions 1, 2 and 3 (RFC 1112, 2236, 3376) and MLD
// versions 1 and 2 (RFC 2710, 3810) as one machine, since MLD says the same as IGMP in another format. Versions have
// IGMP's numbers here: MLDv1 is V2, and MLDv2 is V3.
//
// A [Filter] says which sources of a group somebody wants to hear; [Merge] makes one of those of all sockets. A [Machine]
// tells the routers on one interface's link about the filters of one family, and answers their queries.
//
// The machine does no I/O and reads no clock. The calls are
//
//	Up, Down, Set, Renew, Configure, Query, Heard   an event
//	Timeout                                         after each, and at Deadline
//	Next                                            until it returns false: what to send
//
// Not here: who wants what (package ip), headers with their Router Alert options and checks of received packets (package
// ip), and the router side.
package mcast
