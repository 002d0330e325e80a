package tcp

import "github.com/onlink-go/onlink/clock"

// fieldCoder writes the fields of a TCB, or reads them into one that is new, in an order that is the same both times. Of each field it
// keeps one bit that tells whether it is zero, and the value of those that are not: numbers in zigzag and as many octets of
// seven bits as it takes; sequence numbers and instants as differences from others that are near.
//
// What is written is: how many octets of bits there are, these, and the values.
type fieldCoder struct {
	reading bool
	bits    [48]byte
	n       int    // bits so far
	octets  []byte // values, as they are written
	in      string // values, as they are read
	at      clock.Instant
}

// written returns all that was written.
func (d *fieldCoder) written() string {
	n := (d.n + 7) / 8
	b := make([]byte, 0, 512)
	b = append(b, byte(n))
	b = append(b, d.bits[:n]...)
	return string(append(b, d.octets...))
}

// read begins to read s.
func (d *fieldCoder) read(s string) {
	n := copy(d.bits[:], s[1:1+s[0]])
	d.in = s[1+n:]
}

// bit codes one bit.
func (d *fieldCoder) bit(b bool) bool {
	i, mask := d.n/8, byte(1)<<(d.n%8)
	d.n++
	if d.reading {
		return d.bits[i]&mask != 0
	}
	if b {
		d.bits[i] |= mask
	}
	return b
}

// value codes a number.
func (d *fieldCoder) value(v int64) int64 {
	if !d.reading {
		u := uint64(v<<1) ^ uint64(v>>63)
		for ; u >= 0x80; u >>= 7 {
			d.octets = append(d.octets, byte(u)|0x80)
		}
		d.octets = append(d.octets, byte(u))
		return v
	}
	var u uint64
	for shift := 0; ; shift += 7 {
		b := d.in[0]
		d.in = d.in[1:]
		if u |= uint64(b&0x7f) << shift; b < 0x80 {
			return int64(u>>1) ^ -int64(u&1)
		}
	}
}

// flags codes bools.
func (d *fieldCoder) flags(v ...*bool) {
	for _, v := range v {
		*v = d.bit(*v)
	}
}

// integer is what a number can be.
type integer interface {
	~int | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

// numbers codes numbers of one type.
func numbers[T integer](d *fieldCoder, v ...*T) {
	for _, v := range v {
		if d.bit(*v != 0) {
			*v = T(d.value(int64(*v)))
		}
	}
}

// seqs codes sequence numbers near base.
func (d *fieldCoder) seqs(base Seq, v ...*Seq) {
	for _, v := range v {
		if d.bit(*v != 0) {
			*v = base + Seq(d.value(int64(int32(*v-base))))
		}
	}
}

// instants codes instants, which may be clock.Never.
func (d *fieldCoder) instants(v ...*clock.Instant) {
	for _, v := range v {
		switch {
		case !d.bit(*v != 0):
		case d.bit(*v == clock.Never):
			*v = clock.Never
		default:
			*v = d.at + clock.Instant(d.value(int64(*v-d.at)))
			d.at = *v
		}
	}
}
