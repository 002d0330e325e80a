package sim

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/capture"
	"github.com/onlink-go/onlink/link/impair"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Line is what a wire does to the frames it carries, the same in both directions. The zero Line is perfect.
type Line struct {
	MTU       int           // octets; 0: 1500
	Delay     time.Duration // each way
	Jitter    time.Duration // Delay varies by so much up and down, without reordering
	Rate      int64         // bit/s, each way; 0: unlimited
	Queue     int           // frames that wait for the rate at most; 0: impair.DefaultQueue
	Loss      float64       // probabilities, 0 to 1
	Reorder   float64
	Duplicate float64
	Corrupt   float64
	Burst     float64 // mean length of the bursts that Loss comes in, frames; 0: each frame is lost, or not, by itself
}

func (l *Line) path() impair.Path {
	return impair.Path{Delay: l.Delay, Jitter: l.Jitter, Rate: l.Rate, Queue: l.Queue, Loss: l.Loss,
		Reorder: l.Reorder, Duplicate: l.Duplicate, Corrupt: l.Corrupt,
		Burst: l.Burst}
}

// Impairment is what a wire did to a frame.
type Impairment struct {
	From, To string // nodes
	What     string // "lost", "queue full", "reordered", "duplicated", "corrupted"; "filtered" by Cable.Filter
	Len      int    // octets of the frame
}

// Wire joins two ports by a line. It panics if a node does not accept its interface's configuration.
func (n *Network) Wire(a, b Port, line Line) *Cable {
	pa, pb := mem.Pair(mem.Config{Runtime: n.rt, MTU: line.MTU, Addr: []wire.MAC{n.mac(), n.mac()}})
	c := &Cable{port: pa}
	c.ends[0] = n.attach(a, pa, c, b.Node.Name)
	c.ends[1] = n.attach(b, n.impaired(pb, line, b.Node.Name, a.Node.Name), c, a.Node.Name)
	return c
}

// Cable is a wire between two nodes, or from a node to a switch, to be tampered with while time passes.
type Cable struct {
	port *mem.Port    // one of its ends
	ends [2]*recorder // those that are nodes
	cut  bool
	keep func(from *Node, frame []byte) bool // nil: all
}

// SetUp unplugs the cable (false), or plugs it in again; both ends notice at once. Frames sent, and those that
// would arrive, while it is unplugged are lost.
func (c *Cable) SetUp(up bool) {
	c.cut = !up
	c.port.SetCarrier(up)
}

// Inject delivers frame to the node to, which is at an end of the cable, at this instant, as if the other end had sent
// it; one that is too long for the link is lost. It panics if to is not at an end.
func (c *Cable) Inject(to *Node, frame []byte) {
	for _, r := range c.ends {
		if r != nil && r.node == to {
			if info := r.Info(); len(frame) > info.MaxFrame() {
				return
			}
			var b packet.Batch
			b.Push(packet.From(frame))
			r.Deliver(0, &b)
			return
		}
	}
	panic("sim: " + to.Name + " is not at an end of the cable")
}

// Filter makes keep decide from now on which frames the cable carries: one for which it returns false is lost, which
// nobody notices. It is asked as the node from sends the frame, which it may change in place, as a device on the way does, and
// must not keep. nil carries all.
func (c *Cable) Filter(keep func(from *Node, frame []byte) bool) { c.keep = keep }

// impaired puts line around l, which is near's end of a wire to far.
func (n *Network) impaired(l link.Link, line Line, near, far string) link.Link {
	if line == (Line{MTU: line.MTU}) {
		return l
	}
	var seed [8]byte
	n.rt.Entropy(seed[:])
	cfg := impair.Config{Egress: line.path(), Ingress: line.path(), Seed: binary.BigEndian.Uint64(seed[:]) | 1}
	if n.observe != nil {
		cfg.Observe = func(e *impair.Event) {
			from, to := near, far
			if e.Direction == impair.Ingress {
				from, to = far, near
			}
			n.observe(Impairment{From: from, To: to, What: e.Kind.String(), Len: e.Packet.Len()})
		}
	}
	return impair.New(n.rt, l, cfg)
}

// Switch joins any number of ports as an Ethernet switch does, each by a line of its own kind. It returns the cables
// from the ports to the switch, in their order. It panics like Wire.
func (n *Network) Switch(line Line, ports ...Port) []*Cable {
	macs := make([]wire.MAC, len(ports))
	for i := range macs {
		macs[i] = n.mac()
	}
	s := mem.NewSwitch(len(ports), mem.Config{Runtime: n.rt, MTU: line.MTU, Addr: macs})
	cables := make([]*Cable, len(ports))
	for i, p := range ports {
		cables[i] = &Cable{port: s.Port(i)}
		cables[i].ends[0] = n.attach(p, n.impaired(s.Port(i), line, p.Node.Name, "switch"), cables[i], "switch")
	}
	return cables
}

// attach makes an interface of l, p's end of cable to far, whose frames are hashed and captured.
func (n *Network) attach(p Port, l link.Link, cable *Cable, far string) *recorder {
	n.wires++
	r := &recorder{Link: l, network: n, node: p.Node, cable: cable, far: far, id: n.wires}
	l = r
	if n.capture != nil {
		c := capture.New(p.Node.Runtime(), l, n.capture, p.Node.Name+"/"+p.Name)
		p.Node.Tracer().Add(c)
		l = c
	}
	if p.Config.IPv6.RouterSolicitations == 0 {
		// RFC 4861, 10: MAX_RTR_SOLICITATIONS. A network where nobody answers comes to rest, and its deadlocks are seen.
		p.Config.IPv6.RouterSolicitations = 3
	}
	i, err := p.Node.AddLink(p.Name, l, p.Config)
	if err != nil {
		panic(fmt.Sprintf("sim: %s %s: %v", p.Node.Name, p.Name, err))
	}
	p.Node.interfaces = append(p.Node.interfaces, i)
	return r
}

// mac returns the next unused address: locally administered, in the order of asking.
func (n *Network) mac() wire.MAC {
	n.macs++
	return wire.MACFromUint64(0x02_00_00_00_00_00 | uint64(n.macs))
}

// recorder hashes what an interface sends and receives.
type recorder struct {
	link.Link
	network *Network
	node    *Node
	cable   *Cable
	far     string // what is at its other end
	id      uint32
	r       link.Receiver
}

// The directions in the hash.
const (
	sent     = 0
	received = 1
)

// Send records the frames of b and sends those that the cable carries.
func (r *recorder) Send(q int, b *packet.Batch) error {
	if r.cable.keep != nil {
		r.filter(b)
	}
	for p := b.Front(); p != nil; p = p.Next() {
		r.record(sent, p)
	}
	return r.Link.Send(q, b)
}

// filter loses the frames of b that the cable's filter does not let through. They are in the hash as sent.
func (r *recorder) filter(b *packet.Batch) {
	var all packet.Batch
	all.Take(b)
	for p := all.Pop(); p != nil; p = all.Pop() {
		if r.cable.keep(r.node, p.Bytes()) {
			b.Push(p)
			continue
		}
		r.record(sent, p)
		if n := r.network; n.observe != nil {
			n.observe(Impairment{From: r.node.Name, To: r.far, What: "filtered", Len: p.Len()})
		}
		p.Free()
	}
}

// Attach puts the recorder between the link and to.
func (r *recorder) Attach(to link.Receiver) error {
	if to == nil {
		err := r.Link.Attach(nil)
		r.r = nil
		return err
	}
	r.r = to
	return r.Link.Attach(r)
}

// Deliver records the frames of b and delivers them.
func (r *recorder) Deliver(q int, b *packet.Batch) {
	if r.cable.cut || r.r == nil {
		b.Free() // they were under way when the cable was unplugged
		return
	}
	for p := b.Front(); p != nil; p = p.Next() {
		r.record(received, p)
	}
	r.r.Deliver(q, b)
}

func (r *recorder) Ready(q int)         { r.r.Ready(q) }
func (r *recorder) Changed(i link.Info) { r.r.Changed(i) }

// record adds instant, interface, direction, length and octets to the trace hash.
func (r *recorder) record(direction byte, p *packet.Buffer) {
	var h [17]byte
	binary.BigEndian.PutUint64(h[:], uint64(r.network.sim.Now()))
	binary.BigEndian.PutUint32(h[8:], r.id)
	binary.BigEndian.PutUint32(h[12:], uint32(p.Len()))
	h[16] = direction
	r.network.hash.Write(h[:]) // a hash never fails
	r.network.hash.Write(p.Bytes())
	r.network.frames++
}
