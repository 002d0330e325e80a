package main

import (
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// The kinds of offload of a queue.
const (
	softwareGSO = stack.GVisorGSOSupported // super-packets are cut by gVisor before the link
	hostGSO     = stack.HostGSOSupported   // the link takes them, and checksums on trust
)

// gvisorQueue is two of gVisor's stacks on a link that hands over all packets that wait at once, from one goroutine for
// each direction: the fastest one in memory that was found for it.
func gvisorQueue(mtu uint32, gso stack.SupportedGSO, limit int) opener {
	return func(f family) (*pair, error) {
		trusted := gso == hostGSO || mtu > 1500
		a, b := newQueue(mtu, gso, trusted, "\x02\x00\x00\x00\x00\x01"), newQueue(mtu, gso, trusted, "\x02\x00\x00\x00\x00\x02")
		a.to, b.to = b, a
		a.limit, b.limit = limit, limit
		client, err := gvisorHost(a, clientAddrs)
		if err != nil {
			return nil, err
		}
		server, err := gvisorHost(b, serverAddrs)
		if err != nil {
			client.close()
			return nil, err
		}
		var running sync.WaitGroup
		running.Go(a.run)
		running.Go(b.run)
		return &pair{client: client, server: server, addr: serverAddrs.of(f), close: func() {
			a.stop()
			b.stop()
			running.Wait()
			client.close()
			server.close()
		}}, nil
	}
}

// queue is one end of the link: packets that the other end has sent wait in it.
type queue struct {
	gvisorLink
	to    *queue
	limit int // of what waits

	mu      sync.Mutex
	more    sync.Cond
	waiting []*stack.PacketBuffer
	stopped bool
}

// How many packets wait on a link at most; those beyond are dropped. A wide one has room for one of each of many connections.
const usual, wide = 1 << 10, 1 << 15

// newQueue returns an end of a link; a trusted one vouches for checksums.
func newQueue(mtu uint32, gso stack.SupportedGSO, trusted bool, addr tcpip.LinkAddress) *queue {
	q := &queue{gvisorLink: newGVisorLink(mtu, addr)}
	q.SupportedGSOKind = gso
	if trusted {
		q.LinkEPCapabilities = stack.CapabilityTXChecksumOffload | stack.CapabilityRXChecksumOffload
	}
	q.more.L = &q.mu
	return q
}

// WritePackets implements stack.LinkEndpoint.
func (q *queue) WritePackets(pkts stack.PacketBufferList) (int, tcpip.Error) {
	t := q.to
	n := 0
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range pkts.AsSlice() {
		if len(t.waiting) >= t.limit || t.stopped {
			break
		}
		in := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: p.ToBuffer()})
		in.NetworkProtocolNumber = p.NetworkProtocolNumber
		t.waiting = append(t.waiting, in)
		n++
	}
	t.more.Signal()
	if n == 0 {
		return 0, &tcpip.ErrNoBufferSpace{}
	}
	return n, nil
}

// run delivers what waits, all at once.
func (q *queue) run() {
	var batch []*stack.PacketBuffer
	for {
		q.mu.Lock()
		for len(q.waiting) == 0 && !q.stopped {
			q.more.Wait()
		}
		if q.stopped {
			q.mu.Unlock()
			return
		}
		batch, q.waiting = q.waiting, batch[:0]
		q.mu.Unlock()
		for _, p := range batch {
			q.dispatcher.DeliverNetworkPacket(p.NetworkProtocolNumber, p)
			p.DecRef()
		}
	}
}

func (q *queue) stop() {
	q.mu.Lock()
	q.stopped = true
	q.more.Broadcast()
	q.mu.Unlock()
}
