package onlink_test

import (
	"encoding/binary"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

// lab is peer — target — other, in simulation: target is what is fuzzed. It has sockets of all kinds open, a connection
// with peer under way, and routes that lead through it.
type lab struct {
	*sim.Network
	peer, target, other *sim.Node
	near, far           *sim.Cable
	toTarget            uint64                             // frames sent to target
	tap                 func(from *sim.Node, frame []byte) // sees each frame; may be nil
}

func newLab(t testing.TB, forwarding bool) *lab {
	n := sim.New(1)
	t.Cleanup(n.Stop)
	l := &lab{Network: n, peer: n.Host("peer"), other: n.Host("other")}
	l.target = n.Node("target", onlink.Config{Forwarding: forwarding})
	quick := func(p sim.Port) sim.Port {
		p.Config.DisableDAD = true
		return p
	}
	l.near = n.Wire(quick(l.peer.Port("eth0", "192.0.2.1/24", "2001:db8:1::1/64").Gateway("192.0.2.2", "2001:db8:1::2")),
		quick(l.target.Port("eth0", "192.0.2.2/24", "2001:db8:1::2/64")), sim.Line{})
	l.far = n.Wire(quick(l.target.Port("eth1", "198.51.100.1/24", "2001:db8:2::1/64")),
		quick(l.other.Port("eth0", "198.51.100.2/24", "2001:db8:2::2/64").Gateway("198.51.100.1", "2001:db8:2::1")), sim.Line{MTU: 1280})
	see := func(from *sim.Node, frame []byte) bool {
		if from != l.target {
			l.toTarget++
		}
		if l.tap != nil {
			l.tap(from, frame)
		}
		return true
	}
	l.near.Filter(see)
	l.far.Filter(see)
	return l
}

// settle lets d of virtual time pass. It fails the test if the network does not come to rest: somebody answers answers.
func (l *lab) settle(t testing.TB, d time.Duration) {
	t.Helper()
	steps := 0
	storm := false
	l.RunUntil(d, func() bool {
		steps++
		storm = steps > 20_000
		return storm
	})
	if storm {
		t.Fatalf("no rest: %d steps, %d frames", steps, l.Frames())
	}
}

// open opens target's sockets and the connection.
func (l *lab) open(t testing.TB) (conn *onlink.TCPConn) {
	t.Helper()
	ln, err := l.target.Listen(t.Context(), "tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	echo := func(c io.ReadWriter) {
		b := make([]byte, 2000)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			c.Write(b[:n])
		}
	}
	l.target.Go("accept", func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			l.target.Go("echo", func() {
				echo(c)
				c.Close()
			})
		}
	})
	pc, err := l.target.ListenPacket(t.Context(), "udp", ":9")
	if err != nil {
		t.Fatal(err)
	}
	l.target.Go("UDP", func() {
		b := make([]byte, 2000)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			if a, ok := from.(interface{ AddrPort() netip.AddrPort }); !ok || a.AddrPort().Port() != 0 {
				pc.WriteTo(b[:n], from)
			}
		}
	})
	u, err := l.target.DialContext(t.Context(), "udp", "192.0.2.1:9")
	if err != nil {
		t.Fatal(err)
	}
	l.target.Go("connected UDP", func() {
		for err == nil {
			_, err = u.Read(make([]byte, 2000))
		}
	})
	l.peer.Go("client", func() {
		c, err := l.peer.DialContext(t.Context(), "tcp", "192.0.2.2:80")
		if err != nil {
			t.Error(err)
			return
		}
		c.Write([]byte("hello"))
		io.ReadFull(c, make([]byte, 5))
		conn = c.(*onlink.TCPConn)
	})
	l.settle(t, time.Second)
	return conn
}

// play makes peer and other do a little of everything, for frames to begin from.
func (l *lab) play(t testing.TB) {
	l.peer.Go("play", func() {
		for _, host := range []string{"192.0.2.2", "2001:db8:1::2", "198.51.100.2", "2001:db8:2::2", "fe80::ff:fe00:2%eth0"} {
			for _, cfg := range []onlink.PingConfig{{}, {Size: 3000}, {HopLimit: 1}, {Size: 1400}} {
				cfg.Timeout, cfg.ID = time.Second, 1
				l.peer.Ping(t.Context(), netip.MustParseAddr(host), cfg)
			}
		}
		for _, address := range []string{"192.0.2.2:9", "[2001:db8:1::2]:9", "192.0.2.2:10", "[2001:db8:1::2]:10"} {
			if c, err := l.peer.DialContext(t.Context(), "udp", address); err == nil {
				c.Write([]byte("datagram"))
				c.Write(make([]byte, 2000))
				c.SetReadDeadline(l.peer.Wall().Add(time.Second))
				c.Read(make([]byte, 2000))
				c.Close()
			}
		}
		for _, address := range []string{"192.0.2.2:80", "[2001:db8:1::2]:80", "[2001:db8:1::2]:81"} {
			if c, err := l.peer.DialContext(t.Context(), "tcp", address); err == nil {
				c.Write(make([]byte, 3000))
				io.ReadFull(c, make([]byte, 3000))
				c.Close()
			}
		}
	})
	l.settle(t, time.Minute)
}

// A frame in the input of FuzzStackFrames is preceded by one octet of what to do with it, and two with its length.
const (
	fromFar    = 1 << iota // it comes in by eth1
	repaired               // its destination address and checksums are made right first
	afterwards             // some time passes after it
)

func appendFrame(b []byte, op byte, frame []byte) []byte {
	return append(binary.BigEndian.AppendUint16(append(b, op), uint16(len(frame))), frame...)
}

// FuzzStackFrames throws frames at a whole host, or router, with open sockets: each is delivered, forwarded, answered or
// counted as a drop; nothing panics, hangs, or goes on for ever.
func FuzzStackFrames(f *testing.F) {
	var all []byte
	l := newLab(f, true)
	l.tap = func(from *sim.Node, frame []byte) {
		op := byte(0)
		if from == l.other {
			op = fromFar
		}
		f.Add(appendFrame(nil, op|repaired, frame), true)
		f.Add(appendFrame(nil, op, frame), false)
		if from != l.target && len(all) < 20_000 {
			all = appendFrame(all, op|afterwards, frame)
		}
	}
	l.open(f)
	l.play(f)
	f.Add(all, true)
	f.Add(all, false)
	f.Add([]byte{}, false)
	rarp := make([]byte, wire.EthernetLen+wire.ARPLen)
	wire.PutEthernet(rarp, wire.BroadcastMAC, wire.MAC{2, 1}, wire.EtherTypeARP)
	(&wire.ARP{Op: 3, SenderMAC: wire.MAC{2, 1}}).Put(rarp[wire.EthernetLen:])
	f.Add(appendFrame(nil, 0, rarp), false)
	f.Fuzz(func(t *testing.T, input []byte, forwarding bool) {
		l := newLab(t, forwarding)
		l.open(t)
		for frames := 0; len(input) >= 3 && frames < 100; frames++ {
			op := input[0]
			n := min(int(binary.BigEndian.Uint16(input[1:])), len(input)-3)
			frame := append([]byte(nil), input[3:3+n]...)
			input = input[3+n:]
			cable := l.near
			if op&fromFar != 0 {
				cable = l.far
			}
			if op&repaired != 0 {
				l.repair(frame, op&fromFar != 0)
			}
			l.throw(t, cable, frame)
			if op&afterwards != 0 {
				l.settle(t, time.Duration(op)*20*time.Millisecond)
			}
		}
		l.settle(t, 2*time.Minute) // fragments and neighbors time out
		if err := l.Close(time.Second); err != nil {
			t.Log(err)
		}
	})
}

// repair makes frame one that target's interface takes, with right checksums.
func (l *lab) repair(frame []byte, far bool) {
	if _, err := wire.CheckEthernet(frame); err != nil {
		return
	}
	mac := wire.MAC{2, 0, 0, 0, 0, 2}
	if far {
		mac[5] = 3
	}
	if frame[0]&1 == 0 {
		copy(frame, mac[:])
	}
	b := frame[wire.EthernetLen:]
	var proto uint8
	var src, dst wire.Addr
	var body []byte
	if v4, err := wire.CheckIPv4(b); err == nil {
		head := b[:v4.HeaderLen()]
		binary.BigEndian.PutUint16(head[10:], 0)
		binary.BigEndian.PutUint16(head[10:], ^wire.Checksum(head, 0))
		proto, src, dst, body = v4.Protocol(), v4.Src(), v4.Dst(), v4.Payload()
	} else if v6, err := wire.CheckIPv6(b); err == nil {
		it := wire.WalkExt(v6.NextHeader(), v6.Payload())
		for it.Next() {
		}
		if it.Err() != nil {
			return
		}
		at := 0
		proto, at = it.Upper()
		src, dst, body = v6.Src(), v6.Dst(), v6.Payload()[at:]
	}
	switch {
	case proto == wire.ProtoICMP && len(body) >= wire.ICMPLen:
		wire.FinishICMPv4(body)
	case proto == wire.ProtoICMPv6 && len(body) >= wire.ICMPLen:
		wire.FinishICMPv6(body, src, dst)
	case proto == wire.ProtoUDP && len(body) >= wire.UDPLen:
		wire.FinishChecksum(body, 6, proto, src, dst)
	case proto == wire.ProtoTCP && len(body) >= 20:
		wire.FinishChecksum(body, 16, proto, src, dst)
	}
}

// throw gives frame to target, and looks whether target accounts for it, and for those that others sent because of it.
func (l *lab) throw(t *testing.T, cable *sim.Cable, frame []byte) {
	t.Helper()
	before, framesBefore := l.target.Snapshot().Counters, l.toTarget
	cable.Inject(l.target, frame)
	l.settle(t, 0)
	after := l.target.Snapshot().Counters
	count := func(cs ...mib.Counter) (n uint64) {
		for _, c := range cs {
			n += after.Get(c) - before.Get(c)
		}
		return n
	}
	dropped := func(rs ...mib.Reason) (n uint64) {
		for _, r := range rs {
			n += after.Dropped(r) - before.Dropped(r)
		}
		return n
	}
	frames := 1 + l.toTarget - framesBefore
	if len(frame) > 1514 || cable == l.far && len(frame) > 1294 {
		frames-- // too long for the link
	}
	packets := count(mib.IpInReceives, mib.Ip6InReceives)
	link := dropped(mib.FrameShort, mib.FrameNotForUs, mib.FrameUnknownType, mib.ArpMalformed) + count(mib.ArpInRequests, mib.ArpInReplies)
	if packets+link < frames {
		t.Errorf("%d frames came in; accounted for are %d packets and %d others\n% x", frames, packets, link, frame)
	}
	ends := count(mib.IpInDelivers, mib.Ip6InDelivers, mib.IpForwDatagrams, mib.Ip6OutForwDatagrams, mib.IcmpInMsgs, mib.Icmp6InMsgs,
		mib.IpReasmReqds, mib.Ip6ReasmReqds) + dropped(mib.Reasons()...) - dropped(mib.FrameShort, mib.FrameNotForUs, mib.FrameUnknownType, mib.ArpMalformed)
	if ends < packets {
		t.Errorf("%d packets came in; %d were delivered, forwarded or dropped\n% x", packets, ends, frame)
	}
}
