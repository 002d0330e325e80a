// Package neigh finds the link-layer addresses of neighbors and keeps track of whether they are reachable: the
// Neighbor Cache and the Neighbor Unreachability Detection of RFC 4861, 7.2 and 7.3. The machine exists once; ARP
// (RFC 826; arp.go) and Neighbor Discovery (ndp.go) are two encodings of its events and of its solicitations.
//
// A [Cache] belongs to one interface and holds the neighbors of both families. It takes no lock and reads no clock:
// its caller locks around every method. The order of calls is
//
//	Output, Solicited, Advertised, …, Timeout   an event, with the present instant
//	Next                                        until it returns false: what to send, and what became of packets
//	Deadline                                    when to call Timeout next
//
// Only [Entry.Load], [Entry.Confirm] and the other methods of [Entry] may be called by anyone at any time. They are
// the packet path: while Load says usable, a packet to the neighbor needs nothing else; otherwise it goes through
// Output. Load is not usable in STALE, because the first packet to a neighbor that is STALE has something to start.
//
// # States
//
// The five of RFC 4861, 7.3.2, and three more. NONE is an entry that somebody has looked up but nobody has sent to;
// to the RFC it does not exist. PERMANENT is configured and never questioned. FAILED is what the RFC deletes: it is
// remembered for a while, so that a neighbor that does not answer costs one resolution a HoldDown and not one a
// packet. An entry that fails in PROBE had worked before: the next packet solicits again at once, now by multicast,
// as it should when the neighbor's link-layer address may have changed (RFC 7048, 3).
//
// # Bounds
//
// Entries are bounded in number, and so are the packets that wait, by entry and in all, so that a scan of a /64
// costs neither memory nor the neighbors in use (RFC 6583, 7.1). When room is needed, unresolved entries go first
// if they exceed their share of a quarter, then STALE ones, then those in use; in each group the least recently
// used goes first. PERMANENT ones stay, and do not count. Entries that have been STALE for long without use, and
// entries that were of no use from the start, are collected.
//
// # Own IPv4 addresses
//
// [ACD] verifies that an address of ours is nobody else's, and defends it (RFC 5227); [LinkLocal4] chooses the link-local
// addresses that are tried (RFC 3927). For IPv6 both are package nd's.
//
// # Left out
//
// RFC 7048's UNREACHABLE state and exponential backoff; proxying.
package neigh
