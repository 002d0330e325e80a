package onlink_test

import (
	"sync"
	"testing"
	"testing/synctest"

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

// A large Write leaves in packets as large as can be, though it is copied in several holds of the lock. (In a bubble no time passes:
// how much leaves at once depends on the round-trip time.)
func TestWriteIsOnePacket(t *testing.T) {
	for host, headers := range map[string]int{server4: 14 + 20 + 32, server6: 14 + 40 + 32} {
		synctest.Test(t, func(t *testing.T) {
			const offloads = link.Checksums | link.TCP4 | link.TCP6
			a, b := mem.Pair(mem.Config{Offload: offloads})
			seen := &lengths{Link: a}
			var cfg onlink.Config
			cfg.TCP.InitialWindow = 60
			client, server := newStack(t, cfg), newStack(t, onlink.Config{})
			defer closeNow(client, server)
			addLink(t, client, seen, clientAddrs)
			addLink(t, server, b, serverAddrs)
			c, _ := connect(t, client, server, host)
			if _, err := c.Write(make([]byte, 40000)); err != nil {
				t.Fatal(err)
			}
			seen.mu.Lock()
			defer seen.mu.Unlock()
			if want := headers + 40000; len(seen.sent) != 1 || seen.sent[0] != want {
				t.Errorf("to %s left super-packets of %d octets, not one of %d", host, seen.sent, want)
			}
		})
	}
}
