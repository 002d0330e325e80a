package dns

import (
	"encoding/binary"
	"net"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink/clock"
)

// Server answers queries: for tests, labs and small networks. Both fields must be set.
type Server struct {
	Runtime clock.Runtime
	// Answer returns the response to a query, or nil if there is to be none: that of a Zone, or a function of its own. It may
	// be called from several goroutines at once.
	Answer func(query *dnsmessage.Message) *dnsmessage.Message
}

// idle is how long a TCP connection may wait for a query: some seconds, as RFC 7766, 6.2.3, has it.
const idle = 10 * time.Second

// ServePacket answers queries that come to conn until it is closed. Errors: those of reading.
func (s *Server) ServePacket(conn net.PacketConn) error {
	b := make([]byte, maxMessage)
	for {
		n, from, err := conn.ReadFrom(b)
		if err != nil {
			return err
		}
		if response := s.respond(b[:n], false); response != nil {
			conn.WriteTo(response, from) // who does not get it asks again
		}
	}
}

// Serve answers queries on connections that come to ln until it is closed. Errors: those of accepting.
func (s *Server) Serve(ln net.Listener) error {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		s.Runtime.Spawn("name server", func() { s.serve(conn) })
	}
}

func (s *Server) serve(conn net.Conn) {
	defer conn.Close()
	for {
		conn.SetReadDeadline(s.Runtime.Wall().Add(idle))
		query, err := readStream(conn)
		if err != nil {
			return
		}
		response := s.respond(query, true)
		if response == nil {
			return
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(response))), response...)); err != nil {
			return
		}
	}
}

// respond returns the octets of the response to a query; none: it is not answered.
func (s *Server) respond(query []byte, stream bool) []byte {
	var q dnsmessage.Message
	if len(query) < headerLen || binary.BigEndian.Uint16(query[flagsAt:])&isResponse != 0 {
		return nil
	}
	var m *dnsmessage.Message
	if err := q.Unpack(query); err != nil {
		// RFC 1035, 4.1.1: "Format error - The name server was unable to interpret the query."
		m = &dnsmessage.Message{Header: dnsmessage.Header{ID: binary.BigEndian.Uint16(query), Response: true, RCode: dnsmessage.RCodeFormatError}}
	} else if m = s.Answer(&q); m == nil {
		return nil
	}
	limit := maxMessage
	if !stream {
		limit = payloadOf(&q)
	}
	b, err := m.Pack()
	if err == nil && len(b) <= limit {
		return b
	}
	m.Answers, m.Authorities = nil, nil
	switch {
	case err != nil || stream:
		m.RCode = dnsmessage.RCodeServerFailure
	default:
		m.Truncated = true // RFC 2181, 9: what is left out is asked for over TCP
	}
	if b, err = m.Pack(); err != nil {
		return nil
	}
	return b
}

// payloadOf returns the octets of the largest response that may be sent over UDP. RFC 6891, 6.2.3: "Values lower than 512 MUST be
// treated as equal to 512."
func payloadOf(q *dnsmessage.Message) int {
	if opt := optOf(q); opt != nil {
		return min(max(512, int(opt.Class)), Payload)
	}
	return 512
}

// optOf returns the header of the OPT record in a message, or nil.
func optOf(m *dnsmessage.Message) *dnsmessage.ResourceHeader {
	for i := range m.Additionals {
		if m.Additionals[i].Header.Type == dnsmessage.TypeOPT {
			return &m.Additionals[i].Header
		}
	}
	return nil
}

// begin returns the response to a query without its answer, and whether there is to be one: otherwise it has an error.
func begin(query *dnsmessage.Message) (m *dnsmessage.Message, ok bool) {
	m = &dnsmessage.Message{Header: dnsmessage.Header{ID: query.ID, Response: true, OpCode: query.OpCode,
		RecursionDesired: query.RecursionDesired, RecursionAvailable: true}, Questions: query.Questions}
	code := dnsmessage.RCodeSuccess
	opt := optOf(query)
	switch {
	case opt != nil && opt.TTL>>16&0xff != 0:
		// RFC 6891, 6.1.3: "If a responder does not implement the VERSION level of the request, then it MUST respond with
		// RCODE=BADVERS."
		code = rcodeBadVersion
	case query.OpCode != 0:
		code = dnsmessage.RCodeNotImplemented
	case len(query.Questions) != 1:
		code = dnsmessage.RCodeFormatError
	case query.Questions[0].Class != dnsmessage.ClassINET:
		code = dnsmessage.RCodeRefused
	}
	m.RCode = code & rcodeMask
	if opt != nil {
		r := dnsmessage.Resource{Body: &dnsmessage.OPTResource{}}
		if err := r.Header.SetEDNS0(Payload, code, false); err == nil {
			m.Additionals = append(m.Additionals, r)
		}
	}
	return m, code == dnsmessage.RCodeSuccess
}
