package udp

import (
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// The addresses of the tests: ours, and those of two peers.
var (
	us4, us6   = wire.Addr4(192, 0, 2, 1), wire.Addr{Hi: 0x20010db8 << 32, Lo: 1}
	peer4, far = wire.Addr4(192, 0, 2, 2), wire.Addr4(192, 0, 2, 3)
	peer6      = wire.Addr{Hi: 0x20010db8 << 32, Lo: 2}
	link6      = wire.Addr{Hi: 0xfe80 << 48, Lo: 1}
	linkPeer6  = wire.Addr{Hi: 0xfe80 << 48, Lo: 2}
)

// rig is UDP on a host with one interface, in virtual time.
type rig struct {
	testing.TB
	sim *clock.Sim
	ip  *ip.Layer
	udp *Layer
	sh  *shard.Shard
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{TB: t, sim: clock.NewSim(1)}
	t.Cleanup(r.sim.Stop)
	rt := r.sim.Runtime(1)
	r.ip = ip.New(ip.Config{Runtime: rt})
	r.sh = shard.New(rt, 0, r.ip.Transmitter(0))
	r.ip.SetShards([]*shard.Shard{r.sh})
	r.udp = New(rt, r.ip)
	a, _ := mem.Pair(mem.Config{Runtime: rt})
	quiet := netif.NewIPv6()
	quiet.Solicitations = 0 // else the simulation never comes to rest
	i, err := r.ip.AddInterface("eth0", a, netif.Config{DupAddrDetectTransmits: -1, IPv6: &quiet})
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{"192.0.2.1/24", "2001:db8::1/64", "fe80::1/64"} {
		if err := r.ip.AddAddress(i.Index, netip.MustParsePrefix(addr), netif.AddressOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// open opens a socket that must open.
func (r *rig) open(cfg Config) *Socket {
	r.Helper()
	s, err := r.udp.Open(cfg)
	if err != nil {
		r.Fatal(err)
	}
	return s
}

// to is a binding to a and port.
func to(a wire.Addr, port uint16) flow.Bound {
	return flow.Bound{Local: flow.Endpoint{Addr: a, Port: port}}
}

// datagram returns a datagram as ip hands it over.
func datagram(src, dst wire.Addr, sport, dport uint16, payload string) *packet.Buffer {
	p := packet.New(wire.UDPLen + len(payload))
	b := p.Bytes()
	wire.PutUDP(b, sport, dport, len(b))
	copy(b[wire.UDPLen:], payload)
	wire.FinishChecksum(b, 6, wire.ProtoUDP, src, dst)
	p.Src, p.Dst, p.Proto, p.In = src, dst, wire.ProtoUDP, 2
	return p
}

// input hands p to UDP.
func (r *rig) input(p *packet.Buffer) ip.Disposition {
	r.sh.Lock()
	defer r.sh.Unlock()
	return r.udp.Input(r.sh, r.sim.Now(), p)
}

// read reads a datagram that is there.
func (r *rig) read(s *Socket) string {
	r.Helper()
	b := make([]byte, 100)
	n := -1
	var err error
	r.sim.Start("read", func() { n, _, _, err = s.Receive(b) })
	r.sim.RunUntilIdle()
	switch {
	case err != nil:
		return err.Error()
	case n < 0:
		return "nothing"
	}
	return string(b[:n])
}
