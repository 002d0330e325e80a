package ip

import "syscall"

// errIsolated is what a Linux socket reports for "source host isolated".
const errIsolated = syscall.ENONET
