package packetdrill

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
	"github.com/onlink-go/onlink/wire"
)

// mismatch says in which field a packet is not what the script expects.
type mismatch struct{ field, want, got string }

func (m *mismatch) Error() string {
	return fmt.Sprintf("%s is %s, expected %s", m.field, m.got, m.want)
}

func differ[T comparable](field string, want, got T) error {
	if want == got {
		return nil
	}
	return &mismatch{field, fmt.Sprint(want), fmt.Sprint(got)}
}

// first returns the first error there is.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// toScript returns p in the numbers of the script for the socket it is of, given the packet that is expected.
func (s *sock) toScript(p *live, want *script.Packet) *live {
	c := p.clone()
	if !p.tcp {
		return c
	}
	syn := p.flags&script.SYN != 0
	absolute := want.TCP != nil && want.TCP.Seq.Absolute
	if !absolute {
		c.seq -= s.localOffset(syn)
		if p.flags&script.ACK != 0 {
			c.ack -= s.remoteOffset(syn)
		}
	}
	shiftSACK(c.options, -s.remoteOffset(syn))
	if val, _, ok := timestamps(c.options); ok && s.tsSeen {
		setTSVal(c.options, val-s.tsLive0+s.tsScript0)
	}
	if want.TCP == nil {
		return c
	}
	s.mapOutbound(p, c, want.TCP)
	return c
}

// mapOutbound puts the script's numbers into the options of c, which is p on the wire, whose values the stack chooses:
// timestamps and Fast Open cookies.
func (s *sock) mapOutbound(p, c *live, want *script.TCP) {
	for i := range want.Options {
		o := &want.Options[i]
		switch o.Kind {
		case script.OptTS:
			if val, _, ok := timestamps(p.options); ok && !o.AnyTSVal {
				setTSVal(c.options, s.sawTS(o.TSVal, val))
			}
		case script.OptFO, script.OptExpFO:
			s.mapCookie(c, o)
		}
	}
}

func setTSVal(list []option, val uint32) {
	for i, o := range list {
		if script.OptionKind(o.kind) == script.OptTS && len(o.data) == 8 {
			list[i].data = append(binary.BigEndian.AppendUint32(nil, val), o.data[4:]...)
		}
	}
}

// mapCookie lets a Fast Open cookie that the stack gives out stand for the one the script has written there: its octets
// cannot be known beforehand (RFC 7413, 4.1.2), only how many they are, and that the same ones are good later.
func (s *sock) mapCookie(c *live, want *script.TCPOption) {
	if c.flags&(script.SYN|script.ACK) != script.SYN|script.ACK || len(want.Data) == 0 {
		return
	}
	prefix := 0
	if want.Kind == script.OptExpFO {
		prefix = 2
	}
	for i, o := range c.options {
		if o.kind == byte(want.Kind) && len(o.data) == prefix+len(want.Data) {
			c.options[i].data = append(o.data[:prefix:prefix], s.cookies.given(want.Data, o.data[prefix:])...)
		}
	}
}

// comparer compares packets that left with those expected.
type comparer struct {
	cfg *Config
	v6  bool
}

// compare returns in what c, which is in the script's numbers, is not the packet that is expected; nil if it is. What
// the script does not say is not looked at.
func (x *comparer) compare(want *script.Packet, c *live) error {
	if len(want.Outer) > 0 {
		return fmt.Errorf("encapsulated packets are not supported")
	}
	if c.badSum != "" {
		return fmt.Errorf("the %s checksum is wrong", c.badSum)
	}
	if err := x.compareIP(&want.IP, c); err != nil {
		return err
	}
	switch {
	case want.TCP != nil:
		return x.compareTCP(want.TCP, c)
	case want.UDP != nil:
		if c.proto != wire.ProtoUDP {
			return differ("protocol", uint8(wire.ProtoUDP), c.proto)
		}
		return first(differ("length", int(want.UDP.Len), len(c.payload)), zeros(c.payload))
	}
	return x.compareICMP(want.ICMP, c)
}

func (x *comparer) compareIP(want *script.IPInfo, c *live) error {
	var err error
	ecn := c.tos & 3
	switch want.Check {
	case script.TOSECN:
		err = differ("ECN", ecnName(want.TOS&3), ecnName(ecn))
	case script.TOSAll:
		err = differ("TOS", want.TOS, c.tos)
	case script.TOSDSCP:
		err = differ("DSCP", want.TOS>>2, c.tos>>2)
	case script.TOSECT01, script.TOSDSCPECT01:
		if ecn != 1 && ecn != 2 {
			err = &mismatch{"ECN", "ect0 or ect1", ecnName(ecn)}
		}
		if want.Check == script.TOSDSCPECT01 {
			err = first(err, differ("DSCP", want.TOS>>2, c.tos>>2))
		}
	}
	if err == nil && want.TTL != 0 {
		err = differ("TTL", want.TTL, c.ttl)
	}
	return err
}

func ecnName(bits uint8) string { return [...]string{"noecn", "ect1", "ect0", "ce"}[bits&3] }

func (x *comparer) compareTCP(want *script.TCP, c *live) error {
	if !c.tcp {
		return differ("protocol", uint8(wire.ProtoTCP), c.proto)
	}
	if want.InUDP != nil {
		return fmt.Errorf("TCP inside UDP is not supported")
	}
	if !want.Seq.Any && want.Seq.Start != c.seq {
		return differ("seq", want.Seq.Start, c.seq)
	}
	err := first(
		differ("length", int(want.Seq.Len), len(c.payload)),
		compareFlags(want, c),
		differ("reserved bits", 0, c.reserved),
		differ("ack", want.Ack, c.ack))
	if err == nil && want.HasWin {
		err = differ("win", want.Win, c.win)
	}
	if err == nil {
		err = first(differ("urg", want.Urg, c.urg), x.compareOptions(want, c), zeros(c.payload))
	}
	return err
}

// compareFlags compares all control bits; those of ECN, where the script gives their number, as a number.
func compareFlags(want *script.TCP, c *live) error {
	if want.Flags == c.flags {
		return nil
	}
	return differ("flags", want.Flags.String(), c.flags.String())
}

// compareOptions compares kinds and values in their order.
func (x *comparer) compareOptions(want *script.TCP, c *live) error {
	if want.AnyOptions {
		return nil
	}
	if c.optErr != nil {
		return c.optErr
	}
	list := encodeOptions(want.Options)
	if n := len(joinOptions(list)); n%4 != 0 && x.cfg.Like != LikeFreeBSD {
		return fmt.Errorf("the script's TCP options are %d octets, which is no multiple of 4: pad them with nop or eol", n)
	}
	if x.cfg.Like == LikeFreeBSD && x.sameSet(want, c.options) {
		return nil
	}
	wantText, gotText := optionsText(list), optionsText(c.options)
	for i, o := range list {
		if i >= len(c.options) || c.options[i].kind != o.kind || !x.sameOption(&want.Options[i], o, c.options[i]) {
			return &mismatch{"options", wantText, gotText}
		}
	}
	if len(c.options) > len(list) {
		return &mismatch{"options", wantText, gotText}
	}
	return nil
}

// sameOption compares the values of two options of one kind.
func (x *comparer) sameOption(want *script.TCPOption, enc, got option) bool {
	if want.Kind != script.OptTS {
		return bytes.Equal(enc.data, got.data)
	}
	if len(got.data) != 8 {
		return false
	}
	be := binary.BigEndian
	if tick := x.cfg.TSTick; tick > 0 && !want.AnyTSVal {
		d := int64(int32(be.Uint32(got.data) - want.TSVal))
		if max(d, -d)*int64(tick) > int64(x.cfg.Tolerance) {
			return false
		}
	}
	return !x.cfg.CheckTSEcr || be.Uint32(got.data[4:]) == want.TSEcr
}

func optionsText(list []option) string {
	var b bytes.Buffer
	b.WriteByte('<')
	for i, o := range script.DecodeOptions(joinOptions(list)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(o.String())
	}
	b.WriteByte('>')
	return b.String()
}

func (x *comparer) compareICMP(want *script.ICMP, c *live) error {
	proto := uint8(wire.ProtoICMP)
	if x.v6 {
		proto = wire.ProtoICMPv6
	}
	if c.proto != proto {
		return differ("protocol", proto, c.proto)
	}
	typ, code, err := want.Numbers(x.v6)
	if err != nil {
		return err
	}
	err = first(differ("ICMP type", typ, c.icmpType), differ("ICMP code", code, c.icmpCode))
	if err == nil && want.HasMTU {
		err = differ("mtu", want.MTU, c.icmpMTU)
	}
	if err == nil && want.HasID {
		err = differ("id", want.ID, uint16(c.icmpMTU>>16))
	}
	if err == nil && want.Echoed != nil && want.Echoed.Proto == script.EchoedRaw {
		err = differ("length", int(want.Echoed.Len), wire.ICMPLen+len(c.payload))
	}
	return err
}

// zeros checks a payload: what scripts write is all zero.
func zeros(b []byte) error {
	for i, c := range b {
		if c != 0 {
			return fmt.Errorf("octet %d of the payload is %#02x, expected 0x00, as everything written is", i, c)
		}
	}
	return nil
}

// compareLabel compares flow labels: the live ones are not known beforehand, only that equal ones are equal and others
// others.
func (s *sock) compareLabel(want *script.IPInfo, c *live) error {
	switch {
	case !want.HasFlowLabel || want.FlowLabel == 0 || !c.v6:
		return nil
	case c.label == 0:
		return fmt.Errorf("the packet has no flow label")
	case s.label == want.FlowLabel && s.liveLabel != c.label:
		return fmt.Errorf("the flow label has changed, expected the one before")
	case s.label != 0 && s.label != want.FlowLabel && s.liveLabel == c.label:
		return fmt.Errorf("the flow label is the one before, expected another")
	}
	s.label, s.liveLabel = want.FlowLabel, c.label
	return nil
}
