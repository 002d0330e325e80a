package ip

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/internal/neigh"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// narrator tells what happens to packets that somebody follows, and why: tellin.go and tellout.go say what each method is for. It is
// a narration, which Narrate sets, so that a program in which nobody can follow packets is not linked with the words.
type narrator interface {
	beginIn(q *queue, p *packet.Buffer)
	beginAll(q *queue, first *packet.Buffer)
	toldJoined(q *queue, whole, part *packet.Buffer)
	toldLink(q *queue, p *packet.Buffer, h wire.Ethernet)
	toldHeader(q *queue, p *packet.Buffer)
	toldRoute(q *queue, p *packet.Buffer, d *decision)
	toldForward(q *queue, p *packet.Buffer)
	toldFragments(q *queue, p *packet.Buffer, d *datagram)
	toldAssembled(q *queue, d *datagram, followed uint16) *packet.Buffer
	beginOut(t transmission, p *packet.Buffer)
	toldReroute(t transmission, p *packet.Buffer, next wire.Addr, why string)
	toldResolved(t transmission, p *packet.Buffer)
	toldWaiting(t transmission, i trace.Identity, cache *neigh.Cache, hop wire.Addr)
	toldFragmented(t transmission, whole trace.Identity, parts packet.Batch, mtu int)
	toldCopy(t transmission, p, c *packet.Buffer)
	toldCut(d *device, now clock.Instant, whole trace.Identity, b *packet.Batch, n int)
	runToldHooks(l *Layer, now clock.Instant, chain hook.Hooks, at hook.Point, p *packet.Buffer) (hook.Verdict, int)
}

type narration struct{}

// Narrate has the layer tell of packets that somebody follows. It must be called before anybody begins to ([trace.Tracer.AddSteps]), and
// may be called again.
func (l *Layer) Narrate() { l.narrating.Do(func() { l.narrator = narration{} }) }
