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
package packetdrill
