package capture

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
)

// DefaultSnapLen is how much of each frame is kept unless Config says otherwise: all of the longest.
const DefaultSnapLen = 256 << 10

// maxPending is how many frames may wait for their fate to be known. Beyond it the oldest is written as it is.
const maxPending = 4096

// Config describes a Writer. Its zero value is usable.
type Config struct {
	SnapLen int // octets kept of each frame at most; 0: DefaultSnapLen
}

// Writer writes frames of any number of links to one pcapng file, in the order in which they were seen. It may be
// used from several goroutines.
//
// A frame's fate is known only when the link has taken it, or the receiver has come back from Deliver; until then
// it, and what was seen after it, waits in memory.
type Writer struct {
	snapLen int

	mu         sync.Mutex
	out        *bufio.Writer
	err        error // the first that out returned, or errDone; nothing is written after it
	interfaces uint32
	buf        []byte // one block
	oldest     *record
	newest     *record
	pending    int
	spare      *record // for reuse; linked by next
}

var errDone = errors.New("capture: writer is closed")

// record is a frame seen whose fate is not known yet.
type record struct {
	next    *record // in the Writer's order
	sibling *record // of the same batch

	iface   uint32
	at      time.Time
	flags   uint32
	length  int
	data    []byte
	packet  *packet.Buffer // of an incoming frame: by which a drop is recognised. Not used but to compare
	comment string
	fate    fate
}

type fate uint8

const (
	unknown fate = iota
	passed       // it was on the wire
	left         // the link did not take it
)

// NewWriter returns a Writer on out. Errors of out are remembered: they end the writing, not the traffic, and
// Flush and Close return them.
func NewWriter(out io.Writer, cfg Config) *Writer {
	w := &Writer{out: bufio.NewWriterSize(out, 64<<10), snapLen: cfg.SnapLen}
	if w.snapLen <= 0 {
		w.snapLen = DefaultSnapLen
	}
	w.buf = appendSection(w.buf)
	w.write()
	return w
}

// Flush writes out what is buffered, but for frames whose fate is not known yet.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = w.out.Flush()
	}
	return w.result()
}

// Close writes out everything; frames seen later are not written. It returns the first error of the underlying
// writer, which it does not close.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.oldest != nil {
		w.writeOldest()
	}
	if w.err == nil {
		w.err = w.out.Flush()
	}
	err := w.result()
	if w.err == nil {
		w.err = errDone
	}
	return err
}

func (w *Writer) result() error {
	if w.err == errDone {
		return nil
	}
	return w.err
}

// write writes buf and empties it. w.mu held.
func (w *Writer) write() {
	if w.err == nil {
		_, w.err = w.out.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// addInterface describes a link and returns its number.
func (w *Writer) addInterface(name string, info link.Info) uint32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = appendInterface(w.buf, name, info, w.snapLen)
	w.write()
	w.interfaces++
	return w.interfaces - 1
}

// see notes the frames of b and returns their records, linked as siblings; nil if nothing is written any more.
func (w *Writer) see(l *Link, b *packet.Batch, direction uint32) *record {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return nil
	}
	at := l.rt.Wall()
	var first *record
	last := &first
	for p := b.Front(); p != nil; p = p.Next() {
		r := w.newRecord()
		frame := p.Bytes()
		r.iface, r.at, r.length = l.id, at, len(frame)
		r.flags = direction | reception(l.medium, frame)
		r.data = append(r.data[:0], frame[:min(len(frame), w.snapLen)]...)
		if direction == flagInbound {
			r.packet = p
		}
		if w.newest == nil {
			w.oldest = r
		} else {
			w.newest.next = r
		}
		w.newest = r
		w.pending++
		*last, last = r, &r.sibling
	}
	for w.pending > maxPending {
		w.writeOldest()
	}
	return first
}

// settle says of a batch's records, which begin with r, that the first n were on the wire and the others were not;
// and writes what now can be.
func (w *Writer) settle(r *record, n int) {
	if r == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for ; r != nil; n-- {
		next := r.sibling
		r.fate, r.packet = left, nil
		if n > 0 {
			r.fate = passed
		}
		r = next
	}
	for w.oldest != nil && w.oldest.fate != unknown {
		w.writeOldest()
	}
}

// dropped notes on the incoming frame that became p, if there is one on interface iface, why p was dropped.
func (w *Writer) dropped(iface uint32, p *packet.Buffer, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for r := w.oldest; r != nil; r = r.next {
		if r.iface == iface && r.packet == p && r.became(p) {
			r.comment = "dropped: " + reason
			return
		}
	}
}

// became reports whether p, which is the Buffer that r came in, still holds that frame: the Buffer may have been
// freed and be another packet now. The stack takes headers off in front and padding at the end, and changes hop
// limit and link addresses; all of that is in the first octets, or shortens the frame.
func (r *record) became(p *packet.Buffer) bool {
	const headers = 40
	if len(r.data) < r.length {
		return true // too little of it was kept to compare
	}
	b := p.Bytes()
	if len(b) > headers {
		b = b[headers:]
	}
	return bytes.Contains(r.data, b)
}

// writeOldest takes the first record out of the order and writes it, unless it never was on the wire. w.mu held.
func (w *Writer) writeOldest() {
	r := w.oldest
	w.oldest = r.next
	if w.oldest == nil {
		w.newest = nil
	}
	r.next = nil
	w.pending--
	if r.fate != left {
		w.buf = appendPacket(w.buf, r.iface, r.at, r.data, r.length, r.flags, r.comment)
		w.write()
	}
	if r.fate != unknown { // else settle will come for it
		w.recycle(r)
	}
}

func (w *Writer) newRecord() *record {
	r := w.spare
	if r == nil {
		return new(record)
	}
	w.spare = r.next
	*r = record{data: r.data}
	return r
}

func (w *Writer) recycle(r *record) {
	r.sibling, r.packet = nil, nil
	r.next, w.spare = w.spare, r
}
