package packetdrill

import (
	"testing"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// A script for FreeBSD, which counts on its defaults and expects options in its order.
const freeBSDScript = "--ip_version=ipv4\n" + `
 0.00 ` + "`kldload -n tcp_rack`" + `
+0.00 ` + "`sysctl net.inet.tcp.cc.algorithm=newreno`" + `
+0.00 ` + "`sysctl net.inet.tcp.functions_default=freebsd`" + `
+0.00 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0.00 bind(3, ..., ...) = 0
+0.00 listen(3, 1) = 0
+0.00 < S    0:0(0)              win 65535 <mss 1460,wscale 3,sackOK,eol,eol,eol>
+0.00 > S.   0:0(0)       ack  1 win 65535 <mss 1460,nop,wscale 6,sackOK,eol,eol>
+0.05 <  .   1:1(0)       ack  1 win 65535
+0.00 accept(3, ..., ...) = 4
// The first segment waits, and the second is acknowledged with it, though both are small.
+0.00 < .    1:1001(1000) ack 1 win 65535
+0.04 > .    1:1(0)       ack 1001 win 1010
+0.00 < .    1001:1101(100) ack 1 win 65535
+0.00 < .    1101:1201(100) ack 1 win 65535
+0.00 > .    1:1(0)       ack 1201
+0.00 read(4, ..., 2000) = 1200
// PSH is behind the last octet only, also with a window that is small for what is sent.
+0.00 send(4, ..., 14600, 0) = 14600
+0.00 > .    1:13141(13140) ack 1201
+0.00 > P.   13141:14601(1460) ack 1201
+0.05 < .    1201:1201(0) ack 14601 win 65535
// max(30 ms, 50 ms + 4 * 25 ms) + 200 ms; then without tail loss probe, twice that.
+0.00 send(4, ..., 100, 0) = 100
+0.00 > P.   14601:14701(100) ack 1201
+0.35 > P.   14601:14701(100) ack 1201
+0.70 > P.   14601:14701(100) ack 1201
+0.05 < R.   1201:1201(0) ack 14601 win 65535
+0.00 < 3000 > 8080 S 0:0(0) win 65535 <mss 1460,wscale 3,sackOK,eol,eol,eol>
+0.00 > 8080 > 3000 S. 0:0(0) ack 1 win 65535 <mss 1460,nop,wscale 6,sackOK,eol,eol>
// Three times the SYN,ACK is sent again.
+1.00 > 8080 > 3000 S.   0:0(0)       ack  1 win 65535 <mss 1460,nop,wscale 6,sackOK,eol,eol>
+2.00 > 8080 > 3000 S.   0:0(0)       ack  1 win 65535 <mss 1460,nop,wscale 6,sackOK,eol,eol>
+4.00 > 8080 > 3000 S.   0:0(0)       ack  1 win 65535 <mss 1460,nop,wscale 6,sackOK,eol,eol>
`

func TestLikeFreeBSD(t *testing.T) {
	if r := runText(t, freeBSDScript, Options{}); r.Failure != nil {
		t.Error(r.Failure.String())
	}
	// As Linux the same stack does otherwise.
	set := []script.Option{{Name: "like", Value: "linux", HasValue: true}}
	if r := runText(t, freeBSDScript, Options{Set: set}); r.Failure == nil {
		t.Error("the options are in FreeBSD's order also with --like=linux")
	}
}

func TestLikeOf(t *testing.T) {
	const socket = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
	for text, want := range map[string]Like{
		socket: LikeLinux,
		"`sysctl -q net.ipv4.tcp_sack=0`\n" + socket:                                   LikeLinux,
		"`sysctl kern.ipc.maxsockbuf=1`\n" + socket:                                    LikeFreeBSD,
		"`sysctl net.inet6.ip6.hlim=3`\n" + socket:                                     LikeFreeBSD,
		"0 `kldload cc_cubic`\n" + socket:                                              LikeFreeBSD,
		"// Platform: FreeBSD 14\n" + socket:                                           LikeFreeBSD,
		"// Written by somebody of FreeBSD.\n" + socket:                                LikeLinux,
		socket + "+0 > S 0:0(0) <mss 1460,nop,wscale 6,sackOK,TS val 1 ecr 0>\n":       LikeFreeBSD,
		socket + "+0 > S 0:0(0) <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>\n":       LikeLinux,
		socket + "+0 < S 0:0(0) win 9 <mss 1460,nop,wscale 7,sackOK,TS val 1 ecr 0>\n": LikeLinux,
	} {
		s, err := Parse("test.pkt", []byte(text), IPv4, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := likeOf(s); got != want {
			t.Errorf("%q is like %v, want %v", text, got, want)
		}
	}
}
