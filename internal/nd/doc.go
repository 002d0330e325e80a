// Package nd holds the parts of Neighbor Discovery that are about our own addresses: Duplicate Address Detection
// (RFC 4862, 5.4) with the detection of looped back probes (RFC 7527). Other nodes' addresses are the business of
// package neigh.
package nd
