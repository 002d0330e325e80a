package dgram

import (
	"slices"
	"syscall"

	"github.com/onlink-go/onlink/internal/ip"
)

// maxReports is how many errors wait for the reader of a socket; later ones are lost.
const maxReports = 64

// SetReporting has Receive return every error about what the socket sends, as *ip.Report, each once and in their order: those a
// socket that is not connected is not told of otherwise, those that may pass, and those about the path MTU.
func (s *Socket) SetReporting(on bool) {
	s.in.Lock()
	defer s.in.Unlock()
	s.reporting = on
	if !on {
		s.reports = nil
	}
}

// Report takes the error e about a datagram of the socket to port. RFC 1122, 4.1.3.3: "UDP MUST pass to the application layer all
// ICMP error messages that it receives from the IP layer."
func (s *Socket) Report(e *ip.Error, port uint16) {
	if s.watcher != nil {
		s.watcher.Error(e, port)
		return
	}
	s.report(e, port)
}

func (s *Socket) report(e *ip.Error, port uint16) {
	s.in.Lock()
	defer s.in.Unlock()
	switch {
	case s.in.Closed():
		return
	case s.reporting:
		if len(s.reports) < maxReports {
			s.reports = append(s.reports, e.Report(port))
		}
	case e.Errno == syscall.EMSGSIZE || !s.ends.Load().connected():
		return // the path MTU cache has learned from it already; and which datagram was meant could not be told
	case e.Local:
		s.err = e.Errno
	default:
		s.err = e.Report(port)
	}
	s.in.Wake()
}

// takeError returns and clears the pending error. s.in locked.
func (s *Socket) takeError() error {
	err := s.err
	s.err = nil
	return err
}

// takeReport returns the first report, or nil. s.in locked.
func (s *Socket) takeReport() *ip.Report {
	if len(s.reports) == 0 {
		return nil
	}
	r := s.reports[0]
	s.reports = slices.Delete(s.reports, 0, 1)
	return r
}

// Pending returns the error that the next call will return; nil: none.
func (s *Socket) Pending() error {
	s.in.Lock()
	defer s.in.Unlock()
	return s.err
}

// Fail makes err what the calls under way, or the next one, return.
func (s *Socket) Fail(err error) {
	s.in.Lock()
	defer s.in.Unlock()
	s.err = err
	s.in.Wake()
}
