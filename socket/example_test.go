package socket_test

import (
	"fmt"
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/socket"
)

// A connection over a stack's loopback, by the calls a guest would make.
func Example() {
	stack, err := onlink.New(onlink.Config{})
	if err != nil {
		panic(err)
	}
	t := stack.Sockets()
	here := netip.MustParseAddrPort("127.0.0.1:80")

	l, _ := t.Socket(socket.AF_INET, socket.SOCK_STREAM, 0)
	fmt.Println("bind:", t.Bind(l, here), "listen:", t.Listen(l, 5))
	c, _ := t.Socket(socket.AF_INET, socket.SOCK_STREAM|socket.SOCK_NONBLOCK, 0)
	err = t.Connect(c, here)
	fmt.Println("connect:", socket.Errno(err), err == syscall.EINPROGRESS)
	s, peer, err := t.Accept(l, 0)
	fmt.Println("accept:", peer.Addr(), err)

	t.Sendmsg(c, &socket.Msg{Buf: [][]byte{[]byte("hello")}}, 0)
	b := make([]byte, 16)
	n, err := t.Recvmsg(s, &socket.Msg{Buf: [][]byte{b}}, 0)
	fmt.Printf("recvmsg: %q, %v\n", b[:n], err)
	_, err = t.Recvmsg(s, &socket.Msg{Buf: [][]byte{b}}, socket.MSG_DONTWAIT)
	fmt.Println("recvmsg:", socket.Errno(err), err == syscall.EAGAIN)

	// Output:
	// bind: <nil> listen: <nil>
	// connect: 115 true
	// accept: 127.0.0.1 <nil>
	// recvmsg: "hello", <nil>
	// recvmsg: 11 true
}
