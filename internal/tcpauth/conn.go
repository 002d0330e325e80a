package tcpauth

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"hash"

	"github.com/onlink-go/onlink/wire"
)

// The options' formats: RFC 2385, 3; RFC 5925, 2.2.
//
//	+---------+---------+-------------------+
//	| Kind=19 |Length=18|   MD5 digest...   |
//	+---------+---------+-------------------+
//
//	+------------+------------+------------+------------+
//	|  Kind=29   |   Length   |   KeyID    | RNextKeyID |
//	+------------+------------+------------+------------+
//	|                     MAC           ...             |
//	+------------+------------+------------+------------+
const (
	kindMD5 = 19
	kindAO  = 29

	md5OptionLen = 18
	aoOptionLen  = 4 + macLen

	// Room is the most octets an option takes in a header, padding included.
	Room = md5OptionLen + 2

	nop = 1
)

// Verdict is what Check says of a segment.
type Verdict uint8

const (
	Good        Verdict = iota // authentic, or no authentication was asked for
	Bad                        // the digest or MAC is wrong
	Missing                    // there is a key for the peer, and the segment has no option
	Unexpected                 // it has an option there is no key for
	Contradicts                // it has both options, or a malformed one
)

// Conn authenticates the segments of one connection. It keeps the traffic keys it has derived.
type Conn struct {
	keys          *Keys
	local, remote wire.Addr
	localPort     uint16
	remotePort    uint16
	iss, irs      uint32
	hasIRS        bool // the peer's ISN is known

	current *Key // signs what is sent: current_key, or the MD5 key
	rnext   *Key // what the peer is asked to sign with: rnext_key
	heard   struct {
		key, rnext uint8 // of the last authentic segment (RFC 5925, 7.1)
		any        bool
	}
	snd, rcv sne
	macs     []traffic
	md5      hash.Hash                 // made at the first use
	scratch  [wire.TCPMinLen + 40]byte // so that nothing is allocated
	digest   [sha1.Size]byte
}

// traffic is a derived key.
type traffic struct {
	key *Key
	out bool
	syn bool
	mac hash.Hash
}

// sne extends sequence numbers to 64 bits: RFC 5925, 6.2. The extension of a segment's number is that which brings it
// closest to the highest seen.
type sne struct {
	highest int64
	known   bool
}

// of returns the extension of seq.
func (s *sne) of(seq uint32) uint32 { return uint32(s.extend(seq) >> 32) }

func (s *sne) extend(seq uint32) int64 {
	if !s.known {
		return int64(seq) // "both initialized as zero when a connection begins"
	}
	return s.highest + int64(int32(seq-uint32(s.highest)))
}

// note takes in the number of a segment that was sent, or came and was authentic.
func (s *sne) note(seq uint32) {
	if v := s.extend(seq); !s.known || v > s.highest {
		s.highest, s.known = v, true
	}
}

// NewConn returns what a connection authenticates with, or nil if keys has none for the peer. iss is our initial sequence
// number.
func NewConn(keys *Keys, local, remote wire.Addr, localPort, remotePort uint16, iss uint32) *Conn {
	k := keys.find(remote, func(*Key) bool { return true })
	if k == nil {
		return nil
	}
	return &Conn{keys: keys, local: local, remote: remote, localPort: localPort, remotePort: remotePort, iss: iss,
		current: k, rnext: k}
}

// SetISS sets our initial sequence number, where it was not known to NewConn. It does nothing to a nil Conn.
func (c *Conn) SetISS(iss uint32) {
	if c != nil {
		c.iss, c.macs = iss, nil
	}
}

// setPeerISN takes the peer's initial sequence number in, from its SYN.
func (c *Conn) setPeerISN(irs uint32) {
	c.irs, c.hasIRS, c.macs, c.rcv = irs, true, nil, sne{}
}

// SetKeys replaces the keys: RFC 5925, 7.1: "A TCP-AO implementation MUST allow the set of MKTs for ongoing TCP
// connections … to be modified." The keys in use stay so if they are still there. It returns false, and changes nothing,
// if keys has none for the peer, or one whose option takes more or less room.
func (c *Conn) SetKeys(keys *Keys) bool {
	again := func(old *Key) *Key {
		k := keys.find(c.remote, func(k *Key) bool {
			return k.Algorithm == old.Algorithm && k.SendID == old.SendID && k.RecvID == old.RecvID
		})
		if k == nil {
			k = keys.find(c.remote, func(k *Key) bool { return (k.Algorithm == MD5) == (old.Algorithm == MD5) })
		}
		return k
	}
	current, rnext := again(c.current), again(c.rnext)
	if current == nil || rnext == nil {
		return false
	}
	c.keys, c.macs, c.current, c.rnext = keys, nil, current, rnext
	return true
}

// Choose makes the key with the given SendID sign what is sent, and asks the peer for the one with the given RecvID
// (RFC 5925, 7.1). It returns false, and changes nothing, if there is none.
func (c *Conn) Choose(sendID, recvID uint8) bool {
	current := c.keys.find(c.remote, func(k *Key) bool { return k.Algorithm != MD5 && k.SendID == sendID })
	rnext := c.keys.find(c.remote, func(k *Key) bool { return k.Algorithm != MD5 && k.RecvID == recvID })
	if current == nil || rnext == nil {
		return false
	}
	c.current, c.rnext = current, rnext
	return true
}

// Status is what there is to know of a connection's keys (RFC 5925, 7.1).
type Status struct {
	Algorithm             Algorithm
	Current, Next         uint8 // SendID of the key that signs, RecvID of the one the peer is asked to use
	PeerCurrent, PeerNext uint8 // KeyID and RNextKeyID of the last authentic segment, if Heard
	Heard                 bool
}

// Status returns the present state.
func (c *Conn) Status() Status {
	s := Status{PeerCurrent: c.heard.key, PeerNext: c.heard.rnext, Heard: c.heard.any}
	if c.current != nil {
		s.Algorithm, s.Current = c.current.Algorithm, c.current.SendID
	}
	if c.rnext != nil {
		s.Next = c.rnext.RecvID
	}
	return s
}

// OptionLen returns how many octets of the header the option takes: 0, 16 or 20.
func (c *Conn) OptionLen() int {
	switch {
	case c == nil || c.current == nil:
		return 0
	case c.current.Algorithm == MD5:
		return md5OptionLen + 2
	}
	return aoOptionLen
}

// IgnoresICMP reports whether ICMP errors that end or slow a connection are to be ignored: RFC 5925, 7.8, has that of
// TCP-AO.
func (c *Conn) IgnoresICMP() bool { return c != nil && c.current != nil && c.current.Algorithm != MD5 }

// Sign fills in the option of a segment of the connection: segment is the TCP header, OptionLen octets of which are room
// for it, and the data. Do it before the checksum, and after everything else (RFC 5925, 7.4: "TCP-AO
// MUST be the last TCP option processed on outgoing segments"). at is where the room begins.
func (c *Conn) Sign(segment []byte, at int) {
	t := wire.TCP(segment)
	option := segment[at:]
	if c.current.Algorithm == MD5 {
		option[0], option[1], option[2], option[3] = nop, nop, kindMD5, md5OptionLen
		copy(option[4:], c.signature(c.current, segment, c.local, c.remote))
		return
	}
	option[0], option[1], option[2], option[3] = kindAO, aoOptionLen, c.current.SendID, c.rnext.RecvID
	clear(option[4:aoOptionLen])
	c.snd.note(t.Seq())
	mac := c.mac(c.current, segment, at, true, c.snd.of(t.Seq()))
	copy(option[4:], mac[:macLen])
}

// Check judges a segment: its header, options and data, whose checksum is right.
func (c *Conn) Check(segment []byte) Verdict {
	at, kind := find(segment)
	if v := judge(c.keys, c.remote, kind); v != Good || kind == 0 {
		return v
	}
	option := segment[at : at+int(segment[at+1])]
	if kind == kindMD5 {
		k := c.keys.find(c.remote, func(k *Key) bool { return k.Algorithm == MD5 })
		d := c.signature(k, segment, c.remote, c.local)
		if len(option) != md5OptionLen || subtle.ConstantTimeCompare(d, option[2:]) != 1 {
			return Bad
		}
		return Good
	}
	return c.checkAO(segment, at, option)
}

// checkAO is RFC 5925, 7.5.
func (c *Conn) checkAO(segment []byte, at int, option []byte) Verdict {
	k := c.keys.find(c.remote, func(k *Key) bool { return k.Algorithm != MD5 && k.RecvID == option[2] })
	if k == nil {
		return Unexpected
	}
	// "Check that the segment's TCP-AO Length matches the length indicated by the MKT. If the lengths differ, silently
	// discard the segment."
	if len(option) != aoOptionLen {
		return Bad
	}
	seq := wire.TCP(segment).Seq()
	guess := !c.hasIRS && wire.TCP(segment).Flags()&wire.SYN != 0
	if guess {
		c.setPeerISN(seq)
	}
	mac := c.mac(k, segment, at, false, c.rcv.of(seq))
	if subtle.ConstantTimeCompare(mac[:macLen], option[4:]) != 1 {
		if guess {
			c.hasIRS = false
		}
		return Bad
	}
	c.rcv.note(seq)
	c.heard.key, c.heard.rnext, c.heard.any = option[2], option[3], true
	// "Compare the received RNextKeyID value to the currently active outgoing KeyID value … If the matching MKT … is
	// available: Set current_key to the RNextKeyID MKT."
	if option[3] != c.current.SendID {
		if next := c.keys.find(c.remote, func(k *Key) bool { return k.Algorithm != MD5 && k.SendID == option[3] }); next != nil {
			c.current = next
		}
	}
	return Good
}

// judge says what an option's presence means by itself.
func judge(keys *Keys, peer wire.Addr, kind byte) Verdict {
	k := keys.find(peer, func(*Key) bool { return true })
	switch {
	case kind == both:
		return Contradicts
	case k == nil && kind == kindMD5:
		return Unexpected
	case k == nil:
		return Good
	case kind == 0:
		return Missing
	case (kind == kindMD5) != (k.Algorithm == MD5):
		return Unexpected
	}
	return Good
}

var zeroMAC [macLen]byte

// both stands for a segment that has both options, or one twice, or too short a one.
const both = 0xff

// find returns where the option is in a segment, and its kind; 0: there is none.
func find(segment []byte) (at int, kind byte) {
	end := wire.TCP(segment).HeaderLen()
	for i := wire.TCPMinLen; i+1 < end; {
		switch k := segment[i]; k {
		case 0:
			return at, kind
		case nop:
			i++
			continue
		case kindMD5, kindAO:
			if kind != 0 || segment[i+1] < 4 || i+int(segment[i+1]) > end {
				return 0, both
			}
			at, kind = i, k
		}
		if segment[i+1] < 2 {
			break
		}
		i += int(segment[i+1])
	}
	return at, kind
}

// signature returns the MD5 digest of a segment: RFC 2385, 2: "the TCP pseudo-header … the TCP header, excluding options,
// and assuming a checksum of zero … the TCP segment data (if any) … an independently-specified key".
func (c *Conn) signature(k *Key, segment []byte, src, dst wire.Addr) []byte {
	if c.md5 == nil {
		c.md5 = md5.New()
	}
	h := c.md5
	h.Reset()
	h.Write(appendPseudoHeader(c.scratch[:0], src, dst, len(segment)))
	h.Write(appendHeader(c.scratch[:0], segment[:wire.TCPMinLen]))
	h.Write(segment[wire.TCP(segment).HeaderLen():])
	h.Write(k.Secret)
	return h.Sum(c.digest[:0])
}

// mac returns the MAC of a segment whose TCP-AO option is at at: RFC 5925, 5.1.
func (c *Conn) mac(k *Key, segment []byte, at int, out bool, ext uint32) []byte {
	src, dst := c.remote, c.local
	if out {
		src, dst = dst, src
	}
	t := wire.TCP(segment)
	h := c.traffic(k, out, t.Flags()&(wire.SYN|wire.ACK) == wire.SYN)
	h.Reset()
	b := binary.BigEndian.AppendUint32(c.scratch[:0], ext)
	h.Write(b)
	h.Write(appendPseudoHeader(c.scratch[:0], src, dst, len(segment)))
	end := t.HeaderLen()
	h.Write(appendHeader(c.scratch[:0], segment[:wire.TCPMinLen]))
	if !k.ExcludeOptions {
		h.Write(segment[wire.TCPMinLen:at])
	}
	// "… and where the TCP checksum and TCP-AO MAC fields are set to zero".
	h.Write(segment[at : at+4])
	h.Write(zeroMAC[:])
	if !k.ExcludeOptions {
		h.Write(segment[at+aoOptionLen : end])
	}
	h.Write(segment[end:])
	return h.Sum(c.digest[:0])
}

// traffic returns the MAC of a traffic key, derived at its first use. RFC 5925, 5.2: "TCP-AO SYN segments (SYN set, no
// ACK set) MUST use a destination ISN of zero (whether sent or received); all other segments use the known ISN pair."
func (c *Conn) traffic(k *Key, out, syn bool) hash.Hash {
	for i := range c.macs {
		if t := &c.macs[i]; t.key == k && t.out == out && t.syn == syn {
			return t.mac
		}
	}
	t := tuple{c.remote, c.local, c.remotePort, c.localPort, c.irs, c.iss}
	if out {
		t = tuple{c.local, c.remote, c.localPort, c.remotePort, c.iss, c.irs}
	}
	if syn {
		t.dstISN = 0
	}
	m := k.derive(&t)
	c.macs = append(c.macs, traffic{k, out, syn, m})
	return m
}

// appendPseudoHeader appends the pseudo header of a segment of n octets: RFC 5925, 5.1, figures 5 and 6.
func appendPseudoHeader(b []byte, src, dst wire.Addr, n int) []byte {
	b = appendAddr(b, src)
	b = appendAddr(b, dst)
	if src.Is4() {
		return append(b, 0, wire.ProtoTCP, byte(n>>8), byte(n))
	}
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	return append(b, 0, 0, 0, wire.ProtoTCP)
}

// appendHeader appends a header without options, with a checksum of zero.
func appendHeader(b, header []byte) []byte {
	b = append(b, header...)
	b[len(b)-len(header)+wire.TCPChecksumOffset], b[len(b)-len(header)+wire.TCPChecksumOffset+1] = 0, 0
	return b
}
