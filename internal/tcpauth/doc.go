// Package tcpauth authenticates TCP segments for those whose sessions must not be forged, BGP speakers above all: the
// TCP Authentication Option (RFC 5925, with the algorithms of RFC 5926) and what it replaces, the TCP MD5 Signature
// Option (RFC 2385).
//
// A [Keys] says which keys a socket has for which peers. A [Conn] is what one connection has: [Conn.Sign] fills in the
// option of a segment about to be sent, [Conn.Check] judges one that came. Neither knows anything of TCP's states: "All
// TCP-AO processing occurs between the interface of TCP and IP" (RFC 5925, 7.3).
//
// Left out: key exchange (keys are configured), and the Key-ID ranges of several MKTs that differ in local port.
package tcpauth
