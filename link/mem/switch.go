package mem

import (
	"sync"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

const (
	// IEEE 802.1Q, 8.8.3: an entry not refreshed for the ageing time is forgotten; the recommended default is
	// 300 seconds.
	ageing = 300 * time.Second

	// maxStations bounds the table; frames to stations that found no place in it are flooded.
	maxStations = 4096
)

// Switch is a learning Ethernet switch (IEEE 802.1Q, 8.7 and 8.8, without VLANs and spanning tree). A frame to a
// station that was heard on a port goes to that port alone; all others go to every port but the one they came
// from. A port whose list is full loses the frame.
type Switch struct {
	rt    clock.Runtime
	ports []*Port

	mu       sync.Mutex
	index    map[wire.MAC]int // into stations
	stations []station
	hand     int // where to look next for an aged station to replace
}

// station is an address that was heard, where and when last.
type station struct {
	addr  wire.MAC
	port  *Port
	heard clock.Instant
}

// NewSwitch returns a switch of n ports.
func NewSwitch(n int, cfg Config) *Switch {
	cfg.Medium = link.Ethernet
	cfg.setDefaults()
	s := &Switch{rt: cfg.Runtime, index: make(map[wire.MAC]int)}
	for i := range n {
		p := newPort(&cfg, i)
		p.sw = s
		s.ports = append(s.ports, p)
	}
	return s
}

// Port returns port i, counted from 0. It panics if there is none.
func (s *Switch) Port(i int) *Port { return s.ports[i] }

// Ports returns the number of ports.
func (s *Switch) Ports() int { return len(s.ports) }

// Close closes all ports.
func (s *Switch) Close() error {
	for _, p := range s.ports {
		p.Close()
	}
	return nil
}

// forward sends b, which came in on from by queue q, to the ports it is for. Frames in a row for one port go together.
func (s *Switch) forward(from *Port, q int, b *packet.Batch) {
	now := s.rt.Now()
	var run packet.Batch
	var to *Port
	for f := b.Pop(); f != nil; f = b.Pop() {
		if f.Len() < link.Ethernet.HeaderLen() {
			from.drops.Add(1)
			f.Free()
			continue
		}
		next := s.learn(now, from, f.Bytes())
		if next != to {
			s.flush(from, to, q, &run)
			to = next
		}
		run.Push(f)
	}
	s.flush(from, to, q, &run)
}

// learn notes that the frame's source is at from, and returns the port of its destination, or nil if that is not
// known or is a group.
func (s *Switch) learn(now clock.Instant, from *Port, frame []byte) *Port {
	dst, src := wire.MAC(frame[:6]), wire.MAC(frame[6:12])
	s.mu.Lock()
	defer s.mu.Unlock()
	if !src.IsMulticast() && src != (wire.MAC{}) {
		i, ok := s.index[src]
		if !ok {
			i, ok = s.place(now, src)
		}
		if ok {
			s.stations[i].port, s.stations[i].heard = from, now
		}
	}
	if dst.IsMulticast() {
		return nil
	}
	if i, ok := s.index[dst]; ok && !s.stations[i].aged(now) {
		return s.stations[i].port
	}
	return nil
}

func (st *station) aged(now clock.Instant) bool {
	return st.port == nil || now.Sub(st.heard) > ageing
}

// place finds a place in the table for a new station: a fresh one, or that of an aged one. Each call looks at
// one place only, so that a flood of invented addresses is cheap and fails. s.mu held.
func (s *Switch) place(now clock.Instant, addr wire.MAC) (int, bool) {
	if len(s.stations) < maxStations {
		s.stations = append(s.stations, station{addr: addr})
		i := len(s.stations) - 1
		s.index[addr] = i
		return i, true
	}
	i := s.hand
	s.hand = (s.hand + 1) % maxStations
	if !s.stations[i].aged(now) {
		return 0, false
	}
	delete(s.index, s.stations[i].addr)
	s.stations[i] = station{addr: addr}
	s.index[addr] = i
	return i, true
}

// forget makes the stations heard on p unknown.
func (s *Switch) forget(p *Port) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.stations {
		if s.stations[i].port == p {
			s.stations[i].port = nil
		}
	}
}

// flush sends run to port to, or floods it if to is nil. A frame whose destination is where it came from is
// where it belongs already, and goes nowhere (802.1Q, 8.6.1).
func (s *Switch) flush(from, to *Port, q int, run *packet.Batch) {
	switch {
	case run.Empty():
	case to == from:
		run.Free()
	case to != nil:
		to.receive(q, run)
	default:
		s.flood(from, q, run)
	}
}

// flood gives every port but from a copy of run, and the last one run itself.
func (s *Switch) flood(from *Port, q int, run *packet.Batch) {
	var last *Port
	for _, p := range s.ports {
		if p == from || !p.up() {
			continue
		}
		if last != nil {
			var copies packet.Batch
			for f := run.Front(); f != nil; f = f.Next() {
				copies.Push(f.Clone())
			}
			last.receive(q, &copies)
		}
		last = p
	}
	if last != nil {
		last.receive(q, run)
	}
	run.Free()
}

// receive is take for a port of a switch: what does not fit is lost.
func (p *Port) receive(q int, b *packet.Batch) {
	if p.up() {
		p.lane(q).take(b)
	}
	p.drop(b)
}
