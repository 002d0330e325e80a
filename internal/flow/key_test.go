package flow

import (
	"math"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

func TestPorts(t *testing.T) {
	k := Key{Ports: Ports(0xffff, 80)}
	if k.LocalPort() != 0xffff || k.RemotePort() != 80 {
		t.Errorf("ports %d, %d", k.LocalPort(), k.RemotePort())
	}
}

// Every field of the key, and the seed, changes the hash.
func TestHashLooksAtEverything(t *testing.T) {
	base := Key{Local: wire.Addr4(192, 0, 2, 1), Remote: wire.Addr4(192, 0, 2, 2), Ports: Ports(80, 50000), Proto: 6}
	seen := map[uint32]string{base.Hash(1): "base", base.Hash(2): "another seed"}
	for name, change := range map[string]func(k *Key){
		"local, upper half":  func(k *Key) { k.Local.Hi++ },
		"local, lower half":  func(k *Key) { k.Local.Lo++ },
		"remote, upper half": func(k *Key) { k.Remote.Hi++ },
		"remote, lower half": func(k *Key) { k.Remote.Lo++ },
		"local port":         func(k *Key) { k.Ports += 1 << 16 },
		"remote port":        func(k *Key) { k.Ports++ },
		"scope":              func(k *Key) { k.Scope++ },
		"protocol":           func(k *Key) { k.Proto = 17 },
		"ends swapped":       func(k *Key) { k.Local, k.Remote = k.Remote, k.Local },
		"ports swapped":      func(k *Key) { k.Ports = Ports(50000, 80) },
	} {
		k := base
		change(&k)
		h := k.Hash(1)
		if was, ok := seen[h]; ok {
			t.Errorf("%s hashes as %s", name, was)
		}
		seen[h] = name
	}
	if len(seen) != 12 {
		t.Errorf("%d hashes of 12", len(seen))
	}
}

// Consecutive ports and addresses, which is how flows come, spread evenly over shards, by the low bits and by
// the high ones.
func TestHashSpreads(t *testing.T) {
	const n, buckets = 1 << 14, 64
	var low, high [buckets]int
	for i := range uint32(n) {
		k := Key{Local: wire.Addr4(10, 0, 0, 1), Remote: wire.Addr{Lo: wire.Addr4(10, 1, 0, 0).Lo + uint64(i%16)},
			Ports: Ports(443, uint16(32768+i/16)), Proto: 6}
		h := k.Hash(0x1234)
		low[h%buckets]++
		high[h>>26]++
	}
	for name, counts := range map[string][buckets]int{"low bits": low, "high bits": high} {
		// Chi squared with 63 degrees of freedom: mean 63, deviation 11.
		chi, want := 0.0, float64(n)/buckets
		for _, c := range counts {
			chi += (float64(c) - want) * (float64(c) - want) / want
		}
		if math.Abs(chi-63) > 6*11 {
			t.Errorf("%s: chi squared %.0f of 63 expected", name, chi)
		}
	}
}

func TestHashAllocatesNothing(t *testing.T) {
	k := Key{Proto: 6}
	if n := testing.AllocsPerRun(100, func() { k.Ports += k.Hash(3) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHash(b *testing.B) {
	k := Key{Local: wire.Loopback6, Remote: wire.AllNodes6, Proto: 6}
	for b.Loop() {
		k.Ports += k.Hash(1)
	}
}
