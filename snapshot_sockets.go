package onlink

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"text/tabwriter"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/tcp"
)

// SocketState is a socket of a stack.
type SocketState struct {
	Network string // "tcp", "udp", "ping", "raw" or "packet"
	// State is a TCP connection's, as RFC 9293 writes it, "LISTEN" of a listener; of other sockets, "ESTABLISHED" if they are
	// connected, or "UNCONNECTED".
	State string
	// Local and Remote are its ends. An unspecified local address is a wildcard; the remote one of who has none is
	// invalid. A packet socket has none. The local port of a ping socket is its identifier.
	Local, Remote netip.AddrPort
	Dual          bool   // its wildcard takes both families
	Protocol      int    // that it hears: of a raw socket, in the IP header, of a packet socket, the EtherType; 0: any
	Interface     string // that it is bound to; empty: none
	// ReceiveQueue is how many octets have come and are not read; of a TCP listener, how many connections wait to be
	// accepted. SendQueue is how many were written and are not acknowledged; of a listener, the longest queue.
	ReceiveQueue, SendQueue   int
	ReceiveBuffer, SendBuffer int      // how much memory they may take, in octets; 0: not of this kind of socket
	Info                      *TCPInfo // of a TCP connection; else nil
}

// sockets returns the stack's sockets: TCP listeners, TCP connections, UDP sockets, ping sockets, raw sockets, packet sockets.
func (s *Stack) sockets() []SocketState {
	var list []SocketState
	for _, l := range s.tcp.List(s.shards) {
		state := SocketState{Network: "tcp", State: l.Info.State.String(), Local: s.addrPort(l.Local), Dual: l.Dual, ReceiveQueue: l.Unread,
			SendQueue: l.Unacked, ReceiveBuffer: l.ReceiveBuffer, SendBuffer: l.SendBuffer, Interface: s.interfaceName(l.Interface)}
		if l.Info.State != tcp.Listen {
			info := newTCPInfo(l.Info)
			state.Remote, state.Info = s.addrPort(l.Remote), &info
		}
		list = append(list, state)
	}
	for _, u := range s.udp().Sockets() {
		list = append(list, s.datagramSocket("udp", &u.Socket))
	}
	for _, p := range s.icmp().Sockets() {
		list = append(list, s.datagramSocket("ping", &p.Socket))
	}
	for _, r := range s.raw().Sockets() {
		state := s.datagramSocket("raw", &r.Socket)
		state.Protocol = int(r.Number())
		state.Local = netip.AddrPortFrom(state.Local.Addr(), 0)
		if r.Connected() {
			state.State, state.Remote = "ESTABLISHED", netip.AddrPortFrom(s.addrPort(r.Remote()).Addr(), 0)
		}
		list = append(list, state)
	}
	for _, f := range s.frames().Sockets() {
		cfg := f.Config()
		list = append(list, SocketState{Network: "packet", State: "UNCONNECTED", Protocol: int(cfg.EtherType),
			Interface: s.interfaceName(cfg.Index), ReceiveQueue: f.Unread(), ReceiveBuffer: cfg.ReceiveBuffer})
	}
	return list
}

// datagramSocket describes a socket of datagrams.
func (s *Stack) datagramSocket(network string, d *dgram.Socket) SocketState {
	state := SocketState{Network: network, State: "UNCONNECTED", Local: s.addrPort(d.Local()), Dual: d.Family() == flow.Dual,
		Interface: s.interfaceName(d.Interface()), ReceiveQueue: d.Unread(), ReceiveBuffer: d.ReceiveBuffer()}
	if d.Connected() {
		state.State, state.Remote = "ESTABLISHED", s.addrPort(d.Remote())
	}
	return state
}

// WriteSockets writes the sockets as a table, in the manner of ss(8); with details, what [TCPInfo.String] has to say of each
// TCP connection goes below its line.
func (snap *Snapshot) WriteSockets(w io.Writer, details bool) error {
	// Lines of details are no rows of the table, so they are put between its lines when that is laid out.
	var table bytes.Buffer
	tab := tabwriter.NewWriter(&table, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tab, "Netid\tState\tRecv-Q\tSend-Q\tLocal\tPeer")
	for i := range snap.Sockets {
		s := &snap.Sockets[i]
		fmt.Fprintf(tab, "%s\t%s\t%d\t%d\t%s\t%s\n", s.Network, s.State, s.ReceiveQueue, s.SendQueue, endpoint(s.Local), endpoint(s.Remote))
	}
	tab.Flush() // into memory
	for i := -1; i < len(snap.Sockets); i++ {
		line, _ := table.ReadBytes('\n') // there is one for each
		if i >= 0 && details && snap.Sockets[i].Info != nil {
			line = fmt.Appendf(line, "\t%s\n", snap.Sockets[i].Info)
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// endpoint writes an address and port as ss(8) does: "*" for what is not said.
func endpoint(a netip.AddrPort) string {
	host, port := "*", "*"
	if a.Port() != 0 {
		port = strconv.Itoa(int(a.Port()))
	}
	if ip := a.Addr(); ip.IsValid() && !ip.IsUnspecified() {
		host = ip.String()
		if ip.Is6() {
			host = "[" + host + "]"
		}
	}
	return host + ":" + port
}
