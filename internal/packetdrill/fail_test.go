package packetdrill

import (
	"strings"
	"testing"
)

// open is a script's beginning: descriptor 4 is a connection whose peer's MSS is 1000.
const open = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 32792
+0 accept(3, ..., ...) = 4
`

// What a script does not say is a failure, which says what is wrong and shows both packets.
func TestFailures(t *testing.T) {
	for _, row := range []struct {
		name, script string
		line         int
		want         []string // in the message; none: the script succeeds
	}{
		{"nothing wrong", open + "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n", 0, nil},
		{"sequence number", open + "+0 write(4, ..., 100) = 100\n+0 > P. 2:102(100) ack 1\n", 9, []string{"seq is 1, expected 2",
			"script:    +0 > P. 2:102(100) ack 1", "expected:  0.100000 > P. 2:102(100) ack 1", "seen:      0.100000 > P. 1:101(100) ack 1 win"}},
		{"acknowledgment", open + "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 2\n", 9, []string{"ack is 1, expected 2"}},
		{"flags", open + "+0 write(4, ..., 100) = 100\n+0 > F. 1:101(100) ack 1\n", 9, []string{"flags is P., expected F."}},
		{"length", open + "+0 write(4, ..., 100) = 100\n+0 > P. 1:91(90) ack 1\n", 9, []string{"length is 100, expected 90"}},
		{"too little", open + "+0 write(4, ..., 100) = 100\n+.1 < . 1:1(0) ack 101 win 1000\n+0 > P. 1:201(200) ack 1\n", 10,
			[]string{"only 100 of 200 octets came"}},
		{"window", open + "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1 win 1\n", 9, []string{"win is ", ", expected 1"}},
		{"options", open + "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1 <nop,nop,TS val 1 ecr 1>\n", 9,
			[]string{"options is <>, expected <nop,nop,TS val 1 ecr 1>"}},
		{"too late", open + "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n+.2 > P. 1:101(100) ack 1\n", 10,
			[]string{"the packet was at 0.400000, expected at 0.300000, give or take 25ms"}},
		{"too early", open + "+0 write(4, ..., 100) = 100\n+.1 > P. 1:101(100) ack 1\n", 9,
			[]string{"the packet was at 0.100000, expected at 0.200000"}},
		{"in the range", open + "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n+.2~+.4 > P. 1:101(100) ack 1\n", 0, nil},
		{"out of the range", open + "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n+.1~+.2 > P. 1:101(100) ack 1\n", 10,
			[]string{"expected from 0.200000 to 0.300000"}},
		{"at any time", open + "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n* > P. 1:101(100) ack 1\n", 0, nil},
		{"no packet", open + "+0 > P. 1:101(100) ack 1\n", 8, []string{"no packet came", "expected:  0.100000 > P. 1:101(100) ack 1"}},
		{"unexpected packet", open + "+0 write(4, ..., 100) = 100\n+.1 < P. 1:11(10) ack 101 win 1000\n+0 > . 101:101(0) ack 11\n", 10,
			[]string{"seq is 1, expected 101", "seen:      0.100000 > P. 1:101(100)"}},
		{"left over", "--strict_end\n" + open + "+0 write(4, ..., 100) = 100\n", 9, []string{"a packet is left over at the end", "P. 1:101(100)"}},
		{"left over, and nobody minds", open + "+0 write(4, ..., 100) = 100\n", 0, nil},
		{"segments apart", "--strict_segments\n" + open + "+0 write(4, ..., 2000) = 2000\n+0 > P. 1:2001(2000) ack 1\n", 10,
			[]string{"length is 1000, expected 2000"}},
		{"segments joined", open + "+0 write(4, ..., 2000) = 2000\n+0 > P. 1:2001(2000) ack 1\n", 0, nil},
		{"ECN", open + "+0 write(4, ..., 100) = 100\n+0 > [ect0] P. 1:101(100) ack 1\n", 9, []string{"ECN is noecn, expected ect0"}},
		{"TTL", open + "+0 write(4, ..., 100) = 100\n+0 > [ttl 7] P. 1:101(100) ack 1\n", 9, []string{"TTL is 64, expected 7"}},
		{"other protocol", open + "+0 > udp (10)\n", 8, []string{"another protocol"}},
		{"result", open + "+0 write(4, ..., 100) = 99\n", 8, []string{"write returned 100, expected 99"}},
		{"error instead of result", open + "+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 read(4, ..., 10) = 10\n", 9,
			[]string{"read returned -1 EAGAIN, expected 10"}},
		{"result instead of error", open + "+0 write(4, ..., 100) = -1 EPIPE\n", 8, []string{"write returned 100, expected -1 EPIPE"}},
		{"other error", open + "+0 connect(4, ..., ...) = -1 EALREADY\n", 8, []string{"connect returned -1 EISCONN, expected -1 EALREADY"}},
		{"option's value", open + "+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [1], [4]) = 0\n", 8, []string{"the option is [0], expected [1]"}},
		{"revents", open + "+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1\n", 8,
			[]string{"revents of descriptor 0 are POLLOUT, expected POLLIN"}},
		{"blocks for ever", open + "+0 read(4, ..., 10) = 10\n", 8, []string{"read: it blocks for ever"}},
		{"returns too early", open + "+0...+.2 read(4, ..., 10) = 10\n+.1 < P. 1:11(10) ack 1 win 1000\n+0 > . 1:1(0) ack 11\n", 8,
			[]string{"the return of read was at 0.200000, expected at 0.300000"}},
		{"returns the wrong", open + "+0...+.1 read(4, ..., 20) = 20\n+.1 < P. 1:11(10) ack 1 win 1000\n+0 > . 1:1(0) ack 11\n", 8,
			[]string{"read returned 10, expected 20"}},
		{"does not return", open + "+0...+.1 read(4, ..., 20) = 20\n+.2 write(4, ..., 10) = 10\n", 8,
			[]string{"read has not returned at the end of the script"}},
		{"two calls block", open + "+0...+.1 read(4, ..., 20) = 20\n+0...+.1 read(4, ..., 10) = 10\n", 9, []string{"one call at a time can block"}},
		{"unknown call", "0 frobnicate(1) = 0\n", 1, []string{"frobnicate: unknown system call"}},
		{"call not supported", "0 vmsplice(1, 0, 2, 0, 10, 0) = 0\n", 1, []string{"vmsplice is not supported"}},
		{"unknown name", "0 socket(..., SOCK_FROB, 0) = 3\n", 1, []string{"SOCK_FROB: unknown name"}},
		{"too few arguments", "0 socket(..., SOCK_STREAM) = 3\n", 1, []string{"2 arguments, expected 3"}},
		{"assertion", open + "+0 %{ assert tcpi_snd_mss == 10 }%\n", 8, []string{"assertion failed", "tcpi_snd_mss is 1000"}},
		{"code without a socket", "0 %{ assert True }%\n", 1, []string{"no socket"}},
		{"does not begin at 0", "0.1 socket(..., SOCK_STREAM, 0) = 3\n", 1, []string{"the first event must be at time 0"}},
		{"time goes backward", "0 `true`\n0.2 `true`\n0.1 `true`\n", 3, []string{"time goes backward"}},
		{"late call", "0 `true`\n+0 `sleep 0.2`\n0.1 `true`\n", 3, []string{"the command was at 0.200000, expected at 0.100000"}},
		{"non-fatal packet", "--non_fatal=packet\n" + open + "+0 write(4, ..., 100) = 100\n+0 > P. 2:102(100) ack 1\n", 0, nil},
		{"non-fatal call", "--non_fatal=syscall\n" + open + "+0 write(4, ..., 100) = 99\n", 0, nil},
		{"cleanup", "0 `true`\n`frobnicate`\n", 2, []string{"frobnicate: unknown command"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			res := runText(t, row.script, Options{})
			switch f := res.Failure; {
			case row.want == nil && f != nil:
				t.Error(f.String())
			case row.want != nil && f == nil:
				t.Errorf("it succeeded, want %q", row.want)
			case f != nil:
				for _, want := range row.want {
					if !strings.Contains(f.String(), want) || f.Pos.Line != row.line {
						t.Errorf("%s\nwant %q on line %d", f, want, row.line)
					}
				}
			}
			if strings.HasPrefix(row.name, "non-fatal") && len(res.Warnings) != 1 {
				t.Errorf("%d warnings", len(res.Warnings))
			}
		})
	}
}

// A panic in the stack is a failure with the stack of the panic.
func TestPanic(t *testing.T) {
	res := runText(t, "0 socket(..., SOCK_STREAM, 0) = 3\n+0 close(3) = 0\n", Options{World: panicking})
	f := res.Failure
	if f == nil || !strings.Contains(f.Msg, "broken") || f.Pos.Line != 2 || !strings.Contains(f.Stack, "panicWorld") {
		t.Errorf("failure: %v", f)
	}
}
