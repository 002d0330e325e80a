package onlink_test

import (
	"sync"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/packet"
)

// lengths is a link that notes how many octets the super-packets have that it sends.
type lengths struct {
	link.Link
	mu   sync.Mutex
	sent []int
}

func (l *lengths) Send(q int, b *packet.Batch) error {
	var all packet.Batch
	for p := b.Pop(); p != nil; p = b.Pop() {
		if p.GSOSize != 0 {
			l.mu.Lock()
			l.sent = append(l.sent, p.Len())
			l.mu.Unlock()
		}
		all.Push(p)
	}
	b.Take(&all)
	return l.Link.Send(q, b)
}

// A large Write leaves in packets as large as can be, though it is copied in several holds of the lock.
func TestWriteIsOnePacket(t *testing.T) {
	const offloads = link.Checksums | link.TCP4 | link.TCP6
	a, b := mem.Pair(mem.Config{Offload: offloads})
	seen := &lengths{Link: a}
	var cfg onlink.Config
	cfg.TCP.InitialWindow = 60
	client, server := newStack(t, cfg), newStack(t, onlink.Config{})
	addLink(t, client, seen, clientAddrs)
	addLink(t, server, b, serverAddrs)
	for host, headers := range map[string]int{server4: 14 + 20 + 32, server6: 14 + 40 + 32} {
		seen.sent = nil
		c, s := connect(t, client, server, host)
		if _, err := c.Write(make([]byte, 40000)); err != nil {
			t.Fatal(err)
		}
		seen.mu.Lock()
		if want := headers + 40000; len(seen.sent) != 1 || seen.sent[0] != want {
			t.Errorf("to %s left super-packets of %d octets, not one of %d", host, seen.sent, want)
		}
		seen.mu.Unlock()
		c.Close()
		s.Close()
	}
}
