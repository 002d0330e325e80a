// Package kernel makes a packetdrill World of the Linux kernel: a network namespace of its own with a TUN device, in which
// scripts make system calls in real time. It shows where the kernel and a script agree, and so whether a script says what
// it means. It needs root.
//
// All that a script opens is in the namespace, which ends with the World: nothing of the machine's network is touched.
package kernel
