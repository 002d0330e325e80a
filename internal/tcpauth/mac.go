package tcpauth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"hash"

	"github.com/onlink-go/onlink/wire"
)

// macLen is how many octets of the MAC are in the option: both algorithms are truncated to 96 bits (RFC 5926, 3.2).
const macLen = 12

// tuple is what a traffic key is derived for, as seen by the segment's sender.
type tuple struct {
	src, dst         wire.Addr
	srcPort, dstPort uint16
	srcISN, dstISN   uint32
}

// appendContext appends the KDF's context: RFC 5925, 5.2, figures 7 and 8.
func (t *tuple) appendContext(b []byte) []byte {
	b = appendAddr(b, t.src)
	b = appendAddr(b, t.dst)
	b = binary.BigEndian.AppendUint16(b, t.srcPort)
	b = binary.BigEndian.AppendUint16(b, t.dstPort)
	b = binary.BigEndian.AppendUint32(b, t.srcISN)
	return binary.BigEndian.AppendUint32(b, t.dstISN)
}

// appendAddr appends the 4 or 16 octets of a.
func appendAddr(b []byte, a wire.Addr) []byte {
	var raw [16]byte
	if a.Is4() {
		a.Put4(raw[:4])
		return append(b, raw[:4]...)
	}
	a.Put16(raw[:])
	return append(b, raw[:]...)
}

// derive returns the MAC of k's traffic key for t.
//
// RFC 5926, 3.1.1: "Input: ( i || Label || Context || Output_Length)", where i is 1, the label is "TCP-AO" without an
// end, and the length is in bits, in two octets.
func (k *Key) derive(t *tuple) hash.Hash {
	input := make([]byte, 0, 1+6+44+2)
	input = t.appendContext(append(input, 1, 'T', 'C', 'P', '-', 'A', 'O'))
	if k.Algorithm == AESCMAC {
		input = binary.BigEndian.AppendUint16(input, 128)
		// "If MKlen is equal to 16 then K := MK; else K := AES-CMAC(0^128, MK, MKlen); TK := AES-CMAC(K, I, len)".
		master := k.Secret
		if len(master) != 16 {
			master = sum(newCMAC(make([]byte, 16)), master)
		}
		return newCMAC(sum(newCMAC(master), input))
	}
	input = binary.BigEndian.AppendUint16(input, 160)
	return newHMAC(sum(newHMAC(k.Secret), input))
}

func newHMAC(key []byte) hash.Hash { return hmac.New(sha1.New, key) }

// sum returns h's value of b.
func sum(h hash.Hash, b []byte) []byte {
	h.Write(b)
	return h.Sum(nil)
}

// cmac is AES-CMAC as RFC 4493 has it, as a hash.Hash.
type cmac struct {
	block  cipher.Block
	k1, k2 [aes.BlockSize]byte
	x      [aes.BlockSize]byte // the chain so far
	last   [aes.BlockSize]byte // the block not yet in it
	n      int                 // octets of last
}

// newCMAC returns the AES-CMAC of a key of 16 octets.
func newCMAC(key []byte) *cmac {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the length is ours
	}
	c := &cmac{block: block}
	// RFC 4493, 2.3: K1 := L << 1, xor const_Rb if the most significant bit was set; K2 likewise of K1.
	block.Encrypt(c.k1[:], c.k1[:])
	double(&c.k1)
	c.k2 = c.k1
	double(&c.k2)
	return c
}

// double multiplies b by x in GF(2^128).
func double(b *[aes.BlockSize]byte) {
	hi, lo := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
	carry := hi >> 63
	hi, lo = hi<<1|lo>>63, lo<<1^carry*0x87
	binary.BigEndian.PutUint64(b[:8], hi)
	binary.BigEndian.PutUint64(b[8:], lo)
}

func (c *cmac) Write(b []byte) (int, error) {
	written := len(b)
	for len(b) > 0 {
		if c.n == aes.BlockSize {
			c.chain(&c.last)
			c.n = 0
		}
		n := copy(c.last[c.n:], b)
		c.n += n
		b = b[n:]
	}
	return written, nil
}

// chain takes a block in.
func (c *cmac) chain(b *[aes.BlockSize]byte) {
	for i := range c.x {
		c.x[i] ^= b[i]
	}
	c.block.Encrypt(c.x[:], c.x[:])
}

// Sum appends the MAC of what was written; more can be written behind it.
func (c *cmac) Sum(b []byte) []byte {
	x, last := c.x, c.last
	k := &c.k1
	if c.n < aes.BlockSize {
		// RFC 4493, 2.4: a last block that is not full is padded with a 1 bit and zeros.
		clear(c.last[c.n:])
		c.last[c.n] = 0x80
		k = &c.k2
	}
	for i := range c.last {
		c.last[i] ^= k[i]
	}
	c.chain(&c.last)
	b = append(b, c.x[:]...)
	c.x, c.last = x, last
	return b
}

func (c *cmac) Reset() {
	c.x, c.last, c.n = [aes.BlockSize]byte{}, [aes.BlockSize]byte{}, 0
}

func (c *cmac) Size() int      { return aes.BlockSize }
func (c *cmac) BlockSize() int { return aes.BlockSize }
