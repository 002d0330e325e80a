package onlink_test

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/socket"
)

// A mark chooses the rule that sockets of all kinds send by: from their first packet on, and where only a route is asked for. What is
// marked 7 is prohibited here (EACCES).
func TestMarks(t *testing.T) {
	a, _ := newPair(t, nil)
	if err := a.AddRule(onlink.Rule{Priority: 1000, Mark: 7, Action: onlink.RuleProhibit}); err != nil {
		t.Fatal(err)
	}
	for _, network := range []string{"tcp4", "udp4", "ip4:89", "ping4"} {
		address := server4
		if network == "tcp4" || network == "udp4" {
			address += ":9"
		}
		for mark, want := range map[uint32]error{6: nil, 7: syscall.EACCES} {
			d := onlink.Dialer{Stack: a, Mark: mark}
			c, err := d.DialContext(t.Context(), network, address)
			if network == "tcp4" && mark == 6 {
				want = syscall.ECONNREFUSED // nobody listens there
			}
			if !errors.Is(err, want) {
				t.Errorf("%s with mark %d: %v, want %v", network, mark, err, want)
			}
			if err == nil {
				c.Close()
			}
		}
	}
	l := onlink.ListenConfig{Stack: a, Mark: 7}
	c, err := l.ListenPacket(t.Context(), "udp4", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.(*onlink.UDPConn).WriteToUDPAddrPort(nil, netip.MustParseAddrPort(server4+":9")); !errors.Is(err, syscall.EACCES) {
		t.Errorf("of one that listens: %v", err)
	}
	if _, err := c.(*onlink.UDPConn).WriteMsg(nil, &onlink.ControlMessage{Mark: 6}, netip.MustParseAddrPort(server4+":9")); err != nil {
		t.Errorf("with the mark of a message: %v", err)
	}

	table := a.Sockets()
	fd, err := table.Socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for mark, want := range []error{6: nil, 7: syscall.EACCES} {
		if mark < 6 {
			continue
		}
		if err := table.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_MARK, []byte{byte(mark), 0, 0, 0}); err != nil {
			t.Fatal(err)
		}
		if err := table.Connect(fd, netip.MustParseAddrPort(server4+":9")); !errors.Is(err, want) {
			t.Errorf("connect with SO_MARK %d: %v, want %v", mark, err, want)
		}
	}
	if err := table.Close(fd); err != nil {
		t.Error(err)
	}
}
