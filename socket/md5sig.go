package socket

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"syscall"

	"github.com/onlink-go/onlink/internal/tcpauth"
)

// Linux's struct tcp_md5sig: the peer's address in a struct sockaddr_storage, flags, the length of a prefix, the length of
// the key, an interface, and the key.
const (
	sizeofMD5Sig   = 216
	md5SigFlags    = 128
	md5SigPrefix   = 129
	md5SigKeyLen   = 130
	md5SigKey      = 136
	md5SigKeyMax   = 80
	md5FlagPrefix  = 1
	sockaddr4Addr  = 4
	sockaddr6Addr  = 8
	prefixOfMapped = 96
)

// setMD5Sig sets or, without a key in it, takes away the key that segments to and from a peer are signed with: TCP_MD5SIG,
// and with a prefix of peers TCP_MD5SIG_EXT. A connection that was opened without keys stays without. mu locked.
func (s *stream) setMD5Sig(b []byte, ext bool) error {
	if len(b) < sizeofMD5Sig {
		return syscall.EINVAL
	}
	peer, err := s.md5Peer(b, ext && b[md5SigFlags]&md5FlagPrefix != 0)
	if err != nil {
		return err
	}
	n := int(binary.NativeEndian.Uint16(b[md5SigKeyLen:]))
	if n > md5SigKeyMax {
		return syscall.EINVAL
	}
	keys := slices.Clone(s.authKeys)
	i := slices.IndexFunc(keys, func(k tcpauth.Key) bool { return k.Peer == peer })
	if n == 0 && i < 0 {
		return syscall.ENOENT
	}
	if i >= 0 {
		keys = slices.Delete(keys, i, i+1)
	}
	if n > 0 {
		keys = append(keys, tcpauth.Key{Peer: peer, Algorithm: tcpauth.MD5, Secret: bytes.Clone(b[md5SigKey : md5SigKey+n])})
	}
	set, err := tcpauth.NewKeys(keys)
	if err != nil {
		return syscall.EINVAL
	}
	switch {
	case s.listener != nil:
		err = s.listener.SetKeys(set)
	case s.conn != nil && n > 0:
		err = s.conn.SetKeys(set)
	}
	if err != nil {
		return errno(err)
	}
	s.authKeys = keys
	return nil
}

// md5Peer reads whom a key is for.
func (s *stream) md5Peer(b []byte, prefix bool) (netip.Prefix, error) {
	var a netip.Addr
	switch family := int(binary.NativeEndian.Uint16(b)); {
	case family != s.domain:
		return netip.Prefix{}, syscall.EINVAL
	case family == AF_INET:
		a = netip.AddrFrom4([4]byte(b[sockaddr4Addr:]))
	default:
		a = netip.AddrFrom16([16]byte(b[sockaddr6Addr:]))
	}
	bits := a.BitLen()
	if prefix {
		bits = int(b[md5SigPrefix])
	}
	if a.Is4In6() {
		if prefix {
			bits -= prefixOfMapped
		} else {
			bits = 32
		}
		a = a.Unmap()
	}
	p := netip.PrefixFrom(a, bits)
	if !p.IsValid() {
		return p, syscall.EINVAL
	}
	return p.Masked(), nil
}

// keys returns the keys of connections to come. mu locked.
func (s *stream) keys() *tcpauth.Keys {
	set, _ := tcpauth.NewKeys(s.authKeys) // they were looked at when they were set
	return set
}
