package main

import (
	"net"

	"golang.org/x/net/ipv4"
)

// udpMode is how datagrams are given to a system, and taken from it. What cannot do it takes them one by one.
type udpMode int

const (
	singly  udpMode = iota
	batches         // many with one call, which for the kernel is one system call
	supers          // many of one size in one buffer, which is cut late and joined early (UDP_SEGMENT, UDP_GRO)
)

// calls move datagrams and tell how many they have moved.
type calls struct{ read, write func() (int, error) }

// calls returns those of a socket for datagrams of some size; it reads into buffers of room octets.
func (m udpMode) calls(c net.Conn, size, room int) (calls, error) {
	if m == batches {
		if b, ok := batcherOf(c); ok {
			return manyMessages(b, room), nil
		}
	}
	if m == supers {
		if join, err := superDatagrams(c, size); err != nil || join {
			return calls{read: move(c.Read, maxSuper, size), write: move(c.Write, min(maxSuper/size, maxSegments)*size, size)}, err
		}
	}
	return calls{read: move(c.Read, room, 0), write: move(c.Write, size, 0)}, nil
}

// How many octets, and how many datagrams, one buffer may have: the limits of UDP and of Linux (UDP_MAX_SEGMENTS).
const (
	maxSuper    = 1<<16 - 1 - 40 - 8
	maxSegments = 64
)

// move moves one buffer at a time, of room octets: a datagram, or as many of size as it has.
func move(call func([]byte) (int, error), room, size int) func() (int, error) {
	b := make([]byte, room)
	return func() (int, error) {
		n, err := call(b)
		if size > 0 {
			return n / size, err
		}
		return 1, err
	}
}

// batcher is what moves many messages with one call.
type batcher interface {
	ReadBatch(ms []ipv4.Message, flags int) (int, error)
	WriteBatch(ms []ipv4.Message, flags int) (int, error)
}

func batcherOf(c net.Conn) (batcher, bool) {
	if kernel, is := c.(*net.UDPConn); is {
		return ipv4.NewPacketConn(kernel), true
	}
	b, ok := c.(batcher)
	return b, ok
}

// batch is how many packets are moved at once at most.
const batch = 64

func manyMessages(b batcher, room int) calls {
	ms := make([]ipv4.Message, batch)
	for i := range ms {
		ms[i].Buffers = [][]byte{make([]byte, room)}
	}
	return calls{read: func() (int, error) { return b.ReadBatch(ms, 0) }, write: func() (int, error) { return b.WriteBatch(ms, 0) }}
}

// superDatagrams has a socket cut what is written and join what comes, and reports whether it can.
func superDatagrams(c net.Conn, size int) (bool, error) {
	switch c := c.(type) {
	case *net.UDPConn:
		return true, kernelSuper(c, size)
	case interface {
		SetSegmentSize(n int) error
		SetCoalesce(on bool) error
	}:
		if err := c.SetSegmentSize(size); err != nil {
			return true, err
		}
		return true, c.SetCoalesce(true)
	}
	return false, nil
}
