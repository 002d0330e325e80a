// Package packetdrill runs packetdrill scripts: it makes the system calls and sends the packets that a script says, at
// the instants it says, and checks that the system under test returns and sends what the script expects. The language is
// package script's.
//
//	s, err := script.Parse(name, source)
//	result, err := packetdrill.Run(s, packetdrill.Options{})
//
// The system under test is a stack of this module in virtual time, which makes a run fast and the same each time, or the
// kernel of the machine, which package kernel makes a [World] of, in a network namespace with a TUN device, in real time.
//
// # What is mapped
//
// The stack chooses its initial sequence numbers, its timestamps, its ports and its Fast Open cookies, and a script cannot
// know them. As with google/packetdrill, a socket maps the numbers of the script to those on the wire: sequence numbers
// count from the SYN, but for segments with SYN, where they are absolute; a timestamp or cookie that the script expects
// stands for whatever the stack has sent there, and for the same when it is echoed. Packets belong to the socket made
// last, unless they name their ports.
//
// # What is compared
//
// Of a packet that leaves, everything a script can say is compared, but for the window where it does not say one, for
// the options where it says <...>, for TTL and traffic class where it says nothing, and for timestamps unless
// --tcp_ts_tick_usecs or --tcp_ts_ecr_check ask for it. Segments that together are one of the script count as that one,
// unless --strict_segments forbids it. A packet of the socket that the script does not expect is a failure when the next
// one is expected; with --strict_end also at the end.
//
// Options of this interpreter alone are --strict_end and --tcp_ts_ecr_check. Packets may name their ports, and even
// addresses, to speak of one of several connections: < 2000 > 8080 S 0:0(0) win 1000.
//
// # Linux and FreeBSD
//
// Where the RFCs leave freedom, scripts count on what their system does. --like=linux|freebsd|auto says which it is; auto,
// the default, takes a script to be for FreeBSD if it runs kldload, sets net.inet. or kern. settings, expects a SYN with
// the options in FreeBSD's order, or says "platform: FreeBSD" in a comment. The stack does as Linux. Like FreeBSD, it
// begins with FreeBSD's settings (net.inet.tcp.functions_default=freebsd and others, listed in like.go), and TCP options
// of what it sends are compared without regard to their order and to padding.
//
// # The scripts in testdata
//
// testdata/rfc9293/3.10.7.4-rst.pkt shows what section 3.10.7.4 of RFC 9293 says. Its head, a comment that [ParseHeader]
// reads, names each sentence it shows, with the numbers of the RFC's list of requirements where it has one:
//
//	// RFC 9293, 3.8.6.1 MUST-36: "Probing of zero (offered) windows MUST be supported"
//	// kernel: differs: it probes sooner
//
// The tests run every script on IPv4 and IPv6, or on what its --ip_version says, and in package itest against the kernel,
// which must do as the script says unless its head says that it differs, and then must not, or "kernel: not run: why".
// Scripts in testdata/linux show what system calls do, which no RFC says: their heads say "Linux: what". So, while writing one:
//
//	go run ./cmd/onlink drill -v --ip_version=all FILE
//	go run ./cmd/onlink drill -v --ip_version=ipv4,ipv6 --kernel FILE
//	ONLINK_RFC=DIR go test -run Quotes ./internal/packetdrill
//
// A script for both families writes <mss MSS>: 1460 or 1440. The kernel's window scale is 7, as a machine's with 6 MB of
// tcp_rmem. Where segments are to be signed (RFC 2385), md5 without a digest is the right one for the key given by
// setsockopt(3, IPPROTO_TCP, TCP_MD5SIG, {tcpm_key = "secret"}, 216).
package packetdrill
