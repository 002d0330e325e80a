// Package socket gives the sockets of a stack the shape of Linux's system calls: numbered descriptors, options as
// octets, control messages, readiness by poll and epoll, and an errno for everything that can go wrong. It serves
// programs that answer the system calls of a guest, as sandboxes and emulators do, on whatever system they run
// themselves.
//
// A [Table] is the descriptors of one process. Its methods are the system calls. Numbers and layouts are those of
// linux/amd64; what Linux reads or writes as a struct is octets here, little endian. Errors are [syscall.Errno]; [Errno]
// gives Linux's number for one. Addresses are netip.AddrPort: an IPv4-mapped address is what an AF_INET6 socket calls
// an IPv4 one, the zero AddrPort stands for AF_UNSPEC, and an IPv6 zone for sin6_scope_id. Packet sockets have a [LinkAddr].
//
// What the stack does not have, it says: an option it lacks is ENOPROTOOPT, never ignored.
//
// Calls that Linux lets wait do so, in the time of the stack's clock.Runtime: in a simulation they must be made by a
// coroutine. All methods may be called at once from several goroutines. A descriptor that is closed while a call uses
// it stays open until that call returns, as with Linux.
package socket
