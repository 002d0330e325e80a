package onlink_test

import (
	"encoding/json"
	"expvar"
	"fmt"
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink"
)

// A program that publishes its variables (package expvar) publishes a stack in a line. The library does neither by itself, nor
// does it import that package, which brings an HTTP server along.
func ExampleStack_Snapshot_expvar() {
	stack, err := onlink.New(onlink.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	expvar.Publish("onlink", expvar.Func(func() any { return stack.Snapshot() }))

	var seen struct {
		Interfaces []struct{ Name string }
		Counters   struct{ Counters, Drops map[string]uint64 }
	}
	err = json.Unmarshal([]byte(expvar.Get("onlink").String()), &seen)
	fmt.Println(err, seen.Interfaces[0].Name, seen.Counters.Counters["IpInReceives"], seen.Counters.Drops["link is down"])
	// Output: <nil> lo 0 0
}

// Everything in a Snapshot can be encoded, whatever there is.
func TestSnapshotJSON(t *testing.T) {
	s, i := bare(t, "192.0.2.1/24", "2001:db8::1/64")
	if err := s.AddRoute(onlink.Route{Prefix: netip.MustParsePrefix("::/0"), Gateway: netip.MustParseAddr("2001:db8::2")}); err != nil {
		t.Fatal(err)
	}
	if _, err := i.JoinGroup(netip.MustParseAddr("ff02::99")); err != nil {
		t.Fatal(err)
	}
	ln, err := s.Listen(t.Context(), "tcp", "[::1]:80")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := s.Dial("tcp", "[::1]:80")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b, err := json.Marshal(s.Snapshot())
	var seen struct {
		Sockets  []struct{ State string }
		Counters struct{ Counters, Drops map[string]uint64 }
	}
	if err == nil {
		err = json.Unmarshal(b, &seen)
	}
	if err != nil || len(seen.Sockets) != 3 || seen.Counters.Counters["TcpActiveOpens"] != 1 || len(seen.Counters.Drops) < 50 {
		t.Errorf("%v: %s", err, b)
	}
}
