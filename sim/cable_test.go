package sim_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/sim"
)

// mustPanic fails the test unless f panics with something that contains text.
func mustPanic(t *testing.T, text string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), text) {
			t.Errorf("panic: %v, want one about %q", r, text)
		}
	}()
	f()
}

// What is sent while a cable is unplugged is lost, and so is what was under way; what is sent later arrives.
func TestCableUnplugged(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b := n.Host("a"), n.Host("b")
	cable := n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"), sim.Line{Delay: time.Second})
	try := func(ends [2]*sim.Node, hosts [2]string) {
		var got [3]error
		ends[0].Go("ping", func() { _, got[0] = ping(ends[0], hosts[1], onlink.PingConfig{}) })
		run(t, n)
		began := n.Now()
		ends[0].Go("ping", func() { _, got[1] = ping(ends[0], hosts[1], onlink.PingConfig{}) })
		n.RunFor(time.Second / 2)
		cable.SetUp(false)
		if ends[0].Snapshot().Interfaces[1].Up || ends[1].Snapshot().Interfaces[1].Up {
			t.Error("an interface is up whose cable is unplugged")
		}
		n.RunFor(time.Second)
		cable.SetUp(true)
		ends[0].Go("ping", func() { _, got[2] = ping(ends[0], hosts[1], onlink.PingConfig{}) })
		run(t, n)
		if got[0] != nil || got[2] != nil {
			t.Errorf("pings with the cable plugged in: %v", got)
		}
		wantErr(t, "ping", got[1], os.ErrDeadlineExceeded)
		if took := n.Now().Sub(began); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
	}
	try([2]*sim.Node{a, b}, [2]string{"192.0.2.1", "192.0.2.2"})
	try([2]*sim.Node{b, a}, [2]string{"192.0.2.2", "192.0.2.1"})
}

// A filter decides frame by frame, in each direction, on wires and at switches, and is observed.
func TestCableFilter(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	var seen []sim.Impairment
	n.Observe(func(i sim.Impairment) { seen = append(seen, i) })
	a, b := n.Host("a"), n.Host("b")
	cables := n.Switch(sim.Line{}, a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"))
	n.RunFor(20 * time.Second) // addresses have been announced, and routers asked for
	lost := 0
	cables[1].Filter(func(from *sim.Node, frame []byte) bool {
		if from != b {
			t.Errorf("a frame from %s on b's cable", from.Name)
		}
		lost++
		return lost > 2
	})
	before := n.Frames()
	a.Go("ping", func() {
		// Two answers to the solicitations are lost, the third arrives.
		r, err := ping(a, "192.0.2.2", onlink.PingConfig{})
		if err != nil || r.RTT != 2*time.Second {
			t.Errorf("ping: %+v, %v", r, err)
		}
	})
	run(t, n)
	want := sim.Impairment{From: "b", To: "switch", What: "filtered", Len: 42}
	if len(seen) != 2 || seen[0] != want || seen[1] != want {
		t.Errorf("observed %+v", seen)
	}
	// Three solicitations, three answers of which one arrives, request and reply: sent and received.
	if got := n.Frames() - before; got != 3*2+3+1+2+2 {
		t.Errorf("%d frames in the hash", got)
	}
}

func TestCableInject(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b, c := n.Host("a"), n.Host("b"), n.Host("c")
	cable := n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"), sim.Line{Delay: time.Hour})
	drops := func(node *sim.Node) uint64 { return node.Snapshot().Counters.Dropped(mib.FrameShort) }
	hash := n.Hash()
	cable.Inject(b, []byte("short"))
	if drops(a) != 0 || drops(b) != 1 || n.Hash() == hash {
		t.Error("the frame did not arrive at once, or is not in the hash")
	}
	cable.Inject(b, make([]byte, 2000)) // longer than the link's frames
	cable.SetUp(false)
	cable.Inject(b, []byte("short"))
	cable.SetUp(true)
	b.Interface("eth0").Remove()
	cable.Inject(b, []byte("short"))
	if drops(b) != 1 {
		t.Errorf("%d frames arrived", drops(b))
	}
	mustPanic(t, "c is not at an end", func() { cable.Inject(c, nil) })
}

func TestBadPorts(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b := n.Host("a"), n.Host("b")
	mustPanic(t, "sim: a eth0", func() { a.Port("eth0", "192.0.2.1") })
	mustPanic(t, "sim: a eth0", func() { a.Port("eth0", "192.0.2.1/24").Gateway("nowhere") })
	mustPanic(t, "sim: a eth0", func() { n.Wire(a.Port("eth0", "192.0.2.255/24"), b.Port("eth0"), sim.Line{}) })
	mustPanic(t, `node "c"`, func() { n.Node("c", onlink.Config{Shards: -1}) })
	if b.Interface("eth0") != nil {
		t.Error("b has an interface")
	}
	n.Wire(a.Port("eth0"), b.Port("eth0"), sim.Line{})
	if i := b.Interface("eth0"); i == nil || i.Name() != "eth0" {
		t.Errorf("b's interface: %v", i)
	}
}
