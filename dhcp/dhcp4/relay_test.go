package dhcp4

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/sim"
)

// RFC 2131, 4.1: "DHCP clients MUST use the IP address provided in the 'server identifier' option for any unicast requests to the DHCP
// server." That server is behind a router here, which brings its first answers as a relay: renewals go through the router as all
// packets do, and their answers come so.
func TestClientRenewsThroughRouter(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	h, r, s := n.Host("h"), n.Router("r"), n.Host("s")
	n.Wire(port(h), port(r, "192.0.2.1/24"), quick)
	toServer := r.Port("eth1", "198.51.100.1/24")
	toServer.Config.IPv6.Disable = true
	n.Wire(toServer, port(s, "198.51.100.2/24").Gateway("198.51.100.1"), quick)
	server := netip.MustParseAddr("198.51.100.2")
	give := func(m *Message, typ Type) *Message {
		a := answer(m, typ, server)
		grant(a, "192.0.2.7/24", 10*time.Minute)
		a.Options.SetAddrs(OptRouters, server1)
		return a
	}
	serve(t, r, "192.0.2.1", func(_ *script, m *Message) []*Message {
		switch {
		case m.Type() == Discover:
			return []*Message{give(m, Offer)}
		case m.Type() == Request && !m.ClientAddr.IsValid():
			return []*Message{give(m, ACK)}
		}
		return nil // it is passing by
	})
	var from []netip.AddrPort
	s.Go("server", func() {
		pc, err := s.ListenPacket(context.Background(), "udp4", ":67")
		if err != nil {
			t.Error(err)
			return
		}
		for b := make([]byte, 1500); ; {
			size, a, err := pc.ReadFrom(b)
			if err != nil {
				return // the simulation ends
			}
			m, err := Parse(b[:size])
			if err != nil {
				t.Error(err)
				continue
			}
			from = append(from, a.(*net.UDPAddr).AddrPort())
			if _, err := pc.WriteTo(give(m, ACK).Append(nil), net.UDPAddrFromAddrPort(netip.AddrPortFrom(m.ClientAddr, ClientPort))); err != nil {
				t.Error(err)
			}
		}
	})
	c, err := New(h.Stack, h.Interface("eth0"), Config{})
	if err != nil {
		t.Fatal(err)
	}
	h.Go("dhcp", func() { c.Run(context.Background()) })
	n.RunFor(time.Hour)
	if st := c.Status(); st.Lease == nil || st.Stats.Taken[ACK] < 10 || st.Stats.Taken[ACK] != st.Stats.Sent[Request] {
		t.Errorf("%+v", st)
	}
	if len(from) < 10 || from[0] != netip.AddrPortFrom(address1, ClientPort) {
		t.Errorf("the server heard %d times, from %v", len(from), from)
	}
	// Nobody was told that the client's port is unreachable.
	counters := h.Snapshot().Counters
	if got := counters.Get(mib.IcmpOutDestUnreachs); got != 0 {
		t.Errorf("%d ICMP errors", got)
	}
}
