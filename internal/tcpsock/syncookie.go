package tcpsock

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// cookies makes and checks SYN cookies: RFC 4987, 3.6: "they encode most of the state (and all of the strictly
// required) state that they would normally keep into the sequence number transmitted on the SYN-ACK".
//
// The sequence number is
//
//	MAC(addresses, ports) + SEG.SEQ + (minute << 24) + (MAC(addresses, ports, minute) + mss) mod 2^24
//
// where mss is an index into a table, and minute a counter of cookieTick. What else the SYN said goes into the lowest
// bits of our timestamp, which the peer echoes: the window scale (4 bits; 15: none), SACK-Permitted, and ECN.
type cookies struct {
	secret [32]byte
	once   sync.Once
}

const (
	cookieTick = time.Minute
	// cookieAge is how many ticks a cookie is good for.
	cookieAge  = 2
	cookieBits = 24
	cookieMask = 1<<cookieBits - 1

	cookieTSBits  = 6
	cookieTSMask  = 1<<cookieTSBits - 1
	cookieNoScale = 0xf
	cookieTSSACK  = 1 << 4
	cookieTSECN   = 1 << 5
)

// The MSS values a cookie can tell, the most frequent ones.
var (
	cookieMSS4 = [...]uint16{536, 1300, 1440, 1460}
	cookieMSS6 = [...]uint16{1280 - 60, 1480 - 60, 1500 - 60, 9000 - 60}
)

func cookieMSS(remote wire.Addr) []uint16 {
	if remote.Is4() {
		return cookieMSS4[:]
	}
	return cookieMSS6[:]
}

// mac returns 32 bits that nobody without the secret can tell.
func (c *cookies) mac(k *flow.Key, minute, which uint32) uint32 {
	var b [32 + 16 + 16 + 16]byte
	copy(b[:], c.secret[:])
	k.Local.Put16(b[32:])
	k.Remote.Put16(b[48:])
	binary.BigEndian.PutUint32(b[64:], k.Ports)
	binary.BigEndian.PutUint32(b[68:], k.Scope)
	binary.BigEndian.PutUint32(b[72:], minute)
	binary.BigEndian.PutUint32(b[76:], which)
	f := sha256.Sum256(b[:])
	return binary.BigEndian.Uint32(f[:])
}

// init makes the secret.
func (c *cookies) init(rt clock.Runtime) { c.once.Do(func() { rt.Entropy(c.secret[:]) }) }

// make returns the cookie for the SYN seq with the given MSS (0: none).
func (c *cookies) make(now clock.Instant, k *flow.Key, seq tcp.Seq, mss uint16) tcp.Seq {
	table := cookieMSS(k.Remote)
	i := len(table) - 1
	for ; i > 0 && mss < table[i]; i-- {
	}
	minute := uint32(now.Duration() / cookieTick)
	return tcp.Seq(c.mac(k, 0, 0)+uint32(seq)+minute<<cookieBits) +
		tcp.Seq((c.mac(k, minute, 1)+uint32(i))&cookieMask)
}

// check returns the MSS that the cookie tells, or 0 if it is none of ours or too old. seq is the SYN's.
func (c *cookies) check(now clock.Instant, k *flow.Key, seq, cookie tcp.Seq) uint16 {
	rest := uint32(cookie) - c.mac(k, 0, 0) - uint32(seq)
	minute := uint32(now.Duration() / cookieTick)
	age := (minute - rest>>cookieBits) & (1<<(32-cookieBits) - 1)
	if age >= cookieAge {
		return 0
	}
	table := cookieMSS(k.Remote)
	if i := (rest - c.mac(k, minute-age, 1)) & cookieMask; i < uint32(len(table)) {
		return table[i]
	}
	return 0
}

// stampCookie returns the timestamp clock with what the SYN offered, and o agrees to, in its lowest bits: the latest
// such instant that is not in the future.
func stampCookie(clock uint32, syn, said *tcp.Segment) uint32 {
	answer := &said.Options
	bits := uint32(cookieNoScale)
	if answer.HasWindowScale {
		bits = uint32(min(syn.Options.WindowScale, 14))
	}
	if answer.SACKPermitted {
		bits |= cookieTSSACK
	}
	if said.Flags&wire.ACE == wire.ECE { // Accurate ECN needs no bit: the ACK tells
		bits |= cookieTSECN
	}
	ts := clock&^cookieTSMask | bits
	if int32(ts-clock) > 0 {
		ts -= 1 << cookieTSBits
	}
	return ts
}

// sendCookie answers a SYN with a SYN,ACK of which nothing is remembered. sh locked.
func (t *Layer) sendCookie(sh *shard.Shard, now clock.Instant, path *ip.Path, key *flow.Key, syn *tcp.Segment, o *tcp.Open,
	h Header) {
	t.cookies.init(t.rt)
	sh.Counters.Inc(mib.TcpExtTCPReqQFullDoCookies)
	sh.Counters.Inc(mib.TcpExtSyncookiesSent)
	announced := syn.Options.MSS
	if announced == 0 {
		announced = uint16(max(o.DefaultMSS, 536))
	}
	o.ISS = uint32(t.cookies.make(now, key, syn.Seq, announced))
	_, o.TSOffset = t.isn(now, key)
	var e tcp.Embryo
	e.Open(now, o, syn)
	if !syn.Options.HasTimestamps {
		e.Forget() // there is nowhere to keep what these would ask for
	}
	var answer tcp.Segment
	e.SYNACK(now, &answer)
	e.Report(o.Config, &answer, o.Reserved)
	if a := &answer.Options; a.HasTimestamps {
		a.TSVal = stampCookie(a.TSVal-o.TSOffset, syn, &answer) + o.TSOffset
	}
	t.emit(sh, path, key, &answer, h, nil)
}

// takeCookie makes a connection of the ACK of a cookie; false if it is not one. sh locked.
func (l *Listener) takeCookie(sh *shard.Shard, now clock.Instant, key *flow.Key, seg *tcp.Segment) bool {
	t := l.layer
	if t.Settings().Limits.SYNCookies == 0 {
		return false
	}
	l.in.Lock()
	recent := now.Sub(l.overflow) <= cookieAge*cookieTick && !l.keys.For(key.Remote)
	full := l.full()
	cfg, header := l.settings.config(t), l.headers.of(key.Remote)
	l.in.Unlock()
	if !recent {
		return false
	}
	mss := t.cookies.check(now, key, seg.Seq-1, seg.Ack-1)
	if mss == 0 {
		sh.Counters.Inc(mib.TcpExtSyncookiesFailed)
		return false
	}
	sh.Counters.Inc(mib.TcpExtSyncookiesRecv)
	if full {
		sh.Counters.Inc(mib.TcpExtListenOverflows)
		sh.Counters.Inc(mib.TcpExtListenDrops)
		return true
	}
	e := embryo{place: place{key: *key}, l: l}
	_, offset := t.isn(now, key)
	told := tcp.Recall{ISS: seg.Ack - 1, IRS: seg.Seq - 1, TSOffset: offset, PeerMSS: mss, ACE: seg.Flags.ACE()}
	if path := t.route(sh, now, key, &header); path != nil {
		told.MSS = t.openTo(key.Remote, path, &header, cfg).Announce
	}
	if o := &seg.Options; o.HasTimestamps {
		bits := (o.TSEcr - offset) & cookieTSMask
		told.Timestamps, told.TSVal = true, o.TSVal
		told.SACK, told.ECN = bits&cookieTSSACK != 0, bits&cookieTSECN != 0
		if s := bits & cookieNoScale; s != cookieNoScale {
			told.HasScale, told.Scale = true, uint8(s)
		}
		if told.Scale > 14 || told.SACK && cfg.NoSACK || told.HasScale && cfg.NoWindowScale || cfg.NoTimestamps {
			return true // we have not agreed to that: the bits are not ours
		}
	}
	e.Recall(&told, seg.Window, cfg)
	return t.hatch(sh, now, &e, cfg, header, seg)
}
