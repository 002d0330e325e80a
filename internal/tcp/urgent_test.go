package tcp

import (
	"bytes"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

// RFC 9293, 3.8.5: "The urgent pointer MUST point to the sequence number of the octet following the urgent data (MUST-62)", and
// 3.1: "as a positive offset from the sequence number in this segment".
func TestSendUrgent(t *testing.T) {
	r := receiver(t, Config{SendBuffer: 1 << 20, EarlyRetrans: -1})
	sent := func() (s string) {
		var seg Segment
		for r.c.Next(r.now, &seg) {
			s += fmt.Sprintf(" %d+%d", seg.Seq-1001, seg.Len)
			if seg.Flags&wire.URG != 0 {
				s += fmt.Sprintf("!%d", seg.Urgent)
			}
		}
		return s
	}
	r.c.Send(r.now, make([]byte, 100))
	r.want(sent(), " 0+100")
	r.c.SendUrgent(make([]byte, 10))
	r.want(sent(), " 100+10!10") // Nagle's algorithm does not hold it
	r.c.Send(r.now, make([]byte, 1000))
	r.want(sent(), " 110+1000") // nor, while it is on its way, anything
	r.c.Arrive(r.now, segment(5001, 1001+100, ack, 10))
	r.want(sent(), "")
	r.c.Timeout(r.c.Deadline()) // its ACK is behind the urgent data
	r.want(sent(), " 1110+0")
	r.c.Arrive(r.now, segment(5011, 1001+1110, ack, 0))
	if r.c.urg.sending {
		t.Error("urgent data is acknowledged")
	}
	// Of several the last counts; farther away than the field can tell, the farthest.
	s := segment(5011, 1001+1110, ack, 0)
	s.Window = 65535
	r.c.snd.shift = 2
	r.c.Arrive(r.now, s)
	r.c.cw.Window = 1 << 20
	r.c.SendUrgent(make([]byte, 1460))
	r.c.Send(r.now, make([]byte, 1460*49-460))
	r.c.SendUrgent(make([]byte, 1))
	out := sent()
	if want := " 1110+1460!65535 2570+1460!65535 4030+1460!65535 5490+1460!65535 6950+1460!65535 8410+1460!65241"; !strings.HasPrefix(out, want) {
		t.Errorf("sent%s", out)
	}
	if want := " 72650+1001!1001"; !strings.HasSuffix(out, want) {
		t.Errorf("sent%s", out)
	}
	if _, err := newRig(t, Config{}).c.SendUrgent(nil); err != syscall.ENOTCONN {
		t.Error(err)
	}
}

// urgentRig gets octets named by their number, from 0 on, in segments with an urgent pointer.
type urgentRig struct{ *rig }

// segment: n octets from number from on; up, if not 0, is the urgent pointer as on the wire.
func (r urgentRig) segment(from, n, up int) {
	s := segment(Seq(5001+from), 1001, ack, n)
	for i := range s.Payload {
		s.Payload[i] = byte(from + i)
	}
	if up > 0 {
		s.Flags |= wire.URG
		s.Urgent = uint16(up)
	}
	r.arriveSegment(s)
}

// read is what a call of Receive returns, as the first number and how many; peeking first.
func (r urgentRig) read(size int) string {
	r.t.Helper()
	b, peeked := make([]byte, size), make([]byte, size)
	q := r.c.Queue()
	k := r.c.Peek(0, peeked)
	n, err := r.c.Receive(r.now, b)
	if k != n || !bytes.Equal(b, peeked) {
		r.t.Errorf("peeked %d %v, read %d %v", k, peeked[:k], n, b[:n])
	}
	if after := r.c.Queue(); err != nil || n == 0 || q.Unread-after.Unread != n {
		return fmt.Sprint(n, err, q.Unread-after.Unread-n)
	}
	for i := range b[:n] {
		if int(b[i]) != int(b[0])+i {
			return fmt.Sprint(b[:n])
		}
	}
	return fmt.Sprintf("%d+%d", b[0], n)
}

func (r urgentRig) oob(peek bool) string {
	b, n, err := r.c.ReadUrgent(peek)
	if n == 0 {
		return fmt.Sprint(err)
	}
	return fmt.Sprint(b)
}

// Urgent data out of line, as Linux delivers it: the octet before the urgent pointer is taken out of the stream, and a read
// ends before it.
func TestReceiveUrgent(t *testing.T) {
	r := urgentRig{receiver(t, Config{})}
	r.want(r.oob(false), "invalid argument")
	r.segment(0, 10, 6) // number 5 is urgent
	q := r.c.Queue()
	if !q.Urgent || q.Unread != 9 || q.ToMark != 5 || r.c.AtMark() {
		t.Errorf("%+v", q)
	}
	r.want(r.oob(true), "5")
	r.want(r.oob(false), "5")
	r.want(r.oob(false), "invalid argument")
	if r.c.Urgent() {
		t.Error("it was read")
	}
	r.want(r.read(3), "0+3")
	r.want(r.read(100), "3+2")
	if q := r.c.Queue(); !r.c.AtMark() || q.ToMark != 0 || q.Unread != 4 {
		t.Errorf("not at the mark: %+v", q)
	}
	r.want(r.read(100), "6+4")
	if r.c.AtMark() {
		t.Error("at the mark")
	}
	r.want(r.oob(false), "invalid argument")

	// The pointer comes before its octet.
	r.segment(10, 5, 8) // number 17
	r.want(r.oob(false), syscall.EAGAIN.Error())
	r.want(r.read(100), "10+5")
	r.segment(15, 5, 0)
	r.want(r.oob(true), "17")
	r.want(r.read(100), "15+2")
	// Read past, it is gone.
	r.want(r.read(1), "18+1")
	r.want(r.oob(false), "invalid argument")
	r.want(r.read(100), "19+1")

	// The urgent octet alone makes nothing readable.
	r.segment(20, 1, 1)
	if r.c.Readable() || r.c.Queue().Unread != 0 || !r.c.AtMark() {
		t.Error("readable")
	}
	r.want(r.read(10), "0 <nil> 0")
	r.want(r.oob(false), "invalid argument") // it was skipped

	// A newer pointer takes the place of one before; what nobody fetched is gone if it was next.
	r.segment(21, 1, 1)
	r.segment(22, 3, 2)
	r.want(r.oob(false), "23")
	r.want(r.read(10), "22+1")
	r.want(r.read(10), "24+1")
	// An old pointer says nothing.
	r.segment(24, 1, 1)
	r.segment(25, 5, 0)
	r.want(r.read(10), "25+5")

	// Nothing that will ever come: no octets and no error.
	r.segment(30, 1, 10)
	r.arrive(5001+31, 1001, ack|fin, 0)
	r.want(r.oob(false), "<nil>")
	r.want(r.read(10), "30+1")
	r.want(r.read(10), "0 EOF 0")
	r.segment(32, 1, 1) // "This should not occur …. Ignore the URG."
	if r.c.Urgent() {
		t.Error("urgent data behind the FIN")
	}
	r.c.Abort(r.now)
	r.want(r.oob(false), "<nil>")
	if _, _, err := new(TCB).ReadUrgent(false); err != syscall.ENOTCONN {
		t.Error(err)
	}
	r = urgentRig{receiver(t, Config{})}
	r.segment(0, 1, 10)
	r.arrive(5002, 0, rst, 0)
	r.want(r.oob(false), syscall.ENOTCONN.Error())
}

// In line: RFC 6093, 6: "applications that still decide to employ it MUST set the SO_OOBINLINE socket option"; the mark can
// still be found.
func TestUrgentInline(t *testing.T) {
	r := urgentRig{receiver(t, Config{UrgentInline: true})}
	r.segment(0, 10, 6)
	if q := r.c.Queue(); !q.Urgent || q.Unread != 10 || q.ToMark != 10 {
		t.Errorf("%+v", q)
	}
	r.want(r.oob(false), "invalid argument")
	r.want(r.read(100), "0+5")
	if !r.c.AtMark() {
		t.Error("not at the mark")
	}
	r.want(r.read(100), "5+5")
}

// RFC 1122, 4.2.2.4: the pointer names the octet behind the urgent data; with tcp_stdurg it is that octet which is urgent.
func TestStdUrg(t *testing.T) {
	r := urgentRig{receiver(t, Config{StdUrg: true})}
	r.segment(0, 10, 6)
	r.want(r.oob(false), "6")
	r.want(r.read(100), "0+6")
	r.want(r.read(100), "7+3")
}
