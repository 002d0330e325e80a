package onlink_test

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
)

// BenchmarkUDPMany sends datagrams, many with one call: as a batch, or as one write that is cut. Each goroutine's turn is what one
// call brings, so that nothing is lost; the metric is the time of a datagram from the writer's call to the reader's.
func BenchmarkUDPMany(b *testing.B) {
	const many = 32
	for _, size := range []int{64, 1400} {
		for _, way := range []struct {
			name          string
			single, batch bool // neither: one write that is cut
			can           link.Offload
			coalesce      bool
		}{
			{name: "single", single: true},
			{name: "batch", batch: true},
			{name: "batch/super", batch: true, can: link.Checksums | link.UDP},
			{name: "segments"},
			{name: "segments/joined", coalesce: true},
			{name: "segments/super", can: link.Checksums | link.UDP},
			{name: "segments/super/joined", can: link.Checksums | link.UDP, coalesce: true},
		} {
			b.Run(fmt.Sprintf("%dB/%s", size, way.name), func(b *testing.B) {
				client, server := newPairOn(b, mem.Config{Offload: way.can}, nil)
				out, in, to := udpPair(b, client, server)
				in.SetCoalesce(way.coalesce)
				write, read := room(many), room(many)
				for i := range write {
					write[i].Buffers, write[i].OOB, write[i].Addr = [][]byte{make([]byte, size)}, nil, net.UDPAddrFromAddrPort(to)
					read[i].OOB = nil
				}
				data, buf := make([]byte, many*size), make([]byte, 66000)
				segments := onlink.ControlMessage{SegmentSize: size}
				b.SetBytes(int64(many * size))
				b.ReportAllocs()
				for b.Loop() {
					var err error
					switch {
					case way.batch:
						_, err = out.WriteBatch(write, 0)
					case way.single:
						for range many {
							_, err = out.WriteToUDPAddrPort(data[:size], to)
						}
					default:
						_, err = out.WriteMsg(data, &segments, to)
					}
					for n := 0; n < many*size && err == nil; {
						k := 0
						if way.batch {
							k, err = in.ReadBatch(read, 0)
							k *= size
						} else {
							k, _, err = in.ReadFromUDPAddrPort(buf)
						}
						n += k
					}
					if err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*many), "ns/datagram")
			})
		}
	}
}

// BenchmarkUDPPeers sends datagrams to two destinations in turn, and reads each.
func BenchmarkUDPPeers(b *testing.B) {
	client, server := newPair(b, nil)
	out, in := listenUDP(b, client, "udp", ":0"), listenUDP(b, server, "udp", ":7000")
	var to [2]netip.AddrPort
	for i, host := range []string{server4, server6} {
		to[i] = netip.AddrPortFrom(netip.MustParseAddr(host), 7000)
	}
	buf := make([]byte, 64)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := out.WriteToUDPAddrPort(buf, to[i&1]); err != nil {
			b.Fatal(err)
		}
		if _, _, err := in.ReadFromUDPAddrPort(buf); err != nil {
			b.Fatal(err)
		}
	}
}
