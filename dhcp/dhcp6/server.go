package dhcp6

import (
	"net/netip"
	"slices"

	"github.com/onlink-go/onlink/clock"
)

// server is what a client remembers of a server.
type server struct {
	id      DUID
	unicast netip.Addr // of its Server Unicast option; not valid: it had none
	refused bool       // it said UseMulticast

	// Of RKAP (RFC 8415, 20.4).
	accept bool   // it wants Reconfigure messages to be accepted (21.20)
	key    []byte // nil: it gave none
	heard  bool   // replay is something that it sent
	replay uint64
}

// mostServers is how many servers are remembered.
const mostServers = 8

// remembered returns what is remembered of a server; nil if that is nothing.
func (m *Machine) remembered(id DUID) *server {
	if k := slices.IndexFunc(m.servers, func(s *server) bool { return s.id.Equal(id) }); k >= 0 {
		return m.servers[k]
	}
	return nil
}

// serverOf is remembered for a server that is to be remembered from now on.
func (m *Machine) serverOf(id DUID) *server {
	if s := m.remembered(id); s != nil {
		return s
	}
	if len(m.servers) >= mostServers {
		k := slices.IndexFunc(m.servers, func(s *server) bool { return s != m.server })
		m.servers = slices.Delete(m.servers, k, k+1)
	}
	s := &server{id: slices.Clone(id)}
	m.servers = append(m.servers, s)
	return s
}

// address returns where messages to the server go; not valid: to all servers.
//
// RFC 8415, 18.2: "If the client has a source address of sufficient scope that can be used by the server as a return address and the
// client has received a Server Unicast option [...] from the server, the client SHOULD unicast any Request, Renew, Release, and
// Decline messages to the server."
func (s *server) address() netip.Addr {
	if s.refused || !s.unicast.Is6() || s.unicast.IsMulticast() || s.unicast.IsUnspecified() {
		return netip.Addr{}
	}
	return s.unicast
}

func (s *server) noUnicast() { s.refused = true }

// learn heeds what a Reply of the server says of how to deal with it.
//
// RFC 8415, 20.4.3: "The client will receive a reconfigure key from the server in an Authentication option [...] in the initial Reply
// message from the server. The client records the reconfigure key for use in authenticating subsequent Reconfigure messages."
func (s *server) learn(msg *Message) {
	s.unicast = msg.Unicast
	s.accept = msg.ReconfigureAccept
	if key := msg.Auth.rkap(rkapKey); key != nil {
		s.key = slices.Clone(key)
	}
}

// fresh reports whether the replay detection of an option is not of an old message, and remembers it.
//
// RFC 8415, 20.3: "A client that receives a message with the RDM field set to 0x00 MUST compare its replay detection field with the
// previous value sent by that same server (based on the Server Identifier option [...]) and only accept the message if the received
// value is greater and record this as the new value. If this is the first time a client processes an Authentication option sent by a
// server, the client MUST record the replay detection value and skip the replay detection check." It grows modulo 2^64.
func (s *server) fresh(a *Auth) bool {
	if a == nil || a.RDM != rkapRDM {
		return true
	}
	if s.heard && int64(a.Replay-s.replay) <= 0 {
		return false
	}
	s.heard, s.replay = true, a.Replay
	return true
}

// reconfigure does what a Reconfigure asks for, which is valid. It returns why not.
//
// RFC 8415, 18.2: "The client SHOULD be suspicious of the Reconfigure message (they may be faked), and it MUST NOT abandon any
// resources it might have already obtained. The client SHOULD treat the Reconfigure message as if the T1 timer had expired."
func (m *Machine) reconfigure(now clock.Instant, s *server, msg *Message) (fault string) {
	// RFC 8415, 18.2.11: "the client MUST ignore any additional Reconfigure messages until the exchange is complete."
	want := msg.ReconfigureMessage
	if want == InformationRequest && m.info.active() || want != InformationRequest && m.state != Bound {
		return "an exchange is under way"
	}
	if want == Renew && m.server != s {
		return "the leases are not its"
	}
	m.report(Event{Kind: Reconfigured, Server: s.id, Message: want})
	switch want {
	case Renew:
		m.renew(now, s)
	case Rebind:
		m.rebind(now)
	case InformationRequest:
		m.inform(now, s, false)
	}
	return ""
}
