package onlink_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
)

// loans is a link that counts the packets on loan that it sends.
type loans struct {
	link.Link
	lent, other int // of more than 8 KiB
}

func (l *loans) Send(q int, b *packet.Batch) error {
	var all packet.Batch
	for p := b.Pop(); p != nil; p = b.Pop() {
		if p.Lent() {
			l.lent++
		} else if p.Len() > 8<<10 {
			l.other++
		}
		all.Push(p)
	}
	b.Take(&all)
	return l.Link.Send(q, b)
}

// text returns n random octets.
func text(n int) []byte {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{1})
	rng.Read(b)
	return b
}

// What is written at once leaves from where it lies, to a link that takes super-packets; to another as its own.
func TestTextIsLent(t *testing.T) {
	for _, row := range []struct {
		offload link.Offload
		mtu     int
		lent    bool
	}{{superCable.Offload, 1500, true}, {superCable.Offload, 65535, true}, {link.Checksums, 65535, false}} {
		seen := new(loans)
		cable := superCable
		cable.Offload, cable.MTU = row.offload, row.mtu
		client, server := newPairOn(t, cable, func(_ clock.Runtime, l link.Link) link.Link { seen.Link = l; return seen })
		c, s := connect(t, client, server, server4)
		sent := text(4 << 20)
		got := make(chan []byte, 1)
		go func() { b, _ := io.ReadAll(s); got <- b }()
		for b := sent; len(b) > 0; b = b[64<<10:] {
			if _, err := c.Write(b[:64<<10]); err != nil {
				t.Fatal(err)
			}
		}
		c.CloseWrite()
		if !bytes.Equal(<-got, sent) {
			t.Fatalf("%+v: other octets arrived", row)
		}
		if (seen.lent > 0) != row.lent {
			t.Errorf("%+v: %d packets were on loan, %d others", row, seen.lent, seen.other)
		}
	}
}

// Hooks that change what is on loan change a copy: what is sent again is what was written.
func TestHooksChangeCopies(t *testing.T) {
	for _, at := range []hook.Point{hook.Output, hook.Postrouting, hook.Egress, hook.Ingress, hook.Prerouting, hook.Input} {
		client, server := newPairOn(t, superCable, nil)
		stack := client
		if at == hook.Ingress || at == hook.Prerouting || at == hook.Input {
			stack = server
		}
		n := 0
		remove := stack.Hook(at).Add(0, "spoils", func(_ clock.Instant, p *packet.Buffer) hook.Verdict {
			if b := p.Bytes(); len(b) > 8<<10 {
				if n++; n%7 == 3 {
					clear(b[200:])
					return hook.Drop
				}
			}
			return hook.Continue
		})
		c, s := connect(t, client, server, server4)
		sent := text(4 << 20)
		go func() {
			c.Write(sent)
			c.CloseWrite()
		}()
		got, err := io.ReadAll(s)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%v: %d octets of %d arrived, or others: %v", at, len(got), len(sent), err)
		}
		if n < 7 {
			t.Errorf("%v: the hook has seen %d long packets", at, n)
		}
		remove()
	}
}

// Who has not read yet what is on loan reads it after the sender's connection and stack are gone.
func TestLoanOutlivesSender(t *testing.T) {
	client, server := newPairOn(t, superCable, nil)
	c, s := connect(t, client, server, server4)
	sent := text(100_000)
	if _, err := c.Write(sent); err != nil {
		t.Fatal(err)
	}
	c.Close()
	for range 100 { // what was given back is used again
		other, peer := connect(t, client, server, server4)
		other.Write(make([]byte, 64<<10))
		other.Close()
		peer.Close()
	}
	if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d octets of %d arrived, or others: %v", len(got), len(sent), err)
	}
}
