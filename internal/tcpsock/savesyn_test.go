package tcpsock

import (
	"testing"

	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/wire"
)

// TCP_SAVE_SYN: a listener's connections keep the headers of their SYN until somebody takes them.
func TestSavedSYN(t *testing.T) {
	for _, save := range []int{0, 1} {
		r := newRig(t, 1)
		l := r.listen(80, 5)
		if err := l.Configure(func(c *tcp.Config) { c.SaveSYN = save }); err != nil {
			t.Fatal(err)
		}
		r.ack(peer4, r.syn(peer4, 5000, 80))
		c, err := r.accept(l)
		if err != nil {
			t.Fatal(err)
		}
		b := c.SavedSYN(false)
		if save == 0 {
			if b != nil {
				t.Errorf("saved %x unasked", b)
			}
			continue
		}
		if len(b) < wire.IPv4MinLen+wire.TCPMinLen || b[0] != 0x45 || wire.TCP(b[wire.IPv4MinLen:]).Seq() != 1000 {
			t.Errorf("saved %x", b)
		}
		if c.SavedSYN(true) == nil || c.SavedSYN(true) != nil {
			t.Error("it is not forgotten")
		}
	}
}
