package tcpsock

import (
	"encoding/binary"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// fastOpenCookieLen is the length of the cookies we make.
const fastOpenCookieLen = 8

// fastOpenCookie returns the cookie of a client at a server, two addresses, by key: RFC 7413, 4.1.2: "The cookie
// authenticates the client's (source) IP address of the SYN packet." It is Linux's function, so that a farm of servers
// that share a key can be of both kinds.
func fastOpenCookie(key *FastOpenKey, client, server wire.Addr) (o wire.FastOpenOption) {
	var b [32]byte
	message := b[:32]
	if client.Is4() {
		message = b[:8]
		client.Put4(b[:])
		server.Put4(b[4:])
	} else {
		client.Put16(b[:])
		server.Put16(b[16:])
	}
	o.Present, o.Len = true, fastOpenCookieLen
	binary.LittleEndian.PutUint64(o.Cookie[:], sipHash((*[16]byte)(key), message))
	return o
}

// SetFastOpenKeys has keys make and check the listener's cookies, the first the new ones; none: the layer's do.
func (l *Listener) SetFastOpenKeys(keys []FastOpenKey) {
	l.in.Lock()
	l.fastKeys = keys
	l.in.Unlock()
}

// FastOpenKeys returns the keys in force, the first of which makes cookies.
func (t *Layer) FastOpenKeys() []FastOpenKey {
	if keys := t.Settings().Limits.FastOpenKeys; len(keys) > 0 {
		return keys
	}
	t.fastOpenOnce.Do(func() { t.rt.Entropy(t.fastOpenKey[0][:]) })
	return t.fastOpenKey[:]
}

// fastPending is how many connections of a listener wait for the acknowledgment of their SYN,ACK with data, and until
// when those are counted that were reset: RFC 7413, 5.1, has a flood of resets not lift the bound. l.in locked.
type fastPending struct {
	n      int
	resets []clock.Instant
}

// fastResetAge is for how long one that was reset is counted.
const fastResetAge = 60 * time.Second

// takes reports whether there is room for one more below limit.
func (p *fastPending) takes(now clock.Instant, limit int) bool {
	for len(p.resets) > 0 && p.resets[0] <= now {
		p.resets = p.resets[1:]
		p.n--
	}
	return p.n < limit
}

// mayFastOpen decides whether a SYN's data is taken: RFC 7413, 4.2.2, steps 1 to 3 of the server. answer is the option for
// the SYN,ACK: a cookie, if one was asked for or another is needed.
func (l *Listener) mayFastOpen(sh *shard.Shard, now clock.Instant, key *flow.Key, syn *tcp.Segment, cfg *tcp.Config) (ok bool, answer wire.FastOpenOption) {
	t := l.layer
	bits := t.Settings().Limits.FastOpen
	asked := &syn.Options.FastOpen
	if bits&FastOpenServer == 0 || !asked.Present && len(syn.Payload) == 0 {
		return false, answer
	}
	limit := cfg.FastOpenQueue
	if limit == 0 && bits&FastOpenListeners != 0 {
		limit = l.Backlog()
	}
	if asked.Present && asked.Len == 0 {
		sh.Counters.Inc(mib.TcpExtTCPFastOpenCookieReqd)
	}
	if limit == 0 {
		return false, answer
	}
	l.in.Lock()
	room := l.fast.takes(now, limit)
	keys := l.fastKeys
	l.in.Unlock()
	if !room {
		sh.Counters.Inc(mib.TcpExtTCPFastOpenListenOverflow)
		return false, answer
	}
	if bits&FastOpenServerNoCookie != 0 {
		return true, answer
	}
	if !asked.Present {
		return false, answer
	}
	if len(keys) == 0 {
		keys = t.FastOpenKeys()
	}
	for i, k := range keys {
		valid := fastOpenCookie(&k, key.Remote, key.Local)
		valid.Experimental = asked.Experimental
		if i == 0 {
			answer = valid
		}
		switch {
		case asked.Len == 0:
			return false, answer
		case valid != *asked:
		case i == 0:
			return true, wire.FastOpenOption{}
		default:
			sh.Counters.Inc(mib.TcpExtTCPFastOpenPassiveAltKey)
			return true, answer
		}
	}
	sh.Counters.Inc(mib.TcpExtTCPFastOpenPassiveFail)
	return false, answer
}

// fastOpen makes a connection of a SYN with a valid cookie, which can be accepted at once. It returns false if it cannot.
// sh locked.
func (l *Listener) fastOpen(sh *shard.Shard, now clock.Instant, key *flow.Key, syn *tcp.Segment, o *tcp.Open, h Header,
	answer wire.FastOpenOption) bool {
	t := l.layer
	path, err := t.ip.Share(now, t.query(key, &h, nil))
	if err != nil {
		return false
	}
	c := t.newConn(sh, *key, path)
	c.passive, c.header, c.fastOf = true, h, l
	if !c.insert() {
		return false
	}
	o.Observer, o.Memory = c, &t.memory
	o.FastOpen = &tcp.FastOpen{Option: answer, Data: true}
	c.tcb.Accept(now, *o, syn)
	l.in.Lock()
	l.fast.n++
	l.in.Unlock()
	if !l.enqueue(c) {
		c.abort(now)
		return true
	}
	sh.Counters.Inc(mib.TcpExtTCPFastOpenPassive)
	c.pump(now)
	return true
}

// settleFast takes c off its listener's count, once its SYN,ACK is acknowledged, or c is over. sh locked.
func (c *Conn) settleFast(now clock.Instant) {
	l := c.fastOf
	if l == nil || c.tcb.State() == tcp.SynReceived {
		return
	}
	c.fastOf = nil
	l.in.Lock()
	defer l.in.Unlock()
	if c.tcb.State() == tcp.Closed {
		l.fast.resets = append(l.fast.resets, now.Add(fastResetAge))
	} else {
		l.fast.n--
	}
}

// fastDial returns what Fast Open adds to a dial that has data to send, or nil: RFC 7413, 4.1.3 and 4.2.
func (t *Layer) fastDial(now clock.Instant, key *flow.Key, cfg *tcp.Config) *tcp.FastOpen {
	bits := t.Settings().Limits.FastOpen
	if bits&FastOpenClient == 0 {
		return nil
	}
	f := new(tcp.FastOpen)
	tryExp := false
	t.hosts.mu.Lock()
	disabled := now < t.fastDisabled
	if h := t.hosts.find(now, hostOf(key), false); h != nil {
		f.MSS = int(h.MSS)
		tryExp = h.TryExp == 1
		// "For any negative responses, the client SHOULD disable Fast Open on the specific path … at least temporarily."
		disabled = disabled || h.SYNLoss > 1 && now.Sub(h.LastLoss) < 60*time.Second<<min(h.SYNLoss, 6)
		f.Option = h.Cookie
	}
	t.hosts.mu.Unlock()
	switch {
	case disabled:
		return new(tcp.FastOpen) // it tells that there is no cookie
	case bits&FastOpenClientNoCookie != 0 || cfg.FastOpenNoCookie:
		f.Option, f.Data = wire.FastOpenOption{}, true
	case f.Option.Present:
		f.Data = true
	default:
		f.Option = wire.FastOpenOption{Present: true, Experimental: tryExp}
	}
	return f
}

// FastOpenReady reports whether a SYN to remote could carry data: with TCP_FASTOPEN_CONNECT the SYN then waits for it.
func (t *Layer) FastOpenReady(cfg OpenConfig) bool {
	path, err := t.pathOf(&cfg)
	if err != nil {
		return false
	}
	key := flow.Key{Local: path.Src, Remote: cfg.Remote.Addr, Scope: cfg.Remote.Scope}
	own := cfg.settings(t)
	if own == nil {
		own = &t.Settings().TCP
	}
	f := t.fastDial(t.rt.Now(), &key, own)
	return f != nil && f.Data
}

// OpenFast is Open with a SYN that carries what it may of data (RFC 7413). It returns how many octets that are; 0: there
// is no cookie, and the SYN asks for one.
func (t *Layer) OpenFast(cfg OpenConfig, data [][]byte) (c *Conn, n int, err error) {
	cfg.data, cfg.fast = data, &n
	c, err = t.Open(cfg)
	return c, n, err
}

// startFast begins a dial with Fast Open: it returns what is to be added to the TCB's Open. sh locked.
func (c *Conn) startFast(now clock.Instant, cfg *OpenConfig, o *tcp.Open) {
	if cfg.fast != nil && c.auth == nil {
		o.FastOpen = c.layer.fastDial(now, &c.key, o.Config)
	}
}

// fillFast queues the data for the SYN. sh locked.
func (c *Conn) fillFast(now clock.Instant, cfg *OpenConfig, o *tcp.Open) {
	if o.FastOpen == nil || !o.FastOpen.Data {
		return
	}
	room := c.tcb.SYNRoom()
	for _, b := range cfg.data {
		b = b[:min(len(b), room)]
		k, err := c.tcb.Send(now, b)
		*cfg.fast += k
		if room -= k; err != nil || room == 0 {
			return
		}
	}
}

// Early reports whether data may be written though the handshake is not over: the SYN brought data with a valid cookie.
func (c *Conn) Early() bool {
	c.lock()
	defer c.sh.Unlock()
	return c.tcb.Early()
}

// begin is called when the handshake is over. sh locked.
func (c *Conn) begin(now clock.Instant) {
	c.table().awakened.note(now, c)
	m := c.layer.hosts.metrics(now, &c.key)
	c.tcb.UseLearned(&m)
	c.settleFast(now)
	if r := c.tcb.FastOpened(); r != nil {
		c.learnFast(now, r)
	}
}

// learnFast keeps what a SYN,ACK said about Fast Open: RFC 7413, 4.2.2: "If the SYN-ACK has a Fast Open option, an MSS option,
// or both, update the corresponding cookie and MSS information in the cookie cache."
func (c *Conn) learnFast(now clock.Instant, r *tcp.FastOpenResult) {
	if r.Sent > 0 {
		if r.Acked {
			c.sh.Counters.Inc(mib.TcpExtTCPFastOpenActive)
		} else {
			c.sh.Counters.Inc(mib.TcpExtTCPFastOpenActiveFail)
		}
	}
	c.layer.hosts.update(now, &c.key, func(h *HostState) {
		if r.MSS != 0 {
			h.MSS = r.MSS
		}
		// "If the SYN-ACK acknowledges only the initial sequence and does not carry a Fast Open cookie option, presumably it
		// is triggered by a retransmitted (regular) SYN and the original SYN or the corresponding SYN-ACK was lost."
		switch {
		case r.Again && !r.Option.Present && r.Sent > 0 && !r.Acked:
			h.SYNLoss++
			h.LastLoss = now
		default:
			h.SYNLoss = 0
		}
		switch {
		case r.Option.Present && r.Option.Len > 0:
			h.Cookie = r.Option
		case !r.Again && r.Sent == 0 && !h.Cookie.Present:
			h.TryExp = min(h.TryExp+1, 2) // it may know the other form of the option
		}
	})
}

// doubtFast turns Fast Open off for a while where it may be what makes connections fail: Linux's
// tcp_fastopen_blackhole_timeout_sec. It is called after timeouts. sh locked.
func (c *Conn) doubtFast(now clock.Instant) {
	base := c.layer.Settings().Limits.FastOpenBlackhole
	if base <= 0 || !c.tcb.UsesFastOpen() || c.tcb.Retries() != 2 {
		return
	}
	c.sh.Counters.Inc(mib.TcpExtTCPFastOpenBlackhole)
	h := &c.layer.hosts
	h.mu.Lock()
	defer h.mu.Unlock()
	c.layer.fastDisabled = now.Add(base << min(c.layer.fastFailures, 6))
	c.layer.fastFailures++
}
