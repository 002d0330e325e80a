package tcpsock

import (
	"net"
	"os"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpauth"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// copyQuantum is how many octets of user data are copied in one hold of the shard's lock.
const copyQuantum = 16 << 10

// leastParts is the shortest slice of a reader whose data is copied without the lock.
const leastParts = 4 << 10

// Conn is a TCP connection in its shard. The methods that lock may be called at once from several goroutines.
type Conn struct {
	layer *Layer
	sh    *shard.Shard
	place // its key does not change

	// All below, and the rest of place: sh locked.
	tcb        *tcp.TCB // nil while it rests
	resting    tcp.Resting
	path       *ip.Path
	header     Header
	auth       *tcpauth.Conn // authenticates its segments; nil: nothing does
	readers    waiters
	writers    waiters
	readable   clock.Instant // read deadline
	writeable  clock.Instant // write deadline
	fastOf     *Listener     // that counts it among those opened with data in the SYN; nil: none
	watch      *watch        // who is told of readiness; nil: nobody
	log        *logging      // nil: nobody
	syn        *[]byte       // the SYN, if it was saved
	stamps     *[]stamp      // writes that are watched; nil: none
	passive    bool          // a listener made it
	writing    writing       // whether a Write is under way
	sharing    Sharing
	closed     bool  // by its user
	gone       bool  // not in the table any more
	orphan     bool  // closed by its user, and counted in layer.orphans
	stalled    bool  // it is in the table's queue of those
	withheld   bool  // it is in the table's list of those
	said       bool  // its user has written since it waited to read last
	prev, next *Conn // in the table's list
}

// newConn makes a connection that is in no table yet.
func (t *Layer) newConn(sh *shard.Shard, key flow.Key, path *ip.Path) *Conn {
	c := &Conn{layer: t, sh: sh, place: place{key: key}, path: path, tcb: tcp.New(), sharing: ReuseAddr, readable: clock.Never, writeable: clock.Never}
	c.node.Owner = c
	return c
}

// opened returns what the connection's TCB is opened with; cfg nil: the layer's settings.
func (c *Conn) opened(cfg *tcp.Config) tcp.Open {
	if cfg == nil {
		cfg = &c.layer.Settings().TCP
	}
	o := c.layer.openTo(c.key.Remote, c.path, &c.header, cfg)
	o.Observer, o.Memory = c, &c.layer.memory
	o.Reserved = c.auth.OptionLen()
	return o
}

// openTo returns what a TCB is opened with to send to dst by path, as far as these tell.
func (t *Layer) openTo(dst wire.Addr, path *ip.Path, h *Header, cfg *tcp.Config) tcp.Open {
	s := t.Settings()
	// RFC 9293, 3.7.1: "a default send MSS of 536 (576 - 40) for IPv4 or 1220 (1280 - 60) for IPv6 (MUST-15)".
	o := tcp.Open{Config: cfg, MSS: mss(dst, h.mtu(path)), Announce: mss(dst, path.LinkMTU()), DefaultMSS: s.DefaultMSS4}
	if !dst.Is4() {
		o.DefaultMSS = s.DefaultMSS6
	}
	if a := path.Attributes; a != nil {
		byRoute(&o, dst, a)
	}
	return o
}

// byRoute changes what a TCB is opened with as the route to dst says.
func byRoute(o *tcp.Open, dst wire.Addr, a *route.Attributes) {
	if a.MTU != 0 {
		o.Announce = min(o.Announce, mss(dst, a.MTU))
	}
	if a.AdvertisedMSS != 0 {
		o.Announce = min(o.Announce, a.AdvertisedMSS)
	}
	if a.InitialWindow == 0 && a.MinRTO == 0 {
		return
	}
	cfg := *o.Config
	if a.InitialWindow != 0 {
		cfg.InitialWindow = a.InitialWindow
	}
	if a.MinRTO != 0 {
		cfg.MinRTO = a.MinRTO
		cfg.MaxRTO = max(cfg.MaxRTO, a.MinRTO)
	}
	o.Config = &cfg
}

// table returns the table of c's shard. sh locked.
func (c *Conn) table() *table { return &c.layer.tables[c.sh.Index] }

// insert puts c into its shard's table; false if the key is taken. sh locked.
func (c *Conn) insert() bool {
	t := c.table()
	if is := t.demux.find(&c.key); is.conn != nil || is.remnant != nil || c.layer.closing.Load() {
		return false
	}
	t.demux.put(&c.place)
	if c.next = t.first; c.next != nil {
		c.next.prev = c
	}
	t.first = c
	return true
}

// remove takes c out of its table for good. sh locked.
func (c *Conn) remove() {
	if c.gone {
		return
	}
	c.gone = true
	if c.orphan {
		c.layer.orphans.Add(-1)
	}
	t := c.table()
	t.awakened.forget(c)
	t.withheld.forget(c)
	t.demux.take(&c.place)
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		t.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
	t.changed.wake()
	c.sh.Disarm(&c.node)
	c.readers.wake()
	c.writers.wake()
	c.watch.tell(c)
}

// arrive gives a segment to the TCB and sends what it answers. It reports whether the TCB has kept the payload. sh locked.
func (c *Conn) arrive(now clock.Instant, seg *tcp.Segment) (kept bool) {
	kept = c.take(now, seg)
	c.answer(now)
	return kept
}

// answer sends what the segments that were taken call for. sh locked.
func (c *Conn) answer(now clock.Instant) {
	if c.tcb.Progress() {
		// RFC 4861, 7.3.1: "receipt of a (new) acknowledgment indicates that previously sent data reached
		// the peer", and so that the first hop works.
		c.layer.ip.Confirm(c.path, now)
	}
	c.pump(now)
}

// take gives a segment to the TCB, and reports whether that has kept the payload. sh locked.
func (c *Conn) take(now clock.Instant, seg *tcp.Segment) (kept bool) {
	owned := seg.Owner != nil
	tcb := c.awake()
	opening := !tcb.Established()
	tcb.Arrive(now, seg)
	if opening && c.tcb.Established() {
		c.begin(now)
	}
	return owned && seg.Owner == nil
}

// pump sends what the TCB has to send, keeps its timer, and wakes whom its state concerns. Every event of
// the TCB ends here. sh locked.
func (c *Conn) pump(now clock.Instant) {
	t, tcb := c.table(), c.awake()
	seg, g := &t.seg, &t.gather
	tcb.SetRoom(c.layer.ip.Room(c.sh, c.path))
	tcb.Withhold(c.mayWithhold())
	for tcb.Next(now, seg) || tcb.Stalled() && c.nextAfterAll(now, seg) {
		if seg.Challenge && !c.layer.mayChallenge(c.sh, now) {
			continue
		}
		if !c.layer.ip.Valid(c.path) {
			c.refreshPath(now)
		}
		if seg.Retransmit {
			c.sh.Counters.Inc(mib.TcpRetransSegs)
		}
		if seg.Flags&wire.RST != 0 {
			c.sh.Counters.Inc(mib.TcpOutRsts)
		}
		c.sh.Counters.Inc(mib.TcpOutSegs)
		if !g.join(c, seg) {
			g.flush(c)
			g.start(c, seg, c.tcb.Unsent())
			g.run(now, c, seg)
		}
		if g.whole(c) {
			c.sendsWhole()
		}
	}
	g.flush(c)
	if tcb.Withheld() {
		c.withholds()
	}
	if c.log != nil {
		c.logMetrics(now)
	}
	c.checkStamps()
	switch c.tcb.State() {
	case tcp.Closed:
		if c.tcb.Errno() == 0 {
			c.remember(now)
		}
		c.settleFast(now)
		c.remove()
		return
	case tcp.TimeWait, tcp.FinWait2:
		if c.leave(now) {
			return
		}
	}
	t.sweep(now, c)
	c.sh.Arm(&c.node, c.deadline(now))
	if c.readers.any() && c.tcb.Readable() {
		c.readers.wake()
	}
	if c.writers.any() && c.tcb.Writable() {
		c.writers.wake()
	}
	c.watch.tell(c)
}

// refreshPath decides anew how the connection's packets leave, after the configuration has changed. If there is
// no way now, the old one is kept, and the retransmission timer decides the connection's fate. sh locked.
func (c *Conn) refreshPath(now clock.Instant) {
	path, err := c.layer.ip.Share(now, c.layer.query(&c.key, &c.header, c.path))
	if err != nil {
		return
	}
	if mtu := c.header.mtu(path); mtu != c.header.mtu(c.path) {
		c.setMTU(now, mtu)
	}
	c.path = path
}

// setMTU tells the TCB how large packets may be from now on. What is in flight is sent again only if routers may not have
// fragmented it. sh locked.
func (c *Conn) setMTU(now clock.Instant, mtu int) {
	n := mss(c.key.Remote, mtu)
	if c.header.MayFragment && c.key.Remote.Is4() {
		c.tcb.SetPathMSS(n)
		return
	}
	c.tcb.SetPathMTU(now, n)
}

// Expire implements shard.Timed.
func (c *Conn) Expire(now clock.Instant) clock.Instant {
	if now >= c.awake().Deadline() {
		c.tcb.Timeout(now)
		if c.tcb.Doubtful() {
			c.refreshPath(now)
		}
		c.doubtFast(now)
		c.pump(now)
	}
	if now >= c.readable {
		c.readers.wake()
	}
	if now >= c.writeable {
		c.writers.wake()
	}
	if c.gone {
		c.bury()
		return clock.Never
	}
	next := c.deadline(now)
	for _, d := range [...]clock.Instant{c.readable, c.writeable} {
		if d > now {
			next = min(next, d)
		}
	}
	return next
}

// deadline returns when the TCB has something to do, or a little later. sh locked.
func (c *Conn) deadline(now clock.Instant) clock.Instant {
	exact, lax := c.tcb.Deadlines()
	return min(exact, clock.Coarse(c.layer.rt, now, lax))
}

// refused returns why a call with the given deadline must fail before it looks at the data, or nil. sh locked.
func (c *Conn) refused(deadline clock.Instant) error {
	if c.closed {
		return net.ErrClosed
	}
	if deadline != clock.Never && c.layer.rt.Now() >= deadline {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// awaitReadable waits until it is worth while for who wants n octets to look for some; n may be 0, and is there at once. Its errors are
// refused's. sh locked.
func (c *Conn) awaitReadable(n int) error {
	for {
		if err := c.refused(c.readable); err != nil || n == 0 || c.awake().ReadableFor(n) {
			return err
		}
		c.waitToRead()
	}
}

// Read reads what has come, up to len(b) octets, and waits for some. Errors: io.EOF after the peer's FIN,
// net.ErrClosed, os.ErrDeadlineExceeded, and the errno the connection died of.
func (c *Conn) Read(b []byte) (int, error) {
	var parts tcp.Parts
	n, err := c.read(b, &parts)
	if n == 0 && err == nil {
		n = parts.CopyTo(b)
	}
	return n, err
}

// read is Read, but may leave the octets in parts for the caller to copy: a large copy need not be made with the lock held.
func (c *Conn) read(b []byte, parts *tcp.Parts) (int, error) {
	c.sh.Lock()
	defer c.sh.Unlock()
	for {
		if err := c.awaitReadable(len(b)); err != nil || len(b) == 0 {
			return 0, err
		}
		now := c.layer.rt.Now()
		if len(b) >= leastParts && c.tcb.ReceiveParts(now, parts, len(b)) > 0 {
			c.afterRead(now)
			return 0, nil
		}
		n, err := c.tcb.Receive(now, b[:min(len(b), copyQuantum)])
		if n > 0 {
			c.afterRead(now)
			return n, nil
		}
		if err != nil {
			return 0, err
		}
		c.waitToRead()
	}
}

// afterRead sends what reading calls for, which is seldom something, and tells what has changed by it. sh locked.
func (c *Conn) afterRead(now clock.Instant) {
	if c.tcb.Owes() || c.log != nil {
		c.pump(now)
		return
	}
	c.watch.tell(c)
}

// CloseWrite sends a FIN behind what is queued (RFC 9293, 3.10.4); reading goes on. Errors: net.ErrClosed, ENOTCONN.
func (c *Conn) CloseWrite() error {
	return c.do(func(now clock.Instant) error {
		if c.gone {
			return syscall.ENOTCONN
		}
		c.tcb.Close(now)
		return nil
	})
}

// CloseRead makes reading end where nothing is queued: shutdown(2) with SHUT_RD. Errors: net.ErrClosed, ENOTCONN.
func (c *Conn) CloseRead() error {
	return c.do(func(now clock.Instant) error {
		if c.gone {
			return syscall.ENOTCONN
		}
		c.tcb.CloseRead()
		return nil
	})
}

// Close lets go of the connection: calls under way return net.ErrClosed, what is queued is still sent, then a
// FIN; a RST instead if data has come that nobody read (RFC 9293, 3.10.4), or if linger is 0. A second Close
// returns net.ErrClosed.
func (c *Conn) Close() error {
	return c.do(func(now clock.Instant) error {
		c.closed = true
		c.readers.wake()
		c.writers.wake()
		c.tcb.Release(now)
		c.orphanage(now)
		return nil
	})
}

// Abort drops the connection at once, with a RST to the peer where its state asks for one. It reports whether
// something that had still to get across was lost.
func (c *Conn) Abort() bool {
	c.sh.Lock()
	defer c.sh.Unlock()
	lost := c.busy()
	c.abort(c.layer.rt.Now())
	c.bury()
	return lost
}

// abort is Abort. sh locked.
func (c *Conn) abort(now clock.Instant) {
	c.closed = true
	c.awake().Abort(now)
	c.pump(now)
	c.readers.wake()
	c.writers.wake()
}

// do runs f on the connection, if its user has not closed it, and sends what comes of it.
func (c *Conn) do(f func(now clock.Instant) error) error {
	c.sh.LockToSend()
	defer c.sh.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	now := c.layer.rt.Now()
	c.awake()
	err := f(now)
	c.pump(now)
	c.readers.wakeIf(c.tcb.Readable())
	c.writers.wakeIf(c.tcb.Writable())
	c.bury()
	return err
}

// SetReadDeadline and SetWriteDeadline set the instant after which Read and Write fail; clock.Never for none.
func (c *Conn) SetReadDeadline(at clock.Instant) error {
	return c.setDeadline(&c.readable, &c.readers, at)
}

func (c *Conn) SetWriteDeadline(at clock.Instant) error {
	return c.setDeadline(&c.writeable, &c.writers, at)
}

func (c *Conn) setDeadline(d *clock.Instant, w *waiters, at clock.Instant) error {
	c.sh.Lock()
	defer c.sh.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	*d = at
	if !c.gone {
		c.sh.Arm(&c.node, at)
	}
	w.wake() // it may have passed already, or the timer be gone with the connection
	return nil
}

// Info returns the TCB's figures.
func (c *Conn) Info() tcp.Info {
	c.lock()
	defer c.sh.Unlock()
	i := c.tcb.Info(c.layer.rt.Now())
	i.PathMTU = c.path.MTU
	return i
}

// Local and Remote return the connection's ends.
func (c *Conn) Local() flow.Endpoint {
	e := flow.Endpoint{Addr: c.key.Local, Port: c.key.LocalPort()}
	if e.Addr.NeedsScope() {
		e.Scope = c.key.Scope
	}
	return e
}

func (c *Conn) Remote() flow.Endpoint {
	return flow.Endpoint{Addr: c.key.Remote, Port: c.key.RemotePort(), Scope: c.key.Scope}
}

// StateChanged implements tcp.Observer. sh locked.
func (c *Conn) StateChanged(now clock.Instant, from, to tcp.State) {
	if c.log != nil {
		c.log.to.State(now, from, to)
	}
	switch {
	case to == tcp.SynSent:
		c.sh.Counters.Inc(mib.TcpActiveOpens)
	case to == tcp.SynReceived && c.passive:
		c.sh.Counters.Inc(mib.TcpPassiveOpens)
	case to == tcp.Closed && (from == tcp.SynSent || from == tcp.SynReceived):
		c.sh.Counters.Inc(mib.TcpAttemptFails)
	case to == tcp.Closed && (from == tcp.Established || from == tcp.CloseWait):
		c.sh.Counters.Inc(mib.TcpEstabResets)
	}
	c.table().changed.wake()
	c.trace(trace.Event{At: now, Kind: trace.TCPStateChanged, From: from.String(), To: to.String()})
}

// Retransmitted implements tcp.Observer. sh locked.
func (c *Conn) Retransmitted(now clock.Instant, seq tcp.Seq, n int, why string) {
	if c.log != nil {
		c.log.to.Retransmitted(now, seq, n, why)
	}
	c.trace(trace.Event{At: now, Kind: trace.TCPRetransmit, Seq: uint32(seq), Len: uint32(n), Reason: why})
}

// Recovery implements tcp.Observer. sh locked.
func (c *Conn) Recovery(now clock.Instant, from, to string) {
	if c.log != nil {
		c.log.to.Recovery(now, from, to)
	}
	c.trace(trace.Event{At: now, Kind: trace.TCPRecovery, From: from, To: to})
}

// Path implements tcp.Observer. sh locked.
func (c *Conn) Path(now clock.Instant, p tcp.Path, n int) {
	if m := pathCounters[p]; m != 0 {
		c.sh.Counters.Inc(m)
	}
	if c.log != nil {
		c.log.to.Path(now, p, n)
	}
	c.trace(trace.Event{At: now, Kind: trace.TCPPath, Reason: p.String(), Len: uint32(n)})
}

// Episode implements tcp.Observer. sh locked.
func (c *Conn) Episode(now clock.Instant, e *tcp.Episode) {
	if c.log != nil {
		c.log.to.Episode(now, e)
	}
}

// pathCounters are the counters of what recovery does, of what Linux counts too.
var pathCounters = [tcp.NumPaths]mib.Counter{
	tcp.PathTimeout: mib.TcpExtTCPTimeouts, tcp.PathLostAgain: mib.TcpExtTCPLostRetransmit,
	tcp.PathProbeNewData: mib.TcpExtTCPLossProbes, tcp.PathProbeAgain: mib.TcpExtTCPLossProbes,
	tcp.PathProbeRepaired: mib.TcpExtTCPLossProbeRecovery, tcp.PathReneged: mib.TcpExtTCPSACKReneging,
	tcp.PathFRTOSpurious: mib.TcpExtTCPSpuriousRTOs, tcp.PathFRTOSpuriousSACK: mib.TcpExtTCPSpuriousRTOs,
	tcp.PathEifel: mib.TcpExtTCPFullUndo, tcp.PathEifelPartial: mib.TcpExtTCPPartialUndo,
	tcp.PathEifelTimeout: mib.TcpExtTCPLossUndo, tcp.PathDSACKTimeout: mib.TcpExtTCPLossUndo,
	tcp.PathDSACK: mib.TcpExtTCPDSACKUndo, tcp.PathMTUDelivered: mib.TcpExtTCPMTUPSuccess,
	tcp.PathMTULost: mib.TcpExtTCPMTUPFail,
}

func (c *Conn) trace(e trace.Event) {
	if c.layer.tracer.Enabled() {
		c.emitEvent(e)
	}
}

// emitEvent is trace when somebody listens: apart, since its event escapes to the heap.
func (c *Conn) emitEvent(e trace.Event) {
	e.Proto = wire.ProtoTCP
	e.Src, e.SrcPort, e.Dst, e.DstPort = c.key.Local, c.key.LocalPort(), c.key.Remote, c.key.RemotePort()
	c.layer.tracer.Emit(&e)
}
