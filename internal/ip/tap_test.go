package ip

import (
	"fmt"
	"slices"
	"testing"

	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// notes is a Tap that remembers what it saw: the interface, the direction, and the last octet of the frame.
type notes struct {
	list []string
	n    int
	keep bool
}

func (s *notes) Frame(at Sight, p *packet.Buffer) {
	s.n++
	if b := p.Bytes(); s.keep {
		s.list = append(s.list, fmt.Sprintf("%s %v %d", at.Name, at.Outgoing, b[len(b)-1]))
	}
}

func (s *notes) Gone(index int32) { s.list = append(s.list, fmt.Sprintf("gone %d", index)) }

func (s *notes) take() []string {
	l := s.list
	s.list = nil
	return l
}

// sendFrames gives frames to the layer that end with the octets from first on.
func (b *bed) sendFrames(first, n int) {
	b.Helper()
	for k := range n {
		p := packet.New(60)
		f := p.Bytes()
		wire.PutEthernet(f, peerMAC, usMAC, 0x9999)
		f[59] = byte(first + k)
		if err := b.l.SendFrame(2, p); err != nil {
			b.Fatal(err)
		}
	}
}

// Frames are shown once each, in order, however often the link refuses them.
func TestTapSeesFramesOnce(t *testing.T) {
	b := newBed(t, setup{})
	s := &notes{keep: true}
	remove, err := b.l.AddTap(2, s)
	if err != nil {
		t.Fatal(err)
	}
	b.eth0.room = 2
	b.sendFrames(1, 5)
	var want []string
	for k := range 3 { // the third was offered, and waits; the others wait behind it
		want = append(want, fmt.Sprintf("eth0 true %d", k+1))
	}
	if got := s.take(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	b.eth0.room = 0
	b.eth0.r.Ready(0)
	if got := s.take(); !slices.Equal(got, []string{"eth0 true 4", "eth0 true 5"}) {
		t.Errorf("%q", got)
	}
	b.eth0.room = -1
	b.eth0.r.Ready(0)
	b.sendFrames(6, 1)
	if got := s.take(); !slices.Equal(got, []string{"eth0 true 6"}) {
		t.Errorf("%q", got)
	}
	if got := b.eth0.take(); len(got) != 6 {
		t.Errorf("%d sent", len(got))
	}

	// What the interface sent while nobody listened, and what waited when it was taken down, was never shown.
	b.eth0.room = 0
	remove()
	b.sendFrames(7, 2)
	remove, err = b.l.AddTap(0, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.l.SetUp(2, false); err != nil {
		t.Fatal(err)
	}
	if err := b.l.SetUp(2, true); err != nil {
		t.Fatal(err)
	}
	b.eth0.room = -1
	b.eth0.r.Ready(0)
	s.take()
	b.sendFrames(9, 1)
	if got := s.take(); !slices.Equal(got, []string{"eth0 true 9"}) {
		t.Errorf("%q", got)
	}
	if err := b.l.RemoveInterface(2); err != nil {
		t.Fatal(err)
	}
	if got := s.take(); len(got) == 0 || got[len(got)-1] != "gone 2" {
		t.Errorf("%q", got)
	}
	remove()
}

// Frames for others, and those that nobody understands, are shown as they came in. Those of an interface that is down are not
// looked at.
func TestTapSeesAll(t *testing.T) {
	b := newBed(t, setup{})
	s := &notes{keep: true}
	if _, err := b.l.AddTap(0, s); err != nil {
		t.Fatal(err)
	}
	frame := make([]byte, 60)
	wire.PutEthernet(frame, otherMAC, peerMAC, 0x9999)
	frame[59] = 42
	b.in(b.eth0, frame, []byte{7})
	if got := s.take(); !slices.Equal(got, []string{"eth0 false 42", "eth0 false 7"}) {
		t.Errorf("%q", got)
	}
	if err := b.l.SetUp(2, false); err != nil {
		t.Fatal(err)
	}
	s.take()
	b.in(b.eth0, frame)
	if got := s.take(); got != nil {
		t.Errorf("%q", got)
	}
}

// A datagram to a group that is ours too is shown where it leaves, and not again on the loopback interface.
func TestTapSeesGroupOnce(t *testing.T) {
	b := newBed(t, setup{})
	s := &notes{keep: true}
	if _, err := b.l.AddTap(0, s); err != nil {
		t.Fatal(err)
	}
	b.out(Query{Dst: a4("224.0.0.1")}, Params{Proto: 17}, []byte("to all \x07"))
	if got := s.take(); !slices.Equal(got, []string{"eth0 true 7"}) {
		t.Errorf("%q", got)
	}
	if b.udp.n != 1 {
		t.Errorf("%d received", b.udp.n)
	}
}

// Showing frames allocates nothing either.
func TestTapAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget")
	}
	b := quiet(newBed(t, setup{}))
	s := &notes{}
	if _, err := b.l.AddTap(0, s); err != nil {
		t.Fatal(err)
	}
	echo := feeder(b, in4(ip4(peer4, us4, 1, icmp4(8, 0, 1, make([]byte, 100)))))
	echo()
	echo()
	s.n = 0
	if n := testing.AllocsPerRun(100, echo); n >= 1 {
		t.Errorf("%.2f allocations for %d packets", n, perBatch)
	}
	if s.n < 2*100*perBatch {
		t.Errorf("%d frames seen", s.n)
	}
}
