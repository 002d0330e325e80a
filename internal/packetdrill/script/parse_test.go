package script

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// parse reads a script that has to be right.
func parse(t *testing.T, src string) *Script {
	t.Helper()
	s, err := Parse("x.pkt", []byte(src))
	if err != nil {
		t.Fatalf("%v\nin:\n%s", err, src)
	}
	return s
}

// TestEvents holds one event a row to how it is printed: what comes out says what was understood. A row without an
// output comes out as it went in.
func TestEvents(t *testing.T) {
	for _, row := range []struct{ in, out string }{
		// Times.
		{"0.5 close(3) = 0", ""},
		{"0 close(3) = 0", "0.0 close(3) = 0"},
		{".25 close(3) = 0", "0.25 close(3) = 0"},
		{"+0 close(3) = 0", "+0.0 close(3) = 0"},
		{"+.1 close(3) = 0", "+0.1 close(3) = 0"},
		{"+ 1.000001 close(3) = 0", "+1.000001 close(3) = 0"},
		{"0.000...0.200 read(4, ..., 10) = 10", "0.0...0.2 read(4, ..., 10) = 10"},
		{"+0...0.100 connect(3, ..., ...) = 0", "+0.0...0.1 connect(3, ..., ...) = 0"},
		{"+.1...+.3 accept(3, ..., ...) = 4", "+0.1...0.3 accept(3, ..., ...) = 4"},
		{"0.1~0.3 > . 1:1(0) ack 1", ""},
		{"+0.1~+0.3 > . 1:1(0) ack 1", ""},
		{"+0~+.2 > . 1:1(0) ack 1", "+0.0~+0.2 > . 1:1(0) ack 1"},
		{"* > . 1:1(0) ack 1", ""},
		// Commands and code.
		{"0.1 `sysctl -q net.ipv4.tcp_sack=0`", ""},
		{"+0 `echo \\` ; ls\n\tsleep 1`", "+0.0 `echo \\` ; ls\n\tsleep 1`"},
		{"+0 %{ assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd }%", "+0.0 %{ assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd }%"},
		{"+0 %{assert {1: 2}[1] == 2}%", "+0.0 %{ assert {1: 2}[1] == 2 }%"},
		// System calls.
		{"0.0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3", ""},
		{"0.0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0", ""},
		{"0.0 fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)", ""},
		{"0.0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)", ""},
		{"0.0 read(3, ..., 10) = -1 EAGAIN", ""},
		{"0.0 read(3, ..., 10) = -1 EADDRNOTAVAIL (Can't assign (this)  address)", "0.0 read(3, ..., 10) = -1 EADDRNOTAVAIL (Can't assign (this) address)"},
		{"0.0 poll([], 0, 10) = 0 (Timeout)", ""},
		{`0.0 write(3, "GET /\r\n\x00\"\\", 10) = 10`, ""},
		{`0.0 write(3, "a" "b"  "c", 3) = 3`, `0.0 write(3, "abc", 3) = 3`},
		{`0.0 read(3, "abc"..., 10) = 10`, ""},
		{"0.0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0", ""},
		{"0.0 getsockopt(3, SOL_TCP, TCP_MAXSEG, [1460], [4]) = 0", ""},
		{"0.0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0", "0.0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff = 1, linger = 0}, 8) = 0"},
		{`0.0 setsockopt(3, SOL_TCP, TCP_CONGESTION, "reno", 4) = 0`, ""},
		{"0.0 setsockopt(3, SOL_TCP, TCP_MD5SIG, {1, [2, 3], NULL}, 4) = 0", ""},
		{"0.0 setsockopt(3, IPPROTO_IP, IP_TOS, [0x10 | 2 & ~1 ^ 3], 4) = 0", "0.0 setsockopt(3, IPPROTO_IP, IP_TOS, [0x10|((2 & (~1)) ^ 3)], 4) = 0"},
		{"0.0 write(3, ..., 2*1000 + 4 - 1) = 2003", "0.0 write(3, ..., ((2 * 1000) + 4) - 1) = 2003"},
		{"0.0 write(3, ..., 1 << 16) = 65536", ""},
		{"0.0 write(3, ..., -(1)) = 65536", "0.0 write(3, ..., -1) = 65536"},
		{`0.0 bind(3, {sa_family = AF_INET, sin_port = htons(8080), sin_addr = inet_addr("192.168.0.1")}, ...) = 0`, ""},
		{`0.0 bind(3, {sa_family = AF_INET6, sin_port = htons(80), sin_addr = inet_addr("::1")}, 28) = 0`, ""},
		{"0.0 sendmsg(3, {msg_name(...)=..., msg_iov(2)=[{..., 1000}, {...,5}], msg_flags=0}, MSG_DONTWAIT) = 1005",
			"0.0 sendmsg(3, {msg_name(...) = ..., msg_iov(2) = [{..., 1000}, {..., 5}], msg_flags = 0}, MSG_DONTWAIT) = 1005"},
		{"0.0 recvmsg(3, {msg_name(...) = ..., msg_iov(1) = [{iov_base = ..., iov_len = 10}], msg_flags = MSG_ERRQUEUE, " +
			"msg_control = [{cmsg_len = CMSG_LEN(4), cmsg_level = SOL_SOCKET, cmsg_type = SCM_TIMESTAMPING, cmsg_data = {scm_sec = 0, scm_nsec = 1000000}}, " +
			"{cmsg_level = SOL_IP, cmsg_type = IP_RECVERR, cmsg_data = {ee_errno = ENOMSG, ee_origin = 4, ee_type = 0, ee_code = 0, ee_info = 0, ee_data = 5}}]}, 0) = 10", ""},
		{"0.0 poll([{fd = 3, events = POLLIN|POLLOUT, revents = POLLIN}], 1, 0) = 1", ""},
		{"0.0 epoll_ctl(4, EPOLL_CTL_ADD, 3, {events = EPOLLIN|EPOLLET, fd = 3}) = 0", ""},
		{"0.0 epoll_wait(4, {events = EPOLLIN, ptr = 3}, 1, 0) = 1", ""},
		{"0.0 setsockopt(3, SOL_SOCKET, SO_ACCEPTFILTER, {af_name = \"httpready\", af_arg = ...}, 4) = 0", ""},
		{"0.0 setsockopt(3, IPPROTO_TCP, TCP_FASTOPEN, {enable = 1, psk = 00af}, 4) = 0", ""},
		{"0.0 f(a = 1, [b = 2], {(label 16, tc 0, ttl 5) (label 17, tc 7, [S], ttl 6)}) = ...",
			"0.0 f(a = 1, [b = 2], {(label 16, tc 0, ttl 5) (label 17, tc 7, [S], ttl 6)}) = ..."},
		{"0.0 f({flags [key present, sequence# present], sum 0, off 0, key=7, seq 1}) = 0xffffffffffffffff",
			"0.0 f({flags 0x3000, sum 0x0, off 0x0, key 0x7, seq 0x1}) = 0xffffffffffffffff"},
		// Segments.
		{"0.0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>", ""},
		{"0.0 > S. 0:0(0) ack 1 <...>", ""},
		{"0.0 > . 1:1(0) ack 1", ""},
		{"0.0 > - 1:1(0)", ""},
		{"0.0 < SEWA 0:0(0) win 5", ""},
		{"0.0 > SE. 0:0(0) ack 1", ""},
		{"0.0 < S.5 0:0(0) ack 1 win 5", ""},
		{"0.0 < .7 1:1(0) ack 1 win 5", "0.0 < .7 1:1(0) ack 1 win 5"},
		{"0.0 < FP.0 1:1(0) ack 1 win 5", ""},
		{"0.0 < P3. 1:1(0) ack 1 win 5", "0.0 < P.3 1:1(0) ack 1 win 5"},
		{"0.0 < PU. 1:11(10) ack 1 win 5 urg 10", ""},
		{"0.0 < R. 4294967295:1(2) ack 4294967295 win 65535", ""},
		{"0.0 > P. 1:1001(1000)! ack 1", ""},
		{"0.0 > P. ...(1000) ack 1", ""},
		{"0.0 < . 1:1(0) ack 1 win 5 <nop,nop,TS val 100 ecr 4294967295>", ""},
		{"0.0 > . 1:1(0) ack 1 <nop,nop,TS val ... ecr 5!>", ""},
		{"0.0 > . 1:1(0) ack 1 <nop, nop, TSval 7 ecr 5>", "0.0 > . 1:1(0) ack 1 <nop,nop,TS val 7 ecr 5>"},
		{"0.0 < . 1:1(0) ack 1 win 5 <nop,nop,sack 1001:2001 3001:4001>", ""},
		{"0.0 < S 0:0(0) win 5 <FO,eol,eol>", ""},
		{"0.0 < S 0:0(0) win 5 <FO 0123456789abcdef,nop,nop>", ""},
		{"0.0 < S 0:0(0) win 5 <FO 12345678,nop,nop>", ""},
		{"0.0 < S 0:0(0) win 5 <FOEXP 0x0123,nop,nop>", "0.0 < S 0:0(0) win 5 <FOEXP 0123,nop,nop>"},
		{"0.0 < S 0:0(0) win 5 <exp-FO>", "0.0 < S 0:0(0) win 5 <FOEXP>"},
		{"0.0 < S 0:0(0) win 5 <md5 00112233445566778899aabbccddeeff,nop,nop>", ""},
		{"0.0 < . 1:1(0) ack 1 win 5 <AccECN0 ee0b 1 eceb 0 ee1b 16777215,nop>", ""},
		{"0.0 < . 1:1(0) ack 1 win 5 <exp-AccECN1 ee1b 1,nop>", ""},
		{"0.0 > . 1:1(0) ack 1 <ECN e1b 1 ceb 0 e0b 1,nop>", "0.0 > . 1:1(0) ack 1 <AccECN1 ee1b 1 eceb 0 ee0b 1,nop>"},
		{"0.0 > . 1:1(0) ack 1 <ECN e0b 1 ceb 0,nop,nop,nop,nop>", "0.0 > . 1:1(0) ack 1 <AccECN0 ee0b 1 eceb 0,nop,nop,nop,nop>"},
		{"0.0 > . 1:1(0) ack 1 <exp-tarr,exp-tarr 5,nop,nop>", ""},
		{"0.0 > . 1:1(0) ack 1 <kind 99 data 0x0102>", ""},
		{"0.0 > . 1:1(0) ack 1 <kind 99,nop,nop>", ""},
		{"0.0 < 1234 > 80 S 0:0(0) win 5", ""},
		{"0.0 < 192.0.2.1:1234 > 192.168.0.1:80 S 0:0(0) win 5", ""},
		{"0.0 < . 1:1(0) ack 1 win 5 <nop,nop,nop,nop> /udp(9899 > 9899)", ""},
		// What is said of the IP header.
		{"0.0 < [ect0] . 1:1(0) ack 1 win 5", ""},
		{"0.0 > [ect01] . 1:1(0) ack 1", ""},
		{"0.0 > (noecn) . 1:1(0) ack 1", "0.0 > [noecn] . 1:1(0) ack 1"},
		{"0.0 > [ce] . 1:1(0) ack 1", ""},
		{"0.0 > [tos 0x3] . 1:1(0) ack 1", "0.0 > [tos 0x03] . 1:1(0) ack 1"},
		{"0.0 > [class 0xb8, flowlabel 0xABCDE, hlim 64] . 1:1(0) ack 1", "0.0 > [tos 0xb8, flowlabel 0xabcde, ttl 64] . 1:1(0) ack 1"},
		{"0.0 > [flowlabel 0x1] . 1:1(0) ack 1", ""},
		{"0.0 > (ttl 3) . 1:1(0) ack 1", "0.0 > [ttl 3] . 1:1(0) ack 1"},
		{"0.0 > [dscp AF11] . 1:1(0) ack 1", "0.0 > [dscp 0x0a] . 1:1(0) ack 1"},
		{"0.0 > [dscp 0x0a, ecn ect0, ttl 7] . 1:1(0) ack 1", "0.0 > [tos 0x2a, ttl 7] . 1:1(0) ack 1"},
		{"0.0 > [dscp cs1, ecn ect01] . 1:1(0) ack 1", "0.0 > [dscp 0x08, ecn ect01] . 1:1(0) ack 1"},
		// Outer headers.
		{"0.0 < ipv4 192.0.2.2 > 192.168.0.1: gre: . 1:1(0) ack 1 win 5", ""},
		{"0.0 < ipv6 [ttl 5] 2001:db8::1 > ::1: . 1:1(0) ack 1 win 5", ""},
		{"0.0 > ipv4 1.1.1.1 > 2.2.2.2: gre flags [none], sum 0, off 0, key = 0x1, seq 2: mpls (label 1, tc 0, [S], ttl 64): [ect0] 80 > 90 P. 1:2(1) ack 1",
			"0.0 > ipv4 1.1.1.1 > 2.2.2.2: gre flags 0x0, sum 0x0, off 0x0, key 0x1, seq 0x2: mpls (label 1, tc 0, [S], ttl 64): [ect0] 80 > 90 P. 1:2(1) ack 1"},
		// UDP and ICMP.
		{"0.0 < udp (1000)", ""},
		{"0.0 > [ttl 1] udp 53 > 1024 (0)", ""},
		{"0.0 < icmp unreachable frag_needed mtu 1200 [1:1001(1000)]", ""},
		{"0.0 < icmp unreachable port_unreachable [udp (10)]", ""},
		{"0.0 < icmp packet_too_big mtu 1280 [1:1(0)]", ""},
		{"0.0 < icmp echo_request id 7 [raw (56)]", ""},
		{"0.0 < icmp type_9 code_3", ""},
		{"0.0 < icmp time_exceeded exceeded_hop_limit", ""},
		{"0.0 < [tos 0x10] icmp source_quench", ""},
	} {
		want := row.out
		if want == "" {
			want = row.in
		}
		s, err := Parse("x", []byte(row.in))
		if err != nil {
			t.Errorf("%v\nin: %s", err, row.in)
			continue
		}
		if got := s.Events[0].String(); got != want || len(s.Events) != 1 {
			t.Errorf("%s\n  got %s\n want %s", row.in, got, want)
		}
		again, err := Parse("x", []byte(want))
		if err != nil {
			t.Errorf("what is printed cannot be read: %v\n%s", err, want)
		} else if got := again.Events[0].String(); got != want {
			t.Errorf("%s\n  then %s", want, got)
		}
	}
}

const whole = `#!/usr/bin/env packetdrill
// A server with everything around it.
--ip_version=ipv4 --tolerance_usecs=10000 // two on a line
--define=CC="cubic" --define=N=2000
--define=OFF=` + "`sysctl -q net.ipv4.tcp_sack=0`" + `
--mss = 1000
--send_omit_free
` + "`sysctl -q net.ipv4.tcp_ecn=0\n ./set.sh`" + `

0.000 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3 /* the
        listener */
   +0 setsockopt(3, SOL_TCP, TCP_CONGESTION, CC, 5) = 0
   +0 OFF
#ifdef FreeBSD
   +0 nonsense ( here
#ifdef Linux
#endif
#else
   +0 write(3, ..., N) = -1 EPIPE (Broken pipe)
#endif
#ifdef linux
 +.1 < S 0:0(0) win 1000 <mss 1460,nop,nop,nop,nop> # the SYN
#endif
   *  > S. 0:0(0) ack 1
   +0...0.5 accept(3, ..., ...) = 4
+0 %{
assert tcpi_state == 1
print("}")
}%
` + "`./clean.sh`\n"

func TestScript(t *testing.T) {
	s := parse(t, whole)
	var options []string
	for _, o := range s.Options {
		options = append(options, o.Name+"|"+o.Value)
	}
	if got, want := strings.Join(options, " "), "ip_version|ipv4 tolerance_usecs|10000 define|CC=\"cubic\" define|N=2000 "+
		"define|OFF=`sysctl -q net.ipv4.tcp_sack=0` mss|1000 send_omit_free|"; got != want {
		t.Errorf("options\n  got %s\n want %s", got, want)
	}
	if len(s.Init) != 1 || s.Init[0].Text != "sysctl -q net.ipv4.tcp_ecn=0\n ./set.sh" || s.Init[0].Pos.Line != 8 {
		t.Errorf("init: %+v", s.Init)
	}
	if len(s.Cleanup) != 1 || s.Cleanup[0].Text != "./clean.sh" {
		t.Errorf("cleanup: %+v", s.Cleanup)
	}
	want := []struct {
		pos, event string
	}{
		{"x.pkt:11:1", "0.0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3"},
		{"x.pkt:13:4", `+0.0 setsockopt(3, SOL_TCP, TCP_CONGESTION, "cubic", 5) = 0`},
		{"x.pkt:14:4", "+0.0 `sysctl -q net.ipv4.tcp_sack=0`"},
		{"x.pkt:20:4", "+0.0 write(3, ..., 2000) = -1 EPIPE (Broken pipe)"},
		{"x.pkt:23:2", "+0.1 < S 0:0(0) win 1000 <mss 1460,nop,nop,nop,nop>"},
		{"x.pkt:25:4", "* > S. 0:0(0) ack 1"},
		{"x.pkt:26:4", "+0.0...0.5 accept(3, ..., ...) = 4"},
		{"x.pkt:27:1", "+0.0 %{ \nassert tcpi_state == 1\nprint(\"}\")\n }%"},
	}
	if len(s.Events) != len(want) {
		t.Fatalf("%d events, want %d", len(s.Events), len(want))
	}
	for i, e := range s.Events {
		if e.Pos.String() != want[i].pos || e.String() != want[i].event {
			t.Errorf("event %d\n  got %s %s\n want %s %s", i, e.Pos, e, want[i].pos, want[i].event)
		}
	}
	code := s.Events[7].Action.(*Code)
	if code.Pos.String() != "x.pkt:27:4" || code.TextPos.String() != "x.pkt:27:6" || code.Text != "\nassert tcpi_state == 1\nprint(\"}\")\n" {
		t.Errorf("code at %s, text at %s: %q", code.Pos, code.TextPos, code.Text)
	}
	if got := s.Line(23); got != " +.1 < S 0:0(0) win 1000 <mss 1460,nop,nop,nop,nop> # the SYN" {
		t.Errorf("line 23 is %q", got)
	}
	if s.Line(0) != "" || s.Line(99) != "" {
		t.Error("there are lines that are not")
	}
}

// TestNodes looks into the tree where the printed form does not show everything.
func TestNodes(t *testing.T) {
	s := parse(t, `0.5 < [ect0, ttl 9] 7 > 8 S.5 10:20(10)! ack 3 win 4 urg 5 <mss 1000,TS val ... ecr 9!,nop,nop>
+0.1...0.2 recvmsg(3, {msg_name(...) = ..., msg_iov(1) = [{..., 7}], msg_flags = 0}, 0) = -1 EAGAIN (try again)
`)
	p := s.Events[0].Action.(*Packet)
	if p.Dir != Inbound || p.IP.Check != TOSECN || p.IP.TOS != 2 || p.IP.TTL != 9 || p.Ports.Src != 7 || p.Ports.Dst != 8 {
		t.Errorf("packet %+v", p)
	}
	if c := p.TCP; c.Flags != SYN|ACK|ECE|AE || !c.ACE || c.Seq.Start != 10 || c.Seq.Len != 10 || !c.Seq.Absolute ||
		c.Ack != 3 || c.Win != 4 || c.Urg != 5 || !c.HasAck || !c.HasWin || !c.HasUrg {
		t.Errorf("segment %+v", c)
	}
	if o := p.TCP.Options; o[0].Kind != OptMSS || o[0].Value != 1000 || o[0].Pos.Col != 61 || !o[1].AnyTSVal || !o[1].AbsTSEcr || o[1].TSEcr != 9 {
		t.Errorf("options %+v", o)
	}
	e := s.Events[1]
	call := e.Action.(*Syscall)
	if e.Time != (Time{Relative, 100 * time.Millisecond, 0}) || !call.Blocking || call.End != 200*time.Millisecond {
		t.Errorf("event %+v, call %+v", e, call)
	}
	if call.Errno != "EAGAIN" || call.Note != "try again" || call.Result.(*Int).Value != -1 || call.ErrnoPos.Col != 94 {
		t.Errorf("result %+v", call)
	}
	m := call.Args[1].(*Struct)
	if _, ok := m.Fields[0].Count.(*Ellipsis); !ok || m.Fields[1].Count.(*Int).Value != 1 || m.Field("msg_flags") == nil || m.Field("x") != nil {
		t.Errorf("msghdr %+v", m)
	}
}

func TestDefines(t *testing.T) {
	src := "--define=LEN=10\n0 write(3, ..., LEN) = LEN\n"
	for _, row := range []struct {
		defines map[string]string
		want    string
	}{
		{nil, "0.0 write(3, ..., 10) = 10"},
		{map[string]string{"LEN": "0x20"}, "0.0 write(3, ..., 0x20) = 0x20"},
		{map[string]string{"LEN": "WHAT"}, "0.0 write(3, ..., WHAT) = WHAT"},
		{map[string]string{"LEN": `"a\n"`}, `0.0 write(3, ..., "a\n") = "a\n"`},
	} {
		s, err := ParseWith("x", []byte(src), row.defines)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Events[0].String(); got != row.want {
			t.Errorf("%v\n  got %s\n want %s", row.defines, got, row.want)
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"", "1:1: found the end of the script, expected an event: a time, and what happens then"},
		{"# nothing\n", "2:1: found the end of the script, expected an event: a time, and what happens then"},
		{"--mss=\n0 close(3) = 0", "1:7: expected a value for --mss behind ="},
		{"--define=X\n0 close(3) = 0", "1:10: found \"X\", expected WORD=value"},
		{"--x=\"abc\n0 close(3) = 0", "1:5: a string that begins here has no end: expected \""},
		{"close(3) = 0", "1:1: found \"close\", expected the time of an event"},
		{"0 close(3) = 0\n--mss=10", "2:1: found the option --mss, expected the time of an event"},
		{"0 close(3) = 0\n`x`\n0 close(3) = 0", "3:1: found the number 0, expected the end of the script behind a command without a time"},
		{"0 ", "1:3: found the end of the script, expected a packet (< or >), a system call, a command or code behind the time"},
		{"0 \"x\"", "1:3: found the string \"x\", expected a packet (< or >), a system call, a command or code behind the time"},
		{"-1 close(3) = 0", "1:1: a time cannot be negative"},
		{"+x close(3) = 0", "1:2: found \"x\", expected a number of seconds"},
		{"9999999999 close(3) = 0", "1:1: the time 9999999999 is out of range"},
		{"1...0.5 close(3) = 0", "1:5: the call ends before it begins"},
		{"1...2 < . 1:1(0) win 1", "1:7: found '<', expected a system call behind its end"},
		{"0.5~0.1 > . 1:1(0)", "1:1: the range of time ends before it begins"},
		{"+0.1~0.2 > . 1:1(0)", "1:6: found the number 0.2, expected + in front of the end of a range that begins with +"},
		{"\n 0.1~0.2 < . 1:1(0) win 1", "2:2: a range of time can stand in front of outbound packets only"},
		{"* close(3) = 0", "1:1: the time * can stand in front of outbound packets only"},
		{"0 `abc", "1:3: a command that begins here has no end: expected `"},
		{"0 %{ abc", "1:3: code that begins here has no end: expected }%"},
		{"0 /* abc", "1:3: the comment that begins here has no end: expected */"},
		{"#ifdef FreeBSD\n0 x", "1:1: what begins here has no #endif"},
		{"#ifdef Linux\n0 close(3) = 0", "2:15: found the end of the script, expected #endif"},
		{"#endif", "1:1: #endif without #ifdef"},
		{"#else", "1:1: #else without #ifdef"},
		// System calls.
		{"0 close 3", "1:9: found the number 3, expected ( behind the system call close"},
		{"0 close(3", "1:10: found the end of the script, expected , or ) in the arguments of close"},
		{"0 close(3 4) = 0", "1:11: found the number 4, expected , or ) in the arguments of close"},
		{"0 close(3,) = 0", "1:11: found ')', expected an expression"},
		{"0 close(3) 0", "1:12: found the number 0, expected = and the result of close"},
		{"0 close(3) = ", "1:14: found the end of the script, expected an expression"},
		{"0 close(3) = -1 EBADF (Bad file", "1:23: the note that begins here has no end: expected )"},
		{"0 f([1) = 0", "1:7: found ')', expected , or ] in the elements of a list"},
		{"0 f({a = 1) = 0", "1:11: found ')', expected , or } in a structure"},
		{"0 f({a(1, 2) = 1}) = 0", "1:14: expected one number in the parentheses behind a"},
		{"0 f((1) = 0", "1:9: found '=', expected , or ) in the arguments of f"},
		{"0 f((1 = 0", "1:8: found '=', expected ) behind an expression"},
		{"0 f(\"a\\q\") = 0", "1:8: found the escape \\q, which the language does not have"},
		{"0 f(\"a\\xg1\") = 0", "1:8: expected two hexadecimal digits behind \\x"},
		{"0 f(\"a) = 0", "1:5: a string that begins here has no end: expected \""},
		{"0 f(99999999999999999999) = 0", "1:5: the number 99999999999999999999 does not fit into 64 bits"},
		{"0 f(" + strings.Repeat("(", 200) + ") = 0", "1:104: the expression nests too deeply"},
		{"0 f(1.2.3.4) = 0", "1:5: found \"1.2.3.4\", expected an expression"},
		// Segments.
		{"0 < X 0:0(0) win 1", "1:5: found \"X\", expected the flags of a segment (F S R P . U E W A or a digit up to 7), udp or icmp"},
		{"0 < SE5 0:0(0) win 1", "1:5: the flags \"SE5\" have both a digit, which stands for A, W and E, and one of these"},
		{"0 < S 0:0(0)", "1:13: found the end of the script, expected win and the window, which an inbound segment has to say"},
		{"0 < S 0(0) win 1", "1:8: found '(', expected : between two sequence numbers"},
		{"0 < S 0:10(5) win 1", "1:9: found the sequence number 10 behind 5 bytes from 0, expected 5"},
		{"0 < S 4294967296:0(0) win 1", "1:7: the first sequence number is out of range: found 4294967296, the limit is 4294967295"},
		{"0 < S 0:0(65536) win 1", "1:11: the length of the payload is out of range: found 65536, the limit is 65535"},
		{"0 < S 0:0 win 1", "1:11: found \"win\", expected ( and the length of the payload"},
		{"0 < S 0:0(0) win 65536", "1:18: the window is out of range: found 65536, the limit is 65535"},
		{"0 < . 1:1(0) ack win 5", "1:18: found \"win\", expected the acknowledgment number, a number"},
		{"0 < . 1:1(0) ack 1 win 5 <...>", "1:26: <...> can be used with outbound packets only"},
		{"0 < [ect01] . 1:1(0) ack 1 win 5", "1:5: ect01 can be used with outbound packets only"},
		{"0 > [tos] . 1:1(0)", "1:9: found ']', expected the traffic class, a number"},
		{"0 > [tos 256] . 1:1(0)", "1:10: the traffic class is out of range: found 256, the limit is 255"},
		{"0 > [what] . 1:1(0)", "1:6: found \"what\", expected one of noecn, ect0, ect1, ect01, ce, tos, class, dscp, ecn, flowlabel, ttl, hlim"},
		{"0 > [ect0) . 1:1(0)", "1:10: found ')', expected ] behind what is said of the IP header"},
		{"0 > 5 S 0:0(0)", "1:7: found \"S\", expected > between two ports"},
		{"0 > 5 > 65536 S 0:0(0)", "1:9: a port is out of range: found 65536, the limit is 65535"},
		{"0 > ipv4 1::1 > 2.2.2.2: S 0:0(0)", "1:10: found \"1::1\", expected an IPv4 address"},
		{"0 > ipv6 1::1 2::2: S 0:0(0)", "1:15: found \"2::2\", expected > between two addresses"},
		{"0 > gre S 0:0(0)", "1:9: found \"S\", expected flags"},
		{"0 > mpls (label 1048576, tc 0, ttl 1): S 0:0(0)", "1:17: label is out of range: found 1048576, the limit is 1048575"},
		// Options.
		{"0 < S 0:0(0) win 1 <mss>", "1:24: found '>', expected the MSS, a number"},
		{"0 < S 0:0(0) win 1 <mss 65536>", "1:25: the MSS is out of range: found 65536, the limit is 65535"},
		{"0 < S 0:0(0) win 1 <mss 1460 nop>", "1:30: found \"nop\", expected > or , in the options of a segment"},
		{"0 < S 0:0(0) win 1 <mss 1460,>", "1:30: found '>', expected an option of a segment"},
		{"0 < S 0:0(0) win 1 <what 1>", "1:21: found \"what\", expected an option: mss, wscale, sackOK, sack, TS, nop, eol, FO, FOEXP, md5, AccECN0, AccECN1"},
		{"0 < S 0:0(0) win 1 <nop,nop>", "1:20: the options have 2 bytes, not a multiple of 4: expected nop or eol to fill up"},
		{"0 < S 0:0(0) win 1 <md5 00112233445566778899aabbccddeeff,md5 00112233445566778899aabbccddeeff,nop,nop,nop,nop,nop,nop,nop,nop>", "1:20: the options have 44 bytes, 40 fit"},
		{"0 < S 0:0(0) win 1 <FO 123,nop>", "1:24: found the number 123, expected a cookie of Fast Open: an even number of hexadecimal digits"},
		{"0 < S 0:0(0) win 1 <md5 " + strings.Repeat("00", 17) + ">", "1:25: the digest of MD5 has 17 bytes, 16 fit"},
		{"0 < S 0:0(0) win 1 <sack>", "1:25: found '>', expected the left edge of a SACK block, a number"},
		{"0 < S 0:0(0) win 1 <TS 1 ecr 2>", "1:24: found the number 1, expected val and a timestamp"},
		{"0 < S 0:0(0) win 1 <AccECN0 ee1b 1>", "1:29: found \"ee1b\", expected the counters in the order ee0b, eceb, ee1b"},
		{"0 < S 0:0(0) win 1 <mp_capable 1>", "1:21: MPTCP is not supported: found its option mp_capable"},
		// Other protocols.
		{"0 < udp 100", "1:12: found the end of the script, expected > between two ports"},
		{"0 < udp (65536)", "1:10: the length of the datagram is out of range: found 65536, the limit is 65535"},
		{"0 < udplite (1, 1)", "1:5: UDP-Lite is not supported"},
		{"0 > 1 > 2 sctp: INIT[]", "1:11: SCTP is not supported"},
		{"0 < icmp unreachable [sctp(1)]", "1:23: SCTP is not supported"},
		{"0 < icmp what", "1:10: found \"what\", expected a type of ICMP"},
		{"0 < icmp unreachable what", "1:10: found \"what\", expected a code of ICMP's unreachable"},
		{"0 < icmp [1:1(0)]", "1:10: found '[', expected a type of ICMP"},
		{"0 < icmp echo_request id 65536", "1:26: the identifier of an echo is out of range: found 65536, the limit is 65535"},
		{"0 < icmp unreachable [udp 5]", "1:27: found the number 5, expected ( and a length"},
	} {
		_, err := Parse("x", []byte(row.in))
		var bad *SyntaxError
		if !errors.As(err, &bad) {
			t.Errorf("%q: %v, want a syntax error", row.in, err)
		} else if got := strings.TrimPrefix(err.Error(), "x:"); got != row.want {
			t.Errorf("%q\n  got %s\n want %s", row.in, got, row.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	files, _ := filepath.Glob("../testdata/*/*.pkt")
	for _, name := range files {
		if b, err := os.ReadFile(name); err == nil {
			f.Add(b)
		}
	}
	f.Add([]byte("0 < 1.1.1.1:5 > 1::1:80 [dscp ef, ecn ce] S.5 0:0(0) win 1 <sack 1:2 3:4,TS val ... ecr 1!,FOEXP 00> /udp(1 > 2)\n* > icmp type_3 id 4 [raw (4)]"))
	f.Add([]byte("0 f(\"\\x00\"..., -1|~2&3^4, {a(1)=b, {flags 1, sum 1, off 2, key=3, seq 4}}, {(label 1, tc 2, [S], ttl 3)}, htons(1 << 2)) = -1 E (n)"))
	f.Fuzz(func(t *testing.T, src []byte) {
		s, err := Parse("x", src)
		lines := strings.Count(string(src), "\n") + 1
		inside := func(p Pos) {
			if p.Line < 1 || p.Line > lines || p.Col < 1 || p.Col > len(src)+1 {
				t.Fatalf("the position %v is outside of %d lines", p, lines)
			}
		}
		if err != nil {
			var bad *SyntaxError
			if !errors.As(err, &bad) {
				t.Fatalf("%T: %v", err, err)
			}
			inside(bad.Pos)
			return
		}
		for _, e := range s.Events {
			inside(e.Pos)
			inside(e.Action.Position())
			text := e.String()
			again, err := Parse("x", []byte(text))
			if err != nil {
				t.Fatalf("what is printed cannot be read: %v\n%s", err, text)
			}
			if got := again.Events[0].String(); got != text {
				t.Fatalf("%s\nis read as\n%s", text, got)
			}
		}
	})
}
