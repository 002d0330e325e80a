// Package script reads the language of packetdrill scripts: it turns the text of a script into a tree that says what is
// to happen when. It knows what a script says, not what it means: names of system calls, options and constants stay
// names, structures stay lists of fields, and running all of it is package packetdrill's affair.
//
// The language is the one the grammar of google/packetdrill defines, with the additions of the fork used with FreeBSD
// (nplab/packetdrill). A script is
//
//	--name=value                    options, at the head
//	`command`                       a shell command to begin with
//	TIME < packet                   a packet that arrives
//	TIME > packet                   a packet that is expected to leave
//	TIME call(arguments) = result   a system call and what it is expected to return
//	TIME `command`                  a shell command
//	TIME %{ code }%                 assertions in Python
//	`command`                       a shell command to end with
//
// where TIME is 0.5 (since the start), +0.5 (since the event before), 0.1~0.3 or +0.1~+0.3 (between the two) or *
// (at any time), and a system call that blocks has its end in front of its name: 0.5...0.7 read(…) = 10.
//
// SCTP, UDP-Lite and MPTCP are left out: the parser says so, with the position, where a script uses them.
package script
