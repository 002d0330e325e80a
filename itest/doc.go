// Package itest tests onlink against the Linux kernel and its tools, and against gopacket as a second opinion on
// every format. It has no code but tests, and is a module of its own so that what they need stays out of the library.
//
// Each test has network namespaces of its own, with the kernel at one end of a TAP or TUN device and a stack in the
// test's process at the other. That takes root, or a user namespace, which TestMain makes where it may, and
// /dev/net/tun; tests that cannot have it, or lack a program (ip, ping, curl, tshark, iperf3), are skipped and say why.
package itest
