package dgram

import (
	"syscall"

	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// SetHeaderIncluded says that what Send takes begins with its internet header (IP_HDRINCL, IPV6_HDRINCL).
func (s *Socket) SetHeaderIncluded(on bool) { s.included.Store(on) }

// HeaderIncluded returns that.
func (s *Socket) HeaderIncluded() bool { return s.included.Load() }

// sendIncluded makes a packet of n octets that has its internet header. It goes along path, whatever destination it names,
// and is not fragmented: as with Linux, *TooBig says what the link takes.
func (s *Socket) sendIncluded(path *ip.Path, b [][]byte, n int, params *ip.Params) (*packet.Buffer, error) {
	if n > path.LinkMTU() {
		return nil, &TooBig{path.LinkMTU()}
	}
	least := wire.IPv6Len
	if path.Dst.Is4() {
		least = wire.IPv4MinLen
	}
	if n < least {
		return nil, syscall.EINVAL
	}
	p := packet.New(n)
	gather(p.Bytes(), b)
	if err := s.ip.OutputIncluded(path, params, p); err != nil {
		p.Free()
		return nil, err
	}
	s.note(p.Dst, 0)
	return p, nil
}
