// Package flow names the two ends of a conversation in a form a map finds in 30 ns: no pointer, one size for
// both families.
package flow

import "github.com/onlink-go/onlink/wire"

// Key names a flow as this host sees it. IPv4 addresses are held IPv4-mapped. Scope is the interface index for
// link-local addresses, else 0, so that fe80::1 on two links makes two flows.
type Key struct {
	Local, Remote wire.Addr
	Ports         uint32 // local in the upper half, remote in the lower
	Scope         uint32
	Proto         uint8
}

// Ports packs two ports as Key holds them.
func Ports(local, remote uint16) uint32 { return uint32(local)<<16 | uint32(remote) }

// LocalPort and RemotePort return the halves of k.Ports.
func (k *Key) LocalPort() uint16  { return uint16(k.Ports >> 16) }
func (k *Key) RemotePort() uint16 { return uint16(k.Ports) }

// Hash mixes k with a secret seed into 32 bits, well spread in all of them. Nobody without the seed can
// choose flows that collide.
func (k *Key) Hash(seed uint64) uint32 {
	h := seed
	for _, v := range [...]uint64{k.Local.Hi, k.Local.Lo, k.Remote.Hi, k.Remote.Lo,
		uint64(k.Ports)<<32 | uint64(k.Scope), uint64(k.Proto)} {
		h = Mix(h ^ v)
	}
	return uint32(h >> 32)
}
