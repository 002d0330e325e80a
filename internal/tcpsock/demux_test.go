package tcpsock

import (
	"math/rand/v2"
	"testing"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// demuxKey returns the i'th of some keys, of which many differ in the ports alone.
func demuxKey(i int) flow.Key {
	k := flow.Key{Local: us4, Remote: peer4, Ports: flow.Ports(uint16(i), 80), Proto: wire.ProtoTCP}
	if i%3 == 0 {
		k.Remote, k.Scope = far4, uint32(i>>16)
	}
	return k
}

// demuxConns returns connections with the first n of demuxKey's keys, as a demux takes them.
func demuxConns(n int) []Conn {
	all := make([]Conn, n)
	for i := range all {
		c := &all[i]
		c.key = demuxKey(i)
		c.node.Owner = c
	}
	return all
}

// A demux agrees with maps, whatever is put in and taken out, and in whatever order.
func TestDemuxAgainstMaps(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var d demux
	d.init(7)
	model := map[flow.Key]found{}
	const keys = 3000
	for step := range 40_000 {
		// It grows, and shrinks, and grows again.
		k := demuxKey(random.IntN(1 + min(step, keys)))
		is := model[k]
		switch random.IntN(6) {
		case 0, 1:
			if is.conn == nil {
				is.conn = &Conn{place: place{key: k}}
				is.conn.node.Owner = is.conn
				d.put(&is.conn.place)
			}
		case 2:
			if is.embryo == nil {
				is.embryo = &embryo{place: place{key: k}}
				is.embryo.node.Owner = is.embryo
				d.put(&is.embryo.place)
			}
		case 3:
			if is.remnant == nil {
				is.remnant = &remnant{place: place{key: k}}
				is.remnant.node.Owner = is.remnant
				d.put(&is.remnant.place)
			}
		default:
			if is.conn != nil {
				d.take(&is.conn.place)
				d.take(&is.conn.place) // not in: nothing
				is.conn = nil
			} else if is.embryo != nil {
				d.take(&is.embryo.place)
				is.embryo = nil
			} else if is.remnant != nil {
				d.take(&is.remnant.place)
				is.remnant = nil
			}
		}
		model[k] = is
		if got := d.find(&k); got != is {
			t.Fatalf("step %d: %v, want %v", step, got, is)
		}
		if other := demuxKey(random.IntN(keys)); d.find(&other) != model[other] {
			t.Fatalf("step %d: of another key %v, want %v", step, d.find(&other), model[other])
		}
	}
	n := 0
	for k, is := range model {
		if d.find(&k) != is {
			t.Errorf("%v: %v, want %v", k, d.find(&k), is)
		}
		for _, there := range [...]bool{is.conn != nil, is.embryo != nil, is.remnant != nil} {
			if there {
				n++
			}
		}
	}
	if d.n != n || n < 500 {
		t.Errorf("%d places, want %d", d.n, n)
	}
	if d.clear(); d.n != 0 || d.find(new(flow.Key)) != (found{}) {
		t.Error("not empty")
	}
}

// What one looks for is found in few steps, and all is moved by the time that there are to be twice as many slots again.
func TestDemuxSteps(t *testing.T) {
	var d demux
	d.init(7)
	all := demuxConns(100_000)
	for i := range all {
		if before := len(d.now.hashes); len(d.old.hashes) > 0 && 4*(d.n+1) > 3*before {
			t.Fatalf("%d of %d slots are moved when there are to be twice as many", d.moved, len(d.old.hashes))
		}
		d.put(&all[i].place)
	}
	steps, most := 0, 0
	for i, p := range d.now.places {
		if p != nil {
			n := (i - d.now.home(d.hash(&p.key))) & (len(d.now.places) - 1)
			steps, most = steps+n, max(most, n)
		}
	}
	if len(d.now.places) > 4*len(all) || steps > 2*len(all) || most > 200 {
		t.Errorf("%d slots, on average %.1f steps to what is looked for, %d at most", len(d.now.places), float64(steps)/float64(d.n), most)
	}
}

func BenchmarkDemux(b *testing.B) {
	var d demux
	d.init(7)
	all := demuxConns(10_000)
	for i := range all {
		d.put(&all[i].place)
	}
	b.Run("find", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			k := demuxKey(i % len(all))
			if d.find(&k).conn == nil {
				b.Fatal("not found")
			}
		}
	})
	b.Run("put", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			p := &all[i%len(all)].place
			d.take(p)
			d.put(p)
		}
	})
}
