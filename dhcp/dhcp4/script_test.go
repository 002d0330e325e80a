package dhcp4

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

// script is a DHCP server for tests: it answers with what reply returns, in frames, so that it can do what a server should not.
type script struct {
	node  *sim.Node
	addr  netip.Addr
	reply func(m *Message) []*Message // nil: nothing is answered
	heard []*Message
	when  []time.Duration
}

// serve starts the script on the node's eth0.
func serve(t *testing.T, n *sim.Node, addr string, reply func(s *script, m *Message) []*Message) *script {
	s := &script{node: n, addr: netip.MustParseAddr(addr)}
	s.reply = func(m *Message) []*Message { return reply(s, m) }
	n.Go("dhcp server", func() {
		ifi := n.Interface("eth0")
		conn, err := n.ListenFrames(ifi, onlink.FrameConfig{EtherType: wire.EtherTypeIPv4, Filter: portFilter(ServerPort)})
		if err != nil {
			t.Error(err)
			return
		}
		for b := make([]byte, 2000); ; {
			size, _, err := conn.ReadFrame(b)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			var d datagram
			if !d.parse(b[:size]) || d.srcPort != ClientPort {
				t.Error("a client sent what is no datagram of its port")
				continue
			}
			m, err := Parse(d.payload)
			if err != nil {
				t.Error(err)
				continue
			}
			s.heard = append(s.heard, m)
			s.when = append(s.when, n.Now().Duration())
			for _, r := range s.reply(m) {
				out := datagram{srcMAC: ifi.State().LinkAddr, dstMAC: m.HardwareAddr, src: s.addr, dst: r.YourAddr,
					srcPort: ServerPort, dstPort: ClientPort, payload: r.Append(nil)}
				if r.Type() == NAK || !r.YourAddr.IsValid() {
					out.dst, out.dstMAC = broadcastAddr, wire.BroadcastMAC
				}
				if err := conn.WriteFrame(out.append(nil)); err != nil {
					t.Error(err)
				}
			}
		}
	})
	return s
}

// answer returns a reply to m of the given type, from this server.
func (s *script) answer(m *Message, t Type) *Message { return answer(m, t, s.addr) }

func answer(m *Message, t Type, server netip.Addr) *Message {
	r := &Message{Op: BootReply, XID: m.XID, HardwareAddr: m.HardwareAddr}
	r.Options.Set(OptMessageType, byte(t))
	r.Options.SetAddrs(OptServerID, server)
	return r
}

// give returns an answer that gives an address.
func (s *script) give(m *Message, t Type, addr string, lease time.Duration) *Message {
	r := s.answer(m, t)
	grant(r, addr, lease)
	return r
}

func grant(r *Message, addr string, lease time.Duration) {
	p := netip.MustParsePrefix(addr)
	r.YourAddr = p.Addr()
	r.Options.SetAddrs(OptSubnetMask, mask(p.Bits()))
	r.Options.SetSeconds(OptLeaseTime, lease)
}

func mask(bits int) netip.Addr {
	v := ^uint32(0) << (32 - bits)
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// normal is a server that gives every client the same address.
func normal(addr string, lease time.Duration, more func(r *Message)) func(s *script, m *Message) []*Message {
	return func(s *script, m *Message) []*Message {
		var r *Message
		switch m.Type() {
		case Discover:
			r = s.give(m, Offer, addr, lease)
		case Request:
			r = s.give(m, ACK, addr, lease)
		default:
			return nil
		}
		if more != nil {
			more(r)
		}
		return []*Message{r}
	}
}

// types returns the types of what a script heard.
func types(all []*Message) (s []Type) {
	for _, m := range all {
		s = append(s, m.Type())
	}
	return s
}
