package mem

import (
	"testing"
	"testing/synctest"

	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
)

// held is a receiver that stays in Deliver for queue 0 until it is let go, and counts the frames of each queue.
type held struct {
	letGo chan struct{}
	n     [2]int
}

func (h *held) Deliver(q int, b *packet.Batch) {
	if q == 0 {
		<-h.letGo
	}
	h.n[q] += b.Len()
	b.Free()
}

func (h *held) Ready(int)         {}
func (h *held) Changed(link.Info) {}

// The queues towards a port do not wait for each other, on a cable as on a switch.
func TestQueues(t *testing.T) {
	for _, kind := range []string{"cable", "switch"} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := Pair(Config{Queues: 2})
				if kind == "switch" {
					s := NewSwitch(2, Config{Queues: 2})
					a, b = s.Port(0), s.Port(1)
				}
				defer b.Close()
				defer a.Close()
				if i := a.Info(); i.Queues != 2 || i.SendQueues != 2 {
					t.Fatalf("%d queues in, %d out", i.Queues, i.SendQueues)
				}
				h := &held{letGo: make(chan struct{})}
				if err := b.Attach(h); err != nil {
					t.Fatal(err)
				}
				send := func(q int) {
					var batch packet.Batch
					batch.Push(packet.From(make([]byte, 60)))
					if err := a.Send(q, &batch); err != nil || !batch.Empty() {
						t.Errorf("queue %d: %v, %d frames left", q, err, batch.Len())
					}
				}
				done := false
				go func() {
					send(0)
					done = true
				}()
				synctest.Wait()
				send(1)
				if done || h.n != [2]int{0, 1} {
					t.Errorf("while queue 0 is held: delivered %v, done %v", h.n, done)
				}
				close(h.letGo)
				synctest.Wait()
				if !done || h.n != [2]int{1, 1} {
					t.Errorf("in the end: delivered %v, done %v", h.n, done)
				}
			})
		})
	}
}
