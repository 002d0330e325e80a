package dhcp4

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"

	"golang.org/x/net/bpf"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Server answers DHCP clients on the link of an interface: a [Pool] with a network. It is made for labs and tests; what it has given it
// keeps in memory, and it does not ask for whether a station has an address before it gives it, as RFC 2131, 3.1, wants servers to:
// that is left to the clients.
type Server struct {
	stack *onlink.Stack
	rt    clock.Runtime
	ifi   *onlink.Interface
	cfg   PoolConfig

	mu     sync.Mutex
	pool   *Pool
	unsent uint64 // answers that the stack did not take
}

// NewServer returns a server on an interface of s, which must have an IPv4 address: if cfg.Server is not given, it is the first one.
// Errors name the field of cfg that is wrong.
func NewServer(s *onlink.Stack, ifi *onlink.Interface, cfg PoolConfig) (*Server, error) {
	own := ifi.Addresses()
	if i := slices.IndexFunc(own, func(p netip.Prefix) bool { return p.Addr().Is4() }); !cfg.Server.IsValid() && i >= 0 {
		cfg.Server = own[i]
	}
	if !slices.Contains(own, cfg.Server) {
		return nil, fmt.Errorf("dhcp4: PoolConfig.Server is %v: not an address of interface %s", cfg.Server, ifi.Name())
	}
	if ifi.State().LinkAddr == (wire.MAC{}) {
		return nil, fmt.Errorf("dhcp4: interface %s has no hardware address", ifi.Name())
	}
	pool, err := NewPool(cfg)
	if err != nil {
		return nil, err
	}
	return &Server{stack: s, rt: s.Runtime(), ifi: ifi, cfg: cfg, pool: pool}, nil
}

// Run serves until ctx is done. It blocks all the time: in simulation it belongs into a coroutine. Errors: nil if ctx was done; otherwise
// what became of the interface or of the port, which may be in use.
func (s *Server) Run(ctx context.Context) error {
	listen := onlink.ListenConfig{Stack: s.stack, Interface: s.ifi.Name()}
	pc, err := listen.ListenPacket(ctx, "udp4", fmt.Sprintf(":%d", ServerPort))
	if err != nil {
		return err
	}
	conn := pc.(*onlink.UDPConn)
	defer conn.Close()
	frames, err := s.stack.ListenFrames(s.ifi, onlink.FrameConfig{Filter: []bpf.RawInstruction{{Op: bpfReturn}}}) // to write only
	if err != nil {
		return err
	}
	defer frames.Close()
	defer s.rt.AfterDone(ctx, func() { conn.SetReadDeadline(s.rt.Wall()) })()
	for b := make([]byte, 1<<16); ; {
		n, _, err := conn.ReadFromUDPAddrPort(b)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return err
		}
		s.mu.Lock()
		a, ok := s.pool.Arrive(s.rt.Now(), b[:n])
		s.mu.Unlock()
		if ok && s.send(conn, frames, a) != nil {
			s.mu.Lock()
			s.unsent++
			s.mu.Unlock()
		}
	}
}

// bpfReturn is the instruction that returns a constant, here 0: no frame is wanted.
const bpfReturn = 0x06

// send sends an answer.
func (s *Server) send(conn *onlink.UDPConn, frames *onlink.FrameConn, a Answer) error {
	b := a.Message.Append(nil)
	if a.To.IsValid() {
		_, err := conn.WriteToUDPAddrPort(b, a.To)
		return err
	}
	d := datagram{srcMAC: s.ifi.State().LinkAddr, dstMAC: a.Message.HardwareAddr, src: s.cfg.Server.Addr(), dst: a.Message.YourAddr,
		srcPort: ServerPort, dstPort: ClientPort, payload: b}
	return frames.WriteFrame(d.append(nil))
}

// Lent returns what the server has given or keeps, by address.
func (s *Server) Lent() []Lent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pool.Lent()
}

// Unsent returns how many answers the stack did not take; clients ask again.
func (s *Server) Unsent() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unsent
}
