package packetdrill

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"fmt"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
	"github.com/onlink-go/onlink/wire"
)

// The TCP MD5 Signature option (RFC 2385). Its digest covers what a script cannot know, sequence numbers and ports among
// it. Where a script writes md5 without a digest, the interpreter computes it, with the key that the script has given to
// setsockopt: for packets that arrive, to have the right one; for packets that leave, to see whether they do.
const (
	tcpMD5Sig  = 14
	md5SigSize = 216 // struct tcp_md5sig
	md5KeyMax  = 80
)

// md5sig lays out struct tcp_md5sig from {tcpm_key = "secret"}: the peer's address, flags, length of a prefix, length of
// the key, interface, key.
func (a args) md5sig(x *script.Struct) ([]byte, error) {
	const addrSize, flags, keyLen, key = 128, 128, 130, 136
	b := make([]byte, md5SigSize)
	r := a.r
	peer := r.cfg.sockAddr(r.cfg.RemoteIP, 0)
	family := afINET6
	if peer.Addr().Is4() {
		family = afINET
		copy(b[4:], peer.Addr().AsSlice())
	} else {
		copy(b[8:addrSize], peer.Addr().AsSlice())
	}
	le.PutUint16(b, uint16(family))
	for i := range x.Fields {
		f := &x.Fields[i]
		switch f.Name {
		case "tcpm_addr":
		case "tcpm_key":
			s, ok := f.Value.(*script.Str)
			if !ok || len(s.Value) > md5KeyMax {
				return nil, fmt.Errorf("tcpm_key is a string of at most %d octets", md5KeyMax)
			}
			copy(b[key:], s.Value)
			le.PutUint16(b[keyLen:], uint16(len(s.Value)))
		case "tcpm_flags":
			v, err := r.eval().int32(f.Value)
			if err != nil {
				return nil, err
			}
			b[flags] = byte(v)
		default:
			return nil, fmt.Errorf("tcp_md5sig has no field %q", f.Name)
		}
	}
	r.md5Key = bytes.Clone(b[key : key+int(le.Uint16(b[keyLen:]))])
	return b, nil
}

// md5Digest computes the digest of a segment: over the pseudo-header, the header without options and with a checksum of
// zero, the data, and the key (RFC 2385, 2.0).
func md5Digest(packet []byte, key []byte) []byte {
	be := binary.BigEndian
	var pseudo []byte
	var segment []byte
	if packet[0]>>4 == 4 {
		h := wire.IPv4(packet)
		segment = h.Payload()
		pseudo = append(pseudo, packet[12:20]...)
		pseudo = be.AppendUint16(append(pseudo, 0, wire.ProtoTCP), uint16(len(segment)))
	} else {
		segment = wire.IPv6(packet).Payload()
		pseudo = append(pseudo, packet[8:40]...)
		pseudo = be.AppendUint32(be.AppendUint32(pseudo, uint32(len(segment))), wire.ProtoTCP)
	}
	t := wire.TCP(segment)
	header := bytes.Clone(segment[:wire.TCPMinLen])
	be.PutUint16(header[wire.TCPChecksumOffset:], 0)
	h := md5.New()
	for _, b := range [][]byte{pseudo, header, t.Payload(), key} {
		h.Write(b)
	}
	return h.Sum(nil)
}

// wantsDigest reports whether a segment of the script has an MD5 option whose digest is left open.
func wantsDigest(t *script.TCP) bool {
	for i := range t.Options {
		if o := &t.Options[i]; o.Kind == script.OptMD5 && !o.Raw && len(o.Data) == 0 {
			return true
		}
	}
	return false
}

// withDigest returns the segment of the script with a digest.
func withDigest(p *script.Packet, digest []byte) *script.Packet {
	q, t := *p, *p.TCP
	t.Options = append([]script.TCPOption(nil), t.Options...)
	for i := range t.Options {
		if o := &t.Options[i]; o.Kind == script.OptMD5 && !o.Raw && len(o.Data) == 0 {
			o.Data = digest
		}
	}
	q.TCP = &t
	return &q
}
