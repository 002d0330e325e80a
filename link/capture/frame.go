package capture

import (
	"time"

	"github.com/onlink-go/onlink/link"
)

// AddInterface describes an interface whose frames come by WriteFrame, and returns its number in the file.
func (w *Writer) AddInterface(name string, info link.Info) (id uint32) {
	return w.addInterface(name, info)
}

// Frame is a frame for WriteFrame.
type Frame struct {
	Interface uint32 // as AddInterface returned it
	Medium    link.Medium
	Outgoing  bool
	Wall      time.Time
	Data      []byte // the frame, or its beginning
	Len       int    // octets of the frame
}

// WriteFrame writes a frame that somebody else saw, as a packet socket. It returns the first error of the underlying
// writer.
func (w *Writer) WriteFrame(f *Frame) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	direction := uint32(flagInbound)
	if f.Outgoing {
		direction = flagOutbound
	}
	data := f.Data[:min(len(f.Data), w.snapLen)]
	w.buf = appendPacket(w.buf, f.Interface, f.Wall, data, f.Len, direction|reception(f.Medium, f.Data), "")
	w.write()
	return w.result()
}
