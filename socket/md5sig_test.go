package socket

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink/internal/tcpauth"
)

// md5sig lays out a struct tcp_md5sig.
func md5sig(family int, a netip.Addr, flags, prefix byte, key string) []byte {
	b := make([]byte, sizeofMD5Sig)
	binary.NativeEndian.PutUint16(b, uint16(family))
	at := sockaddr6Addr
	if a.Is4() {
		at = sockaddr4Addr
	}
	copy(b[at:], a.AsSlice())
	b[md5SigFlags], b[md5SigPrefix] = flags, prefix
	binary.NativeEndian.PutUint16(b[md5SigKeyLen:], uint16(len(key)))
	copy(b[md5SigKey:], key)
	return b
}

// Keys are added, replaced and taken away by peer; TCP_MD5SIG_EXT takes prefixes.
func TestMD5Sig(t *testing.T) {
	s4, s6 := &stream{}, &stream{}
	s4.domain, s6.domain = AF_INET, AF_INET6
	a4, mapped := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::ffff:192.0.2.1")
	a6 := netip.MustParseAddr("2001:db8::1")
	for _, c := range []struct {
		s    *stream
		b    []byte
		ext  bool
		err  error
		keys string
	}{
		{s4, md5sig(AF_INET, a4, 0, 0, "a")[:215], false, syscall.EINVAL, ""},
		{s4, md5sig(AF_INET6, a6, 0, 0, "a"), false, syscall.EINVAL, ""},
		{s4, md5sig(AF_INET, a4, 0, 0, ""), false, syscall.ENOENT, ""},
		{s4, md5sig(AF_INET, a4, 0, 0, "a"), false, nil, "192.0.2.1/32=a "},
		{s4, md5sig(AF_INET, a4, md5FlagPrefix, 24, "b"), false, nil, "192.0.2.1/32=b "},
		{s4, md5sig(AF_INET, a4, md5FlagPrefix, 24, "c"), true, nil, "192.0.2.1/32=b 192.0.2.0/24=c "},
		{s4, md5sig(AF_INET, a4, md5FlagPrefix, 33, "c"), true, syscall.EINVAL, "192.0.2.1/32=b 192.0.2.0/24=c "},
		{s4, md5sig(AF_INET, a4, 0, 0, ""), false, nil, "192.0.2.0/24=c "},
		{s6, md5sig(AF_INET6, mapped, 0, 0, "m"), false, nil, "192.0.2.1/32=m "},
		{s6, md5sig(AF_INET6, mapped, md5FlagPrefix, 120, "n"), true, nil, "192.0.2.1/32=m 192.0.2.0/24=n "},
		{s6, md5sig(AF_INET6, a6, md5FlagPrefix, 32, "x"), true, nil, "192.0.2.1/32=m 192.0.2.0/24=n 2001:db8::/32=x "},
	} {
		if err := c.s.setMD5Sig(c.b, c.ext); err != c.err {
			t.Errorf("error %v, want %v", err, c.err)
		}
		got := ""
		for _, k := range c.s.authKeys {
			got += k.Peer.String() + "=" + string(k.Secret) + " "
		}
		if got != c.keys {
			t.Errorf("keys are %q, want %q", got, c.keys)
		}
	}
	if long := md5sig(AF_INET, a4, 0, 0, ""); true {
		binary.NativeEndian.PutUint16(long[md5SigKeyLen:], md5SigKeyMax+1)
		if err := s4.setMD5Sig(long, false); err != syscall.EINVAL {
			t.Errorf("a key too long: %v", err)
		}
	}
	if k := s4.keys().All(); len(k) != 1 || k[0].Algorithm != tcpauth.MD5 {
		t.Errorf("keys are %v", k)
	}
}
