// Package nd holds the parts of Neighbor Discovery that are about the link and our own addresses, as machines without
// time, lock or wire: [DAD], Duplicate Address Detection of one address (RFC 4862, 5.4) with the detection of looped back
// probes (RFC 7527), and [Host], which solicits routers (RFC 4861, 6.3.7; RFC 7559), learns from their advertisements
// (RFC 4861, 6.3.4; RFC 4191; RFC 8106) and forms addresses (RFC 4862, 5.3 and 5.5; RFC 7217; RFC 8981). Other nodes'
// link-layer addresses are the business of package neigh, which router is asked that of package route.
//
// A Host remembers a bounded number of each thing, and what came first stays: see [MaxRouters].
package nd
