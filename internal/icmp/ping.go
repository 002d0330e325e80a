// Package icmp is the sending side of echo (RFC 792; RFC 4443, 4.1): real requests, matched with the replies
// and the errors that come back. Answering requests, and all other ICMP, is in internal/ip.
package icmp

import (
	"context"
	"encoding/binary"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// headerLen is the echo header: type, code, checksum, identifier, sequence number.
const headerLen = 8

// MaxPayload is the longest echo payload that IPv4 can carry.
const MaxPayload = 65535 - wire.IPv4MinLen - headerLen

// Layer sends echo requests for one stack.
type Layer struct {
	ip   *ip.Layer
	rt   clock.Runtime
	home *shard.Shard // stages the requests and holds the timers

	mu      sync.Mutex // a leaf
	nextID  uint16
	pending map[key]*echo
	first   *echo // the same as a list, the youngest first
	closed  bool
}

// key finds the request that a reply or an error answers.
type key struct {
	v4      bool
	id, seq uint16
}

// echo is one request under way. Guarded by Layer.mu.
type echo struct {
	layer      *Layer
	key        key
	dst        wire.Addr
	node       shard.Node
	until      clock.Instant
	done       bool
	cond       clock.Cond
	reply      Reply
	err        error
	prev, next *echo // in Layer.first
}

// New returns a Layer and registers it with l for both families.
func New(rt clock.Runtime, l *ip.Layer) *Layer {
	var b [2]byte
	rt.Entropy(b[:])
	c := &Layer{ip: l, rt: rt, nextID: binary.BigEndian.Uint16(b[:]), pending: make(map[key]*echo)}
	c.home = l.ShardFor(&flow.Key{Proto: wire.ProtoICMP})
	l.Register(transport{c, wire.ProtoICMP})
	l.Register(transport{c, wire.ProtoICMPv6})
	return c
}

// NewID returns an identifier for a series of requests.
func (c *Layer) NewID() uint16 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nextID++
	return c.nextID
}

// Request is what to send.
type Request struct {
	Dst      wire.Addr
	Scope    uint32 // interface index of a link-local Dst
	ID, Seq  uint16
	Payload  []byte
	HopLimit uint8         // 0: the default
	Timeout  time.Duration // 0: as long as ctx lasts
}

// Reply is what came back.
type Reply struct {
	From     wire.Addr
	RTT      time.Duration
	HopLimit uint8
	Len      int // octets of payload
}

// Error is an ICMP error that came back instead of a reply. It unwraps to the errno a socket would see.
type Error = ip.Report

// Close ends all requests under way, and those to come, with net.ErrClosed.
func (c *Layer) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for e := c.first; e != nil; e = e.next {
		e.end(Reply{}, net.ErrClosed)
	}
}

// Echo sends r and waits for its answer. Errors: *Error for an ICMP error, os.ErrDeadlineExceeded after
// r.Timeout, ctx.Err(), net.ErrClosed, EMSGSIZE, EEXIST if the same ID and Seq are under way, and those of ip.Route.
func (c *Layer) Echo(ctx context.Context, r Request) (Reply, error) {
	if len(r.Payload) > MaxPayload {
		return Reply{}, syscall.EMSGSIZE
	}
	if err := ctx.Err(); err != nil {
		return Reply{}, err
	}
	began := c.rt.Now()
	path, err := c.ip.Route(began, ip.Query{Dst: r.Dst, Scope: r.Scope})
	if err != nil {
		return Reply{}, err
	}
	e := &echo{layer: c, key: key{r.Dst.Is4(), r.ID, r.Seq}, dst: r.Dst, until: clock.Never}
	e.cond = c.rt.NewCond(&c.mu)
	e.node.Owner = e
	if r.Timeout > 0 {
		e.until = began.Add(r.Timeout)
	}
	if err := c.insert(e); err != nil {
		return Reply{}, err
	}

	defer c.rt.AfterDone(ctx, func() { e.finish(Reply{}, ctx.Err()) })()
	c.send(path, &r, e)

	reply, err := e.wait()
	c.remove(e)
	c.home.Lock()
	c.home.Disarm(&e.node)
	c.home.Unlock()
	if err == nil {
		reply.RTT = c.rt.Now().Sub(began)
	}
	return reply, err
}

// insert makes e known to those who look for it.
func (c *Layer) insert(e *echo) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return net.ErrClosed
	case c.pending[e.key] != nil:
		return syscall.EEXIST
	}
	c.pending[e.key] = e
	if e.next = c.first; e.next != nil {
		e.next.prev = e
	}
	c.first = e
	return nil
}

// remove undoes insert.
func (c *Layer) remove(e *echo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, e.key)
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		c.first = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	}
}

// wait waits until e is answered, one way or the other.
func (e *echo) wait() (Reply, error) {
	e.layer.mu.Lock()
	defer e.layer.mu.Unlock()
	for !e.done {
		e.cond.Wait()
	}
	return e.reply, e.err
}

func (c *Layer) send(path *ip.Path, r *Request, e *echo) {
	p := packet.New(headerLen + len(r.Payload))
	b := p.Bytes()
	rest := uint32(r.ID)<<16 | uint32(r.Seq)
	copy(b[headerLen:], r.Payload)
	params := ip.Params{Proto: wire.ProtoICMP, HopLimit: r.HopLimit}
	if r.Dst.Is4() {
		wire.PutICMP(b, wire.ICMPv4EchoRequest, 0, rest)
		wire.FinishICMPv4(b)
		c.home.Counters.Inc(mib.IcmpOutEchos)
		c.home.Counters.Inc(mib.IcmpOutMsgs)
	} else {
		params.Proto = wire.ProtoICMPv6
		wire.PutICMP(b, wire.ICMPv6EchoRequest, 0, rest)
		wire.FinishICMPv6(b, path.Src, path.Dst)
		c.home.Counters.Inc(mib.Icmp6OutEchos)
		c.home.Counters.Inc(mib.Icmp6OutMsgs)
	}
	c.ip.Output(path, &params, p)
	c.home.Lock()
	c.home.Arm(&e.node, e.until)
	c.home.Stage(p)
	c.home.Unlock()
}

// finish ends e once and wakes its waiter.
func (e *echo) finish(r Reply, err error) {
	c := e.layer
	c.mu.Lock()
	defer c.mu.Unlock()
	e.end(r, err)
}

// end is finish. Layer.mu held.
func (e *echo) end(r Reply, err error) {
	if e.done {
		return
	}
	e.done, e.reply, e.err = true, r, err
	e.cond.Broadcast()
}

// Expire implements shard.Timed.
func (e *echo) Expire(now clock.Instant) clock.Instant {
	if now < e.until {
		return e.until
	}
	e.finish(Reply{}, os.ErrDeadlineExceeded)
	return clock.Never
}

// lookup returns the request under way that has k.
func (c *Layer) lookup(k key) *echo {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pending[k]
}

// transport is the Layer as ip sees it, once for each family's protocol number.
type transport struct {
	*Layer
	proto uint8
}

// Protocol implements ip.Transport.
func (t transport) Protocol() uint8 { return t.proto }

// Input implements ip.Transport; it gets echo replies only, their checksum verified.
func (t transport) Input(sh *shard.Shard, now clock.Instant, p *packet.Buffer) ip.Disposition {
	b := p.Bytes()
	h, err := wire.CheckICMP(b)
	if err != nil {
		sh.Counters.Drop(now, p, mib.IcmpMalformed)
		return ip.Malformed
	}
	// Who pings a group is answered by its members; otherwise a reply comes from where the request went.
	if e := t.lookup(key{p.Src.Is4(), h.ID(), h.Seq()}); e != nil && (p.Src == e.dst || e.dst.IsMulticast()) {
		e.finish(Reply{From: p.Src, HopLimit: p.HopLimit, Len: len(b) - headerLen}, nil)
	}
	p.Free()
	return ip.Delivered
}

// Vouches implements ip.Voucher: a message about the path MTU is believed if it quotes a request under way.
func (t transport) Vouches(_ *shard.Shard, q *ip.Error) bool {
	if len(q.Quote) < headerLen {
		return false
	}
	h := wire.ICMP(q.Quote)
	e := t.lookup(key{q.Src.Is4(), h.ID(), h.Seq()})
	return e != nil && e.dst == q.Dst
}

// Error implements ip.Transport; it gets errors about our echo requests only.
func (t transport) Error(sh *shard.Shard, now clock.Instant, q *ip.Error) {
	if len(q.Quote) < headerLen || q.Errno == syscall.EMSGSIZE {
		return
	}
	h := wire.ICMP(q.Quote)
	if e := t.lookup(key{q.Src.Is4(), h.ID(), h.Seq()}); e != nil {
		e.finish(Reply{}, q.Report(0))
	}
}
