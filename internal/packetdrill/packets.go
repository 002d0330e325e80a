package packetdrill

import (
	"crypto/md5"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
	"github.com/onlink-go/onlink/wire"
)

// packet runs an event that is a packet.
func (r *runner) packet(p *script.Packet) error {
	s, err := r.socketFor(p)
	if err != nil {
		return err
	}
	if p.Dir == script.Outbound {
		// There is nothing to wait for: a packet that left too early is to be told of as such.
		return r.expect(s, p)
	}
	if err := r.await("arriving packet"); err != nil {
		return err
	}
	return r.arrive(s, p)
}

// socketFor returns the socket that a packet of the script belongs to. It is the one made last, or the connection of
// the ports that the packet names.
func (r *runner) socketFor(p *script.Packet) (*sock, error) {
	s := r.byPorts(p)
	named := s != nil
	if !named {
		s = r.current
	}
	syn := p.TCP != nil && p.TCP.Flags&(script.SYN|script.ACK) == script.SYN
	switch {
	case named && !(syn && s.state == sockConnecting):
		return s, nil
	case p.Dir == script.Inbound && (s == nil || p.TCP != nil && s.state == sockListening):
		return r.newPeer(p), nil
	case p.Dir == script.Outbound && syn && s != nil && s.state == sockConnecting && s.proto == wire.ProtoTCP:
		s.state = sockSynSent
		s.script.localISN = p.TCP.Seq.Start
		return s, nil
	case s == nil:
		return nil, errors.New("there is no socket this packet could be of")
	case p.TCP != nil && s.proto != wire.ProtoTCP, p.UDP != nil && s.proto != wire.ProtoUDP:
		return nil, errors.New("the socket made last is of another protocol than this packet")
	}
	return s, nil
}

// byPorts finds, or makes, the connection of a packet that names its ports. Nil: it names none.
func (r *runner) byPorts(p *script.Packet) *sock {
	if p.Ports == nil || p.Ports.Src == 0 && p.Ports.Dst == 0 {
		return nil
	}
	remote, local := p.Ports.Src, p.Ports.Dst
	if p.Dir == script.Outbound {
		remote, local = local, remote
	}
	for i := len(r.socks) - 1; i >= 0; i-- {
		s := r.socks[i]
		if s.state != sockListening && s.live.remote.Port() == remote && (s.live.local.Port() == local || !s.live.local.IsValid()) {
			return s
		}
	}
	if p.Dir == script.Outbound {
		return nil
	}
	var s *sock
	if r.current == nil || p.TCP != nil && p.TCP.Flags&(script.SYN|script.ACK) == script.SYN {
		s = r.newPeer(p)
	} else {
		// The packet of a stranger: its numbers are those of the connection that it intrudes on.
		c := *r.current
		s = &c
		s.pending, s.fd = nil, noFD
		r.socks = append(r.socks, s)
	}
	s.live.remote = netip.AddrPortFrom(orAddr(p.Ports.SrcAddr, r.cfg.RemoteIP), remote)
	s.live.local = netip.AddrPortFrom(orAddr(p.Ports.DstAddr, r.cfg.LocalIP), local)
	return s
}

// orAddr returns a, or, where the script does not say it, b.
func orAddr(a, b netip.Addr) netip.Addr {
	if a.IsValid() {
		return a
	}
	return b
}

// newPeer makes the socket that answers a packet which arrives for a listening socket, or for none.
func (r *runner) newPeer(p *script.Packet) *sock {
	s := r.newSock(r.cfg.domain(), sockStream, wire.ProtoTCP)
	s.state = sockPassive
	switch {
	case p.TCP != nil:
		s.script.remoteISN, s.live.remoteISN = p.TCP.Seq.Start, p.TCP.Seq.Start
	case p.UDP != nil:
		s.proto = wire.ProtoUDP
	case r.cfg.v6():
		s.proto = wire.ProtoICMPv6
	default:
		s.proto = wire.ProtoICMP
	}
	s.live.remote = netip.AddrPortFrom(r.cfg.RemoteIP, r.nextPort())
	s.live.local = netip.AddrPortFrom(r.cfg.LocalIP, r.cfg.BindPort)
	r.socks = append(r.socks, s)
	r.current = s
	return s
}

// firstPort is the port of the first peer that connects: the beginning of the dynamic ports (RFC 6335, section 6).
const firstPort = 49152

// nextPort returns a port for a peer that connects, another one each time.
func (r *runner) nextPort() uint16 {
	if r.port == 0 {
		r.port = firstPort
	}
	r.port++
	return r.port - 1
}

// arrive makes a packet of the script arrive.
func (r *runner) arrive(s *sock, p *script.Packet) error {
	r.received(s, p)
	r.fill(s)
	e := encoder{s: s, v6: r.cfg.v6(), src: s.live.remote, dst: s.live.local}
	b, err := e.encode(p)
	if p.TCP != nil && wantsDigest(p.TCP) {
		// The digest is over lengths that count it.
		if b, err = e.encode(withDigest(p, make([]byte, md5.Size))); err == nil {
			b, err = e.encode(withDigest(p, md5Digest(b, r.md5Key)))
		}
	}
	if err != nil {
		return err
	}
	r.trace(r.world.Now(), "%s", p)
	r.res.Packets++
	if err := r.world.Inject(b); err != nil {
		return err
	}
	if f := r.reap(); f != nil {
		return f
	}
	return nil
}

// received notes what a packet that is about to arrive means for the state of its socket.
func (r *runner) received(s *sock, p *script.Packet) {
	if p.TCP == nil {
		return
	}
	ack, syn, rst := p.TCP.Flags&script.ACK != 0, p.TCP.Flags&script.SYN != 0, p.TCP.Flags&script.RST != 0
	switch {
	case s.state == sockSynAckSent && rst:
		s.state = sockRefused
	case s.state == sockRefused && syn && !ack && !rst:
		// A handshake that begins anew, with other numbers.
		s.state = sockPassive
		s.script.remoteISN, s.live.remoteISN = p.TCP.Seq.Start, p.TCP.Seq.Start
	case (s.state == sockSynAckSent || s.state == sockRefused) && ack && !rst:
		s.state = sockSynAckAcked // also if the RST was none that counts
	case s.state == sockSynSent && syn:
		if ack {
			s.state = sockSynAcked
		}
		s.script.remoteISN, s.live.remoteISN = p.TCP.Seq.Start, p.TCP.Seq.Start
	}
}

// fill gives a socket that has not sent anything yet the addresses it will have.
func (r *runner) fill(s *sock) {
	if !s.live.remote.IsValid() {
		s.live.remote = netip.AddrPortFrom(r.cfg.RemoteIP, r.cfg.ConnectPort)
	}
	if !s.live.local.IsValid() {
		s.live.local = netip.AddrPortFrom(r.cfg.LocalIP, r.cfg.BindPort)
	}
}

// expect waits for a packet that is to leave and compares it with the script's.
func (r *runner) expect(s *sock, want *script.Packet) error {
	synack := want.TCP != nil && want.TCP.Flags&(script.SYN|script.ACK) == script.SYN|script.ACK
	if s.state == sockPassive && synack {
		s.script.localISN = want.TCP.Seq.Start
	}
	p, err := r.collect(s, want, synack)
	if err != nil {
		return r.nonFatal(r.cfg.NonFatalPacket, err)
	}
	if p.tcp && want.TCP != nil && wantsDigest(want.TCP) {
		want = withDigest(want, md5Digest(p.raw, r.md5Key))
	}
	x := comparer{cfg: r.cfg, v6: r.cfg.v6()}
	err = first(x.compare(want, p), s.compareLabel(&want.IP, p))
	if err == nil {
		err = r.onTime("packet", r.event.Time.Kind, r.at, r.end, p.at, r.sinceLast())
	}
	if err != nil {
		return r.nonFatal(r.cfg.NonFatalPacket, r.packetFailure(want, p, err))
	}
	return nil
}

// packetFailure is a failure that shows both packets.
func (r *runner) packetFailure(want *script.Packet, got *live, err error) *Failure {
	f := r.failure(want.Pos, err)
	f.Expected = r.timed(r.at, want.String())
	if r.event.Time.Kind == script.AnyTime {
		f.Expected = "* " + want.String()
	}
	if got != nil {
		f.Actual = r.timed(got.at, got.format(script.Outbound))
	} else {
		f.Seen = r.ignored
	}
	return f
}

// nonFatal makes a warning of a failure that the script's options say is no more.
func (r *runner) nonFatal(ok bool, err error) error {
	if err == nil || !ok {
		return err
	}
	r.res.Warnings = append(r.res.Warnings, r.failure(r.position(), err))
	return nil
}

// collect returns the next packet of a socket, in the script's numbers. Unless segments are to be exactly the script's,
// several in a row that together are as long as the one expected count as that one: it may have been cut by the stack,
// as a network interface would cut it.
func (r *runner) collect(s *sock, want *script.Packet, synack bool) (*live, error) {
	length := wantedLen(want)
	var whole, before *live
	for {
		p, err := r.next(s, want)
		if err != nil || p == nil {
			return nil, r.packetFailure(want, whole, r.missing(whole, length, err))
		}
		if s.state == sockPassive && synack && p.tcp {
			s.state = sockSynAckSent
			s.live.localISN = p.seq
		}
		if s.state == sockSynSent && synack && p.tcp {
			s.state = sockSynAckSent // a simultaneous open: the peer's number is known now
		}
		c := s.toScript(p, want)
		r.trace(p.at, "%s", c.format(script.Outbound))
		r.res.Packets++
		if whole == nil {
			whole = c
		} else {
			if err := follows(before, c, len(whole.payload), length); err != nil {
				f := r.packetFailure(want, whole, err)
				f.Seen = append(f.Seen, r.timed(c.at, c.format(script.Outbound)))
				return nil, f
			}
			whole = join(whole, c)
		}
		before = c
		if want.TCP != nil && !want.TCP.Seq.Any && whole.seq != want.TCP.Seq.Start {
			return whole, nil // the wrong one: what follows does not matter
		}
		if len(whole.payload) >= length || r.cfg.StrictSegments || !p.tcp || len(p.payload) == 0 {
			return whole, nil
		}
	}
}

// wantedLen is the length of the TCP payload a packet of the script has.
func wantedLen(want *script.Packet) int {
	if want.TCP == nil {
		return 0
	}
	return int(want.TCP.Seq.Len)
}

// missing says what it means that no packet came.
func (r *runner) missing(whole *live, length int, err error) error {
	switch {
	case err != nil && !errors.Is(err, errIdle):
		return err
	case whole != nil:
		return fmt.Errorf("only %d of %d octets came", len(whole.payload), length)
	case errors.Is(err, errIdle):
		return errors.New("no packet came, and none can come any more")
	}
	return fmt.Errorf("no packet came until %s", seconds(r.world.Now()))
}

// follows checks that c goes on where before ended, of the same kind and, unless it is the last, of the same length.
func follows(before, c *live, have, length int) error {
	const varying = script.FIN | script.PSH | script.CWR
	switch {
	case c.flags&^varying != before.flags&^varying || c.seq != before.seq+uint32(len(before.payload)) ||
		c.ack != before.ack || c.win != before.win || c.urg != before.urg || c.optLen != before.optLen || c.tos != before.tos:
		return errors.New("the segments that came do not make up the one expected")
	case len(c.payload) < length-have && len(c.payload) != len(before.payload):
		return errors.New("the segments that came are not of equal length")
	}
	return nil
}

// join returns the segment that whole and c, which follows, make up.
func join(whole, c *live) *live {
	j := c.clone()
	j.seq = whole.seq
	j.flags = c.flags&^script.CWR | whole.flags&script.CWR
	j.payload = append(append([]byte(nil), whole.payload...), c.payload...)
	return j
}

// maxWait is how long a packet that may come at any time is waited for.
const maxWait = 24 * time.Hour

// next waits for the next packet of s. Those of other sockets are kept for when the script asks for them; those of nobody
// are passed over. Nil: none came.
func (r *runner) next(s *sock, want *script.Packet) (*live, error) {
	if len(s.pending) > 0 {
		p := s.pending[0]
		s.pending = s.pending[1:]
		return p, nil
	}
	limit := r.world.Now() + maxWait
	if r.event.Time.Kind != script.AnyTime {
		limit = max(r.at, r.end, r.world.Now()) + r.world.Patience()
	}
	for {
		sent := r.world.Sent()
		if sent == nil {
			var err error
			if sent, err = r.waitForPacket(limit); sent == nil {
				return nil, err
			}
		}
		p, err := parseLive(sent.Data, sent.At)
		if err != nil {
			r.ignore(sent.At, fmt.Sprintf("> a packet that is not looked at: %v", err))
			continue
		}
		if s.adopts(p) || s.owns(p) || want.ICMP != nil && isICMP(p.proto) && s.ownsAddrs(p) {
			return p, nil
		}
		r.keep(p)
	}
}

func (r *runner) waitForPacket(limit time.Duration) (*Sent, error) {
	var sent *Sent
	err := r.world.Sleep(limit, func() bool {
		sent = r.world.Sent()
		return sent != nil
	})
	return sent, err
}

func isICMP(proto uint8) bool { return proto == wire.ProtoICMP || proto == wire.ProtoICMPv6 }

// keep gives a packet to the socket it is of, if it is one that a script could ask for by its ports.
func (r *runner) keep(p *live) {
	for i := len(r.socks) - 1; i >= 0; i-- {
		if s := r.socks[i]; s.owns(p) {
			s.pending = append(s.pending, p)
			r.ignore(p.at, s.toScript(p, &script.Packet{}).format(script.Outbound)+" (of another socket)")
			return
		}
	}
	r.ignore(p.at, fmt.Sprintf("%s (from %v to %v, of no socket of the script)", p.format(script.Outbound), p.src, p.dst))
}

// maxIgnored is how many packets that nobody asked for a failure tells of.
const maxIgnored = 5

// ignore notes a packet that is passed over, for a failure to tell of.
func (r *runner) ignore(at time.Duration, text string) {
	text = r.timed(at, text)
	if r.ignored = append(r.ignored, text); len(r.ignored) > maxIgnored {
		r.ignored = r.ignored[1:]
	}
	if r.opt.Trace != nil {
		r.opt.Trace(text)
	}
}
