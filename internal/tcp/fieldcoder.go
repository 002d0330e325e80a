package tcp

import (
	"encoding/binary"
	"sync"

	"github.com/onlink-go/onlink/clock"
)

// fieldCoder writes the fields of a TCB, or reads them into one that is new, in an order that is the same both times. Of each field it
// keeps one bit that tells whether it is zero, and the value of those that are not: numbers in zigzag and as many octets of
// seven bits as it takes; sequence numbers and instants as differences from others that are near.
//
// What is written is: how many octets of bits there are, these, and the values.
//
// It is large, and so from a pool: see fieldCoders. It holds no pointer that changes from field to field, which would cost a write
// barrier each time while the garbage collector is at work.
type fieldCoder struct {
	reading bool
	words   [mostBits / 64]uint64 // the bits, the lowest first
	n       uint                  // bits so far
	in      string                // what is read
	at      int                   // where the next value is, in octets or in
	last    clock.Instant
	octets  [before + mostBits*binary.MaxVarintLen64]byte // what is written: the values behind room for what comes before them
}

const (
	mostBits = 448            // there may be, at least one for each value
	before   = 1 + mostBits/8 // octets before the values at most
)

var fieldCoders = sync.Pool{New: func() any { return new(fieldCoder) }}

// newFieldCoder returns one that is ready to write; done is to follow.
func newFieldCoder() *fieldCoder {
	d := fieldCoders.Get().(*fieldCoder)
	d.reading, d.words, d.n, d.at, d.last = false, [mostBits / 64]uint64{}, 0, before, 0
	return d
}

func (d *fieldCoder) done() {
	d.in = ""
	fieldCoders.Put(d)
}

// written returns all that was written.
func (d *fieldCoder) written() string {
	n := int(d.n+7) / 8
	b := d.octets[before-1-n : d.at]
	b[0] = byte(n)
	for i := range n {
		b[1+i] = byte(d.words[i/8] >> (i % 8 * 8))
	}
	return string(b)
}

// read begins to read s.
func (d *fieldCoder) read(s string) {
	n := int(s[0])
	for i := range n {
		d.words[i/8] |= uint64(s[1+i]) << (i % 8 * 8)
	}
	d.reading, d.in, d.at = true, s, 1+n
}

// note writes n bits, of which there are fewer than 64.
func (d *fieldCoder) note(bits uint64, n int) {
	i, shift := d.n/64, d.n%64
	d.words[i] |= bits << shift
	if d.n += uint(n); d.n/64 > i && d.n%64 > 0 {
		d.words[i+1] = bits >> (64 - shift)
	}
}

// noted reads n bits, of which there are fewer than 64.
func (d *fieldCoder) noted(n int) uint64 {
	i, shift := d.n/64, d.n%64
	bits := d.words[i] >> shift
	if d.n += uint(n); d.n/64 > i && d.n%64 > 0 {
		bits |= d.words[i+1] << (64 - shift)
	}
	return bits & (1<<n - 1)
}

// put writes a number.
func (d *fieldCoder) put(v int64) {
	for u := uint64(v<<1) ^ uint64(v>>63); ; u >>= 7 {
		if u < 0x80 {
			d.octets[d.at] = byte(u)
			d.at++
			return
		}
		d.octets[d.at] = byte(u) | 0x80
		d.at++
	}
}

// get reads a number.
func (d *fieldCoder) get() int64 {
	var u uint64
	for shift := 0; ; shift += 7 {
		b := d.in[d.at]
		d.at++
		if u |= uint64(b&0x7f) << shift; b < 0x80 {
			return int64(u>>1) ^ -int64(u&1)
		}
	}
}

// flags codes bools.
func (d *fieldCoder) flags(v ...*bool) {
	if d.reading {
		bits := d.noted(len(v))
		for i, v := range v {
			*v = bits>>i&1 != 0
		}
		return
	}
	bits := uint64(0)
	for i, v := range v {
		if *v {
			bits |= 1 << i
		}
	}
	d.note(bits, len(v))
}

// integer is what a number can be.
type integer interface {
	~int | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

// numbers codes numbers of one type.
func numbers[T integer](d *fieldCoder, v ...*T) {
	if d.reading {
		bits := d.noted(len(v))
		for i, v := range v {
			if bits>>i&1 != 0 {
				*v = T(d.get())
			}
		}
		return
	}
	bits := uint64(0)
	for i, v := range v {
		if *v != 0 {
			bits |= 1 << i
			d.put(int64(*v))
		}
	}
	d.note(bits, len(v))
}

// seqs codes sequence numbers near base.
func (d *fieldCoder) seqs(base Seq, v ...*Seq) {
	if d.reading {
		bits := d.noted(len(v))
		for i, v := range v {
			if bits>>i&1 != 0 {
				*v = base + Seq(d.get())
			}
		}
		return
	}
	bits := uint64(0)
	for i, v := range v {
		if *v != 0 {
			bits |= 1 << i
			d.put(int64(int32(*v - base)))
		}
	}
	d.note(bits, len(v))
}

// instants codes instants, which may be clock.Never: that is a bit.
func (d *fieldCoder) instants(v ...*clock.Instant) {
	if d.reading {
		bits, never := d.noted(len(v)), d.noted(len(v))
		for i, v := range v {
			switch {
			case never>>i&1 != 0:
				*v = clock.Never
			case bits>>i&1 != 0:
				*v = d.last + clock.Instant(d.get())
				d.last = *v
			}
		}
		return
	}
	bits, never := uint64(0), uint64(0)
	for i, v := range v {
		switch *v {
		case 0:
		case clock.Never:
			never |= 1 << i
		default:
			bits |= 1 << i
			d.put(int64(*v - d.last))
			d.last = *v
		}
	}
	d.note(bits, len(v))
	d.note(never, len(v))
}
