package tcpsock

import (
	"math/bits"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/shard"
)

// place is where a demux finds a connection, a handshake or a remnant by its key. It is embedded in what it finds, which owns the
// node and so the timer.
type place struct {
	key  flow.Key
	node shard.Node
}

// found is what there is of a key: seldom more than one.
type found struct {
	conn    *Conn
	embryo  *embryo
	remnant *remnant
}

// demux finds all that a shard has of a key in one step. It keeps the hashes of keys by themselves, so that who looks for a key that
// is not there, as a SYN does, touches no memory of others. It grows to twice its size, and some slots are moved at a time. The zero
// demux is empty; init is to be called before put. Guarded by the shard's lock.
type demux struct {
	secret [4]uint64
	now    slots
	old    slots // from where places are being moved; empty: nothing is
	moved  int   // of old's
	n      int   // places in both
}

const (
	leastSlots = 16
	// movedAtOnce is how many slots are moved when a place is put in. All are before there are twice as many again.
	movedAtOnce = 4
)

// init seeds an empty demux.
func (d *demux) init(seed uint64) {
	*d = demux{}
	for i := range d.secret {
		d.secret[i] = flow.Draw(&seed)
	}
}

// clear forgets all places.
func (d *demux) clear() { *d = demux{secret: d.secret} }

// hash returns a number that nobody without the secret can choose, and that no slot has that is free.
func (d *demux) hash(k *flow.Key) uint32 {
	h := fold(k.Remote.Lo^d.secret[0], k.Remote.Hi^d.secret[1])
	h = fold(h^k.Local.Lo^d.secret[2], k.Local.Hi^d.secret[3])
	h = fold(h^uint64(k.Ports)<<32^uint64(k.Scope), d.secret[1]|1)
	return uint32(h>>32) | taken
}

// fold multiplies a by b and returns both halves of the product in one.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// find returns what there is of k.
func (d *demux) find(k *flow.Key) (f found) {
	if d.n == 0 {
		return f
	}
	h := d.hash(k)
	d.now.find(h, k, &f)
	if len(d.old.hashes) > 0 {
		d.old.find(h, k, &f)
	}
	return f
}

// put puts p in, which must not be.
func (d *demux) put(p *place) {
	if d.n++; 4*d.n > 3*len(d.now.hashes) {
		d.move(len(d.old.hashes))
		d.old, d.now = d.now, newSlots(max(2*len(d.now.hashes), leastSlots))
	}
	d.move(movedAtOnce)
	d.now.put(d.hash(&p.key), p)
}

// take takes p out, if it is in.
func (d *demux) take(p *place) {
	if d.n == 0 {
		return
	}
	h := d.hash(&p.key)
	if i := d.now.at(h, p); i >= 0 {
		d.now.free(i)
		d.n--
	} else if i := d.old.at(h, p); i >= 0 {
		d.old.leave(i)
		d.n--
	}
}

// move moves what is in n of the slots that are still to be.
func (d *demux) move(n int) {
	for ; n > 0 && d.moved < len(d.old.hashes); n-- {
		i := d.moved
		d.moved++
		if h := d.old.hashes[i]; h&taken != 0 {
			d.now.put(h, d.old.places[i])
			d.old.leave(i)
		}
	}
	if d.moved == len(d.old.hashes) {
		d.old, d.moved = slots{}, 0
	}
}
