package tcp

// code writes or reads the fields of a TCB over which nothing goes. What is not among them is zero then (see idle), or kept
// apart (see Resting). A field of TCB that is missing here is named by TestRestKeepsFields. Of a connection that is over, only
// what Info and Status tell is asked for any more.
func (c *TCB) code(d *fieldCoder) {
	numbers(d, &c.state)
	c.codeTold(d)
	if c.state != Closed {
		c.codeWork(d)
	}
}

// codeTold codes what Info and Status tell.
func (c *TCB) codeTold(d *fieldCoder) {
	s, r, w := &c.snd, &c.rcv, &c.cw
	numbers(d, &c.err, &c.softErr, &c.pending)
	numbers(d, &s.mss, &s.wnd, &s.space.size, &s.space.used, &r.mss, &r.maxSeg, &r.space.ssthresh, &r.rate.space, &w.Window, &w.Threshold, &c.retries,
		&c.recovery.reordering)
	numbers(d, &s.space.goal)
	numbers(d, &s.shift, &r.shift, &c.persist, &c.probes, &c.rtt.backoff)
	numbers(d, &c.aliveProbes)
	numbers(d, &c.recovery.state)
	numbers(d, &c.ecn.mode)
	numbers(d, &c.ecn.flags)
	d.flags(&c.released, &c.sackOK, &c.scaleOK, &c.ts.on, &r.hasFIN, &r.eof, &r.shut, &s.fin, &c.rate.ofLimit)
	numbers(d, &r.nxt)
	d.seqs(r.nxt, &r.adv)
	numbers(d, &c.rtt.srtt, &c.rtt.mdev, &c.rtt.rto, &c.rtt.minimum.best[0].d, &r.ato, &r.rate.rtt, &c.rate.interval)
	numbers(d, &w.PacingRate, &c.recovery.lost, &c.recovery.reordSeen, &c.recovery.dsacks)
	numbers(d, &c.rate.count)
	d.instants(&s.last, &r.heard, &r.dataAt)
	c.stats.code(d)
	numbers(d, &c.chrono.cur)
	d.instants(&c.chrono.since)
	for i := range c.chrono.spent {
		numbers(d, &c.chrono.spent[i])
	}
}

// codeWork codes what codeTold does not: what the connection goes on with.
func (c *TCB) codeWork(d *fieldCoder) {
	numbers(d, &c.xmit)
	numbers(d, &c.reserved)
	numbers(d, &c.charged)
	d.flags(&c.passive, &c.progress, &c.doubtful, &c.controls)
	c.codeSend(d)
	c.codeReceive(d)
	for i := range c.timers {
		d.instants(&c.timers[i])
	}
	d.instants(&c.stuck, &c.firstRexmt, &c.aliveAt, &c.challenges.last, &c.ts.age)
	d.flags(&c.challenges.used)
	numbers(d, &c.ts.offset, &c.ts.recent, &c.board.losses)
	numbers(d, &c.ecn.asked)
	numbers(d, &c.ecn.synField, &c.urg.octet)
	numbers(d, &c.urg.state)
	d.flags(&c.urg.sending)
	c.rtt.code(d, c.snd.nxt)
	c.recovery.code(d, c.snd.nxt)
	c.codeProbe(d)
	c.cw.code(d, c.snd.nxt)
	c.cubic.code(d, c.snd.nxt)
	c.codePace(d)
}

func (c *TCB) codeSend(d *fieldCoder) {
	s := &c.snd
	numbers(d, &s.nxt)
	d.seqs(s.nxt, &s.una, &s.iss, &s.wl2, &s.edge, &s.push, &s.base, &s.small, &s.space.chunk, &s.marks.pushed, &s.burst.end)
	numbers(d, &s.maxWnd, &s.peerMSS, &s.pathMSS)
	numbers(d, &s.room)
	numbers(d, &s.marks.n)
	for i := range s.marks.at {
		d.seqs(s.nxt, &s.marks.at[i])
	}
	d.seqs(s.nxt, &c.urg.sendTo)
	d.flags(&s.awaited, &s.finSent, &s.syn, &s.synTwice, &s.force, &s.told, &s.more, &s.alive, &s.limited,
		&s.space.fixed, &s.space.wanted, &s.space.acked, &s.burst.many, &s.stalled, &s.withhold, &s.withheld)
	d.instants(&s.synAt)
}

func (c *TCB) codeReceive(d *fieldCoder) {
	r := &c.rcv
	d.seqs(r.nxt, &r.irs, &c.snd.wl1, &r.acked, &r.fin, &r.rate.seq, &r.rate.until, &r.dupsAt, &r.dup.from, &r.dup.to,
		&c.urg.at)
	for i := range r.recent {
		d.seqs(r.nxt, &r.recent[i])
	}
	s := &r.space
	numbers(d, &s.size, &s.used, &s.octets, &s.slack, &s.clamp, &r.lastSize)
	numbers(d, &s.share, &r.quick, &r.pingpong, &r.pushed, &r.dups, &r.compressed)
	numbers(d, &r.rate.echo)
	d.flags(&r.read, &r.ackNow, &r.challenge, &s.fixed, &s.plain, &r.rate.begun, &r.rate.shares, &r.due, &r.fresh,
		&r.scattered, &r.hasDup)
	d.instants(&r.rate.at, &r.rate.since)
}

func (r *rttEstimator) code(d *fieldCoder, nxt Seq) {
	numbers(d, &r.mdevMax, &r.rttvar, &r.minimum.best[1].d, &r.minimum.best[2].d)
	d.seqs(nxt, &r.round)
	d.flags(&r.sampled)
	for i := range r.minimum.best {
		d.instants(&r.minimum.best[i].at)
	}
}

func (r *recovery) code(d *fieldCoder, nxt Seq) {
	numbers(d, &r.rexmit)
	d.flags(&r.frto, &r.reneged, &r.rack.valid, &r.rack.advanced, &r.rack.dsack, &r.tlp.on, &r.tlp.again, &r.undo.on,
		&r.undo.stamped)
	d.seqs(nxt, &r.high, &r.rack.end, &r.tlp.end, &r.undo.from)
	d.instants(&r.rack.at, &r.undo.at)
	numbers(d, &r.rack.rtt)
	numbers(d, &r.rack.steps, &r.rack.persist, &r.noted)
	numbers(d, &r.trigger, &r.prr.path)
	numbers(d, &r.prr.delivered, &r.prr.out, &r.undo.again, &r.undo.threshold)
	numbers(d, &r.prr.flight)
	numbers(d, &r.undo.stamp)
	numbers(d, &r.rack.since)
}

func (c *TCB) codeProbe(d *fieldCoder) {
	m := &c.mtu
	d.flags(&m.on)
	numbers(d, &m.low, &m.high, &m.effective, &m.size)
	d.seqs(c.snd.nxt, &m.start, &m.end)
	d.instants(&m.next, &m.began)
}

func (s *Sender) code(d *fieldCoder, nxt Seq) {
	numbers(d, &s.Credit, &s.Prior, &s.Clamp, &s.MSS, &s.InFlight)
	d.instants(&s.Now, &s.LastSent)
	d.seqs(nxt, &s.Una, &s.Next)
	numbers(d, &s.RTT, &s.LeastRTT)
	numbers(d, &s.Delivered, &s.Seed)
	numbers(d, &s.State)
	d.flags(&s.Limited, &s.ECN, &s.ABE, &s.SACK, &s.Paced, &s.AppLimited, &s.markLimited)
	numbers(d, &s.HyStart)
	numbers(d, &s.noted)
	numbers(d, &s.SlowStartLimit)
	numbers(d, &s.Marked, &s.MarkedOctets)
}

func (q *cubic) code(d *fieldCoder, nxt Seq) {
	h, l := &q.hystart, &q.classic
	numbers(d, &q.per, &q.max, &q.window, &q.origin, &q.acked, &q.reno, &h.samples, &h.rounds, &h.credit, &l.samples)
	numbers(d, &q.k)
	numbers(d, &q.least, &h.last, &h.current, &h.baseline, &l.current)
	d.instants(&q.computed, &q.epoch, &l.start, &l.last)
	d.flags(&q.inEpoch, &h.css, &l.found)
	d.seqs(nxt, &h.end, &l.end)
}

func (c *TCB) codePace(d *fieldCoder) {
	u, r, p := &c.use, &c.rate, &c.pace
	d.seqs(c.snd.nxt, &u.end)
	numbers(d, &u.most, &u.used, &u.sent, &p.octets, &p.sent)
	d.flags(&u.limited, &p.waits)
	d.instants(&u.stamp, &r.round, &r.deliveredAt, &p.next)
	numbers(d, &r.limited)
}

func (s *stats) code(d *fieldCoder) {
	numbers(d, &s.segsIn, &s.segsOut, &s.dataIn, &s.dataOut, &s.bytesSent, &s.bytesAcked, &s.bytesRcvd, &s.bytesAgain, &s.segsAgain,
		&s.recoveries, &s.delivered, &s.receivedCE, &s.outOfOrder, &s.probes, &s.timeouts, &s.timeoutRuns)
	numbers(d, &s.timeoutTime)
	d.instants(&s.timeoutAt)
}
