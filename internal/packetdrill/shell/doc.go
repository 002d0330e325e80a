// Package shell runs the shell commands of packetdrill scripts, and the shell files they name, without a shell: those that
// have a meaning for the network they run on. A [Host] is that network: its settings, its routes, its time.
//
// Of the POSIX shell (IEEE 1003.1, "Shell Command Language") it knows lists, pipelines, if and for, quoting, variables and
// $(…), redirection to files below /proc/sys and to /dev/null; of commands, sysctl, echo, printf, cat, tee, test, sleep and
// what belongs to the shell itself. ip, tc, ethtool and their like are the Host's. Anything else is an error that names
// it: a command is never passed over in silence. A command that fails ends everything, as after set -e.
package shell
