package ip

import (
	"testing"

	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// quiet makes a bed that records nothing, so that what is left is the layer's own.
func quiet(b *bed) *bed {
	for _, c := range []*cable{b.eth0, b.eth1} {
		if c != nil {
			c.keep = false
		}
	}
	for _, r := range []*recorder{b.udp, b.tcp, b.ping4, b.ping6} {
		r.keep = false
	}
	return b
}

const perBatch = 32

// feeder delivers batches of one frame to eth0.
func feeder(b *bed, frame []byte) func() {
	var batch packet.Batch
	return func() {
		for range perBatch {
			batch.Push(packet.From(frame))
		}
		b.eth0.r.Deliver(0, &batch)
	}
}

// sender sends batches along one path.
func sender(b *bed, dst wire.Addr, n int) func() {
	path, err := b.l.Route(0, Query{Dst: dst})
	if err != nil {
		b.Fatal(err)
	}
	pr := Params{Proto: wire.ProtoTCP, DontFragment: true}
	sh := b.l.shards[0]
	return func() {
		sh.Lock()
		for range perBatch {
			p := packet.New(n)
			b.l.Output(path, &pr, p)
			sh.Stage(p)
		}
		sh.Unlock()
	}
}

// paths are the ways packets take, each once for the allocation gate and once for the benchmark.
func paths(t testing.TB) map[string]func() {
	host := quiet(newBed(t, setup{rate: -1}))
	router := quiet(newBed(t, setup{forwarding: true}))
	refusing := quiet(newBed(t, setup{rate: -1}))
	refusing.udp.answer = NoPort
	data := make([]byte, 1400)
	return map[string]func(){
		"deliver4":     feeder(host, in4(ip4(peer4, us4, 6, data))),
		"deliver6":     feeder(host, in6(ip6(peer6, us6, 6, data))),
		"forward4":     feeder(router, in4(ip4(peer4, other4, 6, data))),
		"forward6":     feeder(router, in6(ip6(peer6, other6, 6, data))),
		"output4":      sender(host, far4, 1400),
		"output6":      sender(host, far6, 1400),
		"self":         sender(host, us6, 1400),
		"echo4":        feeder(host, in4(ip4(peer4, us4, 1, icmp4(8, 0, 1, data)))),
		"echo6":        feeder(host, in6(ip6(peer6, us6, 58, icmp6(peer6, us6, 128, 0, 1, data)))),
		"unreachable4": feeder(refusing, in4(ip4(peer4, us4, 17, data))),
		"unreachable6": feeder(refusing, in6(ip6(peer6, us6, 17, data))),
		"drop":         feeder(host, in4(ip4(peer4, far4, 6, data))),
	}
}

// 0 allocations a packet in, out, forwarded, delivered, answered and dropped.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget")
	}
	for name, f := range paths(t) {
		f() // what is made once
		f()
		if n := testing.AllocsPerRun(200, f); n >= 1 {
			t.Errorf("%s: %.2f allocations for %d packets", name, n, perBatch)
		}
	}
}

// Forwarding to ever new destinations, past the remembered decisions, does not allocate either.
func TestAllocationsManyDestinations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget")
	}
	b := quiet(newBed(t, setup{forwarding: true}))
	frame := in4(ip4(peer4, far4, 6, make([]byte, 20)))
	var batch packet.Batch
	n := testing.AllocsPerRun(2000, func() {
		frame[14+19]++
		frame[14+18] += frame[14+19] & 1
		frame[14+10], frame[14+11] = 0, 0
		sum := ^wire.Checksum(frame[14:34], 0)
		frame[14+10], frame[14+11] = byte(sum>>8), byte(sum)
		batch.Push(packet.From(frame))
		b.eth0.r.Deliver(0, &batch)
	})
	if n >= 1 {
		t.Errorf("%.2f allocations", n)
	}
}

func BenchmarkPaths(b *testing.B) {
	fs := paths(b)
	for _, name := range []string{"deliver4", "deliver6", "forward4", "forward6", "output4", "output6", "self", "echo4", "echo6", "unreachable4", "unreachable6", "drop"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N/perBatch + 1 {
				fs[name]()
			}
		})
	}
}
