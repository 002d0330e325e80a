package onlink_test

import (
	"strings"
	"testing"

	"github.com/onlink-go/onlink"
)

// A snapshot lists the sockets.
func TestSnapshotSockets(t *testing.T) {
	client, server := newPair(t, nil)
	c, s := connect(t, client, server, server4)
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	u, err := server.ListenPacket(t.Context(), "udp", ":53")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	var conn *onlink.SocketState
	var udp bool
	snap := server.Snapshot()
	for i := range snap.Sockets {
		switch k := &snap.Sockets[i]; {
		case k.State == "ESTABLISHED" && k.Network == "tcp":
			conn = k
		case k.Network == "udp":
			udp = k.State == "UNCONNECTED" && k.Local.Port() == 53
		}
	}
	if conn == nil || conn.Local.String() != s.LocalAddr().String() || conn.Remote.String() != c.LocalAddr().String() || conn.Info == nil ||
		conn.Info.SegmentsIn == 0 || !udp {
		t.Fatalf("%+v", snap.Sockets)
	}
	var out strings.Builder
	if err := snap.WriteSockets(&out, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Netid", "tcp ", "ESTABLISHED", s.LocalAddr().String(), "\n\tts sack ", " rcv_space:", "*:53", "*:*"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	var short strings.Builder
	snap.WriteSockets(&short, false)
	if strings.Contains(short.String(), "rcv_space") || strings.Count(short.String(), "\n") != 1+len(snap.Sockets) {
		t.Error(short.String())
	}
}
