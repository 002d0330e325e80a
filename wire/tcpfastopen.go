package wire

import "encoding/binary"

// FastOpenOption is TCP Fast Open's cookie, or the request for one (RFC 7413, 4.1.1):
//
//	                                +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	                                |      Kind     |    Length     |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                                                               |
//	~                            Cookie                             ~
//	|                                                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
//	Kind    1 octet: value = 34
//	Length  1 octet: range 6 to 18 (bytes); limited by remaining space in the options field. The number MUST be even.
//	Cookie  0, or 4 to 16 octets (Length - 2)
//
// The experimental form, which came before it, is of kind 254 with the identifier 0xF989 of RFC 6994 ahead of the cookie.
// The zero value is an option that is absent.
type FastOpenOption struct {
	Present      bool
	Experimental bool  // the form of kind 254
	Len          uint8 // octets of Cookie; 0: a request for one
	Cookie       [FastOpenCookieMax]byte
}

// The lengths of a cookie in octets: RFC 7413, 4.1.1.
const (
	FastOpenCookieMin = 4
	FastOpenCookieMax = 16
)

// fastOpenID is the identifier of the experimental form (RFC 6994, 3).
const fastOpenID = 0xf989

// parse reads the option from what follows kind and length. RFC 7413, 4.1.1: "Options with invalid Length values or
// without the SYN flag set MUST be ignored." The flag is for the reader of the segment to look at.
func (f *FastOpenOption) parse(kind uint8, data []byte) {
	exp := kind == tcpOptExperiment
	if exp {
		if len(data) < 2 || binary.BigEndian.Uint16(data) != fastOpenID {
			return // another experiment
		}
		data = data[2:]
	}
	if n := len(data); n%2 != 0 || n > FastOpenCookieMax || n > 0 && n < FastOpenCookieMin {
		return
	}
	*f = FastOpenOption{Present: true, Experimental: exp, Len: uint8(len(data))}
	copy(f.Cookie[:], data)
}

// optionLen returns the octets of the option without padding.
func (f *FastOpenOption) optionLen() int {
	n := 2 + int(min(f.Len, FastOpenCookieMax))
	if f.Experimental {
		n += 2
	}
	return n
}

// len returns the octets that put writes beside n octets of other options: a multiple of 4; 0 if there is no room for
// the option, or none.
func (f *FastOpenOption) len(n int) int {
	if !f.Present {
		return 0
	}
	if padded := (f.optionLen() + 3) &^ 3; n+padded <= tcpMaxOptionsLen {
		return padded
	}
	return 0
}

// put writes the option and its padding to b, which is as long as both.
func (f *FastOpenOption) put(b []byte) {
	n := f.optionLen()
	cookie := b[2:n]
	b[0], b[1] = tcpOptFastOpen, uint8(n)
	if f.Experimental {
		b[0] = tcpOptExperiment
		binary.BigEndian.PutUint16(cookie, fastOpenID)
		cookie = cookie[2:]
	}
	copy(cookie, f.Cookie[:])
	for i := n; i < len(b); i++ {
		b[i] = tcpOptNOP
	}
}
