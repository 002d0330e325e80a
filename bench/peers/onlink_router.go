package main

import (
	"fmt"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// onlinkRouter is our stack as a router with a table of so many routes of each family, between two cables of Ethernet.
func onlinkRouter(routes4, routes6, destinations int) opener {
	return func(f family) (*pair, error) {
		routes := map[family]int{v4: routes4, v6: routes6}[f]
		rt := clock.NewReal()
		in, wan := mem.Pair(mem.Config{Runtime: rt})
		out, lan := mem.Pair(mem.Config{Runtime: rt})
		s, err := onlink.New(onlink.Config{Forwarding: true})
		if err != nil {
			return nil, err
		}
		closed := func() {
			closeNow(s)
			in.Close()
			out.Close()
		}
		first, err := s.AddLink("eth0", wan, onlink.InterfaceConfig{Addresses: inside.all(), DisableDAD: true})
		if err == nil {
			var second *onlink.Interface
			if second, err = s.AddLink("eth1", lan, onlink.InterfaceConfig{Addresses: outside.all(), DisableDAD: true}); err == nil {
				err = second.SetNeighbor(nextHop.of(f), wire.MAC{2, 0, 0, 0, 0, 9})
			}
		}
		table := make([]onlink.Route, routes)
		for i := range table {
			table[i] = onlink.Route{Prefix: prefixAt(i, f), Gateway: nextHop.of(f)}
		}
		arrived := new(sink)
		if err == nil {
			err = s.AddRoute(table...)
		}
		if err == nil {
			err = out.Attach(arrived)
		}
		if err == nil {
			err = in.Attach(new(sink))
		}
		if err != nil {
			closed()
			return nil, err
		}
		frames := make([][]byte, destinations)
		for i := range frames {
			p := shortPacket(destination(i, routes, f), f)
			frames[i] = make([]byte, wire.EthernetLen, wire.EthernetLen+len(p))
			wire.PutEthernet(frames[i], first.State().LinkAddr, wire.MAC{2, 0, 0, 0, 0, 1}, etherType(f))
			frames[i] = append(frames[i], p...)
		}
		var batch packet.Batch
		return &pair{close: closed, router: router{destinations: destinations, arrived: arrived.count, push: func(from, n int) error {
			for i := range n {
				batch.Push(packet.From(frames[from+i]))
			}
			if err := in.Send(0, &batch); err != nil || !batch.Empty() {
				return fmt.Errorf("the link left %d frames: %v", batch.Len(), err)
			}
			return nil
		}}}, nil
	}
}

func etherType(f family) uint16 {
	if f == v6 {
		return wire.EtherTypeIPv6
	}
	return wire.EtherTypeIPv4
}

// sink is a receiver that counts and frees.
type sink struct{ n int64 }

func (s *sink) Deliver(_ int, b *packet.Batch) {
	s.n += int64(b.Len())
	b.Free()
}
func (s *sink) Ready(int)         {}
func (s *sink) Changed(link.Info) {}
func (s *sink) count() int64      { return s.n }
