package onlink_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// A hook that keeps a host from being pinged, and a trace that shows it at work.
func ExampleStack_Hook() {
	n := sim.New(1)
	defer n.Stop()
	a, b := n.Host("a"), n.Host("b")
	n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"), sim.Line{})

	defer b.Hook(hook.Input).Add(0, "silence", func(_ clock.Instant, p *packet.Buffer) hook.Verdict {
		h := wire.IPv4(p.Bytes()) // Bytes begins at the internet header
		if p.Dst.Is4() && p.Proto == wire.ProtoICMP && h.Payload()[0] == wire.ICMPv4EchoRequest {
			return hook.Drop
		}
		return hook.Continue
	})()
	pings := func(p *packet.Buffer, out bool) bool { return !out && p.Bytes()[wire.EthernetLen]>>4 == 4 }
	remove, err := b.Tracer().AddSteps(trace.NewJournal(func(w *trace.Way) { fmt.Print(w) }), pings)
	if err != nil {
		panic(err)
	}
	defer remove()

	a.Go("ping", func() {
		_, err := a.Ping(context.Background(), netip.MustParseAddr("192.0.2.2"), onlink.PingConfig{ID: 1, Timeout: time.Second})
		fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))
	})
	if err := n.Run(); err != nil {
		panic(err)
	}
	// Output:
	// packet 1  192.0.2.1 → 192.0.2.2  ICMP echo request, identifier 1, sequence number 0
	//      +0µs in  1    frame          98 octets by eth0
	//      +0µs in  2    link header    Ethernet from 02:00:00:00:00:01 to 02:00:00:00:00:02, IPv4
	//                                   ← the destination is our link-layer address
	//      +0µs in  3    header         IPv4, TTL 64, 84 octets ← version, lengths and checksum are good
	//      +0µs in  4    route          ours ← an address of eth0
	//      +0µs          hooks          Input: silence says drop
	//           ═ dropped: refused by a hook: silence at Input
	// true
}

// What TCP sends together passes hooks together, and arrives.
func TestBulkPastHooks(t *testing.T) {
	eachFamily(t, func(t *testing.T, host string) {
		client, server := newPair(t, nil)
		var longest atomic.Int64
		for _, stack := range []*onlink.Stack{client, server} {
			for _, at := range hook.Points() {
				stack.Hook(at).Add(0, "look", func(_ clock.Instant, p *packet.Buffer) hook.Verdict {
					longest.Store(max(longest.Load(), int64(p.Len())))
					return hook.Continue
				})
			}
		}
		c, s := connect(t, client, server, host)
		want := make([]byte, 1<<20)
		for i := range want {
			want[i] = byte(i * 7 >> 3)
		}
		go func() {
			c.Write(want) // the reader sees if it fails
			c.Close()
		}()
		got, err := io.ReadAll(s)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d octets arrived, %v", len(got), err)
		}
		if longest.Load() < 10_000 {
			t.Errorf("the longest packet that hooks saw has %d octets", longest.Load())
		}
	})
}

// Hooks and followers come and go while packets pass.
func TestHooksAndFollowersComeAndGo(t *testing.T) {
	client, server := newPair(t, nil)
	c, s, to := udpPair(t, client, server)
	conn, peer := connect(t, client, server, server6)
	var wg sync.WaitGroup
	end := make(chan struct{})
	for _, stack := range []*onlink.Stack{client, server} {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-end:
					return
				default:
				}
				var removes []func()
				for _, at := range hook.Points() {
					removes = append(removes, stack.Hook(at).Add(i%3, "pass", func(clock.Instant, *packet.Buffer) hook.Verdict { return hook.Continue }))
				}
				journal := trace.NewJournal(func(w *trace.Way) { _ = w.String() })
				journal.Now = stack.Runtime().Now
				remove, err := stack.Tracer().AddSteps(journal, nil)
				if err != nil {
					t.Error(err)
					return
				}
				for _, r := range append(removes, remove) {
					r()
				}
			}
		})
	}
	b := make([]byte, 3000) // fragments
	for range 300 {
		if _, err := c.WriteToUDPAddrPort(b, to); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.ReadFromUDPAddrPort(b); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(b[:1000]); err != nil {
			t.Fatal(err)
		}
		if _, err := peer.Read(b); err != nil {
			t.Fatal(err)
		}
	}
	close(end)
	wg.Wait()
}
