package tcpsock

import (
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpauth"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// embryo is a handshake that a listener takes part in, in its shard's table: 160 octets, and what a map takes for them.
// RFC 4987, 3.5: "minimizing the amount of state that a SYN allocates, i.e., not immediately allocating a full TCB".
type embryo struct {
	place
	l    *Listener
	rare *rare // nil: none of it
	tcp.Embryo
}

// rare is what few handshakes have.
type rare struct {
	syn  *[]byte       // the SYN, if it is to be saved
	auth *tcpauth.Conn // authenticates the segments
}

// auth returns what authenticates the handshake's segments, or nil.
func (e *embryo) auth() *tcpauth.Conn {
	if e.rare == nil {
		return nil
	}
	return e.rare.auth
}

// maxEmbryos bounds the embryos of a stack, however many listeners there are; beyond, SYN cookies take over.
const maxEmbryos = 1 << 17

// config returns what l's next connection, with remote, begins with, and whether l is closed.
func (l *Listener) config(remote wire.Addr) (cfg *tcp.Config, h Header, closed bool) {
	l.in.Lock()
	defer l.in.Unlock()
	return l.settings.config(l.layer), l.headers.of(remote), l.in.Closed()
}

// admit decides what comes of a SYN, as Linux does: an embryo, which is then counted; a cookie; or nothing, for the
// reason returned. known: the SYN takes the place of a connection in TIME-WAIT. trusted: it is authentic, and so no part
// of a flood.
func (l *Listener) admit(now clock.Instant, known, trusted bool) (cookie bool, why mib.Reason) {
	limits := &l.layer.Settings().Limits
	l.in.Lock()
	defer l.in.Unlock()
	full := l.embryos > l.backlog || l.layer.embryos.Load() >= maxEmbryos
	switch {
	case l.in.Closed():
		return false, mib.SocketClosed
	case limits.SYNCookies == 0 && full && !known:
		return false, mib.TcpHandshakesFull
	case l.full():
		return false, mib.TcpBacklogFull
	case trusted && full:
		return false, mib.TcpHandshakesFull
	case known, trusted:
	case limits.SYNCookies == 0 && limits.MaxSYNBacklog-l.embryos < limits.MaxSYNBacklog/4:
		// The last quarter is for peers known to be alive.
		return false, mib.TcpHandshakesFull
	case full || limits.SYNCookies >= 2:
		l.overflow = now
		return true, 0
	}
	l.embryos++
	l.layer.embryos.Add(1)
	return false, 0
}

// forget takes note that an embryo is no more.
func (l *Listener) forget() {
	l.in.Lock()
	defer l.in.Unlock()
	l.embryos--
	l.layer.embryos.Add(-1)
}

// open answers a SYN: RFC 9293, 3.10.7.2. It returns why it cannot, or 0. iss is the initial sequence number if it takes
// the place of a connection in TIME-WAIT, else 0. sh locked.
func (l *Listener) open(sh *shard.Shard, now clock.Instant, key *flow.Key, syn *tcp.Segment, iss tcp.Seq,
	auth *tcpauth.Conn) mib.Reason {
	t := l.layer
	cookie, why := l.admit(now, iss != 0, auth != nil)
	if why != 0 {
		return why
	}
	cfg, header, _ := l.config(key.Remote)
	path := t.route(sh, now, key, &header)
	if path == nil || t.closing.Load() {
		if !cookie {
			l.forget()
		}
		return mib.Closing
	}
	o := t.openTo(key.Remote, path, &header, cfg)
	if cookie {
		t.sendCookie(sh, now, path, key, syn, &o, header)
		return 0
	}
	o.ISS, o.TSOffset = t.isn(now, key)
	if iss != 0 {
		o.ISS = uint32(iss)
	}
	auth.SetISS(o.ISS)
	o.Reserved = auth.OptionLen()
	var answer wire.FastOpenOption
	if auth == nil {
		var take bool
		take, answer = l.mayFastOpen(sh, now, key, syn, cfg)
		if take && l.fastOpen(sh, now, key, syn, &o, header, answer) {
			l.forget()
			return 0
		}
	}
	e := t.tables[sh.Index].freeEmbryos.get()
	*e = embryo{place: place{key: *key}, l: l}
	if auth != nil {
		e.rare = &rare{auth: auth}
	}
	e.node.Owner = e
	e.Open(now, &o, syn)
	t.tables[sh.Index].demux.put(&e.place)
	e.answer(sh, now, cfg, header, answer)
	sh.Arm(&e.node, e.Deadline())
	return 0
}

// answer sends the SYN,ACK. If there is no way the timer tries again. sh locked.
func (e *embryo) answer(sh *shard.Shard, now clock.Instant, cfg *tcp.Config, h Header, cookie wire.FastOpenOption) {
	seg := &e.l.layer.tables[sh.Index].seg
	e.SYNACK(now, seg)
	seg.Options.FastOpen = cookie // RFC 7413, 4.2.2: in the first one only
	e.Report(cfg, seg, e.auth().OptionLen())
	if seg.Retransmit {
		sh.Counters.Inc(mib.TcpRetransSegs)
	}
	e.l.layer.send(sh, now, &e.key, seg, h, e.auth())
}

// drop forgets e. sh locked.
func (e *embryo) drop(sh *shard.Shard) {
	e.l.layer.tables[sh.Index].demux.take(&e.place)
	sh.Disarm(&e.node)
	e.l.forget()
	e.l.layer.tables[sh.Index].freeEmbryos.put(e)
}

// end is drop, of a handshake that has failed. sh locked.
func (e *embryo) end(sh *shard.Shard) {
	sh.Counters.Inc(mib.TcpAttemptFails)
	e.drop(sh)
}

// inputEmbryo gives a segment to the handshake it belongs to, and returns false if that is at its end. sh locked.
func (t *Layer) inputEmbryo(sh *shard.Shard, now clock.Instant, p *packet.Buffer, e *embryo, seg *tcp.Segment) bool {
	key := &e.key
	cfg, header, closed := e.l.config(e.key.Remote)
	if closed {
		e.drop(sh)
		return false
	}
	if !header.by(p.In) {
		return false
	}
	if !authentic(sh, now, p, e.auth(), seg) {
		return true
	}
	verdict := e.Arrive(now, cfg, seg)
	switch verdict {
	case tcp.Defer:
		sh.Counters.Inc(mib.TcpExtTCPDeferAcceptDrop)
	case tcp.SendSYNACK:
		e.answer(sh, now, cfg, header, wire.FastOpenOption{})
	case tcp.SendACK:
		e.ACK(now, seg)
		t.send(sh, now, key, seg, header, e.auth())
	case tcp.SendReset:
		t.refuse(sh, now, key, seg, header)
	case tcp.Contradicted:
		e.Reset(seg)
		sh.Counters.Inc(mib.TcpOutRsts)
		t.send(sh, now, key, seg, header, e.auth())
		e.end(sh)
	case tcp.Refused:
		sh.Counters.Inc(mib.TcpExtEmbryonicRsts)
		e.end(sh)
	case tcp.Complete:
		t.complete(sh, now, e, cfg, header, seg)
	}
	t.taken(now, p, "TCP: a handshake under way", verdicts[verdict])
	return true
}

// complete makes the connection that seg, the ACK of the SYN,ACK, asks for, if there is room for it. sh locked.
func (t *Layer) complete(sh *shard.Shard, now clock.Instant, e *embryo, cfg *tcp.Config, h Header, seg *tcp.Segment) {
	e.l.in.Lock()
	full := e.l.full()
	e.l.in.Unlock()
	if full {
		sh.Counters.Inc(mib.TcpExtListenOverflows)
		sh.Counters.Inc(mib.TcpExtListenDrops)
		if !t.Settings().Limits.AbortOnOverflow {
			e.Queued() // the SYN,ACK goes on being sent, so that the peer sends its ACK again
			return
		}
		sh.Counters.Inc(mib.TcpExtEmbryonicRsts)
		t.refuse(sh, now, &e.key, seg, h)
		e.drop(sh)
		return
	}
	e.drop(sh)
	if !t.hatch(sh, now, e, cfg, h, seg) {
		t.refuse(sh, now, &e.key, seg, h)
	}
}

// hatch makes a connection of e, gives it seg, and queues it to be accepted. It returns false if it cannot. sh locked.
func (t *Layer) hatch(sh *shard.Shard, now clock.Instant, e *embryo, cfg *tcp.Config, h Header, seg *tcp.Segment) bool {
	path, err := t.ip.Share(now, t.query(&e.key, &h, nil))
	if err != nil {
		return false
	}
	c := t.newConn(sh, e.key, path)
	c.passive, c.header = true, h
	if e.rare != nil {
		c.syn, c.auth = e.rare.syn, e.rare.auth
	}
	if !c.insert() {
		return false // the stack is closing
	}
	c.tcb.Hatch(now, c.opened(cfg), &e.Embryo)
	c.tcb.Arrive(now, seg)
	c.begin(now)
	if !c.tcb.Established() || !e.l.enqueue(c) {
		c.abort(now)
		return true
	}
	c.pump(now)
	return true
}

// Expire implements shard.Timed.
func (e *embryo) Expire(now clock.Instant) clock.Instant {
	t := e.l.layer
	sh := t.ip.ShardFor(&e.key)
	if t.tables[sh.Index].demux.find(&e.key).embryo != e {
		return clock.Never // all were dropped
	}
	if now < e.Deadline() {
		return e.Deadline()
	}
	cfg, header, closed := e.l.config(e.key.Remote)
	verdict := tcp.Expired
	if !closed {
		sh.Counters.Inc(mib.TcpExtTCPTimeouts)
		verdict = e.Timeout(now, cfg, cfg.SYNACKRetries)
	}
	switch verdict {
	case tcp.Expired:
		e.end(sh)
		return clock.Never
	case tcp.SendSYNACK:
		e.answer(sh, now, cfg, header, wire.FastOpenOption{})
	}
	return e.Deadline()
}

// unreachable reports whether an ICMP error puts an end to a handshake. Nobody has asked for the connection, so that
// nobody is to be told; the peer, if it is there, sends its SYN again.
func unreachable(e *ip.Error) bool {
	switch {
	case e.Local:
		return false
	case e.Dst.Is4():
		// RFC 1122, 4.2.3.9, calls net and host unreachable, and time exceeded, soft errors of connections: here there
		// is none yet.
		return e.Errno == syscall.ENETUNREACH || e.Errno == syscall.EHOSTUNREACH || e.Errno == syscall.EPROTO
	}
	return e.Errno == syscall.ECONNREFUSED || e.Errno == syscall.EACCES || e.Errno == syscall.EPROTO
}
