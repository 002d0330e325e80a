// Package code runs what stands between %{ and }% in a packetdrill script: assertions in Python, about what TCP_INFO and
// other socket options said at that point.
//
// It is a small part of Python 3, evaluated here, so that scripts run without a Python and without a process: whole
// numbers of any size, floats, strings with %, format and f"…", lists, tuples, dictionaries, comprehensions; assert,
// print, assignments, if, while, for, def, import of math and sys. What it leaves out (classes, exceptions, slices with
// steps, generators, decorators, …) is an error that names it. Python 2's print statement and <> are understood too.
//
// All code of a script is one program in the order of the script, as it is for packetdrill: variables of one piece are
// there in the next. The interpreter sets the fields of TCP_INFO before each piece:
//
//	in := code.New()
//	in.Set("tcpi_snd_cwnd", 10)
//	err := in.Run("x.pkt", 12, 4, "assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd")
//
// The names of constants (TCP_ESTABLISHED, TCP_CA_Open, TCPI_OPT_SACK, EAGAIN, …) are those of package abi.
package code
